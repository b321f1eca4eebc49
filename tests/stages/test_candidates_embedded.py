"""Three candidates of a prop with the embedded models, from the words to the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assets3d.images.picture import read_picture, resize_premultiplied
from stages._executor import LocalExecutor
from stages._harness import read_params, run_step
from stages._step import find_step
from stages.manifest import Manifest, check_entry

pytestmark = pytest.mark.slow
STEPS = ("image", "cutout", "views", "splats", "choose", "mesh", "export")
PROFILE = Path(__file__).resolve().parents[2] / "configs/profiles/embedded.yaml"
#: A tenth of the profile's work: what is tested here is what becomes of three candidates.
LESS = {
    "image": {"steps": 8, "threads": 1},
    "views": {"threads": 1},
    "splats": {"steps": 40, "count": 3000, "spin_px": 64, "threads": 1},
    "mesh": {"turntable_frames": 4, "turntable_px": 64},
    "export": {"thumbnail_px": 64, "turntable_frames": 4, "turntable_px": 64, "lods": [0.5]},
}
ENTRY = {"prompt": "a red mug", "seed": 5, "faces": 600, "texture_px": 128, "candidates": 3}


def run(runs: Path, entry: dict) -> dict[str, int]:
    """Run the steps on one entry; return step -> how many items were built."""
    manifest = Manifest({"mug": check_entry("mug", entry)}, {}, ("mug",))
    counts = {}
    for number, step in enumerate(STEPS):
        params = {**read_params(PROFILE, step), **LESS.get(step, {})}
        before = [runs / name for name in STEPS[:number]]
        done = run_step(find_step(step), params, manifest, before, runs / step, LocalExecutor())
        assert done.failed == done.skipped == 0, step
        counts[step] = done.built
    return {step: count for step, count in counts.items() if count}


def record(runs: Path, step: str, name: str = "mug") -> dict:
    return json.loads((runs / step / name / "record.json").read_text())


def test_the_best_of_three(tmp_path):
    three = dict.fromkeys(STEPS[:4], 3)
    assert run(tmp_path, ENTRY) == {**three, "choose": 1, "mesh": 1, "export": 1}
    told = record(tmp_path, "choose")["numbers"]
    assert told["tried"] == [1, 2, 3]
    assert len(set(told["score"])) == 3  # three seeds, three things
    assert all(0 < score < 1 for score in told["score"])
    assert told["score"][told["chosen"] - 1] == max(told["score"])
    for name in ("prompt", "front_iou", "consistency", "doubts"):
        assert len(told[name]) == 3
    # A mug that was asked for in red is red.
    assert told["prompt"][told["chosen"] - 1] > 0.8
    strip = read_picture(tmp_path / "choose/mug/candidates.png")
    assert strip.shape[1] > 3 * 192

    chosen = record(tmp_path, "image", f"mug~{told['chosen']}")["spec"]["seed"]
    package = record(tmp_path, "export")
    assert package["spec"]["seed"] == chosen
    (choice,) = [step for step in package["history"] if step["step"] == "choose"]
    assert choice["numbers"] == told
    packed = json.loads((tmp_path / "export/mug/package.json").read_text())
    assert packed["made_by"] == "network"  # the candidates' files are no person's

    # The network draws its views small; the front is written as finely as it is known.
    front = read_picture(tmp_path / "views/mug~1/view_000.png")
    cutout = resize_premultiplied(read_picture(tmp_path / "cutout/mug~1/cutout.png"), 256)
    assert front.shape == (256, 256, 4)
    np.testing.assert_array_equal(front[..., 3], cutout[..., 3])

    # Another one for good: the pictures, views and splats stay, to the byte.
    pin = 1 + told["chosen"] % 3
    assert run(tmp_path, {**ENTRY, "pin": pin}) == {"choose": 1, "mesh": 1, "export": 1}
    again = record(tmp_path, "choose")["numbers"]
    assert (again["chosen"], again["pinned"]) == (pin, True)
    assert again["score"] == told["score"]

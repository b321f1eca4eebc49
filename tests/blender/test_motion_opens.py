"""Clips open in Blender as a person expects: upright, facing -Y, on the ground, at 60 fps."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from motion.clip import Clip, world_pose
from motion.control.rollout import clip_from_rollout
from motion.editing.resample import resample
from motion.feet.lock import lock_feet
from motion.files.bvh import write_bvh
from motion.files.gltf import write_clip_glb
from motion.gaits import make_gaits
from motion.gaits.timeline import Part
from motion.network import Network
from motion.script import parse_script, roll_out
from motion.skeleton import PAWS, QUADRUPED
from motion.weights import embedded_weights

ROOT = Path(__file__).resolve().parents[2]
BLENDER = ROOT / ".venv-blender/bin/python"
FPS = 60

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_gaits([Part(1.0, speed_mps=1.0)], fps=FPS, name="walk").clip


def looked_at(path: Path) -> dict[str, Any]:
    if not BLENDER.is_file():
        reason = "Blender is not installed (make blender)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    script = Path(__file__).with_name("look.py")
    done = subprocess.run(
        [BLENDER, script, path, str(FPS)], capture_output=True, text=True, timeout=300
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("LOOK ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("LOOK "))


def in_blender(places: np.ndarray) -> np.ndarray:
    """Blender has +Z up and looks along +Y: glTF's front, +Z, is its -Y."""
    return np.stack([places[..., 0], -places[..., 2], places[..., 1]], axis=-1)


def lowest_paw(frame: dict[str, Any]) -> float:
    """Return how high the lowest paw's tip is: a bone of its own in a GLB, a tail in a BVH."""
    tips = {f"{name}Site": tail for name, tail in frame["tails"].items()} | frame["heads"]
    return min(tips[QUADRUPED.names[paw]][2] for paw in PAWS)


def check_heads(found: dict[str, Any], clip: Clip, atol: float) -> None:
    places, _ = world_pose(clip)
    assert {frame["frame"] for frame in found["frames"]} >= {0, len(clip) - 1}
    for frame in found["frames"]:
        index = min(frame["frame"], len(clip) - 1)
        for name, head in frame["heads"].items():
            if name in clip.skeleton.names:
                wanted = in_blender(places[index, clip.skeleton.index(name)])
                np.testing.assert_allclose(head, wanted, atol=atol, err_msg=f"{name} {index}")
        heads = frame["heads"]
        assert heads["Head"][2] > 0.35  # upright
        assert heads["Head"][1] < heads["Hips"][1] - 0.3  # facing -Y


def test_glb(clip, tmp_path):
    write_clip_glb(tmp_path / "walk.glb", clip)
    found = looked_at(tmp_path / "walk.glb")
    assert found["fps"] == FPS
    assert set(clip.skeleton.names) <= set(found["bones"])
    ((first, last),) = found["actions"].values()
    assert (first, last) == pytest.approx((0, len(clip) - 1), abs=1e-3)  # keys on whole frames
    check_heads(found, clip, 1e-3)
    for frame in found["frames"]:
        low, high = frame["bounds"]
        assert -0.01 < low[2] < 0.03  # the paws are on the ground
        assert 0.5 < high[2] < 1.0


def test_bvh(clip, tmp_path):
    write_bvh(tmp_path / "walk.bvh", clip)
    found = looked_at(tmp_path / "walk.bvh")
    assert found["fps"] == pytest.approx(FPS, rel=1e-3)
    (span,) = found["actions"].values()
    assert span[1] - span[0] == len(clip) - 1
    for frame in found["frames"]:
        heads = frame["heads"]
        assert heads["Head"][2] > 0.35
        assert heads["Head"][1] < heads["Hips"][1] - 0.3
        assert 0.0 < lowest_paw(frame) < 0.04


@pytest.fixture(scope="module")
def examples() -> dict[str, dict[str, Any]]:
    entries = yaml.safe_load((ROOT / "configs/assets.yaml").read_text(encoding="utf-8"))
    return {name: entry for name, entry in entries.items() if entry.get("kind") == "motion"}


@pytest.mark.parametrize("name", ["wolf_patrol", "wolf_rounds"])
def test_the_example_clips(examples, name, tmp_path):
    """What the manifest ships opens as it is: from standing over the origin, feet on the ground."""
    entry = examples[name]
    rollout = roll_out(Network(embedded_weights()), parse_script(entry["script"]))
    locked = lock_feet(clip_from_rollout(rollout, name), feet_m=rollout.positions_m[:, PAWS])
    clip = resample(locked.clip, entry.get("fps", FPS))
    split = entry.get("clips") == "commands"
    write_clip_glb(tmp_path / f"{name}.glb", clip, split=split)
    write_bvh(tmp_path / f"{name}.bvh", clip)
    for file in (tmp_path / f"{name}.glb", tmp_path / f"{name}.bvh"):
        found = looked_at(file)
        first = min(found["frames"], key=lambda frame: frame["frame"])
        assert first["heads"]["Head"][2] > 0.35  # upright
        assert first["heads"]["Head"][1] < first["heads"]["Hips"][1] - 0.3  # facing -Y
        assert np.hypot(*first["heads"]["Hips"][:2]) < 0.1
        for frame in found["frames"]:
            assert 0.0 < lowest_paw(frame) < 0.04, frame["frame"]
        if file.suffix == ".bvh":
            assert found["fps"] == pytest.approx(clip.fps, rel=1e-3)
            continue
        assert found["fps"] == FPS
        spans = found["actions"]
        assert len(spans) == (len(entry["script"]) if split else 1)
        for first_key, last_key in spans.values():  # keys on whole frames
            assert (first_key, last_key % 1.0) == pytest.approx((0.0, 0.0), abs=1e-2)
        if not split:
            assert spans[name][1] == pytest.approx((len(clip) - 1) * FPS / clip.fps, abs=1e-2)

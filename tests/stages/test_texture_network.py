"""The image model that ships draws materials too: words become a tile in every drawing mode."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets3d.images.words import read_words
from assets3d.textures.seams import THRESHOLDS
from stages import texture
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages.manifest import Manifest, check_entry

ROOT = Path(__file__).resolve().parents[2]
PARAMS = {
    "model": "embedded",
    "words": "world",
    "scheduler": "ddim",
    "steps": 12,
    "guidance": 3.0,
    "size_px": 256,
    "dtype": "float32",
    "device": "cpu",
    "threads": 1,
}
MODES = ("circular", "roll", "canvas")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Red bricks in every mode, moss, and words that the network was never shown."""
    words = read_words(ROOT / "assets3d/weights/image")
    if words is None or "texture" not in words.words:
        pytest.skip("the image model that is here was not taught materials")
    project = tmp_path_factory.mktemp("project")
    (project / "configs").symlink_to(ROOT / "configs")
    prompts = {mode: ("red brick wall", mode) for mode in MODES}
    prompts |= {"green": ("green moss", "roll"), "plain": ("green moss", None)}
    specs = {
        name: check_entry(name, {"kind": "material", "prompt": p, "mode": m, "size_px": 512})
        for name, (p, m) in prompts.items()
    }
    specs["roof"] = specs["circular"].model_copy(update={"prompt": "zinc opal"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        out = project / "runs/texture"
        summary = run_step(texture.STEP, PARAMS, Manifest(specs, {}), [], out, LocalExecutor())
    assert summary.failed == 0, (out / "failures.json").read_text()
    return out


def test_tiles_drawn_from_words_have_no_seam_in_any_mode(folder):
    for mode in MODES:
        picture = cv2.imread(str(folder / mode / "texture.png"))
        record = json.loads((folder / mode / "record.json").read_text())
        assert picture.shape == (512, 512, 3)
        assert picture.std() > 5.0
        assert record["numbers"]["drawn_px"] == PARAMS["size_px"]
        assert record["numbers"]["seam_nb"] < THRESHOLDS["colour"].seam_nb, mode
        source = json.loads((folder / mode / "source.json").read_text())
        assert source == {"by": "model", "detail_px": PARAMS["size_px"]}


def test_without_a_mode_the_procedural_world_answers(folder):
    assert json.loads((folder / "plain/source.json").read_text())["by"] == "world"
    assert json.loads((folder / "green/source.json").read_text())["by"] == "model"


def test_the_words_are_seen(folder):
    bricks, moss = (
        cv2.imread(str(folder / name / "texture.png"))[..., ::-1].mean((0, 1))
        for name in ("roll", "green")
    )
    assert bricks[0] > 1.5 * bricks[1:].max()
    assert moss.argmax() == 1


def test_unknown_words_are_told(folder):
    record = json.loads((folder / "roof/record.json").read_text())
    assert any("does not know: zinc, opal" in line for line in record["warnings"])
    assert np.isfinite(record["numbers"]["seam_nb"])

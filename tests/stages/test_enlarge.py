"""The texture stage with a network that enlarges: asked only where an entry is enlarged."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from assets3d.textures.seams import seam_report
from stages import _enlarge, texture
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages.manifest import Manifest, check_entry
from tests.textures.maps.tiny_networks import enlarging
from tests.textures.maps.tiny_pretrained import tiny

TEXTURE = {"model": "none", "picture_mode": "patch", "threads": 1}


@pytest.fixture
def photograph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).uniform(0, 255, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(cv2.resize(noise, (200, 150), interpolation=cv2.INTER_CUBIC)).save("wall.png")
    return {"kind": "material", "image": "wall.png", "size_px": 64, "upscale": 2}


def own(params, **entry):
    return _enlarge.own({**TEXTURE, **params}, check_entry("wall", {"kind": "material", **entry}))


def test_a_photograph_is_enlarged_by_the_profiles_network_and_tiles(photograph, tmp_path):
    made = {}
    file = str(enlarging(tmp_path / "x2.onnx", 2, reach=3))
    form = {"file": file, "range": [0, 255], "output_range": [0, 255]}
    for name, upscaler in (("filter", None), ("file", file), ("declared", form)):
        params = TEXTURE if upscaler is None else {**TEXTURE, "upscaler": upscaler}
        manifest = Manifest({"wall": check_entry("wall", photograph)}, {})
        out = tmp_path / f"runs/{name}"
        summary = run_step(texture.STEP, params, manifest, [], out, LocalExecutor())
        assert summary.failed == 0, (out / "failures.json").read_text()
        made[name] = np.asarray(Image.open(out / "wall/texture.png"))
        models = json.loads((out / "wall/record.json").read_text())["models"]
        assert set(models) == ({"upscaler"} if upscaler else set())
        assert made[name].shape == (128, 128, 3)
    assert np.abs(made["filter"].astype(float) - made["file"]).mean() > 2.0
    assert np.abs(made["declared"].astype(float) - made["file"]).max() <= 1.0
    assert seam_report(made["file"], "colour").low_frequency_step < 2.0


def test_only_entries_that_are_enlarged_read_it(tmp_path):
    params = {"upscaler": str(tiny("swin2sr"))}
    assert set(own(params, image="wall.png", upscale=2).models) == {"upscaler"}
    assert own(params, image="wall.png").models == {}
    # Words are answered by the world, at the size that is wanted.
    assert own(params, prompt="rock", upscale=2).models == {}
    drawing = {**params, "model": "sdxl"}
    assert set(own(drawing, prompt="rock", upscale=2).models) == {"upscaler"}
    assert own({}, image="wall.png", upscale=2).models == {}


@pytest.mark.parametrize(
    ("upscaler", "words"),
    [
        ("swin2sr-x9", ("texture.upscaler", "swin2sr-x9", "wanted")),
        (4, ("texture.upscaler", "4", "registered name")),
        ({"fiel": "x.onnx"}, ("texture.upscaler.fiel", "did you mean file?")),
        ({"file": "x.onnx"}, ("texture.upscaler.file", "no file x.onnx")),
    ],
)
def test_mistakes_are_one_line(upscaler, words):
    with pytest.raises(InputError) as caught:
        own({"upscaler": upscaler}, image="wall.png", upscale=2)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)

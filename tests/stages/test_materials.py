"""The texture and maps stages: every way in, the files that come out, one line for each mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from assets3d.mesh import validate
from assets3d.textures.fields import angle_deg, normals_of_slopes, slopes_of_height
from stages import maps, texture
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages.manifest import Manifest, check_entry

TEXTURE = {"model": "none", "picture_mode": "patch", "threads": 1}
MAPS = {"model": "none", "backend": "luminance", "preview_px": 64, "threads": 1}
FILES = {
    *(f"rock_{n}.png" for n in ("basecolor", "normal_gl", "height", "roughness", "ao")),
    *(
        "rock_metallic.png",
        "rock_orm.png",
        "rock_curvature.png",
        "rock.glb",
        "material.json",
        "record.json",
    ),
    *("sheet.png", "plane.png", "sphere.png"),
}


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(**entry: Any) -> Path:
        spec = check_entry("rock", {"kind": "material", "size_px": 256, **entry})
        manifest, runs = Manifest({"rock": spec}, {}), tmp_path / "runs"
        for step, params, before in ((texture.STEP, TEXTURE, []), (maps.STEP, MAPS, ["texture"])):
            out = runs / step.name
            folders = [runs / name for name in before]
            summary = run_step(step, params, manifest, folders, out, LocalExecutor())
            assert summary.failed == 0, (out / "failures.json").read_text()
        return runs / "maps/rock"

    return run


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "record.json").read_text())


@pytest.mark.parametrize(
    "entry",
    [{"procedural": "bricks", "seed": 2}, {"prompt": "grey rock", "seed": 1}],
    ids=["world", "words"],
)
def test_all_maps_are_written_tile_and_agree(build, entry):
    folder = build(**entry)
    assert {p.name for p in folder.iterdir()} == FILES
    numbers = record(folder)["numbers"]
    assert numbers["worst_seam"] < 2.0
    height = cv2.imread(str(folder / "rock_height.png"), cv2.IMREAD_UNCHANGED)
    normals = cv2.imread(str(folder / "rock_normal_gl.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert (height.dtype, normals.dtype) == (np.uint16, np.uint16)
    facts = json.loads((folder / "material.json").read_text())
    metres = height / 65535.0 * facts["height"]["range_m"]
    slopes = slopes_of_height(metres.astype(np.float32), facts["tile_m"] / 256)
    found = normals / 65535.0 * 2.0 - 1.0
    assert float(angle_deg(found, normals_of_slopes(*slopes)).mean()) < 0.01
    if not validate.missing():
        verdict = validate.validate_glb(folder / "rock.glb")
        assert (verdict.errors, verdict.warnings) == (0, 0), verdict.messages


def test_a_photograph_becomes_a_tile(build, tmp_path):
    noise = np.random.default_rng(0).uniform(0, 255, (30, 40, 3)).astype(np.uint8)
    photograph = cv2.resize(noise, (200, 150), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(photograph).save(tmp_path / "wall.png")
    folder = build(image="wall.png", mode="roll", tile_m=0.5, height_m=0.02)
    numbers = record(folder)["numbers"]
    assert numbers["worst_seam"] < 2.0
    assert numbers["height_range_m"] == pytest.approx(0.02, rel=1e-3)
    # The embedded profile has no model that was shown pictures, and says so.
    assert "patch was used" in record(tmp_path / "runs/texture/rock")["warnings"][0]


def test_packs_lie_in_folders_of_their_own(build):
    folder = build(procedural="cobble", directx=True, packs=["unreal", "unity-hdrp"])
    assert (folder / "unreal/T_Rock_N.png").is_file()
    assert (folder / "unity-hdrp/rock_MaskMap.png").is_file()
    opengl, directx = (
        cv2.imread(str(folder / f"rock_normal_{kind}.png"), cv2.IMREAD_UNCHANGED)
        for kind in ("gl", "dx")
    )
    np.testing.assert_array_equal(directx[..., 1], 65535 - opengl[..., 1])


def test_a_prompt_s_relief_may_be_as_high_as_its_own_tile_is_wide(build, tmp_path):
    folder = build(prompt="rock", height_m=1.2, metallic=1.0)
    numbers = record(folder)["numbers"]
    assert numbers["tile_m"] > 1.2
    assert numbers["height_range_m"] == pytest.approx(1.2, rel=1e-3)
    metallic = cv2.imread(str(folder / "rock_metallic.png"), cv2.IMREAD_UNCHANGED)
    assert (metallic == 255).all()
    facts = json.loads((folder / "material.json").read_text())
    assert facts["source"]["by"] == "world" and facts["source"]["family"] == "rock"


def test_a_cut_that_shows_and_too_few_pixels_are_warnings(build, tmp_path):
    import skimage.data

    wall = Image.fromarray(skimage.data.brick()).convert("RGB")
    made = {}
    for name, picture, size_px in (("large", wall, 256), ("small", wall.resize((96, 96)), 512)):
        picture.save(tmp_path / f"{name}.png")
        build(image=f"{name}.png", size_px=size_px)
        made[name] = record(tmp_path / "runs/texture/rock")
    assert made["large"]["numbers"]["cut"] > 11.0
    assert 0.3 < made["large"]["numbers"]["shown_x"] < 1.0
    assert "the cut goes through things" in made["large"]["warnings"][0]
    assert "a tile of it has 8" in made["small"]["warnings"][-1]


def test_the_same_entry_gives_the_same_bytes(build, tmp_path):
    first = (build(prompt="wet sand") / "rock_basecolor.png").read_bytes()
    other = (build(prompt="wet sand", seed=1) / "rock_basecolor.png").read_bytes()
    assert (build(prompt="wet sand") / "rock_basecolor.png").read_bytes() == first != other


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, ("exactly one of prompt, image, procedural",)),
        ({"prompt": "rock", "mode": "mirror"}, ("mode", "roll")),
        ({"prompt": "rock", "size_px": 1000}, ("size_px", "1000", "multiple of 64")),
        ({"prompt": "rock", "height_m": 3.0, "tile_m": 2.0}, ("height_m", "tile_m 2")),
        ({"image": "wall.png", "height_m": 1.5}, ("height_m", "tile_m 1")),
        ({"prompt": "rock", "mode": "canvas", "period_px": 1018}, ("period_px", "multiple of 8")),
        ({"prompt": "rock", "half_width_px": 600}, ("half_width_px", "600", "4 to 170", "1024")),
        ({"prompt": "rock", "mode": "patch", "denoise": 0.5}, ("denoise", "canvas or roll")),
        ({"prompt": "rock", "ip_adapter_weight": 0.5}, ("ip_adapter_weight", "image")),
        ({"prompt": "rock", "sampling": {"sampler": "nope"}}, ("sampler", "nope")),
        ({"procedural": "cobble", "maps": "luminance"}, ("maps", "computed")),
        ({"image": "wall.png", "mode": "circular"}, ("mode", "circular", "patch")),
        ({"prompt": "rock", "metallic": 2}, ("metallic", "1")),
        ({"prompt": "rock", "style": "no place for words"}, ("style", "{prompt}")),
        ({"prompt": "rock", "period_px": 512}, ("period_px", "canvas")),
        ({"prompt": "rock", "axes": "x"}, ("axes", "circular")),
        ({"prompt": "rock", "packs": ["unity"]}, ("packs", "unity-urp")),
        ({"prompt": "rock", "size_px": 4096, "upscale": 4}, ("upscale", "8192")),
        ({"procedural": "brick"}, ("brick", "did you mean bricks?")),
        ({"prompt": "rock", "tile": 2}, ("did you mean tile_m?",)),
    ],
)
def test_bad_entries_are_one_line(entry, words):
    with pytest.raises(InputError) as caught:
        check_entry("rock", {"kind": "material", **entry})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("size", "mode", "words"),
    [((40, 40), "RGB", "at least 64"), ((600, 80), "RGB", "4 to 1"), ((90, 90), "RGBA", "opaque")],
)
def test_bad_pictures_are_one_line(tmp_path, monkeypatch, size, mode, words):
    monkeypatch.chdir(tmp_path)
    Image.new(mode, size).save("wall.png")
    spec = check_entry("rock", {"kind": "material", "image": "wall.png"})
    out = tmp_path / "runs/texture"
    summary = run_step(
        texture.STEP, TEXTURE, Manifest({"rock": spec}, {}), [], out, LocalExecutor()
    )
    assert summary.failed == 1
    assert words in (out / "failures.json").read_text()


def test_words_that_name_nothing_known_are_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = check_entry("rock", {"kind": "material", "prompt": "purple dragon"})
    out = tmp_path / "runs/texture"
    summary = run_step(
        texture.STEP, TEXTURE, Manifest({"rock": spec}, {}), [], out, LocalExecutor()
    )
    assert summary.failed == 1
    assert "names no material known here" in (out / "failures.json").read_text()

"""Packs agree with the material, with each other, and with what the programs look for."""

import json
import re

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.textures.encoding import (
    HeightRange,
    directx_codes,
    height_range,
    normal_codes,
    normals_of_codes,
    quantised,
)
from assets3d.textures.fields import angle_deg, normals_of_slopes, slopes_of_height
from assets3d.textures.map_files import read_map
from assets3d.textures.material_json import material_facts, write_material_json
from assets3d.textures.packing import write_pack, write_packs
from assets3d.textures.presets import PRESETS, preset_named, with_directx
from tests.textures.samples import bumpy

# Blender's Node Wrangler splits a name at separators, drops digits, and looks for these words.
NODE_WRANGLER = {
    "base colour": "diffuse diff albedo base col color basecolor",
    "normal": "normal nor nrm nrml norm",
    "height": "displacement displace disp dsp height heightmap bump bmp",
    "roughness": "roughness rough rgh",
    "metallic": "metallic metalness metal mtl",
    "occlusion": "ao ambient occlusion",
}


def node_wrangler_slots(file_name: str) -> list[str]:
    stem = re.sub(r"\d", "", file_name.rsplit(".", 1)[0])
    words = set(re.split(r"[_.\-#\s]+", stem.lower()))
    return [slot for slot, tokens in NODE_WRANGLER.items() if words & set(tokens.split())]


def maps_of(preset, folder, material=None) -> dict[str, np.ndarray]:
    written = write_pack(material or bumpy(), preset, folder, "old_tile")
    return {entry.file.suffix: read_map(entry.path) for entry in written}


def test_height_and_normal_files_agree(tmp_path):
    material = bumpy(256, tile_m=2.0, relief_m=0.3)
    plain = maps_of("plain", tmp_path, material)
    facts = material_facts(material, [], tmp_path, "old_tile")
    span = HeightRange(facts["height"]["lowest_m"], facts["height"]["highest_m"])
    height_m = span.heights_m(plain["height"])
    np.testing.assert_allclose(height_m, material.height_m, atol=span.range_m / 65535)
    own = normals_of_slopes(*slopes_of_height(height_m, material.pixel_m))
    angles = angle_deg(own, normals_of_codes(plain["normal_gl"]))
    assert angles.max() <= 0.01
    # The plain 8-bit rounding that engines are content with is worse by two orders.
    rounded = normals_of_codes(normal_codes(material.normals, 8))
    assert 0.05 < angle_deg(own, rounded).mean() < 0.3


def test_quantising_twice_changes_nothing():
    once = quantised(bumpy())
    twice = quantised(once)
    np.testing.assert_array_equal(once.height_m, twice.height_m)
    np.testing.assert_array_equal(once.normals, twice.normals)
    assert len(np.unique(height_range(once.height_m).codes(once.height_m))) > 1000


def test_a_flat_tile_is_black_and_without_range(tmp_path):
    flat = quantised(bumpy(relief_m=0.0))
    span = height_range(flat.height_m)
    assert (span.range_m, span.rest_level) == (0.0, 0.0)
    assert not span.codes(flat.height_m).any()
    np.testing.assert_array_equal(normal_codes(flat.normals, 8)[0, 0], [128, 128, 255])


def test_rest_level_is_where_the_mean_lies():
    material = bumpy()
    span = height_range(material.height_m)
    codes = span.codes(material.height_m)
    assert codes.mean() / 65535 == pytest.approx(span.rest_level, abs=1e-4)
    assert (codes.min(), codes.max()) == (0, 65535)


@pytest.mark.parametrize("bits", [8, 16])
def test_blue_stays_above_one_half_and_directx_is_the_complement(bits):
    steep = np.array([[[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]], np.float32)
    codes = normal_codes(steep, bits)
    highest = 2**bits - 1
    assert (codes[..., 2] > highest / 2).all()
    turned = directx_codes(codes)
    np.testing.assert_array_equal(turned[..., 1].astype(int), highest - codes[..., 1].astype(int))
    np.testing.assert_array_equal(turned[..., [0, 2]], codes[..., [0, 2]])


def test_packed_channels_are_the_separate_maps_bit_by_bit(tmp_path):
    plain = maps_of(with_directx(PRESETS["plain"]), tmp_path / "plain")
    urp = maps_of("unity-urp", tmp_path / "urp")
    hdrp = maps_of("unity-hdrp", tmp_path / "hdrp")
    unreal = maps_of("unreal", tmp_path / "unreal")
    blender = maps_of("blender", tmp_path / "blender")
    ao, roughness, metallic = plain["ao"], plain["roughness"], plain["metallic"]
    full = np.full_like(ao, 255)
    expected = {
        "orm": np.dstack([ao, roughness, metallic]),
        "metallic smoothness": np.dstack([metallic] * 3 + [255 - roughness]),
        "mask": np.dstack([metallic, ao, full, 255 - roughness]),
    }
    np.testing.assert_array_equal(plain["orm"], expected["orm"])
    np.testing.assert_array_equal(unreal["ORM"], expected["orm"])
    np.testing.assert_array_equal(urp["MetallicSmoothness"], expected["metallic smoothness"])
    np.testing.assert_array_equal(hdrp["MaskMap"], expected["mask"])
    np.testing.assert_array_equal(unreal["N"], directx_codes(urp["NormalMap"]))
    np.testing.assert_array_equal(plain["normal_dx"], directx_codes(plain["normal_gl"]))
    np.testing.assert_array_equal(blender["height"], quantised(bumpy()).height_m)
    for height in (urp["HeightMap"], hdrp["HeightMap"], unreal["H"]):
        np.testing.assert_array_equal(height, plain["height"])


def test_every_preset_keeps_heights_deep_and_colours_at_eight_bits():
    for preset in PRESETS.values():
        names = [preset.file_name("old_tile", file) for file in preset.files]
        assert len(set(names)) == len(names)
        for file in preset.files:
            assert ("height" in file.channels) <= (file.bits >= 16)
            assert ("base_colour" in file.channels) == (file.colour_space == "srgb")
            assert file.colour_space == "linear" or file.bits == 8
            assert file.bits < 32 or file.channels == ("height",)


def test_packs_written_together_are_those_written_alone(tmp_path):
    material = bumpy()
    together = write_packs(material, {tmp_path / p: p for p in PRESETS}, "old_tile")
    assert len(together) == sum(len(p.files) for p in PRESETS.values())
    for name in PRESETS:
        for alone in write_pack(material, name, tmp_path / "alone" / name, "old_tile"):
            other = tmp_path / name / alone.path.name
            assert alone.path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("preset", "slots"),
    [
        (
            "plain",
            ["base colour", "normal", "height", "roughness", "occlusion", "metallic", None, None],
        ),
        ("blender", ["base colour", "normal", "height", "roughness", "occlusion", "metallic"]),
        ("workflow", ["base colour", "normal", "height"]),
    ],
)
def test_node_wrangler_recognises_the_names(preset, slots):
    chosen = PRESETS[preset]
    found = [node_wrangler_slots(chosen.file_name("old_tile_2", file)) for file in chosen.files]
    assert found == [[slot] if slot else [] for slot in slots]


def test_unreal_names_are_its_own():
    unreal = PRESETS["unreal"]
    names = [unreal.file_name("old_tile-2", file) for file in unreal.files]
    assert names == [f"T_OldTile2_{suffix}.png" for suffix in ("D", "N", "ORM", "H")]


def test_unknown_preset_is_refused():
    with pytest.raises(InputError, match=r"pack: found 'unity', wanted one of plain, gltf"):
        preset_named("unity")


def test_material_json_says_what_pictures_cannot(tmp_path):
    material = bumpy()
    files = write_pack(material, with_directx(PRESETS["plain"]), tmp_path, "old_tile")
    facts = material_facts(
        material,
        files,
        tmp_path,
        "old_tile",
        seams={"height": {"seam_nb": 1.2}},
        source={"by": "world", "family": "cobble", "seed": 3},
        models={"backend": "small"},
    )
    write_material_json(tmp_path / "material.json", facts)
    found = json.loads((tmp_path / "material.json").read_text())
    assert found == facts
    assert (found["size_px"], found["tile_m"]) == (64, 0.5)
    assert found["height"]["range_m"] == pytest.approx(np.ptp(material.height_m))
    assert found["files"]["old_tile_height.png"] == {
        "channels": ["height"],
        "bits": 16,
        "colour_space": "linear",
        "unit": "lowest_m to highest_m",
    }
    assert found["files"]["old_tile_normal_gl.png"]["normals"] == "OpenGL: green up"
    assert found["files"]["old_tile_normal_dx.png"]["normals"] == "DirectX: green down"
    assert found["files"]["old_tile_basecolor.png"]["colour_space"] == "srgb"
    assert set(found["files"]) == {p.name for p in tmp_path.glob("*.png")}
    assert found["seams"] == {"height": {"seam_nb": 1.2}}
    assert found["source"]["seed"] == 3 and found["models"] == {"backend": "small"}

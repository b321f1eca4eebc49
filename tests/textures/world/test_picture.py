from dataclasses import replace

import numpy as np
import pytest

from assets3d.textures.world.captions import plain_caption, sample_caption, varied_caption
from assets3d.textures.world.catalogue import FAMILIES, sample_layers, sample_material
from assets3d.textures.world.picture import Light, lit, lit_picture
from assets3d.textures.world.sheet import contact_sheet


def _rolled(material, rows, columns):
    names = ("base_colour", "height_m", "normals", "roughness", "occlusion", "metallic")
    return replace(
        material,
        **{n: np.roll(getattr(material, n), (rows, columns), axis=(0, 1)) for n in names},
    )


def test_a_lit_picture_rolls_with_its_material():
    material = sample_material("cobble", 0, 64)
    light = Light(azimuth_deg=200.0, elevation_deg=40.0, shadow=0.8)
    rolled = lit(_rolled(material, 13, 40), light)
    np.testing.assert_array_equal(rolled, np.roll(lit(material, light), (13, 40), axis=(0, 1)))


def test_a_level_surface_keeps_its_colour_under_every_light():
    material = sample_material("bricks", 0, 16)
    flat = replace(
        material,
        base_colour=np.full((16, 16, 3), 0.5, np.float32),
        height_m=np.zeros((16, 16), np.float32),
        normals=np.broadcast_to(np.float32([0, 0, 1]), (16, 16, 3)),
        occlusion=np.ones((16, 16), np.float32),
        roughness=np.ones((16, 16), np.float32),
    )
    for light in (Light(), Light(azimuth_deg=10.0, elevation_deg=35.0, strength=1.0)):
        assert np.abs(lit(flat, light).astype(int) - 128).max() <= 1


def test_light_comes_from_where_it_is_said_to():
    material = sample_material("cobble", 1, 64)
    material = replace(
        material,
        base_colour=np.full((64, 64, 3), 0.5, np.float32),
        occlusion=np.ones((64, 64), np.float32),
    )
    for azimuth, axis, sign in ((0.0, 0, 1), (180.0, 0, -1), (90.0, 1, 1), (270.0, 1, -1)):
        picture = lit(material, Light(azimuth_deg=azimuth, shadow=0.0, gloss=0.0))
        facing = sign * material.normals[..., axis]
        assert picture[facing > 0.2].mean() > picture[facing < -0.2].mean() + 10


def test_pictures_are_drawn_from_the_seed():
    material = sample_material("planks", 2, 48)
    first = lit_picture(material, 7)
    assert first.dtype == np.uint8 and first.shape == (48, 48, 3)
    np.testing.assert_array_equal(first, lit_picture(material, 7))
    assert (first != lit_picture(material, 8)).any()


@pytest.mark.parametrize("name", FAMILIES)
def test_captions_use_the_listed_words_only(name):
    family = FAMILIES[name]
    known = {token for phrase in family.words for token in phrase.split()} | {"and"}
    for seed in range(12):
        words = sample_layers(name, seed, 16).words
        assert {token for phrase in words for token in phrase.split()} <= known
        caption = sample_caption(name, seed)
        assert caption == sample_caption(name, seed)
        assert any(noun in caption for noun in family.nouns)


def test_captions_read_as_english():
    assert "brick wall" in plain_caption("bricks", 0)
    caption = varied_caption("bricks", ["red", "with moss"], np.random.default_rng(1))
    assert not caption.startswith("with") and not caption.endswith("red")


def test_a_sheet_shows_every_seed():
    sheet = contact_sheet("bricks", range(4), 16, repeats=2)
    assert sheet.size == (3 * 32, 2 * (32 + 14))


def test_relief_is_never_finer_than_a_normal_map_can_hold():
    waves = np.abs(np.fft.fftfreq(96))
    fine = (waves[:, None] > 0.4) | (waves[None] > 0.4)

    def share(height):
        power = np.abs(np.fft.fft2(height - height.mean())) ** 2
        return power[fine].sum() / power.sum()

    painted = sample_layers("gravel", 3, 96).height
    assert share(sample_material("gravel", 3, 96).height_m) < 0.05 * share(painted)

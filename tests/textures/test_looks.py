"""Pictures of materials: laws of the light, of the shade, and of what lies where."""

import numpy as np
import pytest

from assets3d.textures.looks import lit_plane, lit_sphere, maps_sheet, tiled
from assets3d.textures.shading import Sky, Sun, Surface, picture_of, shaded, sunlit
from tests.textures.samples import bumpy

BLACK_SKY = Sky((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
WHITE_SKY = Sky((0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def facing(roughness: float, metallic: float = 0.0, colour: float = 1.0) -> Surface:
    one = np.ones(1, np.float32)
    normals = np.array([[0.0, 0.0, 1.0]], np.float32)
    return Surface(
        np.full((1, 3), colour, np.float32), normals, roughness * one, one, metallic * one
    )


def view(elevation_deg: float) -> np.ndarray:
    angle = np.deg2rad(elevation_deg)
    return np.array([[np.cos(angle), 0.0, np.sin(angle)]], np.float32)


@pytest.mark.parametrize("metallic", [0.0, 1.0])
@pytest.mark.parametrize("roughness", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("elevation_deg", [30.0, 90.0])
def test_no_light_is_made(roughness, metallic, elevation_deg):
    """White under a white sky is at most white, up to the few percent of the split sum's fit."""
    light = shaded(facing(roughness, metallic), view(elevation_deg), [], WHITE_SKY)
    assert 0.4 < light.min() <= light.max() < 1.08


def test_the_lobe_returns_what_it_gets():
    """Seen from everywhere, a white metal under one sun gives its irradiance back, once smooth."""
    generator = np.random.default_rng(0)
    z = generator.uniform(0.001, 1.0, 200_000)
    angle = generator.uniform(0.0, 2.0 * np.pi, len(z))
    level = np.sqrt(1.0 - z**2)
    views = np.stack([level * np.cos(angle), level * np.sin(angle), z], axis=1)
    light = shaded(facing(0.4, 1.0), views.astype(np.float32), [Sun(0.0, 70.0, 1.0)], BLACK_SKY)
    reflected = 2.0 * np.pi * (light[:, 0] * z).mean()
    assert reflected == pytest.approx(np.sin(np.deg2rad(70.0)), rel=0.06)


def test_a_mirror_shows_the_sun_where_it_must():
    suns = [Sun(0.0, 40.0, 1.0)]
    surface = facing(0.25, 1.0)
    towards = {
        azimuth: float(
            shaded(surface, Sun(azimuth, 40.0, 1.0).towards[None], suns, BLACK_SKY).max()
        )
        for azimuth in (0.0, 90.0, 180.0)
    }
    assert towards[180.0] > 50.0 * max(towards[0.0], towards[90.0])


def test_shade_falls_away_from_the_sun_and_over_the_wrap():
    height_m = np.zeros((64, 64), np.float32)
    height_m[30:34, 1:3] = 0.4  # a post at the left edge, 0.4 m of 6.4 m
    lit = sunlit(height_m, 0.1, Sun(0.0, 45.0, 1.0))  # from the right: the shade falls to the left
    assert lit[32, 62] < 0.05  # across the wrap
    assert lit[32, 6] == lit[10, 10] == 1.0
    assert lit[32, 50] == 1.0  # 0.4 m high at 45 degrees: no shade 1.5 m away
    above = sunlit(height_m, 0.1, Sun(90.0, 45.0, 1.0))  # from the top: the shade falls down
    assert above[35, 1] < 0.05 < above[28, 1]


def test_a_flat_tile_has_no_shade():
    assert (sunlit(np.zeros((16, 16), np.float32), 0.1, Sun(0.0, 10.0, 1.0)) == 1.0).all()


def test_bright_light_rolls_off_in_order():
    values = picture_of(np.linspace(0.0, 4.0, 200, dtype=np.float32)[:, None].repeat(3, axis=1))
    assert (np.diff(values[:, 0].astype(int)) >= 0).all()
    assert values[0, 0] == 0
    assert values[-1, 0] >= 254


@pytest.mark.parametrize("look", [lit_plane, lit_sphere])
def test_pictures_are_framed_and_repeat(look):
    picture = look(bumpy(), 96)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (96, 3)
    np.testing.assert_array_equal(picture, look(bumpy(), 96))
    border = np.concatenate([picture[:2].reshape(-1, 3), picture[:, :1].reshape(-1, 3)])
    assert len(np.unique(border, axis=0)) == 1  # nothing is cut off
    middle = picture[len(picture) // 3 : -len(picture) // 3, 32:64]
    assert (np.abs(middle.astype(int) - border[0]).max(axis=2) > 8).mean() > 0.9


def test_plane_is_lit_from_its_sun_s_side():
    """The same relief lit from the left and from the right is another picture."""
    material = bumpy(relief_m=0.05)
    left, right = (
        lit_plane(material, 96, Sun(azimuth, 20.0, 4.0)).astype(float) for azimuth in (180.0, 0.0)
    )
    assert np.abs(left - right).mean() > 3.0


def test_tiled_repeats_and_sheets_hold_six_maps():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(tiled(picture)[2:4, 4:6], picture)
    assert tiled(picture[..., 0], 2).shape == (4, 4)
    sheet = maps_sheet(bumpy(), 32)
    assert sheet.shape[1] == 3 * 32 + 4 * 8

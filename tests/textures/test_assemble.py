"""Whatever a back end says, the maps agree; strength and scale are in metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assets3d.textures.encoding import quantised
from assets3d.textures.fields import agreement_deg, slopes_of_height
from assets3d.textures.looks import lit_plane, lit_sphere, maps_sheet
from assets3d.textures.maps.assemble import adjusted, material_of
from assets3d.textures.maps.relief import Relief
from assets3d.textures.world.catalogue import sample_material

SIZE = 64
PICTURE = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def relief(**options) -> Relief:
    rng = np.random.default_rng(1)
    slopes = rng.normal(0.2, 0.3, (2, SIZE, SIZE)).astype(np.float32)
    return Relief(slopes[0], slopes[1], **options)


def test_slopes_of_no_height_still_give_maps_that_agree():
    material = material_of(PICTURE, relief(), tile_m=2.0)
    assert agreement_deg(material.normals, material.height_m, material.pixel_m) < 0.01
    assert abs(float(material.height_m.mean())) < 1e-6


def test_true_slopes_give_the_height_back():
    true = sample_material("bricks", 0, SIZE)
    slopes = slopes_of_height(true.height_m, true.pixel_m)
    found = material_of(PICTURE, Relief(*slopes), tile_m=true.tile_m)
    span = float(np.ptp(true.height_m))
    assert float(np.abs(found.height_m - true.height_m).mean()) < 0.02 * span


@pytest.mark.parametrize("metric", [True, False])
def test_height_is_from_the_lowest_point_to_the_highest(metric):
    material = material_of(PICTURE, relief(metric=metric), tile_m=2.0, height_m=0.07)
    assert float(np.ptp(material.height_m)) == pytest.approx(0.07, rel=1e-4)


def test_biases_and_gains():
    true = sample_material("cobble", 1, SIZE)
    plain = adjusted(true)
    duller = adjusted(true, roughness_gain=0.5, roughness_bias=0.1, occlusion_gain=0.0)
    np.testing.assert_allclose(duller.roughness, 0.5 * plain.roughness + 0.1, atol=1e-6)
    assert float(duller.occlusion.min()) == 1.0


def test_a_larger_tile_keeps_its_slopes():
    true = sample_material("cobble", 1, SIZE)
    larger = adjusted(true, tile_m=3.0 * true.tile_m)
    np.testing.assert_allclose(larger.normals, true.normals, atol=1e-4)
    step_m = float(np.ptp(larger.height_m)) / 65535  # heights are rounded as files hold them
    np.testing.assert_allclose(larger.height_m, 3.0 * true.height_m, atol=0.51 * step_m)


def test_what_is_made_is_rounded_as_files_hold_it_and_not_copied_again():
    material = material_of(PICTURE, relief(), tile_m=2.0)
    assert quantised(material) is material
    other = replace(material, height_m=material.height_m * np.float32(1.0 + 1e-6))
    other.height_m[3, 4] += 0.4 * np.float32(np.ptp(other.height_m)) / 65535
    again = quantised(other)
    assert again is not other
    assert quantised(again) is again
    leaning = replace(material, normals=np.roll(material.normals, 1, 0))
    np.testing.assert_array_equal(quantised(leaning).normals, material.normals)


def test_what_is_given_stays_as_it_is():
    given = relief(
        roughness=np.linspace(-0.1, 1.1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    )
    before = [np.copy(getattr(given, name)) for name in ("slope_x", "slope_y", "roughness")]
    material_of(PICTURE, given, tile_m=2.0, height_m=0.1, roughness_gain=0.5)
    for name, old in zip(("slope_x", "slope_y", "roughness"), before, strict=True):
        np.testing.assert_array_equal(getattr(given, name), old)
    true = sample_material("cobble", 1, SIZE)
    height = true.height_m.copy()
    adjusted(true, height_m=0.2)
    np.testing.assert_array_equal(true.height_m, height)


def test_pictures_show_relief():
    true = sample_material("bricks", 0, SIZE)
    flat = adjusted(true, height_m=0.0)
    assert maps_sheet(true, 32).ndim == 3
    for look in (lit_plane, lit_sphere):
        picture = look(true, 96)
        assert picture.dtype == np.uint8
        difference = picture.astype(float) - look(flat, 96).astype(float)
        assert np.abs(difference).mean() > 1.0

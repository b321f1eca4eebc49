"""Enlarged tiles tile, without halos, and their normals are their height's."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from assets3d.errors import InputError
from assets3d.textures.fields import agreement_deg, normals_of_slopes, slopes_of_height
from assets3d.textures.material import Material
from assets3d.textures.seams import passes, seam_report
from assets3d.textures.torus import resized, rolled
from assets3d.textures.upscale import upscaled, upscaled_material
from tests.textures.reliefs import noise_height

PIXEL_M = 0.01


def _picture(size_px=48, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (size_px, size_px, 3), dtype=np.uint8)


def _material(size_px=64):
    height_m = noise_height(size_px, pixel_m=PIXEL_M)
    height_m -= height_m.mean()
    scalars = [np.clip(0.5 + 5.0 * noise_height(size_px, seed), 0, 1) for seed in (1, 2, 3)]
    return Material(
        base_colour=_picture(size_px).astype(np.float32) / 255.0,
        height_m=height_m,
        normals=normals_of_slopes(*slopes_of_height(height_m, PIXEL_M)),
        roughness=scalars[0],
        occlusion=scalars[1],
        metallic=scalars[2],
        tile_m=size_px * PIXEL_M,
    )


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("kernel", ["lanczos", "mitchell"])
def test_enlarging_moves_with_the_tile(factor, kernel):
    for values in (_picture(), noise_height(48)):
        found = upscaled(values, factor, kernel=kernel)
        assert found.dtype == values.dtype and found.shape[:2] == (48 * factor, 48 * factor)
        moved = upscaled(rolled(values, 5, 17), factor, kernel=kernel)
        wanted = rolled(found, 5 * factor, 17 * factor)
        assert np.abs(moved.astype(np.float64) - wanted).max() <= (1 if values.ndim == 3 else 1e-6)


@pytest.mark.parametrize("factor", [2, 4])
def test_no_value_leaves_the_range_of_its_neighbours(factor):
    values = np.zeros((32, 32), np.float32)
    values[8:20, 5:30] = 1.0
    values += 0.1 * noise_height(32)
    found = upscaled(values, factor)
    repeated = np.kron(values, np.ones((factor, factor), np.float32))
    span = 2 * factor + 1
    assert (found <= maximum_filter(repeated, span, mode="wrap")).all()
    assert (found >= minimum_filter(repeated, span, mode="wrap")).all()
    smooth = upscaled(values, factor, kernel="mitchell")
    assert smooth.min() >= values.min() and smooth.max() <= values.max()


@pytest.mark.parametrize("factor", [2, 4])
def test_shrinking_again_gives_the_picture_back(factor):
    values = noise_height(64, finest_px=2.5)
    found = resized(upscaled(values, factor), 64)
    assert np.abs(found - values).mean() < 0.02 * values.std()


@pytest.mark.parametrize("factor", [2, 4])
def test_materials_stay_materials(factor):
    material = _material()
    found = upscaled_material(material, factor)
    assert found.size_px == factor * material.size_px and found.tile_m == material.tile_m
    assert agreement_deg(found.normals, found.height_m, found.pixel_m) < 1e-3
    assert abs(found.height_m.mean()) < 1e-6
    for name in ("base_colour", "roughness", "occlusion", "metallic"):
        values = getattr(found, name)
        assert values.dtype == getattr(material, name).dtype
        assert values.min() >= 0.0 and values.max() <= 1.0
    # The relief keeps its steepness: lengths are metres, whatever the pixels.
    before, after = (
        np.hypot(*slopes_of_height(m.height_m, m.pixel_m)).mean() for m in (material, found)
    )
    assert after == pytest.approx(before, rel=0.15)
    for name, kind in (("normals", "normal"), ("height_m", "height")):
        assert passes(seam_report(rolled(getattr(found, name), 33, 71), kind), kind, slack=2.0)


def test_a_model_may_have_enlarged_the_colour():
    material = _material()
    colour = np.full((128, 128, 3), 0.5, np.float32)
    assert upscaled_material(material, 2, base_colour=colour).base_colour is colour
    with pytest.raises(InputError, match=r"base_colour: has the shape \(128, 128, 3\), wanted"):
        upscaled_material(material, 4, base_colour=colour)


def test_bad_requests_are_named():
    with pytest.raises(InputError, match="upscale: is 3, wanted 2 or 4"):
        upscaled(_picture(), 3)
    with pytest.raises(InputError, match="upscale: the tile is 48x20 px, wanted a square"):
        upscaled(_picture()[:20], 2)

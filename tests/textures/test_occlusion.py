"""Occlusion and curvature: known shapes, and rolls that change nothing."""

import math

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.textures.occlusion import ambient_occlusion, curvature, curvature_map
from assets3d.textures.torus import resized, rolled
from tests.textures.reliefs import brick_height, noise_height

PIXEL_M = 0.01


def test_a_flat_tile_sees_the_whole_sky():
    assert (ambient_occlusion(np.full((32, 32), 5.0), PIXEL_M) == 1.0).all()
    assert (ambient_occlusion(np.zeros((32, 32)), PIXEL_M, radius_m=0.2) == 1.0).all()


@pytest.mark.parametrize("directions", [8, 16])
@pytest.mark.parametrize("width_px", [9, 33, 101])
def test_the_bottom_of_a_trench_sees_the_slit_of_sky(directions, width_px):
    depth_px = 16
    height = np.full((256, 256), depth_px * PIXEL_M, np.float32)
    left = 128 - width_px // 2
    height[:, left : left + width_px] = 0.0
    found = ambient_occlusion(height, PIXEL_M, radius_m=1.2, directions=directions)
    # The walls stand on the pixels beside the trench.
    wanted = math.sin(math.atan(0.5 * (width_px + 1) / depth_px))
    np.testing.assert_allclose(found[:, 128], wanted, atol=0.5 / directions)
    # At the wall's foot half the sky or less is left, on top all of it.
    assert found[0, left] < 0.62
    np.testing.assert_allclose(found[:, :100:9][:, :5], 1.0, atol=1e-6)


def test_a_valley_of_planes_hides_what_mathematics_says():
    height = np.abs(np.arange(256) - 128.0)[None].repeat(256, axis=0)
    found = ambient_occlusion(height, 1.0, radius_m=24.0)
    assert found[0, 0] == 1.0  # the ridge
    np.testing.assert_allclose(found[:, 64], 1.0, atol=1e-6)  # a plane does not hide itself
    np.testing.assert_allclose(found[:, 128], math.sqrt(0.5), atol=0.01)  # the bottom, seen level
    # Beside the bottom the other side stands upright like a wall, and hides half the sky.
    wide = ambient_occlusion(height, 1.0, radius_m=100.0)
    np.testing.assert_allclose(wide[:, 125:128], 0.5, atol=0.03)


def test_deeper_is_darker_and_units_do_not_matter():
    height = noise_height(96, pixel_m=PIXEL_M)
    means = [ambient_occlusion(height * k, PIXEL_M).mean() for k in (0.25, 0.5, 1.0, 2.0)]
    assert np.all(np.diff(means) < 0.0)
    np.testing.assert_allclose(
        ambient_occlusion(height * 1000.0, PIXEL_M * 1000.0),
        ambient_occlusion(height, PIXEL_M),
        atol=1e-5,
    )


@pytest.mark.parametrize("shape", [(96, 96), (64, 96)])
@pytest.mark.parametrize("radius_m", [None, 0.1])
def test_occlusion_moves_with_the_tile(shape, radius_m):
    height = noise_height(96, pixel_m=PIXEL_M)[: shape[0]]
    found = ambient_occlusion(height, PIXEL_M, radius_m=radius_m)
    assert found.dtype == np.float32 and found.min() >= 0.0 and found.max() <= 1.0
    moved = ambient_occlusion(rolled(height, 17, 55), PIXEL_M, radius_m=radius_m)
    assert np.array_equal(moved, rolled(found, 17, 55))


def test_mirrored_relief_is_hidden_alike():
    height = noise_height(64, pixel_m=PIXEL_M)
    found = ambient_occlusion(height, PIXEL_M)
    for turned in (np.s_[::-1], np.s_[:, ::-1]):
        np.testing.assert_allclose(
            ambient_occlusion(height[turned], PIXEL_M), found[turned], atol=1e-6
        )


def test_size_does_not_matter_for_the_same_relief():
    height = noise_height(96, pixel_m=PIXEL_M, finest_px=4.0)
    coarse = ambient_occlusion(height, PIXEL_M)
    fine = ambient_occlusion(resized(height, 192), PIXEL_M / 2)
    assert np.abs(resized(fine, 96) - coarse).mean() < 0.01


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match="directions: is 5, wanted 4, 8 or 16"):
        ambient_occlusion(np.zeros((8, 8)), 1.0, directions=5)
    with pytest.raises(InputError, match="radius_m: is -1, wanted 0 or more"):
        ambient_occlusion(np.zeros((8, 8)), 1.0, radius_m=-1.0)


def test_a_ball_is_curved_by_its_radius_and_a_bowl_the_other_way():
    y, x = np.mgrid[:200, :200] - 100.0
    ball = np.sqrt(150.0**2 - x**2 - y**2)
    for sign in (1.0, -1.0):
        found = curvature(sign * ball * PIXEL_M, PIXEL_M)
        np.testing.assert_allclose(found[80:120, 80:120], sign / (150.0 * PIXEL_M), rtol=0.01)
    # The mean over a tile is 0: what rises falls again.
    assert abs(curvature(noise_height(64), PIXEL_M).mean()) < 1e-4


def test_the_curvature_map_is_grey_where_it_is_flat():
    height = brick_height(128, PIXEL_M)
    found = curvature_map(curvature(height, PIXEL_M))
    assert found.dtype == np.float32 and found.min() >= 0.0 and found.max() <= 1.0
    assert np.median(found) == pytest.approx(0.5, abs=1e-6)
    assert (curvature_map(np.zeros((8, 8))) == 0.5).all()
    known = curvature_map(np.array([[-10.0, 0.0, 10.0]]), full_per_m=10.0)
    np.testing.assert_allclose(known, [[0.119, 0.5, 0.881]], atol=1e-3)

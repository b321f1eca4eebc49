"""Height, slopes and normals agree, whatever slopes come in."""

import numpy as np
import pytest

from assets3d.textures import fields
from assets3d.textures.torus import rolled
from tests.textures.reliefs import brick_height, noise_height

PIXEL_M = 0.01


def test_a_slope_down_to_the_right_leans_the_normal_right_and_one_down_the_rows_leans_it_down():
    # The height falls to the right: the normal's x is positive. It falls with y (down): the
    # normal points down the picture, and y up makes that negative.
    falling = np.full((4, 4), -1.0, np.float32)
    level = np.zeros_like(falling)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(fields.normals_of_slopes(falling, level)[0, 0], [half, 0, half])
    np.testing.assert_allclose(fields.normals_of_slopes(level, falling)[0, 0], [0, -half, half])


@pytest.mark.parametrize("size", [(64, 64), (63, 65), (64, 40)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_height_to_slopes_to_height(size, dtype):
    height = noise_height(80)[: size[0], : size[1]].astype(dtype)
    # A crop is a rough periodic height too; what central differences cannot see goes first.
    once = fields.height_of_slopes(*fields.slopes_of_height(height, PIXEL_M), PIXEL_M)
    again = fields.height_of_slopes(*fields.slopes_of_height(once, PIXEL_M), PIXEL_M)
    assert once.dtype == np.float32
    np.testing.assert_allclose(again, once, atol=1e-5 * once.std())
    assert abs(once.mean()) < 1e-6 * once.std()


def test_smooth_heights_come_back_whole():
    height = noise_height(128)
    found = fields.height_of_slopes(*fields.slopes_of_height(height, PIXEL_M), PIXEL_M)
    np.testing.assert_allclose(found, height - height.mean(), atol=1e-4 * height.std())


def test_what_no_central_difference_sees_is_nought():
    checks = np.indices((8, 8)).sum(0) % 2 * 1.0
    assert not any(slope.any() for slope in fields.slopes_of_height(checks, 1.0))
    alternating = np.where(np.arange(8) % 2, 1.0, -1.0) * np.ones((8, 1))
    found = fields.height_of_slopes(alternating, alternating.T, 1.0)
    np.testing.assert_allclose(found, 0.0, atol=1e-6)


def test_normals_to_slopes_to_normals():
    slope_x, slope_y = fields.slopes_of_height(noise_height(), PIXEL_M)
    normals = fields.normals_of_slopes(slope_x, slope_y)
    assert normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-6)
    for found, wanted in zip(
        fields.slopes_of_normals(normals * 0.7), (slope_x, slope_y), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    away = fields.slopes_of_normals(np.array([[[0.6, 0.0, -0.8]]], np.float32))
    np.testing.assert_allclose(away, [[[-60.0]], [[0.0]]], rtol=1e-5)


@pytest.mark.parametrize("pixel_m", [1e-4, 0.01, 3.0])
@pytest.mark.parametrize("kind", ["white", "tilted", "bricks"])
def test_after_projection_everything_agrees(kind, pixel_m):
    generator = np.random.default_rng(5)
    slopes = list(fields.slopes_of_height(brick_height(128, pixel_m), pixel_m))
    if kind != "bricks":
        slopes = [slope + generator.standard_normal((128, 128)) * 0.5 for slope in slopes]
    if kind == "tilted":
        slopes[0] = slopes[0] + 0.3
        slopes[1] = slopes[1] - 0.4
    found = fields.project(*slopes, pixel_m)
    assert found.height_m.dtype == found.normals.dtype == np.float32
    again = fields.slopes_of_normals(found.normals)
    assert fields.tilt(*again) < 1e-4
    assert fields.curl_share(*again) < 1e-6
    assert fields.agreement_deg(found.normals, found.height_m, pixel_m) < 0.01
    twice = fields.project(*again, pixel_m)
    assert fields.angle_deg(twice.normals, found.normals).max() < 0.01
    # What is reported is of the input.
    assert abs(found.tilt - (0.5 if kind == "tilted" else 0.0)) < 0.02
    assert found.curl_share == fields.curl_share(*slopes)
    assert found.curl_share < 1e-9 if kind == "bricks" else found.curl_share > 0.2


def test_curl_and_tilt_are_measured_apart():
    y, x = np.mgrid[:64, :64] * (2.0 * np.pi / 64)
    swirl = np.sin(y), -np.sin(x)
    level = np.zeros((64, 64))
    assert fields.curl_share(*swirl) == pytest.approx(1.0)
    assert fields.curl_share(np.sin(x), np.sin(y)) == pytest.approx(0.0, abs=1e-12)
    assert fields.curl_share(np.sin(x) + np.sin(y), level) == pytest.approx(0.5, abs=1e-6)
    assert fields.curl_share(level + 0.3, level) == 0.0
    assert fields.tilt(level + 0.3, level - 0.4) == pytest.approx(0.5)


def test_projection_moves_with_the_tile():
    generator = np.random.default_rng(2)
    slopes = [generator.standard_normal((64, 64)).astype(np.float32) for _ in range(2)]
    found = fields.project(*slopes, PIXEL_M).height_m
    moved = fields.project(*(rolled(slope, 9, 31) for slope in slopes), PIXEL_M).height_m
    np.testing.assert_allclose(moved, rolled(found, 9, 31), atol=1e-5 * found.std())


def test_smoothing_damps_checks_and_leaves_the_relief():
    # A network that upsamples by repeating pixels leaves stripes near 2 px; slopes hardly show
    # them, so that an undamped height is full of them.
    height = noise_height(128, finest_px=3.0)
    slope_x, slope_y = fields.slopes_of_height(height, PIXEL_M)
    # The period is a little off 2 px.
    stripes = np.cos(np.arange(128) * np.pi * 63 / 64)
    noisy = slope_x + 0.02 * stripes
    errors = []
    for smoothing in (0.0, 0.02):
        found = fields.project(noisy, slope_y, PIXEL_M, smoothing=smoothing)
        errors.append(np.sqrt(((found.height_m - height + height.mean()) ** 2).mean()))
        assert fields.agreement_deg(found.normals, found.height_m, PIXEL_M) < 0.01
    assert errors[1] < 0.15 * errors[0]
    clean = fields.project(slope_x, slope_y, PIXEL_M, smoothing=0.02)
    assert fields.angle_deg(clean.normals, fields.normals_of_slopes(slope_x, slope_y)).max() < 0.05


def test_eight_bit_normals_cost_little():
    height = noise_height(256)
    normals = fields.normals_of_slopes(*fields.slopes_of_height(height, PIXEL_M))
    stored = np.round((normals * 0.5 + 0.5) * 255) / 255 * 2.0 - 1.0
    found = fields.project(*fields.slopes_of_normals(stored), PIXEL_M)
    assert np.sqrt(((found.height_m - height + height.mean()) ** 2).mean()) < 0.01 * height.std()
    assert fields.angle_deg(found.normals, normals).mean() < 0.25


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 0.01, 45.0, 179.99])
def test_angles_are_exact_at_both_ends(degrees):
    a = np.array([[0.0, 0.0, 1.0]], np.float32)
    b = np.array([[np.sin(np.radians(degrees)), 0.0, np.cos(np.radians(degrees))]], np.float32)
    assert fields.angle_deg(a, b)[0] == pytest.approx(degrees, rel=1e-3)


def test_a_flat_tile_is_flat():
    level = np.zeros((16, 16), np.float32)
    found = fields.project(level, level, PIXEL_M)
    assert not found.height_m.any() and found.tilt == found.curl_share == 0.0
    assert (found.normals == (0, 0, 1)).all()

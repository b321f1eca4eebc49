"""Numbers of known errors: a turned normal has its angle, a flat height the error 1."""

from __future__ import annotations

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.textures.fields import normals_of_slopes, slopes_of_height
from assets3d.textures.maps.measures import (
    ANGLES_DEG,
    SIGNS,
    height_errors,
    metallic_f1,
    normal_errors,
    scalar_errors,
    sign_test,
)
from tests.textures.reliefs import noise_height

HEIGHT = noise_height(64)
NORMALS = normals_of_slopes(*slopes_of_height(HEIGHT, 0.01))


def leaning(degrees, size=8):
    """Normals that lean to the right by so many degrees."""
    angles = np.radians(np.broadcast_to(degrees, (size, size)))
    return np.dstack([np.sin(angles), np.zeros((size, size)), np.cos(angles)])


@pytest.mark.parametrize("degrees", [0.0, 0.01, 4.0, 20.0, 89.0, 170.0])
def test_a_normal_that_is_turned_has_its_angle(degrees):
    errors = normal_errors(leaning(degrees), leaning(0.0))
    assert errors.mean_deg == pytest.approx(degrees, abs=1e-4)
    assert errors.median_deg == pytest.approx(degrees, abs=1e-4)
    assert errors.shares_below == tuple(float(degrees < limit) for limit in ANGLES_DEG)
    assert errors.away_share == float(degrees > 90.0)
    assert errors.length_error == pytest.approx(0.0, abs=1e-6)


def test_half_of_the_pixels_wrong():
    found = np.concatenate([leaning(0.0), leaning(0.0), leaning(25.0)])
    errors = normal_errors(found, np.concatenate([leaning(0.0)] * 3))
    assert errors.mean_deg == pytest.approx(25.0 / 3.0, abs=1e-3)
    assert errors.median_deg == 0.0
    assert errors.shares_below == pytest.approx((2 / 3, 2 / 3, 2 / 3, 1.0))


def test_length_is_reported_and_does_not_turn_a_normal():
    errors = normal_errors(0.8 * NORMALS, NORMALS)
    assert errors.mean_deg < 1e-3
    assert errors.length_error == pytest.approx(0.2, abs=1e-5)
    nothing = normal_errors(0.0 * NORMALS, NORMALS)
    flat = normal_errors(leaning(0.0, 64), NORMALS)
    assert nothing.mean_deg == pytest.approx(flat.mean_deg, abs=1e-4)


@pytest.mark.parametrize("name", SIGNS)
def test_a_wrong_sign_gives_itself_away(name):
    found = NORMALS * np.array([*SIGNS[name], 1.0], np.float32)
    verdict = sign_test(found, NORMALS)
    assert verdict.winner == name
    assert verdict.mean_deg[name] < 1e-3
    assert verdict.margin_deg > 10.0
    assert verdict.mean_deg["as is"] == pytest.approx(normal_errors(found, NORMALS).mean_deg)


def test_zero_and_unit_of_a_height_are_free():
    errors = height_errors(3.0 * HEIGHT + 7.0, HEIGHT)
    assert errors.rmse_over_std < 1e-5
    assert errors.pearson_r == pytest.approx(1.0, abs=1e-6)
    assert errors.scale == pytest.approx(1.0 / 3.0, rel=1e-5)
    assert height_errors(-HEIGHT, HEIGHT).pearson_r == pytest.approx(-1.0, abs=1e-6)


def test_heights_with_noise_err_as_much_as_their_correlation_says():
    noisy = HEIGHT + np.random.default_rng(1).normal(0.0, HEIGHT.std(), HEIGHT.shape)
    errors = height_errors(noisy, HEIGHT)
    assert errors.pearson_r == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert errors.rmse_over_std == pytest.approx(np.sqrt(1.0 - errors.pearson_r**2), abs=1e-6)


def test_a_flat_height_has_the_error_one():
    for level in (0.0, 0.1):
        errors = height_errors(np.full_like(HEIGHT, level), HEIGHT)
        assert (errors.rmse_over_std, errors.pearson_r) == pytest.approx((1.0, 0.0), abs=1e-6)


def test_scalars():
    truth = np.array([[0.0, 1.0], [0.5, 0.5]])
    errors = scalar_errors(truth + np.array([[0.1, -0.1], [0.0, 0.2]]), truth)
    assert errors.mae == pytest.approx(0.1)
    assert errors.rmse == pytest.approx(np.sqrt(0.06 / 4))


@pytest.mark.parametrize(
    ("found", "truth", "f1"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0),
        ([0.6, 0.4, 0, 0], [1, 1, 0, 0], 2 / 3),
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0),
        ([1, 0, 0, 0], [0, 0, 0, 0], 0.0),
        ([0, 0, 0, 0], [1, 0, 0, 0], 0.0),
    ],
)
def test_metal(found, truth, f1):
    assert metallic_f1(np.array([found]), np.array([truth])) == pytest.approx(f1)


def test_other_shapes_are_one_line():
    with pytest.raises(InputError, match=r"normals: found has the shape .* wanted"):
        normal_errors(NORMALS[:8], NORMALS)
    with pytest.raises(InputError, match="channels, wanted 3"):
        sign_test(NORMALS[..., :2], NORMALS[..., :2])
    with pytest.raises(InputError, match="flat, wanted one with relief"):
        height_errors(HEIGHT, 0.0 * HEIGHT)
    with pytest.raises(InputError, match="metallic"):
        metallic_f1(HEIGHT[0], HEIGHT)

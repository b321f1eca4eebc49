"""Nothing on the torus has an edge: every operator commutes with rolling."""

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.textures.torus import blur, central_differences, resized, rolled, row_bands, wrap_pad
from tests.textures.reliefs import noise_height

ROLL = (37, 90)


def test_central_differences_are_those_of_rolled_copies():
    field = noise_height(64)[:, :50]
    d_dx, d_dy = central_differences(field)
    assert d_dx.dtype == field.dtype
    np.testing.assert_array_equal(d_dx, (np.roll(field, -1, 1) - np.roll(field, 1, 1)) * 0.5)
    np.testing.assert_array_equal(d_dy, (np.roll(field, -1, 0) - np.roll(field, 1, 0)) * 0.5)
    assert central_differences(field.astype(np.float64))[0].dtype == np.float64
    assert not central_differences(np.arange(2.0)[None])[0].any()


@pytest.mark.parametrize("sigma_px", [0.3, 2.0, 40.0])
@pytest.mark.parametrize("shape", [(64, 64), (63, 90, 3)])
def test_blur_keeps_the_mean_and_the_range_and_commutes_with_rolls(sigma_px, shape):
    field = np.random.default_rng(1).random(shape, np.float32)
    field[:, :20] = 0.0
    found = blur(field, sigma_px)
    assert found.shape == shape and found.dtype == np.float32
    np.testing.assert_allclose(found.mean((0, 1)), field.mean((0, 1)), rtol=1e-5)
    assert found.min() > -1e-6 and found.max() < 1.0 + 1e-6
    np.testing.assert_allclose(
        blur(rolled(field, *ROLL), sigma_px), rolled(found, *ROLL), atol=1e-6
    )


def test_blur_of_nothing_is_a_copy():
    field = noise_height(16)
    assert np.array_equal(blur(field, 0.0), field)


def test_padding_wraps_more_than_once():
    field = np.arange(12).reshape(3, 4)
    padded = wrap_pad(field, 5)
    assert padded.shape == (13, 14)
    for row, column in ((0, 0), (12, 13), (5, 5), (2, 9)):
        assert padded[row, column] == field[(row - 5) % 3, (column - 5) % 4]
    assert wrap_pad(np.zeros((4, 4, 3), np.uint8), 1).shape == (6, 6, 3)


@pytest.mark.parametrize("kernel", ["mitchell", "lanczos"])
def test_enlarging_commutes_with_rolls(kernel):
    field = noise_height(48)
    found = resized(field, 144, kernel=kernel)
    again = resized(rolled(field, 5, 11), 144, kernel=kernel)
    np.testing.assert_allclose(again, rolled(found, 15, 33), atol=1e-6)


def test_shrinking_takes_the_mean_over_areas():
    field = noise_height(96)
    np.testing.assert_allclose(
        resized(field, 32), field.reshape(32, 3, 32, 3).mean((1, 3)), rtol=1e-4, atol=1e-7
    )
    np.testing.assert_allclose(resized(field, 37).mean(), field.mean(), atol=1e-6)
    wide = np.concatenate([field, field], axis=1)
    assert resized(wide, 100).shape == (100, 100)


@pytest.mark.parametrize("size_px", [1, 20, 47, 48, 49, 100])
def test_constants_stay_and_dtypes_too(size_px):
    colour = np.full((48, 48, 3), 200, np.uint8)
    found = resized(colour, size_px)
    assert found.shape == (size_px, size_px, 3) and found.dtype == np.uint8
    assert (found == 200).all()
    np.testing.assert_allclose(resized(np.full((48, 48), 0.3), size_px), 0.3, rtol=1e-12)


def test_bytes_do_not_overflow_where_the_kernel_overshoots():
    checks = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((8, 8))).astype(np.uint8) * 255
    found = resized(checks, 64, kernel="lanczos")
    assert np.abs(found.astype(int) - np.kron(checks, np.ones((2, 2)))).max() < 140


def test_a_smooth_wave_survives_there_and_back():
    phase = (np.arange(64) + 0.5) / 64 * 2.0 * np.pi
    wave = np.sin(phase)[:, None] + np.cos(2.0 * phase)
    np.testing.assert_allclose(resized(resized(wave, 256, kernel="lanczos"), 64), wave, atol=0.02)


def test_bands_cover_every_row_once():
    rows = np.concatenate([np.arange(100)[band] for band in row_bands((100, 30), 300)])
    assert np.array_equal(rows, np.arange(100))
    assert len(list(row_bands((5, 1000), 10))) == 5


def test_no_size_is_refused():
    with pytest.raises(InputError, match="size_px: is 0, wanted at least 1"):
        resized(np.zeros((4, 4)), 0)

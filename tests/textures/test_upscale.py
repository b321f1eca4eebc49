"""Enlarged tiles tile, without halos, and their normals are their height's."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from assets3d.errors import InputError
from assets3d.textures.torus import resized, rolled
from assets3d.textures.upscale import upscaled
from tests.textures.reliefs import noise_height

PIXEL_M = 0.01


def _picture(size_px=48, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (size_px, size_px, 3), dtype=np.uint8)


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


def test_bad_requests_are_named():
    with pytest.raises(InputError, match="upscale: is 3, wanted 2 or 4"):
        upscaled(_picture(), 3)
    with pytest.raises(InputError, match="upscale: the tile is 48x20 px, wanted a square"):
        upscaled(_picture()[:20], 2)

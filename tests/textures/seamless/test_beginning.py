"""A tile without a seam begins where its picture is calm, and stays the same tile."""

import numpy as np
import pytest

from assets3d.textures.seamless.beginning import begun_in_calm
from assets3d.textures.seams import seam_report
from assets3d.textures.torus import rolled


def wall() -> np.ndarray:
    """Return periodic blocks of 16 px with sharp joints exactly at the wrap."""
    rng = np.random.default_rng(0)
    tile = np.kron(rng.integers(60, 200, (8, 8, 3)), np.ones((16, 16, 1)))
    return (tile + rng.normal(0, 3, tile.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(0, 0), (5, 9)])
def test_it_begins_off_the_joints(shift):
    tile = rolled(wall(), *shift)
    found = begun_in_calm(tile)
    assert seam_report(found, "colour").seam_local < 2.0 < seam_report(wall(), "colour").seam_local
    rolls = [rolled(tile, y, x) for y in range(128) for x in range(128)]
    assert any(np.array_equal(found, roll) for roll in rolls)


@pytest.mark.parametrize(("axes", "axis"), [("x", 0), ("y", 1)])
def test_only_periodic_axes_are_rolled(axes, axis):
    tile = wall()
    means = tile.mean(axis=(1 - axis, 2))
    np.testing.assert_allclose(begun_in_calm(tile, axes).mean(axis=(1 - axis, 2)), means)

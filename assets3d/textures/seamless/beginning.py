"""Where a tile without a seam begins: anywhere would do, so it begins where the picture is calm.

A tile drawn on the torus has no seam, but its first row lies somewhere, and where that is the edge
of a brick every measure of seams, and every eye that looks for one, takes the brick for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.seamless.settings import Axes
from assets3d.textures.torus import rolled

#: Lines are compared with so many on both sides, in windows of this share of the side.
_BESIDE, _WINDOW = 3, 1 / 8


def begun_in_calm(tile: NDArray[np.uint8], axes: Axes = "both") -> NDArray[np.uint8]:
    """Return the tile (S, S, 3) rolled so that its borders are its calmest lines.

    Args:
        tile: uint8, periodic along `axes`.
        axes: where it is periodic, and may be rolled.
    """
    rows = _calmest(tile.swapaxes(0, 1)) if axes in ("both", "y") else 0
    columns = _calmest(tile) if axes in ("both", "x") else 0
    return rolled(tile, -rows, -columns)


def _calmest(tile: NDArray[np.uint8]) -> int:
    """Return the column whose step from the one before differs least from the steps beside it."""
    values = tile.astype(np.float32)
    steps = np.abs(values - np.roll(values, 1, axis=1)).mean(axis=2)
    windows = max(1, round(1 / _WINDOW))
    steps = np.stack([part.mean(axis=0) for part in np.array_split(steps, windows)])
    beside = sum(np.roll(steps, k, axis=1) for k in range(-_BESIDE, _BESIDE + 1)) - steps
    usual = 0.5 * steps.mean()  # where nearly nothing is, the least thing would be much
    share = steps / (beside / (2 * _BESIDE) + usual)
    return int(np.argmin(share.max(axis=0)))

"""How far four generated views contradict each other, told from their outlines alone.

Opposite sides of an object share an outline, mirrored: they are equally wide and equally high. What
leans towards a camera bends this by a few hundredths; a views model that lost the object breaks it
by more. Front and side say nothing about each other: seen from the side, a flat thing's upper edge
comes so near that it looks an eighth higher.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Up to here views agree as well as those of a good asset.
PLAUSIBLE = 0.07


def contradiction(rgba: NDArray[np.uint8]) -> float:
    """Return the worst relative mismatch of four views (4, H, W, 4): front, right, back, left.

    0 is perfect; an empty view gives infinity. What the picture's edge cuts off is not counted.
    """
    sizes = [_size_px(view[..., 3] > 127) for view in rgba]
    if any(size is None for size in sizes):
        return float("inf")
    front, right, back, left = np.array(sizes, dtype=np.float64)
    return max(
        *(_mismatch(back[axis], front[axis]) for axis in (0, 1)),
        _mismatch(right[1], left[1]),
        # Of a thin thing's few pixels one more or less is a large part.
        abs(right[0] - left[0]) / max(right[0], left[0], 0.5 * front[0]),
    )


def _size_px(inside: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return width and height of what is inside, (H, W)."""
    if not inside.any():
        return None
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def _mismatch(a: float, b: float) -> float:
    return abs(a - b) / max(a, b)

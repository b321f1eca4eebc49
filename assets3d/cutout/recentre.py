"""Placing a cut-out object in the middle of a square, with a border round it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.picture import resize_premultiplied


def recentre(
    rgba: NDArray[np.uint8],
    size_px: int,
    border_ratio: float = 0.2,
    *,
    min_alpha: int = 8,
    enlarge: Literal["linear", "area"] = "linear",
) -> NDArray[np.uint8]:
    """Scale and centre the object of `rgba` (H, W, 4); return RGBA (size_px, size_px, 4).

    The object's bounding box is scaled until its long side is `int(size_px * (1 - border_ratio))`
    and centred (an odd remainder goes to the right and the bottom), as `kiui.op.recenter` does; but
    the box keeps its last row and column, one pixel is enough of an object, colours are weighted by
    alpha, and the square is made at its final size in one step.

    Args:
        rgba: uint8, straight alpha.
        size_px: side of the result.
        border_ratio: share of the side that stays empty along the object's long side.
        min_alpha: fainter pixels do not count for the bounding box; they are kept within it.

        enlarge: how a small object grows; "area" is the reference's (blocks), see
            `resize_premultiplied`.

    Raises:
        InputError: no pixel reaches `min_alpha`.
    """
    if not 0.0 <= border_ratio < 1.0:
        raise ValueError(f"recentre: border_ratio {border_ratio}, wanted 0 <= ratio < 1")
    mask = rgba[..., 3] >= min_alpha
    if not mask.any():
        raise InputError("cutout: the picture is wholly transparent, wanted one visible object")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    crop = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = max(1, int(size_px * (1.0 - border_ratio))) / max(crop.shape[:2])
    height, width = (max(1, round(side * scale)) for side in crop.shape[:2])
    top, left = (size_px - height) // 2, (size_px - width) // 2
    result = np.zeros((size_px, size_px, 4), np.uint8)
    result[top : top + height, left : left + width] = resize_premultiplied(
        crop, (width, height), enlarge=enlarge
    )
    return result

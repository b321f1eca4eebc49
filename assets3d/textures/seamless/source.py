"""From a given picture to a square tile whose edges do not fit yet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.picture import resize_premultiplied
from assets3d.textures.seamless.settings import MIN_SIDE_PX

_MOST_ASPECT = 4.0


def checked(picture: NDArray[np.uint8], field: str = "image") -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) fit to become a texture; an alpha channel of 255 is dropped.

    Args:
        picture: uint8 (H, W), (H, W, 3) or (H, W, 4).
        field: the manifest's field that named it.

    Raises:
        InputError: it is too small, too long, or not opaque: a tile has no outline, and whatever
            colour were put behind would become material.
    """
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    height, width = picture.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            f"{field}: is {width}x{height} px, wanted at least {MIN_SIDE_PX} px on each side"
        )
    if max(height, width) > _MOST_ASPECT * min(height, width):
        raise InputError(
            f"{field}: is {width}x{height} px, wanted sides of at most {_MOST_ASPECT:g} to 1"
        )
    if picture.shape[2] == 4:
        if picture[..., 3].min() < 255:
            seen = float((picture[..., 3] == 255).mean())
            raise InputError(
                f"{field}: {100.0 * (1.0 - seen):.3g} % of it is transparent, wanted an opaque "
                "picture of the material (crop it, or lay it over a background)"
            )
        picture = picture[..., :3]
    return picture


def centre_square(picture: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Return the largest square in the middle of a picture (H, W, 3), brought to (S, S, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize_premultiplied(picture[top : top + side, left : left + side], size_px)

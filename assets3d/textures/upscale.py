"""Twice and four times as many pixels, on the torus, by classical filters.

Colours use Lanczos without its halos; "mitchell" is for heights: light shows every bend of a slope.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from assets3d.errors import InputError
from assets3d.textures.torus import Kernel, resized

#: The factors that are offered.
FACTORS = (2, 4)

Values = TypeVar("Values", bound=NDArray[Any])


def upscaled(values: Values, factor: int, *, kernel: Kernel = "lanczos") -> Values:
    """Enlarge a picture or map that tiles; the result tiles as well.

    With "lanczos" nothing rings: no value leaves the range of the pixel it lies in and its eight
    neighbours. "mitchell" keeps slopes smooth; it leaves that range by up to 4 % of a step, never
    the range of the whole.

    Args:
        values: (S, S) or (S, S, C), uint8 or floating; not normals, which would lose their length.
        factor: 2 or 4.
        kernel: see `torus.Kernel`.

    Returns:
        (factor * S, factor * S[, C]) of the same dtype.

    Raises:
        InputError: another factor, or a field that is not square.
    """
    _check(values, factor)
    result = resized(values, factor * len(values), kernel=kernel)
    if kernel == "mitchell":
        low, high = values.min(axis=(0, 1)), values.max(axis=(0, 1))
        return np.clip(result, low, high, out=result)  # type: ignore[return-value]
    size = (3, 3, 1)[: values.ndim]
    low, high = (f(values, size, mode="wrap") for f in (minimum_filter, maximum_filter))
    # Every new pixel of one phase lies in its own old pixel, so that limits need not be enlarged.
    for row in range(factor):
        for column in range(factor):
            phase = result[row::factor, column::factor]
            np.clip(phase, low, high, out=phase)
    return result


def _check(values: NDArray[Any], factor: int) -> None:
    if factor not in FACTORS:
        raise InputError(f"upscale: is {factor}, wanted 2 or 4")
    if values.shape[0] != values.shape[1]:
        raise InputError(
            f"upscale: the tile is {values.shape[1]}x{values.shape[0]} px, wanted a square"
        )

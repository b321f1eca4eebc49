"""Twice and four times as many pixels, on the torus, by classical filters.

Colours and scalars use Lanczos without its halos; heights use the smoother Mitchell filter, because
light shows every bend of a slope, and normals come from the enlarged height again.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from assets3d.errors import InputError
from assets3d.textures.fields import normals_of_height
from assets3d.textures.material import Material
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
        values: (S, S) or (S, S, C), uint8 or floating; not normals, see `upscaled_material`.
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


def upscaled_material(
    material: Material, factor: int, *, base_colour: NDArray[np.float32] | None = None
) -> Material:
    """Enlarge all maps of a material; the normals are those of the enlarged height.

    Args:
        material: any.
        factor: 2 or 4.
        base_colour: (factor * S, factor * S, 3), if a model has enlarged it already.

    Raises:
        InputError: another factor, or a base colour of another size.
    """
    _check(material.height_m, factor)
    size_px = factor * material.size_px
    if base_colour is None:
        base_colour = upscaled(material.base_colour, factor)
    elif base_colour.shape != (size_px, size_px, 3):
        raise InputError(
            f"base_colour: has the shape {base_colour.shape}, wanted ({size_px}, {size_px}, 3)"
        )
    height_m = upscaled(material.height_m, factor, kernel="mitchell")
    height_m -= height_m.mean(dtype=np.float64)
    return Material(
        base_colour=base_colour,
        height_m=height_m,
        normals=normals_of_height(height_m, material.tile_m / size_px),
        roughness=upscaled(material.roughness, factor),
        occlusion=upscaled(material.occlusion, factor),
        metallic=upscaled(material.metallic, factor),
        tile_m=material.tile_m,
    )


def _check(values: NDArray[Any], factor: int) -> None:
    if factor not in FACTORS:
        raise InputError(f"upscale: is {factor}, wanted 2 or 4")
    if values.shape[0] != values.shape[1]:
        raise InputError(
            f"upscale: the tile is {values.shape[1]}x{values.shape[0]} px, wanted a square"
        )

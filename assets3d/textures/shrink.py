"""Smaller materials: what a camera further away would see, not every other pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb import linear_from_srgb, srgb_from_linear
from assets3d.textures.fields import normals_of_slopes, slopes_of_height, slopes_of_normals
from assets3d.textures.material import Material
from assets3d.textures.torus import resized, row_bands


def shrunk(material: Material, size_px: int) -> Material:
    """Return the material at `size_px`, or as it is when it is no larger.

    Colours are averaged as light. Relief that becomes too fine to be seen goes into the roughness:
    the variance of the slopes within a new pixel adds to the microfacets' own (Olano and Baker
    2010), so that a far wall glints as a near one does.
    """
    if size_px >= material.size_px:
        return material
    height_m = resized(material.height_m, size_px)
    slopes = slopes_of_height(height_m, material.tile_m / size_px)
    # One plane of the large material after the other: at 8192 px each takes 270 MB.
    before = sum(_mean_square(slope, size_px) for slope in slopes_of_normals(material.normals))
    lost = before - (slopes[0] ** 2 + slopes[1] ** 2)
    alpha_squared = _mean_square(np.square(material.roughness), size_px) + np.maximum(lost, 0.0)
    colours = np.moveaxis(material.base_colour, 2, 0)
    light = np.dstack([resized(_light(colour), size_px) for colour in colours])
    return Material(
        base_colour=srgb_from_linear(light),
        height_m=height_m,
        normals=normals_of_slopes(*slopes),
        roughness=np.minimum(alpha_squared, 1.0) ** np.float32(0.25),
        occlusion=resized(material.occlusion, size_px),
        metallic=resized(material.metallic, size_px),
        tile_m=material.tile_m,
    )


def _light(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """Decode one channel of sRGB (H, W)."""
    light = np.zeros_like(colour)
    for rows in row_bands(colour.shape):
        light[rows] = linear_from_srgb(colour[rows])
    return light


def _mean_square(values: NDArray[np.float32], size_px: int) -> NDArray[np.float32]:
    """Return the mean of the squares within each new pixel; the values are squared in place."""
    return resized(np.square(values, out=values), size_px)

"""From what a back end says of a picture to a material whose maps tile and agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.fields import height_of_slopes, normals_of_slopes, slopes_of_height
from assets3d.textures.maps.relief import Relief
from assets3d.textures.material import Material
from assets3d.textures.occlusion import ambient_occlusion

#: From the lowest point to the highest as a share of the tile, where only a pattern is known.
_USUAL_RELIEF = 0.05
#: The roughness of what nobody knows anything about: most ground and walls are dull.
_USUAL_ROUGHNESS = 0.8


def material_of(
    picture: NDArray[np.uint8],
    relief: Relief,
    *,
    tile_m: float,
    height_m: float | None = None,
    roughness_bias: float = 0.0,
    roughness_gain: float = 1.0,
    occlusion_bias: float = 0.0,
    occlusion_gain: float = 1.0,
    delight: bool = False,
) -> Material:
    """Return the material of a seamless picture.

    The slopes are projected onto the height that fits them best on the torus, and the normals and
    the occlusion follow from that height: nothing else tiles and agrees by construction.

    Args:
        picture: uint8 (S, S, 3).
        relief: what a back end says of it.
        tile_m: side of the tile.
        height_m: from the lowest point to the highest; None keeps the slopes as they are, or takes
            a twentieth of the tile where only their pattern is known.
        roughness_bias: added to the roughness after the gain.
        roughness_gain: what the roughness is multiplied by.
        occlusion_bias: added to the darkness, 1 - occlusion, after the gain.
        occlusion_gain: what the darkness is multiplied by.
        delight: take the base colour without baked light, where the back end knows it.
    """
    size = len(picture)
    slope_x, slope_y = (np.asarray(s, np.float32) for s in (relief.slope_x, relief.slope_y))
    height = height_of_slopes(slope_x, slope_y, tile_m / size)
    if height_m is None and not relief.metric:
        height_m = _USUAL_RELIEF * tile_m
    colour = relief.base_colour if delight and relief.base_colour is not None else None
    flat = np.zeros((size, size), np.float32)
    roughness = relief.roughness if relief.roughness is not None else flat + _USUAL_ROUGHNESS
    material = Material(
        base_colour=picture.astype(np.float32) / 255.0 if colour is None else _unit(colour),
        height_m=height,
        normals=np.zeros((size, size, 3), np.float32),
        roughness=_unit(roughness),
        occlusion=flat,
        metallic=flat if relief.metallic is None else _unit(relief.metallic),
        tile_m=tile_m,
    )
    return adjusted(
        material,
        height_m=height_m,
        roughness_bias=roughness_bias,
        roughness_gain=roughness_gain,
        occlusion_bias=occlusion_bias,
        occlusion_gain=occlusion_gain,
    )


def adjusted(
    material: Material,
    *,
    tile_m: float | None = None,
    height_m: float | None = None,
    roughness_bias: float = 0.0,
    roughness_gain: float = 1.0,
    occlusion_bias: float = 0.0,
    occlusion_gain: float = 1.0,
) -> Material:
    """Return the material at another scale or strength, its normals and occlusion made anew.

    Args:
        material: its normals and occlusion are not read.
        tile_m: the new side of the tile; heights grow with it, so slopes stay.
        height_m: from the lowest point to the highest; None keeps the height.
        roughness_bias: see `material_of`.
        roughness_gain: see `material_of`.
        occlusion_bias: see `material_of`.
        occlusion_gain: see `material_of`.
    """
    tile_m = tile_m or material.tile_m
    height = material.height_m * np.float32(tile_m / material.tile_m)
    if height_m is not None:
        span = float(np.ptp(height))
        height = height * np.float32(height_m / span if span > 0.0 else 0.0)
    pixel_m = tile_m / material.size_px
    darkness = 1.0 - ambient_occlusion(height, pixel_m)
    return replace(
        material,
        height_m=height,
        normals=normals_of_slopes(*slopes_of_height(height, pixel_m)),
        roughness=_unit(material.roughness * roughness_gain + roughness_bias),
        occlusion=_unit(1.0 - (darkness * occlusion_gain + occlusion_bias)),
        tile_m=tile_m,
    )


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.clip(np.asarray(values, np.float32), 0.0, 1.0)

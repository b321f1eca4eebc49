"""From what a back end says of a picture to a material whose maps tile and agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.encoding import rounded_to_16_bits
from assets3d.textures.fields import height_of_slopes, normals_of_height
from assets3d.textures.maps.relief import Relief
from assets3d.textures.material import Material
from assets3d.textures.occlusion import ambient_occlusion

#: From the lowest point to the highest as a share of the tile, where only a pattern is known.
_USUAL_RELIEF = 0.05
#: Networks that enlarge by repeating pixels leave stripes that slopes hardly show and heights do.
_GUESSED_SMOOTHING = 0.02
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
    metallic: float | None = None,
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
        metallic: how much of the whole surface is metal; None takes what the back end says.
        delight: take the base colour without baked light, where the back end knows it.

    Raises:
        InputError: relief higher than the tile is wide.
    """
    _check_height(height_m, tile_m)
    size = len(picture)
    if height_m is None and not relief.metric:
        height_m = _USUAL_RELIEF * tile_m
    colour = relief.base_colour if delight else None
    roughness, metal = relief.roughness, relief.metallic
    if metallic is not None or metal is None:
        metal = np.broadcast_to(np.float32(metallic or 0.0), (size, size))
    height = height_of_slopes(
        relief.slope_x, relief.slope_y, tile_m / size, smoothing=_GUESSED_SMOOTHING
    )
    del relief  # at 8192 px each map of one channel takes 270 MB
    base_colour = _colour(picture) if colour is None else _unit(colour)
    del picture, colour
    nothing = np.broadcast_to(np.float32(0.0), (size, size, 3))
    material = Material(
        base_colour=base_colour,
        height_m=height,
        normals=nothing,
        roughness=_unit(nothing[..., 0] + _USUAL_ROUGHNESS if roughness is None else roughness),
        occlusion=nothing[..., 0],
        metallic=_unit(metal),
        tile_m=tile_m,
    )
    del base_colour, roughness, metal
    return _finished(
        material,
        _rounded(height, height_m),
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
    metallic: float | None = None,
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
        metallic: see `material_of`.

    Raises:
        InputError: relief higher than the tile is wide.
    """
    tile_m = tile_m or material.tile_m
    _check_height(height_m, tile_m)
    if metallic is not None:
        material = replace(material, metallic=np.full_like(material.metallic, metallic))
    height = material.height_m * np.float32(tile_m / material.tile_m)
    return _finished(
        replace(material, tile_m=tile_m),
        _rounded(height, height_m),
        roughness_bias=roughness_bias,
        roughness_gain=roughness_gain,
        occlusion_bias=occlusion_bias,
        occlusion_gain=occlusion_gain,
    )


def _check_height(height_m: float | None, tile_m: float) -> None:
    if height_m is not None and height_m > tile_m:
        raise InputError(f"height_m: found {height_m:g}, wanted at most tile_m {tile_m:.3g}")


def _rounded(height: NDArray[np.float32], height_m: float | None) -> NDArray[np.float32]:
    """Bring heights in place to a range, if one is wanted, and to 16 bits, as files hold them."""
    if height_m is not None:
        span = float(np.ptp(height))
        height *= np.float32(height_m / span if span > 0.0 else 0.0)
    return rounded_to_16_bits(height)


def _finished(
    material: Material,
    height: NDArray[np.float32],
    *,
    roughness_bias: float,
    roughness_gain: float,
    occlusion_bias: float,
    occlusion_gain: float,
) -> Material:
    """Return the material with this height and what follows from it."""
    pixel_m = material.tile_m / len(height)
    occlusion = ambient_occlusion(height, pixel_m)
    if (occlusion_bias, occlusion_gain) != (0.0, 1.0):
        occlusion = _unit(1.0 - ((1.0 - occlusion) * occlusion_gain + occlusion_bias))
    roughness = material.roughness
    if (roughness_bias, roughness_gain) != (0.0, 1.0):
        roughness = _unit(roughness * roughness_gain + roughness_bias)
    return replace(
        material,
        height_m=height,
        normals=normals_of_height(height, pixel_m),
        roughness=roughness,
        occlusion=occlusion,
    )


def _colour(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture's code values as 0..1."""
    colour = np.zeros(picture.shape, np.float32)
    return np.divide(picture, np.float32(255.0), out=colour, dtype=np.float32)


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a copy within 0..1."""
    copy = np.array(values, np.float32)
    return np.clip(copy, 0.0, 1.0, out=copy)

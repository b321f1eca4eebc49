"""Layers: what a family paints; and finishing them into a material whose maps agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from assets3d.textures.fields import normals_of_height
from assets3d.textures.material import Material
from assets3d.textures.occlusion import ambient_occlusion
from assets3d.textures.world.noise import Field

#: Albedo of real surfaces: charcoal to fresh snow, as sRGB code values.
DARKEST, BRIGHTEST = 0.14, 0.93
#: Deviation of the blur that heights get, in pixels. Relief that changes from one pixel to the next
#: is finer than a normal map can hold: it flickers in every renderer, and no picture shows it.
FINEST_PX = 0.8


@dataclass(frozen=True)
class Layers:
    """What a family paints on the unit torus; arrays are (S, S) except the colour.

    Attributes:
        base_colour: (S, S, 3) sRGB-encoded 0..1, without light.
        height: in tile sides, larger is nearer; only differences mean something.
        roughness: 0..1, perceptual.
        metallic: 0..1.
        words: what was drawn, in speaking order before the noun ("old", "red"); phrases that
            start with "with " follow the noun. All come from the family's `words`.
    """

    base_colour: Field
    height: Field
    roughness: Field
    metallic: Field
    words: tuple[str, ...] = ()


def finish(layers: Layers, tile_m: float) -> Material:
    """Return the material of a tile of `tile_m` metres: normals and occlusion from the height."""
    height_m = np.asarray(layers.height * tile_m, np.float32)
    height_m = ndimage.gaussian_filter(height_m, FINEST_PX, mode="wrap")
    height_m -= height_m.mean(dtype=np.float64).astype(np.float32)
    pixel_m = tile_m / len(height_m)
    return Material(
        base_colour=np.clip(layers.base_colour, DARKEST, BRIGHTEST).astype(np.float32),
        height_m=height_m,
        normals=normals_of_height(height_m, pixel_m),
        roughness=np.clip(layers.roughness, 0.05, 1.0).astype(np.float32),
        occlusion=ambient_occlusion(height_m, pixel_m),
        metallic=np.clip(layers.metallic, 0.0, 1.0).astype(np.float32),
        tile_m=tile_m,
    )

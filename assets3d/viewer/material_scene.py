"""The scene of a material: its maps, small, for a plane under a lamp."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.map_files import read_map
from assets3d.viewer.blocks import picture_url

MAP_PX = 512

#: What is read of a material, each a picture of its own: colour, OpenGL normals, the others grey.
MAPS = ("basecolor", "normal_gl", "roughness", "ao", "metallic", "height")


def material_scene(maps: Mapping[str, Path], tile_m: float, height_m: float) -> dict[str, Any]:
    """Return the scene.

    Args:
        maps: the file of each of `MAPS`.
        tile_m: what one tile measures.
        height_m: from the lowest point of the surface to the highest.

    Raises:
        InputError: when a map is missing or cannot be read.
    """
    found = {name: _eight_bit(read_map(maps[name])) for name in MAPS}
    packed = np.stack([found[name] for name in ("ao", "roughness", "metallic")], axis=-1)
    return {
        "kind": "material",
        "tile_m": tile_m,
        "height_m": height_m,
        "colour": picture_url(found["basecolor"], MAP_PX),
        "normals": picture_url(found["normal_gl"], MAP_PX, 92),
        "packed": picture_url(packed, MAP_PX),
        # Without loss, or a smooth slope gets the steps of WebP's blocks.
        "heights": picture_url(found["height"], MAP_PX, lossless=True),
    }


def _eight_bit(codes: NDArray[Any]) -> NDArray[np.uint8]:
    return (codes >> 8).astype(np.uint8) if codes.dtype == np.uint16 else codes.astype(np.uint8)

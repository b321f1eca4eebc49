"""Textured shapes, small enough for a test."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from assets3d.mesh.from_splats import with_corners
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import corner_normals
from assets3d.mesh.simplify import simplified
from assets3d.mesh.unwrap import unwrap
from tests.mesh.scenes import box, sphere, torus

SHAPES = {
    "ring": lambda: torus(cells=36),
    "box": lambda: box(0.4, 0.3, 0.2, cells=30),
    "ball": lambda: sphere(cells=30),
}


def textured(mesh: Mesh, faces: int, texture_px: int = 256) -> Mesh:
    """Return the mesh with so many faces, unwrapped by the box projection, in a chequered coat."""
    low = simplified(mesh, faces)
    uvs, _ = unwrap(low, texture_px, method="box")
    split = with_corners(low, uvs, corner_normals(low.vertices, low.faces))
    row, column = np.mgrid[:texture_px, :texture_px]
    chequered = ((row // 16 + column // 16) % 2 * 255).astype(np.uint8)
    picture = np.stack([chequered, row.astype(np.uint8), column.astype(np.uint8)], axis=-1)
    return replace(split, base_colour=np.ascontiguousarray(picture))


@cache
def shape(name: str, faces: int = 2400) -> Mesh:
    """Return one of the shapes, made once."""
    return textured(SHAPES[name](), faces)

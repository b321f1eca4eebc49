"""Which face covers which texel, and where on the surface that texel lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import unit
from assets3d.mesh.topology import face_cross
from assets3d.native.surface import cover_texels


@dataclass(frozen=True)
class Texels:
    """The K covered texels of a square texture.

    Attributes:
        index: (K,) flat pixel index, row 0 at the top.
        position: (K, 3) float32 points on the surface.
        normal: (K, 3) float32 unit normals of the surface there, interpolated.
        face_normal: (K, 3) float32 unit normals of the faces.
        size_px: side of the texture.
    """

    index: NDArray[np.int64]
    position: NDArray[np.float32]
    normal: NDArray[np.float32]
    face_normal: NDArray[np.float32]
    size_px: int


def covered_texels(mesh: Mesh, size_px: int, threads: int | None = None) -> Texels:
    """Rasterise the faces in texture space; a texel belongs to the face that holds its centre.

    A texel whose centre no face holds belongs to the nearest face within three quarters of a texel,
    so that thin faces and chart rims are covered too.

    Raises:
        ValueError: when the mesh has no texture coordinates or normals.
    """
    if mesh.uvs is None or mesh.normals is None:
        raise ValueError("covered_texels: the mesh needs uvs and normals")
    # Texel (row, column) has its centre at (column + 0.5, row + 0.5); v runs upwards.
    corners = mesh.uvs[mesh.faces] * _vector(size_px, -size_px) + _vector(0, size_px)
    owner, weights = cover_texels(corners, size_px, threads=threads)
    index = np.flatnonzero(owner >= 0)
    face, weight = owner.ravel()[index], weights.reshape(-1, 3)[index]
    normals = unit(_interpolated(weight, mesh.normals, mesh.faces[face]))
    face_normals = unit(face_cross(mesh.vertices, mesh.faces)).astype(np.float32)
    return Texels(
        index,
        _interpolated(weight, mesh.vertices, mesh.faces[face]),
        normals.astype(np.float32),
        face_normals[face],
        size_px,
    )


def _vector(x: int, y: int) -> NDArray[np.float32]:
    return np.array([x, y], dtype=np.float32)


def _interpolated(
    weight: NDArray[np.float32], values: NDArray[np.float32], corners: NDArray[np.int32]
) -> NDArray[np.float32]:
    first, second, third = (weight[:, c, None] * values[corners[:, c]] for c in range(3))
    return first + second + third

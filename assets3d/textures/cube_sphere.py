"""A sphere of six square faces with whole tiles on each: no poles, and a belt without a seam.

Each face spans equal angles per texel (the equiangular cube of Ronchi, Iacono and Paolucci 1996),
which keeps texels within a factor of about 1.4 of each other. The texture runs on over the four
edges of the belt and those between the front face and its upper and lower neighbours; the six
other edges meet turned.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.normals import unit

Vector = tuple[float, float, float]


class Face(NamedTuple):
    """A square's axes, right-handed: where its texture's right and up, and its outside, point."""

    right: Vector
    up: Vector
    out: Vector


#: Front, right, back, left, top, bottom in a world of +Y up and +Z front.
FACES = (
    Face((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    Face((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    Face((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    Face((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
    Face((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    Face((1, 0, 0), (0, 0, 1), (0, -1, 0)),
)


def sphere_points(face: Face, x: NDArray, y: NDArray) -> NDArray[np.float64]:
    """Return unit vectors (..., 3) at -1..1 along a face's right and up."""
    return unit(_on_cube(face, x, y))


def sphere_tangents(face: Face, x: NDArray, y: NDArray) -> NDArray[np.float64]:
    """Return unit vectors (..., 3) along which x grows, at right angles to the sphere's normal."""
    normal = sphere_points(face, x, y)
    right = np.broadcast_to(np.asarray(face.right, float), normal.shape)
    return unit(right - (normal * right).sum(axis=-1, keepdims=True) * normal)


def face_coordinates(directions: NDArray) -> tuple[NDArray[np.intp], NDArray, NDArray]:
    """Return which face each unit vector (..., 3) meets, and its x and y there, -1..1."""
    axes = np.asarray(FACES, dtype=directions.dtype)  # (6, 3, 3): face, axis, component
    index = np.argmax(directions @ axes[:, 2].T, axis=-1)
    right, up, out = (
        np.einsum("...c,...c->...", axes[index, axis], directions) for axis in range(3)
    )
    quarter = np.pi / 4.0
    return index, np.arctan2(right, out) / quarter, np.arctan2(up, out) / quarter


def _on_cube(face: Face, x: NDArray, y: NDArray) -> NDArray[np.float64]:
    right, up, out = (np.asarray(axis, float) for axis in face)
    across, along = (np.tan(np.asarray(v) * (np.pi / 4.0))[..., None] for v in (x, y))
    return out + across * right + along * up

"""How far two surfaces lie apart, measured from both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.topology import face_cross

#: Triangles looked at for each point: those of the nearest of many points strewn over the surface.
_CANDIDATES = 10
#: The points that every triangle has, by the shares of its corners.
_OWN_POINTS = np.array([[1, 1, 1], [2.4, 0.3, 0.3], [0.3, 2.4, 0.3], [0.3, 0.3, 2.4]]) / 3.0
#: Points strewn over the surface that is measured to, per point that is measured from.
_DENSITY = 4
#: The plastic number's powers: points of this lattice fill a square evenly (Roberts 2018).
_LATTICE = np.array([0.7548776662466927, 0.5698402909980532])


@dataclass(frozen=True)
class Deviation:
    """Distances between two surfaces in metres, both ways."""

    largest_m: float
    mean_m: float


def deviation(first: Mesh, second: Mesh, points: int = 8_000) -> Deviation:
    """Return how far the surfaces lie apart.

    Args:
        first: a mesh in metres.
        second: another.
        points: strewn evenly over each surface by area; its vertices are added to them. They are
            the same at every call.
    """
    there = distances(surface_points(first, points)[0], second, points)
    back = distances(surface_points(second, points)[0], first, points)
    largest = max(float(there.max()), float(back.max()))
    return Deviation(largest, (float(there.mean()) + float(back.mean())) / 2.0)


def surface_points(mesh: Mesh, points: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (N, 3) points of the surface, its vertices last, and a face on which each lies."""
    area = np.linalg.norm(face_cross(mesh.vertices, mesh.faces), axis=1)
    edge = np.cumsum(area) / max(float(area.sum()), 1e-30)
    number = np.arange(points)
    face = np.minimum(np.searchsorted(edge, (number + 0.5) / points), len(mesh.faces) - 1)
    u, v = np.modf(np.outer(number + 1, _LATTICE))[0].T
    folded = u + v > 1.0
    u, v = np.where(folded, 1.0 - u, u), np.where(folded, 1.0 - v, v)
    a, b, c = mesh.vertices.astype(np.float64)[mesh.faces[face]].transpose(1, 0, 2)
    inner = a + u[:, None] * (b - a) + v[:, None] * (c - a)
    used, first = np.unique(mesh.faces.ravel(), return_index=True)
    corners = mesh.vertices[used].astype(np.float64)
    return np.concatenate([inner, corners]), np.concatenate([face, first // 3])


def distances(points: NDArray[np.float64], mesh: Mesh, density: int) -> NDArray[np.float64]:
    """Return the distance of each of (N, 3) points to a surface, (N,).

    Args:
        points: anywhere.
        mesh: the surface.
        density: a quarter of the points that are strewn over it to find the triangles nearby.
    """
    strewn, face = surface_points(mesh, _DENSITY * density)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    # Small and thin triangles that no point fell on are found by points of their own.
    own = np.einsum("pk,fkj->pfj", _OWN_POINTS, corners)
    strewn = np.concatenate([strewn, own.reshape(-1, 3)])
    face = np.concatenate([face, np.tile(np.arange(len(corners)), len(own))])
    count = min(_CANDIDATES, len(strewn))
    _, index = cKDTree(strewn).query(points, k=count)
    near = face[index.reshape(len(points), count)]
    nearest = np.full(len(points), np.inf)
    for column in near.T:
        nearest = np.minimum(nearest, _to_triangles(points, corners[column]))
    return nearest


def _to_triangles(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each point to its own triangle, (N,) of (N, 3) and (N, 3, 3)."""
    a, b, c = corners.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    twice_area = np.linalg.norm(normal, axis=1)
    normal = normal / np.maximum(twice_area, 1e-30)[:, None]
    inside = twice_area > 1e-30
    for start, end in ((a, b), (b, c), (c, a)):
        inward = np.cross(normal, end - start)
        inside &= _dot(points - start, inward) >= 0.0
    edges = np.min([_to_segments(points, *pair) for pair in ((a, b), (b, c), (c, a))], axis=0)
    return np.where(inside, np.abs(_dot(points - a, normal)), edges)


def _to_segments(points: NDArray, start: NDArray, end: NDArray) -> NDArray[np.float64]:
    along = end - start
    share = _dot(points - start, along) / np.maximum(_dot(along, along), 1e-30)
    nearest = start + np.clip(share, 0.0, 1.0)[:, None] * along
    distance: NDArray[np.float64] = np.linalg.norm(points - nearest, axis=1)
    return distance


def _dot(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    return np.einsum("ij,ij->i", a, b)

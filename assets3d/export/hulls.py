"""Convex hulls for collision.

A physics engine wants few corners and no surprise: a hull has 64 vertices at most and holds all of
what it stands for, so nothing sticks out of its own collision shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, HalfspaceIntersection

from assets3d.errors import InputError
from assets3d.mesh.mesh import Mesh

#: Corners that a hull may have; PhysX allows 255 faces, but engines warn long before.
MOST_VERTICES = 64
#: Nothing thinner than this share of the object can be a part: a sheet of paper has a hull too.
_THINNEST = 1e-3
#: What is added to hulls so that rounding to float32 lets nothing stick out.
_MARGIN = 1e-6


@dataclass(frozen=True)
class Hull:
    """One convex shape.

    Attributes:
        mesh: its triangles, outward, every vertex used.
        volume_m3: what it encloses.
        reach_share: how far it stands off the true hull at most, as a share of the object's size.
    """

    mesh: Mesh
    volume_m3: float
    reach_share: float


def convex_hull(mesh: Mesh, vertices: int = MOST_VERTICES) -> Hull:
    """Return one hull with at most so many vertices that holds the whole mesh.

    Raises:
        InputError: a mesh without any extent.
    """
    return hull_of(mesh.vertices.astype(np.float64), size_of(mesh), vertices)


def size_of(mesh: Mesh) -> float:
    """Return the long side of a mesh's box.

    Raises:
        InputError: a mesh without any extent.
    """
    low, high = mesh.bounds.astype(np.float64)
    size = float((high - low).max())
    if not size > 0.0:
        raise InputError("hull: found a mesh without any extent, wanted one with a surface")
    return size


def hull_of(points: NDArray[np.float64], size: float, limit: int = MOST_VERTICES) -> Hull:
    """Return the hull of (N, 3) points, a part of an object of that size."""
    points = _thickened(np.unique(points, axis=0), size)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2.0
    local = (points - centre) / size
    exact = ConvexHull(local)
    found, reach = exact, 0.0
    if len(exact.vertices) > limit:
        candidates = (_grown(exact, limit), _cut_out(exact, limit))
        found = min(candidates, key=lambda hull: hull.volume)
        beyond = found.points @ exact.equations[:, :3].T + exact.equations[:, 3]
        reach = max(float(beyond.max()), 0.0)
    corners = found.points
    used, faces = np.unique(_outward(found), return_inverse=True)
    mesh = Mesh(
        (corners[used] * size + centre).astype(np.float32),
        faces.reshape(-1, 3).astype(np.int32),
    )
    return Hull(mesh, float(found.volume) * size**3, reach)


def _thickened(points: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Give points in one plane, or nearly so, enough depth for a hull."""
    middle = points.mean(axis=0)
    *_, axes = np.linalg.svd(points - middle, full_matrices=False)
    flat = [axis for axis in axes if np.ptp((points - middle) @ axis) < _THINNEST * size]
    for axis in flat:
        step = _THINNEST * size / 2.0 * axis
        points = np.concatenate([points + step, points - step])
    return points


def _grown(exact: ConvexHull, limit: int) -> ConvexHull:
    """Return the hull of `limit` of the corners, grown until no other sticks out.

    They are the six outermost ones, then always the one farthest outside: good for round things.
    """
    corners = exact.points[exact.vertices]
    chosen = list(dict.fromkeys([*corners.argmin(axis=0), *corners.argmax(axis=0)]))
    for start in range(len(corners)):
        if len(chosen) >= 4 and _solid(corners[chosen]):
            break
        if start not in chosen:
            chosen.append(start)
    growing = ConvexHull(corners[chosen], incremental=True)
    while len(chosen) < limit:
        farthest = (corners @ growing.equations[:, :3].T + growing.equations[:, 3]).max(axis=1)
        farthest[chosen] = -1.0
        best = int(farthest.argmax())
        if farthest[best] <= 1e-9:
            break
        chosen.append(best)
        growing.add_points(corners[best : best + 1])
    planes = growing.equations
    growing.close()
    middle = corners[chosen].mean(axis=0)
    depth = -(planes[:, :3] @ middle + planes[:, 3])
    outside = corners @ planes[:, :3].T + planes[:, 3]
    factor = 1.0 + max(float((outside / depth).max()), 0.0) + _MARGIN
    return ConvexHull(middle + factor * (corners[chosen] - middle))


def _cut_out(exact: ConvexHull, limit: int) -> ConvexHull:
    """Return the box round the hull, cut by those of its own planes that cut off most.

    A body of P planes has 2 P - 4 corners at most. Good for flat and for angular things.
    """
    planes = np.unique(np.round(exact.equations, 12), axis=0)
    low, high = exact.points.min(axis=0), exact.points.max(axis=0)
    box = np.column_stack([np.concatenate([np.eye(3), -np.eye(3)]), np.append(-high, low)])
    middle = exact.points[exact.vertices].mean(axis=0)
    chosen = box
    while len(chosen) < (limit + 4) // 2:
        corners = HalfspaceIntersection(chosen, middle).intersections
        beyond = (corners @ planes[:, :3].T + planes[:, 3]).max(axis=0)
        if beyond.max() <= _MARGIN:
            break
        chosen = np.concatenate([chosen, planes[beyond.argmax()][None]])
    chosen = chosen - [0.0, 0.0, 0.0, _MARGIN]
    corners = HalfspaceIntersection(chosen, middle).intersections
    hull = ConvexHull(np.unique(np.round(corners, 9), axis=0))
    return ConvexHull(hull.points[hull.vertices])


def _solid(points: NDArray[np.float64]) -> bool:
    return np.linalg.matrix_rank(points - points[0], tol=1e-6) == 3


def _outward(hull: ConvexHull) -> NDArray[np.int64]:
    """Return the hull's triangles counter-clockwise seen from outside."""
    faces = hull.simplices.astype(np.int64)
    a, b, c = hull.points[faces].transpose(1, 0, 2)
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), hull.equations[:, :3]) < 0.0
    faces[inward] = faces[inward][:, ::-1]
    return faces

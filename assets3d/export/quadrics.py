"""Quadric error of surfaces that carry a texture (Garland and Heckbert 1998).

A vertex of such a surface is a point of five numbers: where it is, and where it lies in the
texture, both in metres. A quadric is the weighted sum of squared distances to planes and lines in
that space, so it grows when a vertex leaves the surface as well as when the texture slides on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: How much a texture that slides by a metre counts against a surface that moves by one.
SLIDE_WEIGHT = 0.5
#: How much the lines along which the texture is cut count, against the faces beside them: a chart
#: that grows past its rim shows what lies between the charts.
_SEAM_WEIGHT = 10.0


@dataclass(frozen=True)
class Quadrics:
    """The errors x A x + 2 b x + c of N vertices: (N, 5, 5), (N, 5) and (N,) float64."""

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]

    def error(self, index: NDArray[np.int64], places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the error of vertices (M,) if they lay at places (M, 5)."""
        squared = np.einsum("ni,nij,nj->n", places, self.a[index], places)
        return squared + 2.0 * np.einsum("ni,ni->n", self.b[index], places) + self.c[index]

    def added(self, to: NDArray[np.int64], of: NDArray[np.int64]) -> Quadrics:
        """Return the quadrics with those of vertices `of` added to vertices `to`."""
        a, b, c = self.a.copy(), self.b.copy(), self.c.copy()
        for values in (a, b, c):
            np.add.at(values, to, values[of])
        return Quadrics(a, b, c)


def surface_quadrics(
    places: NDArray[np.float64],
    faces: NDArray[np.int64],
    seams: NDArray[np.int64],
    *,
    evenly: bool = False,
) -> Quadrics:
    """Return the quadrics of a surface's own faces and seams.

    Args:
        places: (N, 5) vertices.
        faces: (F, 3) vertex indices.
        seams: (S, 2) vertices at the ends of the edges along which the texture is cut.
        evenly: whether a face counts by the root of its area. By the area, as in the paper, the
            mean distance is the least, but a rim of a few small faces may be given up for it.
    """
    corner = places[faces]
    first = _unit(corner[:, 1] - corner[:, 0])
    second = corner[:, 2] - corner[:, 0]
    second = _unit(second - _dot(second, first)[:, None] * first)
    ahead, aside = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = np.linalg.norm(np.cross(ahead[:, :3], aside[:, :3]), axis=1) / 2.0
    weight = np.sqrt(area * _mean(area)) if evenly else area
    planes = _flats(corner[:, 0], (first, second), weight)
    start, end = places[seams[:, 0]], places[seams[:, 1]]
    length = np.linalg.norm((end - start)[:, :3], axis=1)
    other = _mean(length) if evenly else length
    lines = _flats(start, (_unit(end - start),), _SEAM_WEIGHT * length * other)
    count = len(places)
    summed = [np.zeros((count, *part.shape[1:])) for part in (planes.a, planes.b, planes.c)]
    for flats, owners in ((planes, faces.T), (lines, seams.T)):
        for owner in owners:
            for total, part in zip(summed, (flats.a, flats.b, flats.c), strict=True):
                np.add.at(total, owner, part)
    return Quadrics(*summed)


def _flats(
    start: NDArray[np.float64], directions: tuple[NDArray[np.float64], ...], weight: NDArray
) -> Quadrics:
    """Return the quadrics of lines or planes through `start` along unit `directions`."""
    a = np.broadcast_to(np.eye(5), (len(start), 5, 5)).copy()
    b = -start
    c = _dot(start, start)
    for direction in directions:
        along = _dot(start, direction)
        a -= direction[:, :, None] * direction[:, None, :]
        b += along[:, None] * direction
        c -= along**2
    return Quadrics(a * weight[:, None, None], b * weight[:, None], c * weight)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, 1e-30)


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.einsum("ij,ij->i", a, b)

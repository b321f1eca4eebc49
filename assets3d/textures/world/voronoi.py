"""Distance to the walls of Voronoi cells on the torus, exact or with rounded corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from assets3d.textures.world.noise import Cells, Field

# Pixels at once: what is between them stays in a core's cache.
_BLOCK = 16384


@dataclass(frozen=True)
class Stones:
    """Voronoi cells seen per pixel; lengths in tile sides.

    Attributes:
        index: (S, S) number of the cell's point.
        u, v: (S, S) offset from the point, right and down.
        edge: (S, S) distance to the nearest wall; with rounding a little less.
        count: how many cells there are.
    """

    index: NDArray[np.integer]
    u: Field
    v: Field
    edge: Field
    count: int


def stones(x: Field, y: Field, points: Field, cells: Cells, rounding: float = 0.0) -> Stones:
    """Return the cells of `cellular(x, y, points)` with the distance to their walls.

    `Cells.second - Cells.nearest` is cheaper, but its slope differs from wall to wall; this
    distance has slope 1 everywhere. `rounding` is the radius, in tile sides, within which two
    walls blend into a round corner (a smooth minimum over the Delaunay neighbours).
    """
    points = points % 1.0
    to_neighbour = _neighbour_offsets(points)
    length = np.hypot(to_neighbour[..., 0], to_neighbour[..., 1])
    normal_x = (to_neighbour[..., 0] / length).astype(np.float32)
    normal_y = (to_neighbour[..., 1] / length).astype(np.float32)
    half = (length / 2).astype(np.float32)
    flat = cells.index.ravel()
    u = _wrapped(np.ravel(x) - points[flat, 0]).astype(np.float32)
    v = _wrapped(np.ravel(y) - points[flat, 1]).astype(np.float32)
    edge = np.zeros(flat.shape, np.float32)
    for start in range(0, len(flat), _BLOCK):
        part = slice(start, start + _BLOCK)
        own = flat[part]
        walls = half[own] - u[part, None] * normal_x[own] - v[part, None] * normal_y[own]
        nearest = walls.min(axis=1)
        if rounding > 0:
            excess = np.exp((nearest[:, None] - walls) / rounding).sum(axis=1)
            nearest = nearest - rounding * np.log(excess)
        edge[part] = nearest
    shape = cells.index.shape
    return Stones(cells.index, u.reshape(shape), v.reshape(shape), edge.reshape(shape), len(points))


def _neighbour_offsets(points: Field) -> Field:
    """Return (N, K, 2) vectors to the Delaunay neighbours; rows are filled with far-away ones."""
    count = len(points)
    shifts = [(0, 0)] + [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    copies = np.concatenate([points + np.array(shift) for shift in shifts])
    starts, neighbours = Delaunay(copies).vertex_neighbor_vertices
    most = int(np.diff(starts[: count + 1]).max())
    offsets = np.full((count, most, 2), 100.0)
    for own in range(count):
        near = neighbours[starts[own] : starts[own + 1]]
        offsets[own, : len(near)] = copies[near] - points[own]
    return offsets


def _wrapped(difference: Field) -> Field:
    return difference - np.round(difference)

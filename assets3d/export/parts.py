"""A few convex hulls that together follow an object's shape, where one would fill its hollows.

The solid is cut into blocks along its axes, then blocks that touch are joined, always the two whose
common hull adds least, down to one; of these the number is taken that fills least space for the
hulls it costs. Bottom-up it finds the hole of a ring, which no first cut of the whole could free.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from assets3d.export.hulls import MOST_VERTICES, Hull, hull_of, size_of
from assets3d.mesh.mesh import Mesh

#: Hulls that an object may have.
MOST_PARTS = 6
#: Blocks along the object's long side.
_BLOCKS = 5
#: One hull more is worth it where all of them together fill this share of the object's hull less.
_WORTH = 0.03

Points = NDArray[np.float64]
Cell = tuple[int, int, int]


def part_hulls(mesh: Mesh, parts: int = MOST_PARTS, vertices: int = MOST_VERTICES) -> list[Hull]:
    """Return hulls, the largest first, that together hold the whole mesh.

    Args:
        mesh: closed.
        parts: most hulls.
        vertices: most vertices of each.

    Raises:
        InputError: a mesh without any extent.
    """
    size = size_of(mesh)
    corners = mesh.vertices.astype(np.float64)
    pieces = _joined(_blocks(mesh, size), parts, _WORTH * _volume(corners))
    hulls = [hull_of(piece, size, vertices) for piece in pieces]
    return sorted(hulls, key=lambda hull: -hull.volume_m3)


def _blocks(mesh: Mesh, size: float) -> dict[Cell, Points]:
    """Return the solid's part in each block as points whose hull holds it."""
    low, high = mesh.bounds.astype(np.float64)
    counts = np.clip(np.rint(_BLOCKS * (high - low) / size), 1, _BLOCKS).astype(int)
    edges = [np.linspace(low[a], high[a], counts[a] + 1) for a in range(3)]
    slices: dict[tuple[int, ...], Points] = {(): mesh.vertices.astype(np.float64)[mesh.faces]}
    for axis in range(3):
        cut: dict[tuple[int, ...], Points] = {}
        for place, soup in slices.items():
            rest = soup
            for number, edge in enumerate(edges[axis][1:-1]):
                below, rest = _cut(rest, axis, float(edge))
                cut[(*place, number)] = below
            cut[(*place, len(edges[axis]) - 2)] = rest
        slices = cut
    grid = np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1)
    inside = _inside(grid.reshape(-1, 3), mesh).reshape(grid.shape[:3])
    blocks = {}
    for (x, y, z), soup in slices.items():
        corner = (slice(x, x + 2), slice(y, y + 2), slice(z, z + 2))
        points = np.concatenate([soup.reshape(-1, 3), grid[corner][inside[corner]]])
        if len(points):
            blocks[x, y, z] = _outermost(points)
    return blocks


def _joined(blocks: dict[Cell, Points], parts: int, price: float) -> list[Points]:
    """Join blocks that touch; return the parts whose volume and number, at `price`, is least."""
    points = dict(enumerate(blocks.values()))
    number = {cell: index for index, cell in enumerate(blocks)}
    touching: dict[int, set[int]] = {index: set() for index in points}
    for (x, y, z), index in number.items():
        beside = ((x + 1, y, z), (x, y + 1, z), (x, y, z + 1))
        for cell in beside:
            if cell in number:
                touching[index].add(number[cell])
                touching[number[cell]].add(index)
    volume = {index: _volume(piece) for index, piece in points.items()}

    def added(first: int, second: int) -> float:
        both = np.concatenate([points[first], points[second]])
        return _volume(both) - volume[first] - volume[second]

    costs = {(a, b): added(a, b) for a in points for b in touching[a] if a < b}
    best: list[Points] = []
    least = np.inf
    while True:
        total = sum(volume.values()) + price * len(points)
        if len(points) <= parts and total <= least:
            best, least = list(points.values()), total
        if not costs:
            return best if np.isfinite(least) else list(points.values())
        a, b = min(costs, key=lambda pair: (costs[pair], pair))
        points[a] = _outermost(np.concatenate([points[a], points.pop(b)]))
        volume[a] = _volume(points[a])
        del volume[b]
        touching[a] = (touching[a] | touching.pop(b)) - {a, b}
        costs = {pair: cost for pair, cost in costs.items() if a not in pair and b not in pair}
        for other in touching[a]:
            touching[other] = (touching[other] - {b}) | {a}
            pair = (a, other) if a < other else (other, a)
            costs[pair] = added(*pair)


def _cut(soup: Points, axis: int, place: float) -> tuple[Points, Points]:
    """Return the (F, 3, 3) triangles below and above a plane.

    Of a triangle that the plane meets, each corner stays with the two points where its edges meet
    the plane: a surface that overlaps itself, whose hull is that of the true piece.
    """
    height = soup[:, :, axis] - place
    under, over = (height <= 0.0).all(axis=1), (height >= 0.0).all(axis=1)
    crossed = ~under & ~over
    sides = []
    for whole, sign in ((under, 1.0), (over & ~under, -1.0)):
        kept = [soup[whole]]
        for turn in range(3):
            corner = np.roll(soup[crossed], -turn, axis=1)
            level = np.roll(sign * height[crossed], -turn, axis=1)
            here = level[:, 0] <= 0.0
            ends = [_meeting(corner, level, other)[here] for other in (0, 1, 2)]
            kept.append(np.stack(ends, axis=1))
        sides.append(np.concatenate(kept))
    return sides[0], sides[1]


def _meeting(corner: Points, level: Points, other: int) -> Points:
    """Return where the edge from corner 0 to another meets the plane, or the other's place."""
    start, end = level[:, 0], level[:, other]
    crosses = (start <= 0.0) & (end > 0.0)
    share = np.where(crosses, start / np.where(crosses, start - end, 1.0), 1.0)
    found: Points = corner[:, 0] + share[:, None] * (corner[:, other] - corner[:, 0])
    return found


def _inside(points: Points, mesh: Mesh) -> NDArray[np.bool_]:
    """Mark points that a closed mesh goes round, by its solid angle (Van Oosterom 1983)."""
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    turns = np.zeros(len(points))
    for index, point in enumerate(points):
        a, b, c = (corners - point).transpose(1, 0, 2)
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        above = np.einsum("ij,ij->i", a, np.cross(b, c))
        below = la * lb * lc
        for one, two, far in ((a, b, lc), (b, c, la), (c, a, lb)):
            below = below + np.einsum("ij,ij->i", one, two) * far
        turns[index] = np.arctan2(above, below).sum() / (2.0 * np.pi)
    return np.abs(turns) > 0.5


def _volume(points: Points) -> float:
    try:
        return float(ConvexHull(points).volume)
    except (QhullError, ValueError):
        return 0.0  # flat, or fewer than four points


def _outermost(points: Points) -> Points:
    """Return the points that span the hull; all of them where they are flat."""
    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        return np.unique(points, axis=0)

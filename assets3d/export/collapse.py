"""Fewer triangles under the same texture: edges collapse onto vertices that are there already.

fast_simplification, which brings a mesh to its budget before it is unwrapped, knows no texture
coordinates. Here a vertex only ever moves onto a neighbour and takes its texture coordinates, so no
new ones appear; vertices on a cut of the texture move along the cut only, on both of its sides at
once; nothing may turn over, neither in space nor in the texture. Each round collapses the cheapest
edges that do not touch each other: the same mesh always gives the same result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from assets3d.export.quadrics import SLIDE_WEIGHT, Quadrics, surface_quadrics
from assets3d.mesh.from_splats import with_corners
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import corner_normals

_ROUNDS = 400
#: The share of the points that may move in one round: those whose move costs least.
_SHARES = (0.25, 1.0)
#: A face may turn by 75 degrees at most, and must not become a needle.
_TURN, _NEEDLE = 0.26, 0.02
#: Times the round looks for more edges that touch none of those it has.
_PICKS = 3

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Surface:
    """The mesh between two rounds.

    Attributes:
        point: (W,) the point of each wedge; a point has one wedge per side of the texture's cuts.
        places: (W, 5) where a wedge is and where it lies in the texture, in sizes of the object.
        faces: (F, 3) wedges.
        quadrics: one per wedge.
    """

    point: Ints
    places: Floats
    faces: Ints
    quadrics: Quadrics

    @property
    def points(self) -> int:
        """How many points there were in the beginning."""
        return int(self.point.max()) + 1


@dataclass(frozen=True)
class _Moves:
    """Points that could move onto a neighbour: (M,) arrays.

    Attributes:
        start, end: the points.
        wedge, other: (M, 2) wedges of `start`; the second is -1 where it has only one.
        onto, other_onto: the wedges of `end` that these become.
        cost: the error that it would make.
    """

    start: Ints
    end: Ints
    wedge: Ints
    onto: Ints
    other: Ints
    other_onto: Ints
    cost: Floats

    def at(self, index: NDArray) -> _Moves:
        """Return some of them."""
        return _Moves(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def collapsed(mesh: Mesh, faces: int, *, evenly: bool = False) -> Mesh:
    """Return the mesh with at most `faces` triangles where its cuts allow that, texture unchanged.

    A mesh that has no more comes back as it is. Normals are made anew for the new shape.

    Args:
        mesh: textured or not.
        faces: the most triangles.
        evenly: whether small faces count for more than their area, see `surface_quadrics`.
    """
    if len(mesh.faces) <= faces:
        return mesh
    surface = _surface_of(mesh, evenly)
    share = 0
    for _ in range(_ROUNDS):
        excess = len(surface.faces) - faces
        if excess <= 0 or share == len(_SHARES):
            break
        moved = _round(surface, (excess + 1) // 2, _SHARES[share])
        share += moved is None
        surface = moved or surface
    return _mesh_of(surface, mesh)


def _surface_of(mesh: Mesh, evenly: bool) -> _Surface:
    low, high = mesh.bounds.astype(np.float64)
    size = max(float((high - low).max()), 1e-30)
    _, point = np.unique(mesh.vertices, axis=0, return_inverse=True)
    uvs = np.zeros((len(mesh.vertices), 2), np.float32) if mesh.uvs is None else mesh.uvs
    keys = np.column_stack([point.reshape(-1).astype(np.float64), uvs])
    _, first, wedge = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    faces = wedge.reshape(-1)[mesh.faces].astype(np.int64)
    point = point.reshape(-1)[first].astype(np.int64)
    spot = (mesh.vertices[first].astype(np.float64) - (low + high) / 2.0) / size
    in_texture = uvs[first].astype(np.float64)
    scale = _areas(spot[faces]).sum() / max(float(_areas(in_texture[faces]).sum()), 1e-30)
    slide = SLIDE_WEIGHT * np.sqrt(scale) if mesh.uvs is not None else 0.0
    places = np.column_stack([spot, slide * in_texture])
    proper = point[faces]
    proper = (proper != np.roll(proper, 1, axis=1)).all(axis=1)
    faces = faces[proper]
    quadrics = surface_quadrics(places, faces, _seams(point, faces), evenly=evenly)
    return _Surface(point, places, faces, quadrics)


def _mesh_of(surface: _Surface, mesh: Mesh) -> Mesh:
    """Return the surface as a mesh, with normals split at its edges and at the cuts."""
    _, point = np.unique(mesh.vertices, axis=0, return_inverse=True)
    spots = np.zeros((surface.points, 3), np.float32)
    spots[point.reshape(-1)] = mesh.vertices
    faces = surface.point[surface.faces].astype(np.int32)
    uvs = np.zeros((len(surface.point), 2), np.float32)
    if mesh.uvs is not None:
        keys = np.column_stack([point.reshape(-1).astype(np.float64), mesh.uvs])
        _, first = np.unique(keys, axis=0, return_index=True)
        uvs = mesh.uvs[first]
    done = with_corners(Mesh(spots, faces), uvs[surface.faces], corner_normals(spots, faces))
    return replace(
        done,
        uvs=None if mesh.uvs is None else done.uvs,
        base_colour=mesh.base_colour,
    )


def _seams(point: Ints, faces: Ints) -> Ints:
    """Return (S, 2) wedges of edges that the faces on either side see as different ones."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ordered = np.sort(edges, axis=1)
    _, inverse, counts = np.unique(ordered, axis=0, return_inverse=True, return_counts=True)
    return edges[counts[inverse.reshape(-1)] == 1]


def _round(surface: _Surface, wanted: int, share: float) -> _Surface | None:
    """Return the surface after the cheapest moves that do not touch, or None if there are none."""
    moves, pairs = _moves(surface)
    best = np.full(surface.points, np.inf)
    np.minimum.at(best, moves.start, moves.cost)
    limit = np.quantile(best[np.isfinite(best)], share) if len(moves.cost) else 0.0
    moves = moves.at(np.argsort(moves.cost, kind="stable"))
    moves = moves.at(moves.cost <= limit)
    moves = moves.at(_keeps_shape(surface, moves))
    moves = moves.at(_keeps_topology(surface, moves, pairs))
    moves = moves.at(np.sort(np.unique(moves.start, return_index=True)[1]))
    moves = moves.at(_apart(surface, moves, pairs)[:wanted])
    if not len(moves.start):
        return None
    two = moves.other >= 0
    of = np.concatenate([moves.wedge, moves.other[two]])
    onto = np.concatenate([moves.onto, moves.other_onto[two]])
    becomes = np.arange(len(surface.point))
    becomes[of] = onto
    faces = becomes[surface.faces]
    corner = surface.point[faces]
    faces = faces[(corner != np.roll(corner, 1, axis=1)).all(axis=1)]
    return replace(surface, faces=faces, quadrics=surface.quadrics.added(onto, of))


def _moves(surface: _Surface) -> tuple[_Moves, Ints]:
    """Return the moves that tear no cut open, and all (E, 2) pairs of neighbouring points."""
    faces, count = surface.faces, len(surface.point)
    ahead = np.concatenate([faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    both = np.concatenate([ahead, ahead[:, ::-1]])
    codes, sides = np.unique(both[:, 0] * count + both[:, 1], return_counts=True)
    wedge, onto = codes // count, codes % count
    start, end = surface.point[wedge], surface.point[onto]
    order = np.lexsort((wedge, end, start))
    wedge, onto, sides, start, end = (v[order] for v in (wedge, onto, sides, start, end))
    fresh = np.ones(len(start), bool)
    fresh[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    first = np.flatnonzero(fresh)
    size = np.diff(np.append(first, len(start)))
    edge_faces = np.add.reduceat(sides, first)
    start, end = start[first], end[first]
    second = np.minimum(first + 1, len(wedge) - 1)
    two = size == 2
    wedges = np.bincount(surface.point[np.unique(faces)], minlength=surface.points)
    # Every wedge of the point has to know what it becomes, and only one thing.
    allowed = (size == wedges[start]) & (~two | (wedge[first] != wedge[second])) & (size <= 2)
    rim = np.zeros(surface.points, bool)
    rim[start[edge_faces == 1]] = True
    stuck = np.zeros(surface.points, bool)
    stuck[start[edge_faces > 2]] = True
    allowed &= np.where(rim[start], edge_faces == 1, edge_faces == 2) & ~stuck[start]
    cost = surface.quadrics.error(wedge[first], surface.places[onto[first]])
    cost += np.where(two, surface.quadrics.error(wedge[second], surface.places[onto[second]]), 0.0)
    # On a plane all moves cost nothing: short ones leave the better triangles.
    step = surface.places[onto[first]] - surface.places[wedge[first]]
    cost += 1e-7 * np.einsum("ij,ij->i", step[:, :3], step[:, :3])
    moves = _Moves(
        start,
        end,
        wedge[first],
        onto[first],
        np.where(two, wedge[second], -1),
        np.where(two, onto[second], -1),
        cost,
    )
    return moves.at(allowed), np.column_stack([start, end])


def _keeps_shape(surface: _Surface, moves: _Moves) -> NDArray[np.bool_]:
    """Mark moves after which no face is turned over, in space or in the texture, or a needle."""
    corner_point = surface.point[surface.faces]
    order = np.argsort(corner_point.ravel(), kind="stable")
    starts = np.searchsorted(corner_point.ravel()[order], np.arange(surface.points + 1))
    row, entry = _expanded(starts, moves.start)
    corner = order[entry]
    face, place = corner // 3, corner % 3
    stays = (corner_point[face] != moves.end[row][:, None]).all(axis=1)
    row, face, place = row[stays], face[stays], place[stays]
    wedges = surface.faces[face]
    mine = wedges[np.arange(len(face)), place]
    onto = np.where(mine == moves.wedge[row], moves.onto[row], moves.other_onto[row])
    before = surface.places[wedges]
    after = before.copy()
    after[np.arange(len(face)), place] = surface.places[onto]
    old, new = _cross(before[..., :3]), _cross(after[..., :3])
    length = np.linalg.norm(new, axis=1)
    bad = np.einsum("ij,ij->i", old, new) < _TURN * np.linalg.norm(old, axis=1) * length
    slender = _slender(after, length)
    bad |= (slender < _NEEDLE) & (slender < _slender(before, np.linalg.norm(old, axis=1)))
    old_turn, new_turn = _turn(before[..., 3:]), _turn(after[..., 3:])
    bad |= (old_turn * new_turn <= 0.0) & (np.abs(old_turn) > 1e-12)
    return np.bincount(row[bad], minlength=len(moves.start)) == 0


def _keeps_topology(surface: _Surface, moves: _Moves, pairs: Ints) -> NDArray[np.bool_]:
    """Mark moves that pinch nothing: the two ends share just the corners of the faces that go."""
    linked = csr_matrix(
        (np.ones(len(pairs), np.int32), (pairs[:, 0], pairs[:, 1])),
        shape=(surface.points, surface.points),
    )
    shared = linked[moves.start].multiply(linked[moves.end]).sum(axis=1)
    corner = surface.point[surface.faces]
    edges = np.concatenate([corner[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    faces = csr_matrix(
        (np.ones(len(edges), np.int32), (edges[:, 0], edges[:, 1])),
        shape=(surface.points, surface.points),
    )
    beside = np.asarray((faces + faces.T)[moves.start, moves.end]).ravel()
    return np.asarray(shared).ravel() == beside


def _apart(surface: _Surface, moves: _Moves, pairs: Ints) -> Ints:
    """Return moves, cheapest first, of which no two change a face or a neighbour of one another."""
    starts = np.searchsorted(pairs[:, 0], np.arange(surface.points + 1))
    row, entry = _expanded(starts, moves.start)
    row = np.concatenate([row, np.arange(len(moves.start))])
    ring = np.concatenate([pairs[entry, 1], moves.start])
    taken = np.zeros(surface.points, bool)
    chosen = np.zeros(len(moves.start), bool)
    for _ in range(_PICKS):
        free = np.bincount(row[taken[ring]], minlength=len(chosen)) == 0
        first = np.full(surface.points, len(chosen))
        np.minimum.at(first, ring[free[row]], row[free[row]])
        wins = free & (np.bincount(row[first[ring] != row], minlength=len(chosen)) == 0)
        chosen |= wins
        taken[ring[wins[row]]] = True
    return np.flatnonzero(chosen)


def _expanded(starts: Ints, keys: Ints) -> tuple[Ints, Ints]:
    """Return, for lists laid end to end, (row of `keys`, entry) of every entry of each key."""
    count = starts[keys + 1] - starts[keys]
    row = np.repeat(np.arange(len(keys)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, starts[keys][row] + within


def _cross(corners: Floats) -> Floats:
    found: Floats = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return found


def _turn(corners: Floats) -> Floats:
    ahead, aside = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0]


def _areas(corners: Floats) -> Floats:
    if corners.shape[2] == 2:
        return np.abs(_turn(corners)) / 2.0
    return np.linalg.norm(_cross(corners), axis=1) / 2.0


def _slender(corners: Floats, twice_area: Floats) -> Floats:
    """Return twice the area over the longest edge's square: 0.87 where all edges are equal."""
    edges = corners[:, [1, 2, 0], :3] - corners[..., :3]
    longest = np.einsum("fij,fij->fi", edges, edges).max(axis=1)
    return twice_area / np.maximum(longest, 1e-30)

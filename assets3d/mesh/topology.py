"""How triangles hang together: edges, neighbours, components, and whether a mesh is closed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def half_edges(faces: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the (3F, 2) directed edges; rows f, F+f and 2F+f are edges 01, 12 and 20 of face f."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)


def edge_ids(faces: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each half edge's undirected edge, (3F,), and how many faces each edge has, (E,)."""
    pairs = np.sort(half_edges(faces), axis=1)
    keys = pairs[:, 0] * (int(faces.max(initial=0)) + 1) + pairs[:, 1]
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return inverse, counts


def neighbour_pairs(faces: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return (P, 4) rows (face a, face b, edge of a 0..2, edge of b), one per edge of two faces."""
    edge, counts = edge_ids(faces)
    order = np.argsort(edge, kind="stable")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])[counts == 2]
    a, b = order[first], order[first + 1]
    count = len(faces)
    return np.stack([a % count, b % count, a // count, b // count], axis=1)


def face_components(faces: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Return the number of pieces that share no vertex, and each face's piece, (F,).

    Vertices that no face uses are not counted.
    """
    vertices = int(faces.max(initial=-1)) + 1
    starts, ends = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    links = coo_matrix((np.ones(len(starts), dtype=np.int8), (starts, ends)), (vertices, vertices))
    _, of_vertex = connected_components(links, directed=False)
    used, labels = np.unique(of_vertex[faces[:, 0]], return_inverse=True)
    return len(used), labels.astype(np.int32)


def is_closed(faces: NDArray[np.int32]) -> bool:
    """Say whether every edge has exactly two faces that run along it in opposite directions."""
    directed = half_edges(faces)
    width = int(faces.max(initial=0)) + 1
    forward = directed[:, 0] * width + directed[:, 1]
    backward = directed[:, 1] * width + directed[:, 0]
    return len(np.unique(forward)) == len(forward) and bool(
        np.array_equal(np.sort(forward), np.sort(backward))
    )


def face_cross(vertices: NDArray[np.floating], faces: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return (F, 3) outward normals whose length is twice the face's area."""
    corners = vertices.astype(np.float64)[faces]
    cross: NDArray[np.float64] = np.cross(
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    )
    return cross


def signed_volumes(
    vertices: NDArray[np.floating], faces: NDArray[np.int32], labels: NDArray[np.int32], count: int
) -> NDArray[np.float64]:
    """Return the volume each piece encloses; negative where its faces wind inwards."""
    corners = vertices.astype(np.float64)[faces] - vertices.mean(axis=0, dtype=np.float64)
    cross = np.cross(corners[:, 1], corners[:, 2])
    parts = np.einsum("ij,ij->i", corners[:, 0], cross) / 6.0
    return np.bincount(labels, parts, minlength=count).astype(np.float64)

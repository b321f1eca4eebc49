"""Vertex normals: area weighted, split where two faces meet at a sharp edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from assets3d.mesh.topology import face_cross, neighbour_pairs

#: Faces that meet at more than this keep their own normals, so that a crate keeps its edges.
CREASE_DEG = 50.0


def unit(vectors: NDArray) -> NDArray[np.float64]:
    """Return the vectors at length one; a zero vector becomes +Y rather than NaN."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    safe = vectors / np.where(length > 1e-20, length, 1.0)
    return np.where(length > 1e-20, safe, [0.0, 1.0, 0.0])


def vertex_normals(vertices: NDArray[np.floating], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return (N, 3) normals: the mean of the faces round each vertex, weighted by their areas."""
    cross = face_cross(vertices, faces)
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(cross[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    return unit(total).astype(np.float32)


def corner_normals(
    vertices: NDArray[np.floating], faces: NDArray[np.int32], crease_deg: float = CREASE_DEG
) -> NDArray[np.float32]:
    """Return (F, 3, 3) normals per face corner, area weighted within each smoothing group.

    Two corners of one vertex are in one group when their faces share an edge bent by less than
    `crease_deg`. Large flat faces outweigh the thin faces of a rounded edge, which is what makes a
    low-polygon box look flat ("face-weighted normals").
    """
    cross = face_cross(vertices, faces)
    group, count = _smoothing_groups(faces, unit(cross), crease_deg)
    total = np.stack(
        [np.bincount(group, np.tile(cross[:, axis], 3), minlength=count) for axis in range(3)],
        axis=1,
    )
    normals = unit(total)[group].reshape(3, len(faces), 3)
    return normals.transpose(1, 0, 2).astype(np.float32)


def _smoothing_groups(
    faces: NDArray[np.int32], face_normals: NDArray[np.float64], crease_deg: float
) -> tuple[NDArray[np.int32], int]:
    """Return the group of each corner (row c * F + f is corner c of face f) and the group count."""
    pairs = neighbour_pairs(faces)
    a, b, edge_a, edge_b = pairs.T
    cosine = np.einsum("ij,ij->i", face_normals[a], face_normals[b])
    a, b, edge_a, edge_b = pairs[cosine > np.cos(np.radians(crease_deg))].T
    count = len(faces)
    # Edge e of a face runs from corner e to corner e+1, and the other way in its neighbour.
    starts = np.concatenate([edge_a * count + a, (edge_a + 1) % 3 * count + a])
    ends = np.concatenate([(edge_b + 1) % 3 * count + b, edge_b * count + b])
    graph = coo_matrix(
        (np.ones(len(starts), np.int8), (starts, ends)), shape=(3 * count, 3 * count)
    )
    groups, labels = connected_components(graph, directed=False)
    return labels, groups

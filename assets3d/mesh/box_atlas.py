"""A plain atlas: faces are projected along their nearest axes, connected ones packed in rows.

Not as compact as xatlas, but it always ends, in time that grows as n log n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.topology import face_cross, neighbour_pairs

#: World axes that become (u, v) for a face looking along +x, -x, +y, -y, +z, -z.
_U = np.array([[0, 0, -1], [0, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0], [-1, 0, 0]], dtype=float)
_V = np.array([[0, 1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1], [0, 1, 0], [0, 1, 0]], dtype=float)


def box_atlas(mesh: Mesh, texture_px: int, padding_px: int) -> NDArray[np.float32]:
    """Return (F, 3, 2) texture coordinates per face corner, 0..1 from the lower left.

    All charts have one scale and are only moved, never turned. A piece of surface that faces one
    way lies over itself only where it winds like a spiral; that overlap is accepted.
    """
    cross = face_cross(mesh.vertices, mesh.faces)
    direction = 2 * np.argmax(np.abs(cross), axis=1)
    main = np.take_along_axis(cross, direction[:, None] // 2, axis=1)[:, 0]
    direction = direction + (main < 0.0)
    chart, count = _charts(mesh.faces, direction)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    flat = np.stack(
        [np.einsum("fcj,fj->fc", corners, basis[direction]) for basis in (_U, _V)], axis=2
    )
    low = np.full((count, 2), np.inf)
    high = np.full((count, 2), -np.inf)
    np.minimum.at(low, chart, flat.min(axis=1))
    np.maximum.at(high, chart, flat.max(axis=1))
    place, texels_per_unit = _packed(high - low, texture_px, padding_px)
    texels = (flat - low[chart][:, None]) * texels_per_unit + place[chart][:, None]
    return (texels / texture_px).astype(np.float32)


def _charts(faces: NDArray, direction: NDArray) -> tuple[NDArray, int]:
    pairs = neighbour_pairs(faces)
    pairs = pairs[direction[pairs[:, 0]] == direction[pairs[:, 1]]]
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(faces), len(faces)))
    count, labels = connected_components(graph, directed=False)
    return labels, count


def _packed(sizes: NDArray, texture_px: int, padding_px: int) -> tuple[NDArray, float]:
    """Lay rectangles out in rows, tallest first, at the largest scale that fits (by bisection)."""
    order = np.argsort(-sizes[:, 1], kind="stable")
    small, large = 0.0, texture_px / max(float(sizes.max()), 1e-9)
    places = _rows(sizes * small, order, texture_px, padding_px)
    for _ in range(30):
        scale = (small + large) / 2.0
        attempt = _rows(sizes * scale, order, texture_px, padding_px)
        if attempt is None:
            large = scale
        else:
            small, places = scale, attempt
    if places is None:
        # More charts than texels: let them lie on each other rather than fail.
        places = np.full(sizes.shape, texture_px / 2.0)
    return places, small


def _rows(sizes: NDArray, order: NDArray, texture_px: int, padding_px: int) -> NDArray | None:
    places = np.zeros_like(sizes)
    x = y = float(padding_px)
    row_height = 0.0
    for chart in order:
        width, height = sizes[chart] + 1.0  # a chart always covers at least one texel
        if x + width + padding_px > texture_px:
            x, y, row_height = float(padding_px), y + row_height + padding_px, 0.0
        if x + width + padding_px > texture_px or y + height + padding_px > texture_px:
            return None
        places[chart] = x, y
        x += width + padding_px
        row_height = max(row_height, height)
    return places

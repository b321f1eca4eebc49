"""Eyes and noses: coarse ellipsoids with two colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import vertex_normals

_Colour = tuple[float, float, float]


def ball_mesh(
    middle_m: NDArray[np.float64], radii_m: NDArray[np.float64], colours: tuple[_Colour, _Colour]
) -> Mesh:
    """Return an ellipsoid of 64 faces around `middle_m`, sRGB `colours` on top and below."""
    rings, segments = 5, 8
    polar = np.pi * np.arange(1, rings) / rings
    round_ = 2 * np.pi * np.arange(segments) / segments
    ring = np.stack(
        [
            np.outer(np.sin(polar), np.cos(round_)),
            np.outer(np.cos(polar), np.ones(segments)),
            np.outer(np.sin(polar), np.sin(round_)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    directions = np.vstack([[0.0, 1.0, 0.0], ring, [0.0, -1.0, 0.0]])
    places = middle_m + directions * radii_m
    faces = _ball_faces(rings, segments)
    tops = np.where(directions[:, 1:2] > 0.3, colours[0], colours[1])
    vertices = places.astype(np.float32)
    return Mesh(
        vertices, faces, normals=vertex_normals(vertices, faces), colours=tops.astype(np.float32)
    )


def _ball_faces(rings: int, segments: int) -> NDArray[np.int32]:
    faces: list[tuple[int, int, int]] = []
    last = 1 + (rings - 1) * segments
    for s in range(segments):
        n = (s + 1) % segments
        faces.append((0, 1 + n, 1 + s))
        base = last - segments
        faces.append((last, base + s, base + n))
        for r in range(rings - 2):
            a, b = 1 + r * segments, 1 + (r + 1) * segments
            faces += [(a + s, a + n, b + n), (a + s, b + n, b + s)]
    return np.array(faces, np.int32)

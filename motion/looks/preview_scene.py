"""What a preview shows besides the body: ground, shadow, way, standing feet; meshes only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.mesh import Mesh

TILE_M = 0.5
#: How far the ground reaches round the animal.
REACH_M = 5.0
_LIGHT_TILE, _DARK_TILE = (0.80, 0.80, 0.78), (0.73, 0.73, 0.71)
_SHADOW = (0.52, 0.52, 0.52)
PAST, FUTURE = (0.20, 0.42, 0.72), (0.87, 0.47, 0.13)
STANDING = (0.10, 0.62, 0.32)
#: Heights that keep flat things from flickering through each other.
_SHADOW_M, _TRAIL_M, _DISC_M = 0.004, 0.006, 0.008
#: A point at height 1 casts its shadow this far along x and z.
_SUN = (-0.35, -0.25)


def joined(parts: Sequence[Mesh]) -> Mesh:
    """Return one mesh of several that all have normals and colours."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = [part.faces + start for part, start in zip(parts, starts, strict=False)]
    return Mesh(
        np.concatenate([part.vertices for part in parts]).astype(np.float32),
        np.concatenate(faces).astype(np.int32),
        normals=np.concatenate([_required(part.normals) for part in parts]),
        colours=np.concatenate([_required(part.colours) for part in parts]),
    )


def ground(middle: NDArray[np.float64]) -> Mesh:
    """Return tiles that lie still in the world, as far as `REACH_M` round x_m, z_m = `middle`."""
    first = np.floor((middle - REACH_M) / TILE_M).astype(int)
    count = int(2 * REACH_M / TILE_M) + 1
    column, row = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    tile = np.stack([column.ravel(), row.ravel()], axis=1) + first
    # Round at the edge: a ground that ends in corners looks like a table.
    centre = (tile + 0.5) * TILE_M
    tile = tile[np.linalg.norm(centre - middle, axis=1) < REACH_M]
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    places = (tile[:, None] + corners) * TILE_M
    dark = (tile.sum(axis=1) % 2 == 1)[:, None, None]
    colours = np.where(dark, _DARK_TILE, _LIGHT_TILE) * np.ones((1, 4, 1))
    return _flat(places.reshape(-1, 2), _quads(len(tile)), colours.reshape(-1, 3), 0.0)


def shadow(body: Mesh) -> Mesh:
    """Return the body pressed flat along the sunlight."""
    places = body.vertices[:, [0, 2]] + body.vertices[:, 1:2] * np.array(_SUN)
    return _flat(places, body.faces, np.tile(_SHADOW, (len(places), 1)), _SHADOW_M)


def trail(path_m: NDArray[np.float64], colour: tuple[float, float, float], width_m: float) -> Mesh:
    """Return a ribbon along (N, 2) places x_m, z_m."""
    steps = np.gradient(path_m, axis=0) if len(path_m) > 1 else np.zeros_like(path_m)
    length = np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9)
    sideways = np.stack([steps[:, 1], -steps[:, 0]], axis=1) / length * width_m / 2
    places = np.stack([path_m + sideways, path_m - sideways], axis=1).reshape(-1, 2)
    start = 2 * np.arange(max(len(path_m) - 1, 0))[:, None]
    faces = np.concatenate([start + np.array([0, 1, 2]), start + np.array([1, 3, 2])])
    return _flat(places, faces, np.tile(colour, (len(places), 1)), _TRAIL_M)


def arrows(samples: NDArray[np.float64]) -> Mesh:
    """Return a dart for each (x_m, z_m, direction x, direction z): the trajectory's samples."""
    shape = np.array([[0.0, 0.11], [0.035, 0.0], [-0.035, 0.0]])  # left, ahead
    ahead = samples[:, None, 2:4]
    left = np.stack([ahead[..., 1], -ahead[..., 0]], axis=-1)
    places = samples[:, None, :2] + shape[:, :1] * left + shape[:, 1:] * ahead
    future = np.arange(len(samples)) >= len(samples) // 2
    colours = np.repeat(np.where(future[:, None], FUTURE, PAST), 3, axis=0)
    faces = np.arange(3 * len(samples)).reshape(-1, 3)
    return _flat(places.reshape(-1, 2), faces, colours, _DISC_M)


def discs(places_m: NDArray[np.float64], radius_m: float = 0.055) -> Mesh:
    """Return a disc under each of (N, 2) places x_m, z_m."""
    turn = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    rim = radius_m * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    fan = np.stack([np.zeros(14, int), np.arange(1, 15), np.arange(2, 16)], axis=1)
    places = (places_m[:, None] + rim).reshape(-1, 2)
    faces = (fan + 16 * np.arange(len(places_m))[:, None, None]).reshape(-1, 3)
    return _flat(places, faces, np.tile(STANDING, (len(places), 1)), _DISC_M)


def _flat(
    places_m: NDArray[np.floating], faces: NDArray, colours: NDArray, height_m: float
) -> Mesh:
    vertices = np.stack(
        [places_m[:, 0], np.full(len(places_m), height_m), places_m[:, 1]], axis=1
    ).astype(np.float32)
    normals = np.tile(np.array([0, 1, 0], np.float32), (len(vertices), 1))
    return Mesh(
        vertices, faces.astype(np.int32), normals=normals, colours=colours.astype(np.float32)
    )


def _quads(count: int) -> NDArray[np.int64]:
    start = 4 * np.arange(count)[:, None]
    return np.concatenate([start + np.array([0, 1, 2]), start + np.array([0, 2, 3])])


def _required(values: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert values is not None
    return values

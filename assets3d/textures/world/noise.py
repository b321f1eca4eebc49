"""Noise on the unit torus: gradient noise with whole cells per tile, and cellular noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Field = NDArray[Any]

# Brings one octave of gradient noise to a standard deviation of about 0.35.
_OCTAVE_SCALE = 1.6
# Points at once: what is between them stays in a core's cache.
_BLOCK = 16384


def grid(size_px: int) -> tuple[Field, Field]:
    """Return x and y of the pixel centres, each (S, S) in [0, 1), y down.

    Both are read-only views of one row and one column; noise sees that and works per axis.
    """
    centres = (np.arange(size_px) + 0.5) / size_px
    shape = (size_px, size_px)
    return np.broadcast_to(centres, shape), np.broadcast_to(centres[:, None], shape)


def warped(x: Field, y: Field, dx: Field, dy: Field) -> tuple[Field, Field]:
    """Return the points moved by (dx, dy) tile sides, on the torus."""
    return (x + dx) % 1.0, (y + dy) % 1.0


def fbm(
    x: Field,
    y: Field,
    cells: int | tuple[int, int],
    octaves: int,
    generator: np.random.Generator,
    gain: float = 0.5,
) -> Field:
    """Return fractal gradient noise at points of the torus (Perlin 2002), float32, about -1..1.

    The spread (standard deviation about 0.35) does not depend on the number of octaves. Where x is
    an (S, S) picture, octaves too fine for it (cells under two pixels) are drawn but left out, so
    that the field is the same at every size up to what the size can show.

    Args:
        x: tile coordinates, any shape; values that differ by whole numbers agree.
        y: the same shape.
        cells: lattice cells per tile of the first octave, or (across, down); doubled per octave.
        octaves: how many octaves.
        generator: drawn from in the same way at every size.
        gain: amplitude of each octave relative to the one before.
    """
    total = np.zeros(np.shape(x), np.float32)
    power = 0.0
    for octave, layer in enumerate(_octaves(x, y, cells, octaves, generator)):
        if layer is not None:
            total += np.float32(gain**octave) * layer
        power += gain ** (2 * octave)
    total *= np.float32(_OCTAVE_SCALE / np.sqrt(power))
    return total


def ridged(
    x: Field,
    y: Field,
    cells: int | tuple[int, int],
    octaves: int,
    generator: np.random.Generator,
    gain: float = 0.5,
) -> Field:
    """Return noise with sharp ridges near 1 and round valleys near -1; else as `fbm`."""
    total = np.zeros(np.shape(x), np.float32)
    for octave, layer in enumerate(_octaves(x, y, cells, octaves, generator)):
        if layer is not None:
            crest = 1.0 - np.minimum(np.abs(layer * 2.0), 1.0)
            total += np.float32(gain**octave) * (2.0 * crest * crest - 1.0)
    return total / np.float32(sum(gain**octave for octave in range(octaves)))


def _octaves(
    x: Field,
    y: Field,
    cells: int | tuple[int, int],
    octaves: int,
    generator: np.random.Generator,
) -> Iterator[NDArray[np.float32] | None]:
    """Yield each octave of gradient noise, or None where the picture is too coarse for it."""
    across, down = (cells, cells) if isinstance(cells, int) else cells
    finest = x.shape[0] / 2 if np.ndim(x) == 2 and x.shape[0] == x.shape[1] else np.inf
    for _ in range(octaves):
        angle = generator.random((down, across), dtype=np.float32) * np.float32(2 * np.pi)
        yield None if max(across, down) > finest else _gradient_noise(x, y, angle)
        across, down = 2 * across, 2 * down


def _gradient_noise(x: Field, y: Field, angle: NDArray[np.float32]) -> NDArray[np.float32]:
    gradient_x, gradient_y = np.cos(angle), np.sin(angle)
    down, across = angle.shape
    if np.ndim(x) == 2 and x.strides[0] == 0 and y.strides[1] == 0:
        # On a plain grid the weights of rows and columns separate: no gathers per pixel.
        i0, i1, u, fade_u = _cell(x[0], across)
        j0, j1, v, fade_v = _cell(y[:, 0], down)
        v, fade_v = v[:, None], fade_v[:, None]
        rows_x = gradient_x[j0] * (1 - fade_v) + gradient_x[j1] * fade_v
        rows_y = gradient_y[j0] * ((1 - fade_v) * v) + gradient_y[j1] * (fade_v * (v - 1))
        value = np.take(rows_x, i0, axis=1) * ((1 - fade_u) * u)
        value += np.take(rows_x, i1, axis=1) * (fade_u * (u - 1))
        value += np.take(rows_y, i0, axis=1) * (1 - fade_u)
        value += np.take(rows_y, i1, axis=1) * fade_u
        return value
    shape = np.shape(x)
    x, y = np.ravel(x), np.ravel(y)
    gradient_x, gradient_y = gradient_x.ravel(), gradient_y.ravel()
    value = np.zeros(x.shape, np.float32)
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        i0, i1, u, fade_u = _cell(x[part], across)
        j0, j1, v, fade_v = _cell(y[part], down)
        rows = []
        for j, dv in ((j0 * across, v), (j1 * across, v - 1)):
            left, right = j + i0, j + i1
            near = gradient_x.take(left) * u + gradient_y.take(left) * dv
            far = gradient_x.take(right) * (u - 1) + gradient_y.take(right) * dv
            rows.append(near + fade_u * (far - near))
        value[part] = rows[0] + fade_v * (rows[1] - rows[0])
    return value.reshape(shape)


def _cell(
    t: Field, cells: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """Return both neighbours' lattice indices, the fraction between them and its fade."""
    scaled = (t - np.floor(t)) * cells
    floor = np.floor(scaled)
    u = (scaled - floor).astype(np.float32)
    first = floor.astype(np.intp)
    first[first == cells] = 0  # a product may round up to the whole
    following = first + 1
    following[following == cells] = 0
    return first, following, u, u * u * u * (u * (u * 6 - 15) + 10)


@dataclass(frozen=True)
class Cells:
    """Which point of a set is nearest, per pixel.

    Attributes:
        nearest: distance to the nearest point, in tile sides.
        second: distance to the second nearest point.
        index: number of the nearest point.
    """

    nearest: Field
    second: Field
    index: NDArray[np.integer]


def cellular(x: Field, y: Field, points: Field) -> Cells:
    """Return the nearest of the points (N, 2) on the torus for each (x, y); N at least 2."""
    tree = cKDTree(points % 1.0, leafsize=4, boxsize=1.0)  # small leaves: a third faster
    queries = np.stack([x % 1.0, y % 1.0], axis=-1)
    distance, index = tree.query(queries, k=2)
    return Cells(distance[..., 0], distance[..., 1], index[..., 0])

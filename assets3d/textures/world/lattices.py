"""Lattices with whole counts per tile: courses of bricks, herringbone, scattered points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.noise import Field


@dataclass(frozen=True)
class Elements:
    """Rectangles that fill the tile, seen per pixel; lengths in tile sides.

    Attributes:
        index: (S, S) number of the rectangle.
        u, v: (S, S) offset from its centre, right and down.
        half_width, half_height: (S, S) half its sides.
        count: how many rectangles there are.
    """

    index: NDArray[np.integer]
    u: Field
    v: Field
    half_width: Field
    half_height: Field
    count: int

    def edge(self, radius: float | Field = 0.0) -> Field:
        """Return the distance to the nearest side, inwards; corners rounded by `radius`."""
        across = np.abs(self.u) - self.half_width + radius
        down = np.abs(self.v) - self.half_height + radius
        outside = np.hypot(np.maximum(across, 0.0), np.maximum(down, 0.0))
        return radius - outside - np.minimum(np.maximum(across, down), 0.0)


def boundaries(count: int, jitter: float, generator: np.random.Generator) -> Field:
    """Return count + 1 rising numbers from 0 to 1, each part varied by up to ±jitter of itself."""
    parts = 1.0 + jitter * generator.uniform(-1.0, 1.0, count)
    return np.concatenate([[0.0], np.cumsum(parts / parts.sum())[:-1], [1.0]])


def courses(
    x: Field,
    y: Field,
    columns: int,
    rows: int,
    generator: np.random.Generator,
    *,
    shift: float | Field = 0.5,
    column_jitter: float = 0.0,
    row_jitter: float = 0.0,
) -> Elements:
    """Return rows of rectangles (running bond); each row moved by `shift` columns more.

    Args:
        x: (S, S) tile coordinates, warped or not.
        y: the same.
        columns: rectangles in each row.
        rows: rows per tile; even where `shift` is a half.
        generator: draws the sizes.
        shift: columns by which each row is moved beyond the row above, or (rows,) one move each.
        column_jitter: up to which part of itself a width varies.
        row_jitter: the same of a row's height.
    """
    y = y % 1.0
    row_edges = boundaries(rows, row_jitter, generator)
    edges = np.stack([boundaries(columns, column_jitter, generator) for _ in range(rows)])
    moves = np.arange(rows) * shift if np.ndim(shift) == 0 else np.asarray(shift)
    row = np.clip(np.searchsorted(row_edges, y, side="right") - 1, 0, rows - 1)
    moved = (x - (moves / columns)[row]) % 1.0
    # One sorted list for all rows: row r's edges lie in r .. r + 1.
    keys = (edges[:, :-1] + np.arange(rows)[:, None]).ravel()
    index = np.clip(np.searchsorted(keys, row + moved, side="right") - 1, 0, rows * columns - 1)
    left, right = edges[:, :-1].ravel(), edges[:, 1:].ravel()
    top, bottom = row_edges[:-1], row_edges[1:]
    return Elements(
        index=index,
        u=moved - ((left + right) / 2)[index],
        v=y - ((top + bottom) / 2)[row],
        half_width=((right - left) / 2)[index],
        half_height=((bottom - top) / 2)[row],
        count=rows * columns,
    )


def herringbone(x: Field, y: Field, units: int) -> Elements:
    """Return a herringbone of 2:1 rectangles on `units` (a multiple of 4) square cells per side."""
    if units % 4:
        raise ValueError(f"units: found {units}, wanted a multiple of 4")
    i = np.floor(x * units).astype(np.int64)
    j = np.floor(y * units).astype(np.int64)
    phase = (i - j) % 4
    lying = phase < 2
    # Phases 0, 1 are the two halves of a lying rectangle; 3, 2 those of a standing one.
    first_i = np.where(phase == 1, i - 1, i)
    first_j = np.where(phase == 2, j - 1, j)
    long, short = 1.0 / units, 0.5 / units
    half_width, half_height = np.where(lying, long, short), np.where(lying, short, long)
    return Elements(
        index=(first_j % units) * units + first_i % units,
        u=x - first_i / units - half_width,
        v=y - first_j / units - half_height,
        half_width=half_width,
        half_height=half_height,
        count=units * units,
    )


def jittered_points(
    columns: int, rows: int, jitter: float, generator: np.random.Generator, shift: float = 0.5
) -> Field:
    """Return (columns * rows, 2) points, one per lattice cell; jitter 0 is the bare lattice.

    Every other row is moved by `shift` cells; with jitter 1 a point may lie anywhere in its cell.
    """
    row, column = np.divmod(np.arange(columns * rows), columns)
    moves = generator.uniform(-0.5, 0.5, (columns * rows, 2)) * jitter
    x = (column + 0.5 + shift * (row % 2) + moves[:, 0]) / columns
    y = (row + 0.5 + moves[:, 1]) / rows
    return np.stack([x % 1.0, y % 1.0], axis=1)

"""Many small pieces strewn over the torus: pebbles, clods, tufts, pores; the highest one is seen.

Pieces lie at any angle and overlap as real ones do, which no cellular noise shows. Every piece is
computed in its own small window, so that the cost goes with the area covered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from assets3d.textures.world.noise import Field

# Pixels at once: what is between them stays in a core's cache.
_BLOCK = 1 << 15

#: What a piece looks like: height of the points (u, v) of pieces number k, -inf where it is not.
Profile = Callable[[Field, Field, NDArray[np.integer]], Field]


@dataclass(frozen=True)
class Pieces:
    """Ellipses on the unit torus, each array (N,).

    Attributes:
        x, y: centres in tile sides.
        half_length, half_width: half axes in tile sides.
        angle: of the long axis, radians from right towards down.
    """

    x: Field
    y: Field
    half_length: Field
    half_width: Field
    angle: Field

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Strewn:
    """Pieces seen per pixel.

    Attributes:
        height: (S, S) of the highest piece, -inf where there is none.
        index: (S, S) number of that piece, 0 where there is none.
        u, v: (S, S) place in it, along and across, -1..1 at the ends of its axes.
    """

    height: Field
    index: NDArray[np.integer]
    u: Field
    v: Field

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(S, S), where there is a piece at all."""
        return np.isfinite(self.height)


def strewn(size_px: int, pieces: Pieces, profile: Profile) -> Strewn:
    """Return what is seen of the pieces from above.

    Args:
        size_px: side of the picture.
        pieces: where they lie; nothing is drawn outside of their ellipses.
        profile: `profile(u, v, k)` in any unit; u and v as in `Strewn`, k numbers of pieces.
    """
    height = np.full(size_px * size_px, -np.inf, np.float32)
    index = np.zeros(len(height), np.int32)
    u, v = (np.zeros(len(height), np.float32) for _ in range(2))
    drawn = []
    for pixel, along, across, number in _windows(size_px, pieces):
        value = profile(along, across, number).astype(np.float32)
        np.maximum.at(height, pixel, value)
        drawn.append((pixel, along, across, number, value))
    for pixel, along, across, number, value in drawn:
        seen = (value == height[pixel]) & np.isfinite(value)
        place = pixel[seen]
        index[place], u[place], v[place] = number[seen], along[seen], across[seen]
    shape = (size_px, size_px)
    return Strewn(height.reshape(shape), index.reshape(shape), u.reshape(shape), v.reshape(shape))


def scattered_pieces(
    count: int,
    half_length: tuple[float, float],
    aspect: tuple[float, float],
    generator: np.random.Generator,
    *,
    smaller: float = 1.0,
) -> Pieces:
    """Return pieces at random places and angles.

    Args:
        count: how many.
        half_length: smallest and largest, in tile sides.
        aspect: smallest and largest half width, as a part of the half length.
        generator: draws everything.
        smaller: 1 for all sizes alike; larger for more small pieces than large ones.
    """
    places = generator.random((count, 2))
    share = generator.random(count) ** smaller
    length = half_length[0] + (half_length[1] - half_length[0]) * share
    return Pieces(
        places[:, 0],
        places[:, 1],
        length,
        length * generator.uniform(*aspect, count),
        generator.uniform(0.0, 2 * np.pi, count),
    )


def pushed_apart(pieces: Pieces, rounds: int = 8) -> Pieces:
    """Return the pieces moved so that they overlap less, as grains shaken in a box."""
    places = np.stack([pieces.x, pieces.y], axis=1)
    radius = np.sqrt(pieces.half_length * pieces.half_width)
    for _ in range(rounds):
        tree = cKDTree(places % 1.0, boxsize=1.0)
        first, second = tree.query_pairs(2 * float(radius.max()), output_type="ndarray").T
        apart = places[first] - places[second]
        apart -= np.round(apart)
        distance = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-9)
        overlap = np.maximum(radius[first] + radius[second] - distance, 0.0)
        # The smaller one gives way.
        share = radius[second] / (radius[first] + radius[second])
        move = apart * (0.7 * overlap / distance)[:, None]
        for axis in (0, 1):
            places[:, axis] += np.bincount(first, move[:, axis] * share, len(places))
            places[:, axis] -= np.bincount(second, move[:, axis] * (1.0 - share), len(places))
    return replace(pieces, x=places[:, 0] % 1.0, y=places[:, 1] % 1.0)


def joined(*groups: Pieces) -> Pieces:
    """Return all pieces of the groups, numbered one after the other."""
    return Pieces(
        *(
            np.concatenate([getattr(group, name) for group in groups])
            for name in ("x", "y", "half_length", "half_width", "angle")
        )
    )


def _windows(
    size_px: int, pieces: Pieces
) -> Iterator[tuple[NDArray[np.intp], Field, Field, NDArray[np.integer]]]:
    """Yield pixels inside of ellipses, flat: their number in the picture, u, v, piece."""
    cos, sin = np.cos(pieces.angle), np.sin(pieces.angle)
    reach_x = np.hypot(pieces.half_length * cos, pieces.half_width * sin) * size_px
    reach_y = np.hypot(pieces.half_length * sin, pieces.half_width * cos) * size_px
    columns = 2 * np.ceil(reach_x).astype(np.intp) + 1
    rows = 2 * np.ceil(reach_y).astype(np.intp) + 1
    # Pieces of like size share a window, so that little of it is outside of them.
    order = np.lexsort((columns, np.round(4 * np.log2(rows))))
    start = 0
    while start < len(order):
        area = np.maximum.accumulate(rows[order[start:]]) * np.maximum.accumulate(
            columns[order[start:]]
        )
        fits = int(np.searchsorted(area * np.arange(1, len(area) + 1), _BLOCK, side="right"))
        group = order[start : start + max(fits, 1)]
        start += len(group)
        yield _window(size_px, pieces, group, int(rows[group].max()), int(columns[group].max()))


def _window(
    size_px: int, pieces: Pieces, group: NDArray[np.intp], rows: int, columns: int
) -> tuple[NDArray[np.intp], Field, Field, NDArray[np.integer]]:
    centre_x, centre_y = pieces.x[group] * size_px, pieces.y[group] * size_px
    column = np.floor(centre_x).astype(np.intp)[:, None] + np.arange(columns) - columns // 2
    row = np.floor(centre_y).astype(np.intp)[:, None] + np.arange(rows) - rows // 2
    right = ((column + 0.5 - centre_x[:, None]) / size_px).astype(np.float32)[:, None, :]
    down = ((row + 0.5 - centre_y[:, None]) / size_px).astype(np.float32)[:, :, None]
    cos, sin = np.cos(pieces.angle[group]), np.sin(pieces.angle[group])
    length, width = pieces.half_length[group], pieces.half_width[group]

    def scaled(factor: Field) -> Field:
        return factor.astype(np.float32)[:, None, None]

    u = right * scaled(cos / length) + down * scaled(sin / length)
    v = down * scaled(cos / width) - right * scaled(sin / width)
    inside = u * u + v * v < 1.0
    pixel = (row % size_px)[:, :, None] * size_px + (column % size_px)[:, None, :]
    number = np.broadcast_to(group[:, None, None], inside.shape)
    return pixel[inside], u[inside], v[inside], number[inside]

"""Without a model: cut a picture where its ends agree, and blend the cut on the torus.

A window of the picture a little larger than one period is laid around the torus so that its ends
overlap; through each overlap goes the cheapest cut, and the remaining steps are spread by a
screened Poisson equation. Nothing is averaged, so nothing becomes softer. Regular patterns keep
their period, see `periods`. Works for any picture, on a CPU, and always gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.seamless.blending import blended, steps_down, steps_right
from assets3d.textures.seamless.cuts import cut_down, difference
from assets3d.textures.seamless.periods import Window, find_window
from assets3d.textures.torus import resized

# How far the rest of a step at a cut is spread, in sides of the tile.
_REACH = 0.1
#: A cut above this goes through things rather than round them. Of 31 pictures looked at, those with
#: broken courses, halved faces and lamps' halos had 11.6 to 23, the others 2.3 to 10.5.
VISIBLE_CUT = 11.0
# The worse part of a cut is what the eye finds.
_CUT_SHARE = 90.0


@dataclass(frozen=True)
class Patch:
    """A tile cut out of a picture.

    Attributes:
        tile: uint8 (S, S, 3).
        cut: how far the two sides of the cut differ where it is worst, in mean steps between
            neighbouring pixels; the tile's wrap is whole by construction, this is its real joint.
        shown: the tile's width and height as shares of the picture's.
        drawn_px: pixels of the picture along a side of the tile; more are made up.
    """

    tile: NDArray[np.uint8]
    cut: float
    shown: tuple[float, float]
    drawn_px: int


def patched(picture: NDArray[np.uint8], size_px: int) -> Patch:
    """Return a tile made of the picture's own pixels, and how well it could be cut.

    Args:
        picture: uint8 (H, W, 3), at least 64 px on each side.
        size_px: side S of the tile.
    """
    values = picture.astype(np.float32)
    window = find_window(values)
    tile, cut = _closed_up(values, window, min(size_px, window.period_px))
    tile = resized(np.clip(tile, 0.0, 255.0), size_px)
    height, width = picture.shape[:2]
    shown = (float(np.hypot(*window.across)) / width, float(np.hypot(*window.down)) / height)
    tile_codes = np.round(np.clip(tile, 0.0, 255.0)).astype(np.uint8)
    return Patch(tile_codes, cut, shown, window.period_px)


def _closed_up(
    values: NDArray[np.float32], window: Window, size_px: int
) -> tuple[NDArray[np.float32], float]:
    """Return the tile (size, size, 3) of a window, and its worse cut, see `Patch`."""
    size, margin_x, margin_y = size_px, *window.margins_px(size_px)
    spread = window.cut_out(values, size_px)
    layers = _Layers(spread, steps_right(spread), steps_down(spread))
    layers, cut_x = _folded(layers, size, margin_x, closed=False)
    layers, cut_y = _folded(layers.turned, size, margin_y, closed=True)
    layers = layers.turned
    step = float(
        np.abs(layers.to_right).sum(axis=2).mean() + np.abs(layers.down).sum(axis=2).mean()
    )
    tile = blended(layers.values, layers.to_right, layers.down, _REACH * size)
    return tile, max(cut_x, cut_y) / max(0.5 * step, 1e-3)


@dataclass(frozen=True)
class _Layers:
    """A picture (H, W, 3) and the steps that each pixel makes to its neighbours."""

    values: NDArray[np.float32]
    to_right: NDArray[np.float32]
    down: NDArray[np.float32]

    @property
    def turned(self) -> _Layers:
        """The same mirrored at the diagonal."""
        values, to_right, down = (
            np.ascontiguousarray(each.swapaxes(0, 1))
            for each in (self.values, self.to_right, self.down)
        )
        return _Layers(values, down, to_right)


def _folded(layers: _Layers, width: int, margin: int, closed: bool) -> tuple[_Layers, float]:
    """Lay the columns from `width` on over the first ones, joined along the cheapest cut.

    Returns the result, and how far the two copies differ where the cut is worst.

    Args:
        layers: (H, width + margin, 3).
        width: of the result; its last column is followed by its first.
        margin: how far the two copies overlap.
        closed: whether row 0 follows the last row.
    """
    end, begin = slice(width, width + margin), slice(0, margin)
    cost = difference(layers.values[:, end], layers.values[:, begin])
    beyond, _ = cut_down(cost, closed)
    along = np.sqrt(cost[:, 1:][beyond[:, 1:] != beyond[:, :-1]])
    worst = float(np.percentile(along, _CUT_SHARE)) if along.size else 0.0
    share = beyond.astype(np.float32)
    # Between pixels of two copies the step is the mean of what both say.
    next_right = np.concatenate([share[:, 1:], np.ones_like(share[:, :1])], axis=1)
    next_down = np.roll(share, -1, axis=0) if closed else np.concatenate([share[1:], share[-1:]])
    shares = (share, 0.5 * (share + next_right), 0.5 * (share + next_down))

    def joined(each: NDArray[np.float32], part: NDArray[np.float32]) -> NDArray[np.float32]:
        overlap = each[:, end] + part[..., None] * (each[:, begin] - each[:, end])
        return np.concatenate([overlap, each[:, margin:width]], axis=1)

    parts = (layers.values, layers.to_right, layers.down)
    joint = _Layers(*(joined(each, part) for each, part in zip(parts, shares, strict=True)))
    return joint, worst

"""Imagined views held to what the front shows: its outline from behind, its colours all round.

A small network knows roughly what a thing looks like from the side and from behind, but its colours
drift and thin parts get lost. The front is known exactly, so it decides wherever it can say
something: rays from the front and from behind nearly leave the same outline, and things are mostly
of the same colours at the same height all round.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Sizes tried of the mirrored outline: of two ends of a tapering thing the nearer looks larger.
_SCALES = np.arange(0.7, 1.425, 0.025)
#: Another size must fit the guess so much better (IoU): a guess is too rough to say it finely.
_CLEARLY = 0.05
_HALF, _SURE = 127, 250
_FILL_RADIUS_PX = 3.0
#: Front colours count from so many rows above and below, as parts of the height.
_BAND = 1.0 / 32.0
#: How far in 8-bit colour a front colour may be from what was drawn and still count: smaller makes
#: spots, larger greys the colours. Measured on true renders, in steps of 10, 20, 40 and 80.
_SIGMA = 15.0
_MOST_COLOURS = 256
#: Rows choose their colours alone; a blur along the columns, as a part of the height, joins them.
_JOINED = 1.5 / 128.0
#: What is drawn this white, and this far from all colours of the front there, is background.
_WHITE, _FAR = 220, 80.0


def led_by_front(rgba: Picture) -> Picture:
    """Return front, right, back and left with what the front shows carried over to the others.

    The outline from behind becomes the front's, mirrored; each colour becomes the mean of those
    front colours at its height that are near to it; what was left white between parts of a
    coloured thing is taken for background.

    Args:
        rgba: uint8 (4, H, W, 4), straight alpha: the true front, and three views that a network
            painted on white, cut out.

    Returns:
        uint8 (4, H, W, 4). The front is as it was; so is a view in which nothing was drawn.
    """
    front, right, back, left = rgba
    back = _with_outline_of(front, back)
    views = [_coloured(front, right, white=True), _coloured(front, back, white=False)]
    return np.stack([front, *views, _coloured(front, left, white=True)])


def _with_outline_of(front: Picture, back: Picture) -> Picture:
    """Give the view from behind the front's outline; continue its colours into what was missing."""
    sure = back[..., 3] >= _SURE  # the rim has white in it
    if not sure.any():
        return back
    alpha = _fitted(np.ascontiguousarray(front[:, ::-1, 3]), back[..., 3] > _HALF)
    colour = np.where(sure[..., None], back[..., :3], 0).astype(np.uint8)
    unknown = (~sure).astype(np.uint8)
    colour = np.asarray(cv2.inpaint(colour, unknown, _FILL_RADIUS_PX, cv2.INPAINT_TELEA), np.uint8)
    return np.dstack([colour, alpha])


def _fitted(mirrored: Picture, guess: NDArray[np.bool_]) -> Picture:
    """Return the outline in the size that fits; in its own where no other is clearly better."""
    sizes = [_scaled(mirrored, scale) for scale in _SCALES]
    fits = [_overlap(size > _HALF, guess) for size in sizes]
    best = int(np.argmax(fits))
    better = fits[best] > _overlap(mirrored > _HALF, guess) + _CLEARLY
    return sizes[best] if better else mirrored


def _scaled(alpha: Picture, scale: float) -> Picture:
    height, width = alpha.shape
    matrix = np.array(
        [
            [scale, 0.0, (1.0 - scale) * (width - 1) / 2.0],
            [0.0, scale, (1.0 - scale) * (height - 1) / 2.0],
        ]
    )
    return np.asarray(cv2.warpAffine(alpha, matrix, (width, height)), np.uint8)


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(int((a | b).sum()), 1))


def _coloured(front: Picture, view: Picture, *, white: bool) -> Picture:
    """Take the colours from the front's rows; `white` lets white that is none of them go."""
    seen, drawn = front[..., 3] >= _SURE, view[..., 3] > 0
    rows = np.flatnonzero(seen.any(axis=1))
    if not len(rows):
        return view
    band = max(1, round(_BAND * len(view)))
    result = view.copy()
    for row in np.flatnonzero(drawn.any(axis=1)):
        # Above and below the front's ends, its last rows say most.
        near = int(np.clip(row, rows[0], rows[-1]))
        part = slice(max(near - band, 0), near + band + 1)
        shown = front[part][seen[part]][:, :3]
        if not len(shown):
            continue
        palette = shown[:: max(1, len(shown) // _MOST_COLOURS)].astype(np.float32)
        places = np.flatnonzero(drawn[row])
        found = view[row, places, :3].astype(np.float32)
        mean, distance = _nearest_mean(palette, found)
        result[row, places, :3] = np.round(mean)
        if white:
            gone = (found.min(axis=1) > _WHITE) & (distance > _FAR)
            result[row, places[gone], 3] = 0
    return _joined(result)


def _joined(view: Picture) -> Picture:
    """Blur colours up and down, inside the object only."""
    inside = (view[..., 3:] > 0).astype(np.float32)
    if not inside.any():
        return view
    sigma = _JOINED * len(view)
    size = (1, 2 * round(3.0 * sigma) + 1)
    weighted = np.dstack([view[..., :3] * inside, inside])
    blurred = cv2.GaussianBlur(weighted, size, sigmaX=sigma, sigmaY=sigma)
    drawn = inside[..., 0] > 0.0
    result = view.copy()
    result[drawn, :3] = np.round(blurred[drawn, :3] / blurred[drawn, 3:])
    return result


def _nearest_mean(palette: Floats, colours: Floats) -> tuple[Floats, Floats]:
    """Return the mean of the palette near each colour, and how far its nearest one is."""
    squares = (colours**2).sum(axis=1)[:, None] + (palette**2).sum(axis=1)
    squares = np.maximum(squares - 2.0 * colours @ palette.T, 0.0)
    least = squares.min(axis=1)
    weights = np.exp((least[:, None] - squares) / (2.0 * _SIGMA**2))
    return weights @ palette / weights.sum(axis=1, keepdims=True), np.sqrt(least)

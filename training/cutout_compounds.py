"""Things of many parts for the cutout network: bodies with limbs, clothes, marks and stripes.

A prop is one of some dozens of families and a made-up shape is one material. What photographs show
is neither: a head is not of the colour of its collar, and an arm hides half of a chest. Layers are
(S, S, 4) float32 in 0..1, colour premultiplied by alpha.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.cutout_objects import Layer, cut_off_below, over, painted, place, shaded
from training.cutout_places import draw_piece, leaves, material, palette

#: Share of compounds that are the same on the left and on the right.
_MIRRORED = 0.45
#: Share of things that the picture's lower edge cuts off, as it does a person.
_CUT_OFF = 0.4


def compound(rng: np.random.Generator, size: int, near: NDArray[np.float32] | None = None) -> Layer:
    """Draw a thing of 2 to 10 parts at any place; `near` is a colour that it should have."""
    seen = np.zeros((1, 1), bool)
    while not seen.any():  # a first part that is next to nothing can leave no room for others
        layer = _body(rng, max(48, size), near)
        seen = layer[..., 3] > 0.5
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    crop = layer[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cut_off_below(rng, crop, size) if rng.random() < _CUT_OFF else place(rng, crop, size)


def _body(rng: np.random.Generator, side: int, near: NDArray[np.float32] | None) -> Layer:
    colours = palette(rng, near)
    layer = np.zeros((side, side, 4), np.float32)
    whole = np.zeros((side, side), bool)
    mirrored = rng.random() < _MIRRORED
    for part in range(int(rng.integers(2, 11))):
        mask = np.zeros((side, side), np.uint8)
        if part == 0:
            middle = side * np.array([0.5, rng.uniform(0.4, 0.65)])
            draw_piece(rng, mask, int(rng.integers(3)), middle, side * rng.uniform(0.1, 0.3), True)
        else:
            _grow(rng, mask, whole, middle if mirrored and rng.random() < 0.4 else None)
        if mirrored:
            mask = np.maximum(mask, mask[:, ::-1])
        if part and not (whole & (mask > 0)).any():
            continue
        piece = _painted(rng, _rounded(rng, mask), colours)
        if mirrored:
            half = side // 2
            piece[:, -half:] = piece[:, :half][:, ::-1]
        behind = part > 0 and rng.random() < 0.4
        layer = over(layer, piece) if behind else over(piece, layer)
        whole |= mask > 0
        if rng.random() < 0.25:
            colours = palette(rng)
    return _marked(rng, layer, colours)


def _grow(
    rng: np.random.Generator,
    mask: NDArray[np.uint8],
    whole: NDArray[np.bool_],
    middle: NDArray[np.floating] | None,
) -> None:
    """Draw a further part in `mask`: at the rim of the whole, or above it, in the middle."""
    side = len(mask)
    rows, columns = np.nonzero(whole)
    if not len(rows):
        return
    pick = rng.integers(len(rows))
    start = np.array([columns[pick], rows[pick]], np.float64)
    if middle is not None:
        edge = rows.min() if rng.random() < 0.6 else rows.max()
        start = np.array([middle[0], edge], np.float64)
    radius = side * rng.uniform(0.03, 0.18)
    if rng.random() < 0.3:
        steps = rng.normal(0.0, 0.09 * side, (int(rng.integers(2, 5)), 2))
        points = start + np.cumsum(np.concatenate([[[0.0, 0.0]], steps]), 0)
        thick = max(2, int(0.5 * radius * rng.uniform(0.2, 1.0)))
        cv2.polylines(mask, [points.astype(np.int32)], False, 255, thick)
    else:
        draw_piece(rng, mask, int(rng.integers(3)), start, radius, rng.random() < 0.6)


def _rounded(rng: np.random.Generator, mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the part (S, S) in 0..1 with soft corners, as grown and sewn things have, or not."""
    alpha = mask.astype(np.float32) / np.float32(255.0)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(alpha, (0, 0), len(mask) * rng.uniform(0.005, 0.03))
        alpha = np.clip((soft - 0.5) * 6.0 + 0.5, 0.0, 1.0)
    return cv2.GaussianBlur(alpha, (0, 0), 0.6)


def _painted(
    rng: np.random.Generator, alpha: NDArray[np.float32], colours: NDArray[np.float32]
) -> Layer:
    if rng.random() < 0.2:
        return painted(rng, alpha)
    cluttered = rng.random() < 0.12
    rgb = (leaves if cluttered else material)(rng, len(alpha), colours)
    return shaded(rng, rgb, alpha)


def _marked(rng: np.random.Generator, layer: Layer, colours: NDArray[np.float32]) -> Layer:
    """Put up to seven marks on it: badges, eyes, buttons, stripes, holes that show darkness."""
    side = len(layer)
    rows, columns = np.nonzero(layer[..., 3] > 0.9)
    rgb = layer[..., :3].copy()
    for _ in range(int(rng.integers(0, 8)) if len(rows) else 0):
        pick = rng.integers(len(rows))
        centre = np.array([columns[pick], rows[pick]], np.float64)
        mask = np.zeros((side, side), np.uint8)
        draw_piece(rng, mask, int(rng.integers(3)), centre, side * rng.uniform(0.01, 0.08), True)
        if rng.random() < 0.4:
            mask = np.maximum(mask, mask[:, ::-1])
        tone = palette(rng)[0] if rng.random() < 0.5 else rng.choice(colours)
        share = (mask.astype(np.float32) / 255.0 * layer[..., 3])[..., None]
        rgb = rgb * (1.0 - share) + tone.astype(np.float32) * share
    return np.concatenate([np.minimum(rgb, layer[..., 3:]), layer[..., 3:]], 2)

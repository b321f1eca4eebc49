"""Where the object's colours end: the network says roughly what the object is, a graph cut where.

A small network works at a small size and loses thin parts, or takes pieces of the background along.
The picture knows better: colour models of what the network calls object and background, and the
cheapest cut between them along the picture's edges (GrabCut: Rother, Kolmogorov, Blake 2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.cutout.doubts import is_hazy

#: The cut works at this longest side: more takes longer and, on scenes, cut no better.
SIDE_PX = 256
#: One round finds what there is to find; more let the colours wander.
_ROUNDS = 1
#: A frame this wide, as a part of the side, is background where the network is not sure of more.
_FRAME, _FAINT = 1 / 40, 0.2
#: A cut that agrees less than this (IoU) with the network found something else: it is not taken.
_AGREE = 0.3
#: From here on the network's alpha counts as the object; the cut takes too much back by itself.
_GUESS = 0.3
_MIN_PX = 20
_SOFT_PX = 0.7
#: A hazy answer is smoothed by this part of the side before it is made definite, and gaps up to
#: twice the other part are closed.
_SMOOTH, _CLOSE = 0.01, 0.02
#: What it is cut at lies between these, wherever it falls into two best.
_CUT_FROM, _CUT_TO = 0.08, 0.5


def parted_by_colour(alpha: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the alpha whose outline follows the picture's colours.

    Where none does, the given one is returned, or what it is surest of where that is hazy.

    Args:
        alpha: (H, W) float32 in 0..1, rough.
        picture: uint8 (H, W, 3).
    """
    import cv2

    height, width = alpha.shape
    scale = min(1.0, SIDE_PX / max(height, width))
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    rough = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    inside = _cut(small, rough)
    guess = rough > 0.5
    if (inside & guess).sum() < _AGREE * max(int((inside | guess).sum()), 1):
        if not is_hazy(alpha):
            return alpha
        inside = made_definite(rough)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), _SOFT_PX)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1))


def made_definite(rough: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return where a hazy alpha (H, W) sees something rather than nothing, gaps and holes closed.

    Haze of some tenths all over makes no mesh that follows it; its best division in two (Otsu 1979)
    has as much of the object, and is one thing.
    """
    import cv2
    from scipy import ndimage

    side = max(rough.shape)
    smooth = cv2.GaussianBlur(rough, (0, 0), _SMOOTH * side)
    grey = np.round(255.0 * smooth.clip(0.0, 1.0)).astype(np.uint8)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = (smooth > np.clip(level / 255.0, _CUT_FROM, _CUT_TO)).astype(np.uint8)
    reach = round(_CLOSE * side) + 1
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach - 1, 2 * reach - 1))
    wider = cv2.copyMakeBorder(mask, *(reach,) * 4, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(wider, cv2.MORPH_CLOSE, window)[reach:-reach, reach:-reach]
    # The lower edge, where it cuts a thing off, closes its outline.
    below = np.zeros((1, closed.shape[1]), bool)
    touched = np.flatnonzero(closed[-1])
    if len(touched):
        below[0, touched[0] : touched[-1] + 1] = True
    return np.asarray(ndimage.binary_fill_holes(np.vstack([closed > 0, below]))[:-1])


def _cut(picture: NDArray[np.uint8], rough: NDArray[np.float32]) -> NDArray[np.bool_]:
    import cv2

    guess = rough > _GUESS
    marks = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    frame_px = max(2, round(_FRAME * len(rough)))
    frame = np.ones(rough.shape, bool)
    frame[frame_px:-frame_px, frame_px:-frame_px] = False
    marks[frame & (rough < _FAINT)] = cv2.GC_BGD
    if guess.sum() < _MIN_PX or (~guess).sum() < _MIN_PX:
        return guess
    cv2.setRNGSeed(0)  # OpenCV begins its colour models by chance: same picture, same bytes
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    unused = (0, 0, 1, 1)  # the rectangle of another way to begin
    cv2.grabCut(lab, marks, unused, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)

"""Where the object's colours end: the network says roughly what the object is, a graph cut where.

A small network works at a small size and loses thin parts, or takes pieces of the background along.
The picture knows better: colour models of what the network calls object and background, and the
cheapest cut between them along the picture's edges (GrabCut: Rother, Kolmogorov, Blake 2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def parted_by_colour(alpha: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the alpha whose outline follows the picture's colours; the given one where none does.

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
        return alpha
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), _SOFT_PX)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1))


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

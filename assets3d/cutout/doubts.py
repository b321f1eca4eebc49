"""Telling a cut-out that cannot be trusted: hazy, in scraps, nearly everything, nearly nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: The network is sure of a pixel from this answer on; below the second it sees background.
_SURE, _NOTHING = 0.85, 0.15
#: An answer is hazy when the network is unsure of this share of what it does not call background.
#: Objects it knows how to cut have 0.6 at most; torn ones have more.
_HAZY_SHARE = 0.65
#: A picture shows nothing where the network is sure of less than this share of it.
_LEAST_SURE_SHARE = 1e-4
_EVERYTHING, _LITTLE = 0.98, 0.005
#: Separate pieces count from this share of the object.
_PIECE_SHARE = 0.05
#: More of one edge of the picture than this means that the object goes on beyond it.
_EDGE_SHARE = 0.1

HAZY = (
    "the cutout is uncertain: much of the object can hardly be told from its background; "
    "a plain background, or a picture with its own transparency, is safer"
)


def is_sure(answer: NDArray[np.float32]) -> bool:
    """Say whether the network's answer (H, W), 0..1, is sure of an object anywhere."""
    return bool((answer >= _SURE).mean() >= _LEAST_SURE_SHARE)


def is_hazy(answer: NDArray[np.float32]) -> bool:
    """Say whether the network is unsure of most of the object. (H, W), 0..1, before any cleaning.

    Soft rims count too, so small pictures of thin things look a little hazier than they are.
    """
    object_px = int((answer > _NOTHING).sum())
    unsure_px = int(((answer > _NOTHING) & (answer < _SURE)).sum())
    return unsure_px > _HAZY_SHARE * max(object_px, 1)


def doubts(rgba: NDArray[np.uint8]) -> list[str]:
    """Return a line for each reason to doubt a cut-out, straight alpha (H, W, 4), full frame."""
    import cv2

    solid = rgba[..., 3] > 127
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    sizes = stats[1:count, cv2.CC_STAT_AREA]
    pieces = int((sizes >= _PIECE_SHARE * max(sizes.sum(), 1)).sum())
    found = []
    if pieces > 1:
        found.append(
            f"the cutout is in {pieces} separate pieces: one whole object gives a better asset"
        )
    covered = float(solid.mean())
    if covered > _EVERYTHING:
        found.append("nearly the whole picture was taken for the object")
    if covered < _LITTLE:
        found.append(f"the object is tiny: {int(solid.sum())} px of the picture")
    edges = (solid[0], solid[-1], solid[:, 0], solid[:, -1])
    if covered <= _EVERYTHING and max(float(edge.mean()) for edge in edges) > _EDGE_SHARE:
        found.append("the object is cut off by the picture's edge")
    return found

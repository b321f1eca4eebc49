"""From a network's rough mask to a clean matte: named steps, each a pure function.

Masks and alphas are (H, W) float32 in 0..1; pictures uint8 (H, W, 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cleaning:
    """The parameters of the steps that follow the network.

    Attributes:
        follow_edges: pull the enlarged mask to the picture's own edges (large pictures only).
        low: mask values up to this become 0.
        high: mask values from this on become 1.
        min_component_share: separate parts smaller than this share of the largest one are dropped;
            1.0 keeps the largest part only, 0.0 all.
        max_hole_share: holes smaller than this share of the object are filled; 0.0 fills none.
        min_hole_haze: holes whose mean alpha is at least this are filled, whatever their size: the
            network was unsure there, while it sees through the opening of a handle clearly.
        decontaminate: remove the background's colour from half-transparent pixels.
        by_colour: let the picture's colours say where the object ends (`colours`), where the
            background may be any: for networks that work at a small size.
        background: "any" trusts the network alone; "plain" says that a model painted the picture
            on one colour without shadows, so whatever clearly differs from it is the object too.
    """

    follow_edges: bool = True
    low: float = 0.1
    high: float = 0.9
    min_component_share: float = 0.1
    max_hole_share: float = 0.001
    min_hole_haze: float = 0.28
    decontaminate: bool = True
    by_colour: bool = False
    background: Literal["any", "plain"] = "any"


def levels(mask: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Stretch `low`..`high` to 0..1, which clears haze and makes the inside solid."""
    return np.clip((mask - low) / (high - low), 0.0, 1.0).astype(np.float32)


def off_plain_background(
    picture: NDArray[np.uint8], low: float = 0.08, high: float = 0.2
) -> NDArray[np.float32]:
    """Return what surely is not background in a picture painted on one colour, less its rim.

    `low`..`high` of the difference from the border's colour (of the channel that differs most)
    become 0..1. The border's colour is its median, so an object that touches it in places does no
    harm. The rim, a 64th of the picture wide, is left to the network: its pixels are mixed with the
    background and would frame the object in its colour.
    """
    import cv2

    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    colour = np.median(border, axis=0)
    difference = np.abs(picture.astype(np.float32) - colour).max(axis=2) / np.float32(255.0)
    rim_px = max(1, round(max(picture.shape[:2]) / 64))
    window = np.ones((2 * rim_px + 1, 2 * rim_px + 1), np.uint8)
    return np.asarray(cv2.erode(levels(difference, low, high), window), dtype=np.float32)


def follow_edges(
    mask: NDArray[np.float32],
    picture: NDArray[np.uint8],
    radius_px: int,
    smoothness: float = 1e-3,
) -> NDArray[np.float32]:
    """Sharpen a mask that was enlarged from a small one along the edges of the picture.

    The guided filter (He, Sun, Tang 2013): in each window the result is the linear function of the
    picture's grey that fits the mask best. Where the window is flat (variance under `smoothness`)
    the mask is only blurred. A radius of twice the enlargement reaches past the mask's own blur.
    """
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)

    def mean(values: NDArray[np.floating]) -> NDArray[np.float32]:
        side = 2 * radius_px + 1
        blurred = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred, dtype=np.float32)

    mean_grey, mean_mask = mean(grey), mean(mask)
    variance = mean(grey * grey) - mean_grey * mean_grey
    slope = (mean(grey * mask) - mean_grey * mean_mask) / (variance + smoothness)
    offset = mean_mask - slope * mean_grey
    return np.clip(mean(slope) * grey + mean(offset), 0.0, 1.0)


def keep_components(alpha: NDArray[np.float32], min_share: float) -> NDArray[np.float32]:
    """Drop separate parts whose sum of alpha is less than `min_share` of the largest sum."""
    import cv2

    count, labels = cv2.connectedComponents((alpha > 0.0).astype(np.uint8), connectivity=8)
    weights = np.bincount(labels.ravel(), alpha.ravel().astype(np.float64), count)
    keep = weights >= min_share * weights.max()
    keep[0] = False  # the background
    return np.where(keep[labels], alpha, np.float32(0.0))


def small_holes_filled(
    alpha: NDArray[np.float32], max_share: float, min_haze: float = 1.0
) -> NDArray[np.float32]:
    """Fill holes smaller than `max_share` of the object, and those with a mean alpha of `min_haze`.

    A handle's opening is large and clear, so it stays open.
    """
    import cv2

    solid = alpha >= 0.5
    count, labels = cv2.connectedComponents((~solid).astype(np.uint8), connectivity=4)
    sizes = np.bincount(labels.ravel(), minlength=count)
    haze = np.bincount(labels.ravel(), alpha.ravel().astype(np.float64), count) / np.maximum(
        sizes, 1
    )
    fill = (sizes < max_share * solid.sum()) | (haze >= min_haze)
    fill[0] = False  # label 0 is the object
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    fill[border] = False
    holes = fill[labels]
    if not holes.any():
        return alpha
    # The soft rim round a filled hole belongs to it.
    wider = cv2.dilate(holes.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    outside = ~solid & ~holes
    near_edge = cv2.dilate(outside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return np.where(holes | (wider & ~near_edge), np.float32(1.0), alpha)


def decontaminated(picture: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the picture with the object's own colour at its half-transparent rim.

    A rim pixel shows a mixture; taken as it is, the background's colour would stay as a halo. The
    colours are estimated by pymatting's multi-level method (Germer et al. 2020). Opaque pixels stay
    exactly as they were.
    """
    rim = (alpha > 0.0) & (alpha < 1.0)
    if not rim.any():
        return picture
    from pymatting import estimate_foreground_ml

    # Only the rim is wanted: work on the box round it.
    rows, columns = np.flatnonzero(rim.any(1)), np.flatnonzero(rim.any(0))
    margin = 16
    box = (
        slice(max(0, rows[0] - margin), rows[-1] + margin + 1),
        slice(max(0, columns[0] - margin), columns[-1] + margin + 1),
    )
    estimate = estimate_foreground_ml(
        np.ascontiguousarray(picture[box], dtype=np.float32) / 255.0,
        np.ascontiguousarray(alpha[box]),
    )
    result = picture.copy()
    colours = np.round(np.clip(estimate, 0.0, 1.0) * 255.0).astype(np.uint8)
    result[box] = np.where(rim[box][..., None], colours, picture[box])
    return result

"""Whether an object is more of a box or round, told from its outlines.

Level pictures from front, right, back and left show no cross-section, but perspective and the
outlines themselves tell boxes: the rim of an upright cylinder is nearest in the middle, so its
upper and lower edge bend, and those of a box do not; and things that are sawn and nailed together
(tables, beds, houses) have outlines that run level or upright for the most part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.splats.silhouettes import Silhouettes

#: A plain box fills at least this part of its outline's bounding rectangle, ...
_BOX_FILL = 0.8
#: ... and its upper or lower edge drops towards the sides by less than this part of what an upright
#: cylinder's does.
_BOX_DROP = 0.45
#: Something joined of boards fills less, since it has legs or a roof, and more than a thing on a
#: pole; upright cylinders have straight outlines too, but fill their rectangles as plain boxes do.
#: At least such a part of its outlines runs level or upright where it fills at least such a part.
#: Chosen on 166 props that no benchmark has: half of what the best answer for each would gain.
_JOINED_STRAIGHT_AND_FILL = ((0.55, 0.6), (0.7, 0.5))
#: What counts as level or upright.
_STRAIGHT_DEG = 6.0
#: Outlines are softened by this part of the picture before their direction is measured, and count
#: where their slope is at least this part of the steepest.
_SOFT, _EDGE = 1.0 / 128.0, 0.25


def looks_like_a_box(cameras: Cameras, silhouettes: Silhouettes) -> bool:
    """Tell from the outlines alone whether the object is more of a box than round."""
    fill = _fill(silhouettes)
    if fill > _BOX_FILL:
        return _has_a_straight_end(cameras, silhouettes)
    straight = float(np.mean([_straight_share(d) for d in silhouettes.distance_px]))
    return any(straight > s and fill > f for s, f in _JOINED_STRAIGHT_AND_FILL)


def _has_a_straight_end(cameras: Cameras, silhouettes: Silhouettes) -> bool:
    drops = []
    for view, distance in enumerate(silhouettes.distance_px):
        columns = np.flatnonzero((distance > 0.0).any(axis=0))
        width = columns[-1] - columns[0] + 1
        fx, _, _, cy = cameras.intrinsics_px[view]
        place = np.abs(columns + 0.5 - (columns[0] + width / 2.0)) / (width / 2.0)
        tangent = width / 2.0 / fx
        expected = 1.0 - (1.0 - tangent) / (1.0 - tangent / 2.0)
        ends = (cy - silhouettes.top_px[view], silhouettes.bottom_px[view] - cy)
        drops.append([_drop(end[columns], place) / expected for end in ends])
    return float(np.mean(drops, axis=0).min()) < _BOX_DROP


def _fill(silhouettes: Silhouettes) -> float:
    """Return which part of their bounding rectangles the outlines fill, the views' mean."""
    fills = []
    for distance in silhouettes.distance_px:
        inside = distance > 0.0
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        fills.append(inside.sum() / (np.ptp(rows) + 1) / (np.ptp(columns) + 1))
    return float(np.mean(fills))


def _drop(height: NDArray[np.float32], place: NDArray[np.float64]) -> float:
    """Return by which part an edge is nearer to the horizon outside than in the middle."""
    middle = float(np.median(height[place < 0.4])) if (place < 0.4).any() else 1.0
    outer = (place > 0.8) & (place < 0.93)
    if not outer.any() or middle <= 0.0:
        return 1.0
    return 1.0 - float(np.median(height[outer])) / middle


def _straight_share(distance_px: NDArray[np.float32]) -> float:
    """Return which part of an outline runs level or upright."""
    alpha = np.clip(distance_px + 0.5, 0.0, 1.0)
    down, across = np.gradient(ndimage.gaussian_filter(alpha, _SOFT * len(alpha)))
    slope = np.hypot(down, across)
    slope[slope < _EDGE * slope.max()] = 0.0
    angle_deg = np.degrees(np.arctan2(down, across)) % 90.0
    straight = np.minimum(angle_deg, 90.0 - angle_deg) < _STRAIGHT_DEG
    return float(slope[straight].sum() / slope.sum())

"""The visual hull of posed cut-outs, rounded where the pictures leave the shape open.

A hull is what all outlines allow (Laurentini 1994). Pictures from the front, right, back and left
have only two different outlines, so the bare hull of anything round has square cross-sections;
`rounding` guesses the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.splats.hull import Hull, carve_box
from assets3d.splats.rounding import Rounding, candidate_roundings, rounded_distance, score
from assets3d.splats.silhouettes import (
    Silhouettes,
    direction_groups,
    measure_silhouettes,
    sightings,
    view_directions,
)
from assets3d.splats.whole_front import with_whole_front
from assets3d.views.posed import Views

#: Only views within this of the horizon, from two directions this near to a right angle, round.
_LEVEL_WITHIN_DEG, _CROSSING_WITHIN_DEG = 12.0, 30.0
_MARGIN = 0.06
#: Voxels along the cube in which the object is looked for.
_COARSE = 48


def carve(
    views: Views,
    resolution: int = 96,
    rounded: bool = True,
    front: int | None = None,
) -> Hull:
    """Carve the hull of at least three views that look along at least two different lines.

    Args:
        views: the cut-outs; straight alpha.
        resolution: voxels along the longest side of the object's box.
        rounded: guess what only two crossing, level directions leave open (`rounding`).
        front: index of a view that is right where views contradict each other (others may be
            generated): its outline is kept whole.

    Raises:
        InputError: too few views, or outlines that have no common inside.
    """
    box = _box_of(views)
    guess = None
    if rounded and leaves_corners_open(views.cameras):
        guess = _best_rounding(views.cameras, box.silhouettes, box.coarse)
    hull = box.carved(resolution, guess)
    if not (hull.distance > 0.0).any():
        raise InputError("views: nothing is left inside the outlines, wanted poses that fit")
    return hull if front is None else with_whole_front(hull, views.cameras, box.silhouettes, front)


@dataclass(frozen=True)
class _Box:
    """Where the object is, found on a coarse grid: a cube and the outlines' hull in it."""

    cameras: Cameras
    silhouettes: Silhouettes
    coarse: Hull
    centre: NDArray[np.float64]
    half: float

    def carved(self, resolution: int, guess: Rounding | None) -> Hull:
        """Carve the cube at another resolution."""
        place = self.centre, self.half
        return carve_box(self.cameras, self.silhouettes, *place, resolution, guess, self.coarse)


def _box_of(views: Views) -> _Box:
    groups = direction_groups(views.cameras)
    if len(views) < 3 or len(groups) < 2:
        raise InputError(
            f"views: found {len(views)} from {len(groups)} different directions, "
            "wanted at least 3 from 2"
        )
    silhouettes = measure_silhouettes(views)
    coarse = carve_box(views.cameras, silhouettes, *_first_box(views.cameras, silhouettes), _COARSE)
    if not (coarse.distance > 0.0).any():
        raise InputError("views: the outlines have no common inside, wanted poses that fit")
    low, high = coarse.bounds
    half = float((high - low).max()) * (0.5 + _MARGIN)
    return _Box(views.cameras, silhouettes, coarse, (low + high) / 2.0, half)


def leaves_corners_open(cameras: Cameras) -> bool:
    """Tell whether only two level, crossing directions were seen: corners are anybody's guess."""
    groups = direction_groups(cameras)
    if len(groups) != 2:
        return False
    directions = view_directions(cameras)
    level = np.abs(directions[:, 1]) < np.sin(np.radians(_LEVEL_WITHIN_DEG))
    upright = cameras.world_from_camera[:, 1, 1] > np.cos(np.radians(_LEVEL_WITHIN_DEG))
    crossing = abs(directions[groups[0][0]] @ directions[groups[1][0]])
    return bool(
        level.all() and upright.all() and crossing < np.sin(np.radians(_CROSSING_WITHIN_DEG))
    )


def _best_rounding(cameras: Cameras, silhouettes: Silhouettes, coarse: Hull) -> Rounding:
    """Return the guess that fills the outlines best for its volume, tried on the coarse hull."""
    points = coarse.points.astype(np.float32).reshape(coarse.distance.shape[0] ** 2, -1, 3)
    bare = coarse.distance.reshape(points.shape[:2])
    volume = float((bare > 0.0).sum())
    groups, centre = direction_groups(cameras), coarse.bounds.mean(axis=0)
    where = sightings(cameras, points)
    candidates = candidate_roundings(cameras, silhouettes)
    scores = []
    for rounding in candidates:
        rounded = rounded_distance(cameras, groups, silhouettes, where, points, centre, rounding)
        distance = np.minimum(bare, rounded)
        scores.append(score(silhouettes, where, distance, coarse.spacing, volume))
    return candidates[int(np.argmax(scores))]


def _first_box(cameras: Cameras, silhouettes: Silhouettes) -> tuple[NDArray[np.float64], float]:
    """Return centre and half size of a cube round the object: where the outlines' middles meet.

    The centre is the point nearest to all rays through the middles, in the least squares sense.
    """
    normal, right_side = np.zeros((3, 3)), np.zeros(3)
    spans, origins = [], cameras.positions
    for view in range(len(cameras)):
        rows, columns = np.nonzero(silhouettes.distance_px[view] > 0.0)
        fx, fy, cx, cy = cameras.intrinsics_px[view]
        middle = (columns.min() + columns.max() + 1) / 2.0, (rows.min() + rows.max() + 1) / 2.0
        spans.append(max((np.ptp(columns) + 1) / fx, (np.ptp(rows) + 1) / fy))
        local = np.array([(middle[0] - cx) / fx, -(middle[1] - cy) / fy, -1.0])
        direction = cameras.world_from_camera[view, :3, :3] @ (local / np.linalg.norm(local))
        across = np.eye(3) - np.outer(direction, direction)
        normal += across
        right_side += across @ origins[view]
    centre = np.asarray(np.linalg.solve(normal, right_side), dtype=np.float64)
    distances = np.linalg.norm(origins - centre, axis=1)
    return centre, 0.75 * float((np.array(spans) * distances).max())

"""The visual hull of posed cut-outs, rounded where the pictures leave the shape open.

A hull is what all outlines allow (Laurentini 1994). Pictures from the front, right, back and left
have only two different outlines, so the bare hull of anything round has square cross-sections;
`rounding` guesses the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.splats.rounding import Rounding, candidate_roundings, rounded_distance, score
from assets3d.splats.silhouettes import (
    Silhouettes,
    direction_groups,
    measure_silhouettes,
    sample_distance,
    seen,
    view_directions,
)
from assets3d.splats.whole_front import with_whole_front
from assets3d.views.posed import Views

#: Only views within this of the horizon, from two directions this near to a right angle, round.
_LEVEL_WITHIN_DEG, _CROSSING_WITHIN_DEG = 12.0, 30.0
_MARGIN = 0.06
#: Points per row when maps are sampled (OpenCV limits both sides of a map).
_ROW = 1024


@dataclass(frozen=True)
class Hull:
    """A signed distance on a cubic voxel grid.

    Attributes:
        distance: (R, R, R) float32, indexed x, y, z; world units, positive inside.
        low: (3,) world position of voxel [0, 0, 0]'s centre.
        spacing: distance of neighbouring voxels, world units.
    """

    distance: NDArray[np.float32]
    low: NDArray[np.float64]
    spacing: float

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lowest and highest corner of the inside."""
        inside = self.distance > 0.0
        corners = []
        for axis in range(3):
            rest = tuple(a for a in range(3) if a != axis)
            hits = np.flatnonzero(inside.any(axis=rest))
            corners.append((hits[0] - 0.5, hits[-1] + 0.5))
        return self.low + self.spacing * np.array(corners).T

    @property
    def points(self) -> NDArray[np.float64]:
        """(R, R, R, 3) world positions of the voxels' centres."""
        return _grid(self.low, self.spacing, self.distance.shape[0])

    def moved(self, centre: NDArray[np.float64], factor: float) -> Hull:
        """Return the hull with `centre` at the origin, all lengths scaled by `factor`."""
        distance = self.distance * np.float32(factor)
        return Hull(distance, (self.low - centre) * factor, self.spacing * factor)


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
    groups = direction_groups(views.cameras)
    if len(views) < 3 or len(groups) < 2:
        raise InputError(
            f"views: found {len(views)} from {len(groups)} different directions, "
            "wanted at least 3 from 2"
        )
    silhouettes = measure_silhouettes(views)
    centre, half = _first_box(views.cameras, silhouettes)
    coarse = _carve_box(views.cameras, silhouettes, centre, half, 48)
    if not (coarse.distance > 0.0).any():
        raise InputError("views: the outlines have no common inside, wanted poses that fit")
    low, high = coarse.bounds
    half = float((high - low).max()) * (0.5 + _MARGIN)
    guess = None
    if rounded and leaves_corners_open(views.cameras):
        guess = _best_rounding(views.cameras, silhouettes, coarse)
    centre = (low + high) / 2.0
    hull = _carve_box(views.cameras, silhouettes, centre, half, resolution, guess, coarse)
    if not (hull.distance > 0.0).any():
        raise InputError("views: nothing is left inside the outlines, wanted poses that fit")
    return hull if front is None else with_whole_front(hull, views.cameras, silhouettes, front)


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


def _carve_box(
    cameras: Cameras,
    silhouettes: Silhouettes,
    centre: NDArray[np.float64],
    half: float,
    resolution: int,
    rounding: Rounding | None = None,
    coarse: Hull | None = None,
) -> Hull:
    spacing = 2.0 * half / resolution
    low = centre - half + spacing / 2.0
    points = _grid(low, spacing, resolution).reshape(-1, 3)
    distance = np.full(len(points), -4.0 * spacing, dtype=np.float32)
    near = np.arange(len(points)) if coarse is None else _near_inside(coarse, points)
    rows = -(-len(near) // _ROW)
    tried = points[np.resize(near, rows * _ROW)].astype(np.float32)
    found = _hull_distance(cameras, silhouettes, tried.reshape(rows, _ROW, 3), centre, rounding)
    distance[near] = found.reshape(-1)[: len(near)]
    return Hull(distance.reshape((resolution,) * 3), low, spacing)


def _grid(low: NDArray[np.float64], spacing: float, count: int) -> NDArray[np.float64]:
    axes = [low[axis] + spacing * np.arange(count) for axis in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _near_inside(coarse: Hull, points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of points inside a coarser hull or within two of its voxels."""
    last = coarse.distance.shape[0] - 1
    index = np.clip(np.rint((points - coarse.low) / coarse.spacing).astype(int), 0, last)
    near = ndimage.binary_dilation(coarse.distance > -coarse.spacing, iterations=2)
    return np.flatnonzero(near[index[:, 0], index[:, 1], index[:, 2]])


def _hull_distance(
    cameras: Cameras,
    silhouettes: Silhouettes,
    points: NDArray[np.float32],
    centre: NDArray[np.float64],
    rounding: Rounding | None,
) -> NDArray[np.float32]:
    """Signed distance (A, B) of points (A, B, 3) to the rounded hull."""
    distance = np.full(points.shape[:2], np.inf, dtype=np.float32)
    for view in range(len(cameras)):
        pixels, unit = seen(cameras, view, points)
        inside = sample_distance(silhouettes, view, pixels) * unit
        np.minimum(distance, inside, out=distance)
    if rounding is not None:
        groups = direction_groups(cameras)
        rounded = rounded_distance(cameras, groups, silhouettes, points, centre, rounding)
        np.minimum(distance, rounded, out=distance)
    return distance


def _best_rounding(cameras: Cameras, silhouettes: Silhouettes, coarse: Hull) -> Rounding:
    """Return the guess that fills the outlines best for its volume, tried on the coarse hull."""
    points = coarse.points.astype(np.float32).reshape(coarse.distance.shape[0] ** 2, -1, 3)
    bare = coarse.distance.reshape(points.shape[:2])
    volume = float((bare > 0.0).sum())
    groups, centre = direction_groups(cameras), coarse.bounds.mean(axis=0)
    candidates = candidate_roundings(cameras, silhouettes)
    scores = []
    for rounding in candidates:
        rounded = rounded_distance(cameras, groups, silhouettes, points, centre, rounding)
        distance = np.minimum(bare, rounded)
        scores.append(score(cameras, silhouettes, points, distance, coarse.spacing, volume))
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

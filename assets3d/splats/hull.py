"""The visual hull of posed cut-outs, rounded where the pictures leave the shape open.

A hull is what all outlines allow (Laurentini 1994). Pictures from the front, right, back and left
have only two different outlines, so the bare hull of anything round has square cross-sections; a
rounding prior takes the corners off (`ROUNDING_EXPONENT`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.splats.silhouettes import (
    Silhouettes,
    direction_groups,
    measure_silhouettes,
    sample,
    sample_distance,
    view_directions,
)
from assets3d.views.posed import Views

#: Exponent of the superellipse that two crossing outlines are rounded to: 2 is an ellipse, infinity
#: the bare hull. Measured on props by `benchmarks.quality`.
ROUNDING_EXPONENT = 2.7
#: Only views within this of the horizon, from two directions this near to a right angle, round.
_ROUNDING_WITHIN_DEG = 30.0
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

    def moved(self, centre: NDArray[np.float64], factor: float) -> Hull:
        """Return the hull with `centre` at the origin, all lengths scaled by `factor`."""
        distance = self.distance * np.float32(factor)
        return Hull(distance, (self.low - centre) * factor, self.spacing * factor)


def carve(
    views: Views,
    resolution: int = 96,
    rounding: float | None = ROUNDING_EXPONENT,
    front: int | None = None,
) -> Hull:
    """Carve the hull of at least three views that look along at least two different lines.

    Args:
        views: the cut-outs; straight alpha.
        resolution: voxels along the longest side of the object's box.
        rounding: superellipse exponent where only two crossing directions were seen, or None.
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
    exponent = rounding if leaves_corners_open(views.cameras) else None
    centre = (low + high) / 2.0
    hull = _carve_box(views.cameras, silhouettes, centre, half, resolution, exponent, coarse)
    if not (hull.distance > 0.0).any():
        raise InputError("views: nothing is left inside the outlines, wanted poses that fit")
    return hull if front is None else _with_whole_front(hull, views.cameras, silhouettes, front)


def leaves_corners_open(cameras: Cameras) -> bool:
    """Tell whether only two level, crossing directions were seen: corners are anybody's guess."""
    groups = direction_groups(cameras)
    if len(groups) != 2:
        return False
    directions = view_directions(cameras)
    level = np.abs(directions[:, 1]) < np.sin(np.radians(_ROUNDING_WITHIN_DEG))
    upright = cameras.world_from_camera[:, 1, 1] > np.cos(np.radians(_ROUNDING_WITHIN_DEG))
    crossing = abs(directions[groups[0][0]] @ directions[groups[1][0]])
    return bool(level.all() and upright.all() and crossing < np.sin(np.radians(30.0)))


def _carve_box(
    cameras: Cameras,
    silhouettes: Silhouettes,
    centre: NDArray[np.float64],
    half: float,
    resolution: int,
    exponent: float | None = None,
    coarse: Hull | None = None,
) -> Hull:
    spacing = 2.0 * half / resolution
    low = centre - half + spacing / 2.0
    axes = [low[axis] + spacing * np.arange(resolution) for axis in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.full(len(points), -4.0 * spacing, dtype=np.float32)
    near = np.arange(len(points)) if coarse is None else _near_inside(coarse, points)
    rows = -(-len(near) // _ROW)
    tried = points[np.resize(near, rows * _ROW)].astype(np.float32)
    found = _hull_distance(cameras, silhouettes, tried.reshape(rows, _ROW, 3), exponent)
    distance[near] = found.reshape(-1)[: len(near)]
    return Hull(distance.reshape((resolution,) * 3), low, spacing)


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
    exponent: float | None,
) -> NDArray[np.float32]:
    """Signed distance (A, B) of points (A, B, 3) to the rounded hull."""
    distance = np.full(points.shape[:2], np.inf, dtype=np.float32)
    places: list[NDArray[np.float32]] = []
    widths: list[NDArray[np.float32]] = []
    for view in range(len(cameras)):
        pixels, unit = _seen(cameras, view, points)
        inside = sample_distance(silhouettes, view, pixels) * unit
        np.minimum(distance, inside, out=distance)
        if exponent is not None:
            places.append(sample(silhouettes.across[view], pixels, 4.0))
            widths.append(sample(silhouettes.half_px[view], pixels, 0.5) * unit)
    if exponent is not None:
        rounded = _rounded(direction_groups(cameras), places, widths, exponent)
        np.minimum(distance, rounded, out=distance)
    return distance


def _seen(
    cameras: Cameras, view: int, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return pixel positions (..., 2) and world units per pixel (...) of points (..., 3)."""
    matrix = cameras.matrices_px[view] @ cameras.opencv_from_world[view, :3]
    matrix = matrix.astype(np.float32)
    local = points @ matrix[:, :3].T + matrix[:, 3]
    depth = np.maximum(local[..., 2], np.float32(1e-6))
    return local[..., :2] / depth[..., None], depth / np.float32(cameras.intrinsics_px[view, 0])


def _rounded(
    groups: list[list[int]],
    places: list[NDArray[np.float32]],
    widths: list[NDArray[np.float32]],
    exponent: float,
) -> NDArray[np.float32]:
    """Signed distance to the superellipse |a|^p + |b|^p = 1 of places in two crossing outlines."""
    across = [np.mean([places[v] for v in group], axis=0) for group in groups]
    width = np.min([np.mean([widths[v] for v in group], axis=0) for group in groups], axis=0)
    total = sum(a**exponent for a in across) ** np.float32(1.0 / exponent)
    return ((1.0 - total) * width).astype(np.float32)


def _with_whole_front(hull: Hull, cameras: Cameras, silhouettes: Silhouettes, front: int) -> Hull:
    """Fill in, as inflated relief at mid depth, what other views carved from the front outline."""
    resolution = hull.distance.shape[0]
    axes = [hull.low[axis] + hull.spacing * np.arange(resolution) for axis in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32)
    points = points.reshape(resolution**2, resolution, 3)
    pixels, unit = _seen(cameras, front, points)
    inside = (hull.distance > 0.0).reshape(unit.shape)
    depth = unit * np.float32(cameras.intrinsics_px[front, 0])
    middle = np.median(depth[inside])
    size = np.array([cameras.width_px, cameras.height_px])
    hit = np.floor(pixels[inside]).astype(int)
    hit = hit[((hit >= 0) & (hit < size)).all(axis=1)]
    seen = np.zeros((cameras.height_px, cameras.width_px), dtype=np.uint8)
    seen[hit[:, 1], hit[:, 0]] = 1
    covered = _closed(seen, 1 + round(hull.spacing * cameras.intrinsics_px[front, 0] / middle))
    missing = sample(1.0 - covered.astype(np.float32), pixels, 0.0)
    inside_front = sample_distance(silhouettes, front, pixels) * unit
    thick = 1.5 * hull.spacing + 0.5 * np.maximum(inside_front, 0.0)
    relief = np.minimum(inside_front, thick - np.abs(depth - middle))
    added = np.where(missing > 0.5, relief, -np.inf).reshape(hull.distance.shape)
    return Hull(np.maximum(hull.distance, added).astype(np.float32), hull.low, hull.spacing)


def _closed(mask: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """Close the gaps that neighbouring voxels leave between the pixels they fall on."""
    return ndimage.grey_closing(mask, size=(2 * reach + 1, 2 * reach + 1))


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
    centre = np.linalg.solve(normal, right_side)
    distances = np.linalg.norm(origins - centre, axis=1)
    return centre, 0.75 * float((np.array(spans) * distances).max())

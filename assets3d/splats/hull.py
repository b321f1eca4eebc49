"""A hull as signed distances on a cube of voxels, carved by outlines and a guess by rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.splats.outline_cover import with_outlines_filled
from assets3d.splats.rounding import Rounding, rounded_distance
from assets3d.splats.silhouettes import (
    Silhouettes,
    direction_groups,
    sample_distance,
    sightings,
)

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


def carve_box(
    cameras: Cameras,
    silhouettes: Silhouettes,
    centre: NDArray[np.float64],
    half: float,
    resolution: int,
    rounding: Rounding | None = None,
    coarse: Hull | None = None,
) -> Hull:
    """Carve a cube of voxels round `centre`, `half` being half its side, world units.

    Args:
        cameras: of the outlines.
        silhouettes: the outlines.
        centre: (3,) of the cube and of the object.
        half: half the cube's side.
        resolution: voxels along it.
        rounding: the guess by rule, or None for the bare hull.
        coarse: a hull outside of which nothing is looked at.
    """
    spacing = 2.0 * half / resolution
    low = centre - half + spacing / 2.0
    points = _grid(low, spacing, resolution).reshape(-1, 3)
    distance = np.full(len(points), -4.0 * spacing, dtype=np.float32)
    near = np.arange(len(points)) if coarse is None else _near_inside(coarse, points)
    rows = -(-len(near) // _ROW)
    tried = points[np.resize(near, rows * _ROW)].astype(np.float32)
    tried = tried.reshape(rows, _ROW, 3)
    found = _hull_distance(cameras, silhouettes, tried, centre, spacing, rounding)
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
    spacing: float,
    rounding: Rounding | None,
) -> NDArray[np.float32]:
    """Signed distance (A, B) of points (A, B, 3) to the rounded hull."""
    bare = np.full(points.shape[:2], np.inf, dtype=np.float32)
    where = sightings(cameras, points)
    for view, (pixels, unit) in enumerate(where):
        np.minimum(bare, sample_distance(silhouettes, view, pixels) * unit, out=bare)
    if rounding is None:
        return bare
    groups = direction_groups(cameras)
    rounded = rounded_distance(cameras, groups, silhouettes, where, points, centre, rounding)
    guess = np.minimum(bare, rounded)
    guess = with_outlines_filled(silhouettes, where, guess, bare, spacing)
    # The guess measures along rows and columns: beside a shaft, how far the head lies above. What
    # looks far outside right behind a rim would eat the rim when voxels are smoothed.
    return np.where(bare < 0.0, bare, guess)

"""Gaussians to start a fit from: flat discs on the hull, coloured by the pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.splats.gaussians import Gaussians, from_parts
from assets3d.splats.hull import Hull
from assets3d.splats.normalise import quaternion_from_matrix
from assets3d.splats.surface import SurfacePoints, project_colours, surface_points, visibility
from assets3d.views.posed import Views

#: Standard deviations in units of the points' spacing: in the surface, and along its normal.
DISC_RADIUS = 0.7
DISC_THICKNESS = 0.2
START_OPACITY = 0.9
#: How far inside of the surface the centres start, in the same units.
INSET = 0.8


def start_on_hull(
    hull: Hull, views: Views, count: int, seed: int, front: int | None = None
) -> tuple[Gaussians, NDArray[np.bool_], float]:
    """Return `count` discs on the hull, (N,) bool which of them a view saw, and their spacing."""
    points = _set_in(surface_points(hull, count, seed), hull)
    cosine = visibility(hull, points, views.cameras)
    colours, seen = project_colours(points, cosine, views, front)
    return discs(points, colours), seen, points.spacing


def _set_in(points: SurfacePoints, hull: Hull) -> SurfacePoints:
    """Move points inwards, but not beyond the middle of what is thin.

    Together, discs look as if they ended that much outside of their centres, and only some of the
    cameras from which they are looked at could teach them better.
    """
    full = INSET * points.spacing
    place = (points.position - full * points.normal - hull.low) / hull.spacing
    deep = ndimage.map_coordinates(hull.distance, place.T, order=1, mode="nearest")
    # Beyond the middle it gets shallower again: half of both depths is where the middle is.
    inset = np.clip((deep + full) / 2.0, 0.0, full)
    return replace(points, position=points.position - inset[:, None] * points.normal)


def discs(points: SurfacePoints, colours: NDArray[np.float64]) -> Gaussians:
    """Return one flat Gaussian per point, its third axis along the normal."""
    count = len(points.position)
    radius, thickness = DISC_RADIUS * points.spacing, DISC_THICKNESS * points.spacing
    scale = np.tile([radius, radius, thickness], (count, 1))
    rotation = quaternion_from_matrix(frames(points.normal))
    return from_parts(points.position, np.full(count, START_OPACITY), scale, rotation, colours)


def frames(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, 3, 3) right-handed frames whose third column is the unit normal.

    Duff et al. 2017, "Building an orthonormal basis, revisited": no branch, no singular direction.
    """
    x, y, z = normals.T
    sign = np.where(z >= 0.0, 1.0, -1.0)
    a = -1.0 / (sign + z)
    b = x * y * a
    first = np.stack([1.0 + sign * x * x * a, sign * b, -sign * x], axis=1)
    second = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([first, second, normals], axis=2)

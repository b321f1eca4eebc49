"""Points on a hull's surface, and what colour the pictures give them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from assets3d.cameras import Cameras, project
from assets3d.splats.hull import Hull
from assets3d.splats.silhouettes import sample
from assets3d.views.posed import Views

#: The field is smoothed by so much, which takes the stairs of voxels away; more of it takes legs.
_SMOOTH_VOXELS = 0.5
#: A point counts as seen if a view looks at it with at least this cosine; flatter, colours smear.
_SEEN = 0.1
#: Exponent of the cosine: large, so that where views disagree the one that faces the point wins.
_FACING_POWER = 4.0
#: Rounds of averaging that spread colours over unseen points.
_MEMBRANE_ROUNDS = 80
#: So far from what was seen, as a part of the longest side, its colour counts as much as the mean.
_TRUSTED = 0.09
#: How much brighter than a wall an unseen surface is taken to be that faces straight up.
_TOP_LIGHT = 0.18


@dataclass(frozen=True)
class SurfacePoints:
    """N points on a surface.

    Attributes:
        position: (N, 3) float64 world positions.
        normal: (N, 3) float64 unit outward normals.
        spacing: mean distance of neighbours, world units.
    """

    position: NDArray[np.float64]
    normal: NDArray[np.float64]
    spacing: float


def surface_points(hull: Hull, count: int, seed: int) -> SurfacePoints:
    """Spread `count` points evenly by area over the hull's surface (marching cubes)."""
    from skimage.measure import marching_cubes

    field = ndimage.gaussian_filter(hull.distance, _SMOOTH_VOXELS)
    if not (field > 0.0).any():
        field = hull.distance
    # A rim of outside closes the surface where it reaches the grid's border.
    padded = np.pad(field, 1, constant_values=-hull.spacing)
    vertices, faces, _, _ = marching_cubes(padded, 0.0)
    corners = (vertices.astype(np.float64) - 1.0)[faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    total = np.cumsum(area)
    rng = np.random.default_rng(seed)
    # One point per equal share of area; neighbouring faces follow each other, so this is even.
    places = (np.arange(count) + rng.uniform(0.0, 1.0, count)) / count * total[-1]
    chosen = corners[np.minimum(np.searchsorted(total, places), len(faces) - 1)]
    a, b = np.sqrt(rng.uniform(size=(count, 1))), rng.uniform(size=(count, 1))
    grid = (1 - a) * chosen[:, 0] + a * (1 - b) * chosen[:, 1] + a * b * chosen[:, 2]
    spacing = hull.spacing * float(np.sqrt(total[-1] / 2.0 / count))
    return SurfacePoints(hull.low + hull.spacing * grid, _normals(field, grid), spacing)


def visibility(hull: Hull, points: SurfacePoints, cameras: Cameras) -> NDArray[np.float64]:
    """Return (V, N) cosines between normal and view direction, 0 where the hull is in between."""
    cosine = np.zeros((len(cameras), len(points.position)))
    inside = hull.distance > 0.0
    for view, centre in enumerate(cameras.positions):
        towards = centre - points.position
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        cosine[view] = np.maximum((towards * points.normal).sum(axis=1), 0.0)
        facing = np.flatnonzero(cosine[view] > 0.05)
        hidden = _blocked(hull, inside, points.position[facing], towards[facing])
        cosine[view, facing[hidden]] = 0.0
    return cosine


def project_colours(
    points: SurfacePoints, cosine: NDArray[np.float64], views: Views, front: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (N, 3) sRGB colours 0..1 from the views, and (N,) bool: which points any view saw.

    Colours run smoothly over the points that no view saw, from where the seen ones border them.
    The `front` view, where given, outweighs the others.
    """
    total = np.zeros((len(points.position), 3))
    weight = np.zeros(len(points.position))
    pixels, _ = project(views.cameras, points.position)
    for view in range(len(views)):
        alpha = views.rgba[view, ..., 3].astype(np.float32) / 255.0
        # Pixels at the rim mix object and background, or carry a cut-out's fringe: fade them.
        solid = ndimage.uniform_filter(alpha, 5) ** 4
        where = pixels[view][None].astype(np.float32)
        coverage = sample(alpha, where, 0.0)[0]
        share = cosine[view] ** _FACING_POWER * (0.01 + sample(solid, where, 0.0)[0]) * coverage
        share = share * (4.0 if view == front else 1.0)
        for channel in range(3):
            premultiplied = views.rgba[view, ..., channel].astype(np.float32) / 255.0 * alpha
            value = sample(premultiplied, where, 0.0)[0] / np.maximum(coverage, 1e-3)
            total[:, channel] += share * np.clip(value, 0.0, 1.0)
        weight += share
    seen = weight > _SEEN**_FACING_POWER
    colours = total / np.maximum(weight, 1e-12)[:, None]
    return _filled(points, colours, seen), seen


def _filled(
    points: SurfacePoints, colours: NDArray[np.float64], seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Stretch seen colours over unseen points like a membrane (Laplace's equation).

    Far from anything seen its rim says little: there the colour nears the mean of all that is seen.
    """
    if seen.all() or not seen.any():
        return colours if seen.any() else np.full_like(colours, 0.5)
    # The normal joins the position, so that a lid takes its rim's colour rather than what is under.
    features = np.concatenate([points.position, 2.0 * points.spacing * points.normal], axis=1)
    source = np.flatnonzero(seen)
    near = min(16, len(source))
    away, index = cKDTree(features[source]).query(features[~seen], k=near)
    result = colours.copy()
    result[~seen] = colours[source][index.reshape(-1, near)].mean(axis=1)
    _, neighbours = cKDTree(features).query(features[~seen], k=min(9, len(features)))
    for _ in range(_MEMBRANE_ROUNDS):
        result[~seen] = result[neighbours].mean(axis=1)
    beyond = np.maximum(away.reshape(-1, near)[:, :1] - 2.0 * points.spacing, 0.0)
    half_way = _TRUSTED * float(np.ptp(points.position, axis=0).max())
    mean = colours[source].mean(axis=0)
    result[~seen] += beyond / (beyond + half_way) * (mean - result[~seen])
    # Light comes from above: what faces up is brighter than the sides that the colours came from.
    lit = 1.0 + _TOP_LIGHT * points.normal[~seen, 1:2]
    result[~seen] = np.clip(result[~seen] * lit, 0.0, 1.0)
    return result


def _normals(field: NDArray[np.float32], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth = ndimage.gaussian_filter(field, 0.8)
    gradient = np.stack(
        [
            ndimage.map_coordinates(smooth, (grid + step).T, order=1, mode="nearest")
            - ndimage.map_coordinates(smooth, (grid - step).T, order=1, mode="nearest")
            for step in np.eye(3)
        ],
        axis=1,
    ).astype(np.float64)
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    return np.where(length > 1e-9, -gradient / np.maximum(length, 1e-9), [0.0, 1.0, 0.0])


def _blocked(
    hull: Hull, inside: NDArray[np.bool_], start: NDArray[np.float64], towards: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which rays from the surface run through the hull again (two voxels on, or later)."""
    size = inside.shape[0]
    place = ((start - hull.low) / hull.spacing + 0.5).astype(np.float32)
    step = towards.astype(np.float32)
    blocked = np.zeros(len(start), dtype=bool)
    active = np.arange(len(start))
    for distance in np.arange(3.0, 1.8 * size, 1.5, dtype=np.float32):
        index = np.floor(place[active] + distance * step[active]).astype(np.int32)
        within = ((index >= 0) & (index < size)).all(axis=1)
        active, index = active[within], index[within]
        if len(active) == 0:
            break
        hit = inside[index[:, 0], index[:, 1], index[:, 2]]
        blocked[active[hit]] = True
        active = active[~hit]
    return blocked

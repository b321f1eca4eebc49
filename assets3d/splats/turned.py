"""Bodies of revolution among four level views: apples, bottles, barrels, towers.

Where the outlines are the same on both sides of one upright axis, and in all views, the object (or
most of it) was turned about that axis, and its radius at every height follows from the outline: the
surface's normal there lies in the plane through camera and outline, and meets the axis. No guess by
sections makes as smooth a surface, since the outlines of different views meet in creases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.splats.silhouettes import Sighting, Silhouettes, sample, sample_distance

#: An object is turned when the turned part fills at least this part of every outline.
_LEAST_SHARE = 0.85
#: Four legs are no ring: few rows of a turned part may show nothing on the axis.
_MOST_HOLLOW = 0.05
#: What lies farther outside the turned part than this is another part: a leaf, a handle.
_BESIDE_PX = 1.5
#: Cameras count as alike when they differ by less than this part.
_ALIKE = 0.02
#: Heights at which the radius is kept, and of which width the outline's slope is smoothed.
_HEIGHTS, _SMOOTH_PX = 256, 1.0
#: A normal this near to upright says nothing of where its surface is, a parabola so flat neither.
_LEAST_LEVEL, _LEAST_BEND = 1e-3, 1e-2
#: An outline is nearly level below this slope; a pole is within this part of its height.
_LEVEL, _POLE = 0.4, 0.15


@dataclass(frozen=True)
class Turned:
    """The turned part of an object.

    Attributes:
        axis: (2,) world x and z of the upright axis.
        radius: (N,) world units, at heights from `low` on in steps of `step`; 0 at both ends.
        low: world y of the first.
        step: world units.
        centre_row: the picture row of the cameras' horizon.
        outline_px: (H, K) float32 signed distance to the outline, k pixels beside the axis.
        axis_px: (V,) the axis' column in each view.
        scale: (V,) how much larger each view shows things than at the mean distance.
    """

    axis: NDArray[np.float64]
    radius: NDArray[np.float64]
    low: float
    step: float
    centre_row: float
    outline_px: NDArray[np.float32]
    axis_px: NDArray[np.float64]
    scale: NDArray[np.float64]

    def distance(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the signed distance (A, B) of points (A, B, 3) to the turned part."""
        field = self._field()
        x, z = (np.float32(value) for value in self.axis)
        away = np.hypot(points[..., 0] - x, points[..., 2] - z)
        place = np.stack([away, points[..., 1] - np.float32(self.low)], axis=-1) / self.step
        last = np.array(field.shape[::-1], dtype=np.float32) - 0.5
        held = np.clip(place + 0.5, 0.5, last).astype(np.float32)
        beyond = np.linalg.norm(place + 0.5 - held, axis=-1)
        return (sample(field, held, 0.0) - beyond.astype(np.float32)) * np.float32(self.step)

    def _field(self) -> NDArray[np.float32]:
        """Return the signed distance in steps on a grid of heights and radii, positive inside."""
        columns = int(1.2 * self.radius.max() / self.step) + 2
        inside = np.arange(columns)[None] < (self.radius / self.step)[:, None]
        both = np.pad(np.concatenate([inside[:, :0:-1], inside], axis=1), 1)
        signed = ndimage.distance_transform_edt(both) - ndimage.distance_transform_edt(~both)
        signed -= 0.5 * np.sign(signed)
        return np.asarray(signed[1:-1, columns:-1], dtype=np.float32)

    def beside(self, sightings: list[Sighting]) -> NDArray[np.float32]:
        """Return how far points (A, B) lie outside the turned part's outline, most of any view.

        World units; negative for what every view sees before or behind it.
        """
        most = np.full(sightings[0].unit.shape, -np.inf, dtype=np.float32)
        for view, (pixels, unit) in enumerate(sightings):
            inside_px = self.inside_px(view, pixels)
            np.maximum(most, (-inside_px - np.float32(_BESIDE_PX)) * unit, out=most)
        return most

    def inside_px(self, view: int, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far places (A, B, 2) of a view lie within the turned part's outline there."""
        scale, centre_row = np.float32(self.scale[view]), np.float32(self.centre_row)
        k = np.abs(pixels[..., 0] - np.float32(self.axis_px[view])) / scale
        row = centre_row + (pixels[..., 1] - centre_row) / scale
        outside = -float(self.outline_px.shape[1])
        return sample(self.outline_px, np.stack([k, row], axis=-1), outside) * scale


def find_turned(cameras: Cameras, silhouettes: Silhouettes) -> Turned | None:
    """Return the turned part of what level views from all round show, or None if it is not most."""
    focal, rows = cameras.intrinsics_px[:, 0], cameras.intrinsics_px[:, 3]
    heights = cameras.positions[:, 1]
    if (
        np.ptp(focal) > _ALIKE * focal.mean()
        or np.ptp(rows) > 1.0
        or silhouettes.touches_border.any()
    ):
        return None
    if not (silhouettes.distance_px > 0.0).any(axis=(1, 2)).all():
        return None  # thinner than a pixel
    axis_px = np.array([_axis_column(distance) for distance in silhouettes.distance_px])
    axis, away = _where_axes_meet(cameras, axis_px)
    if np.ptp(heights) > _ALIKE * away.mean() or away.min() <= 0.0:
        return None
    scale, centre = away.mean() / away, float(rows.mean())
    outline_px = _common_outline(silhouettes, axis_px, scale, centre)
    if _hollow(outline_px) > _MOST_HOLLOW:
        return None
    view = _View(float(focal.mean()), centre, float(away.mean()), float(heights.mean()))
    found = _radii(outline_px, view)
    if found is None:
        return None
    turned = Turned(axis, *found, centre, outline_px, axis_px, scale)
    shares = [_share(turned, silhouettes, index) for index in range(len(cameras))]
    return turned if min(shares) >= _LEAST_SHARE else None


@dataclass(frozen=True)
class _View:
    """What all cameras have in common: focal length and horizon in pixels, distance, height."""

    focal_px: float
    centre_row: float
    away: float
    height: float


def _radii(
    outline_px: NDArray[np.float32], view: _View
) -> tuple[NDArray[np.float64], float, float] | None:
    """Return the radius at each height, the first height, and the step between them."""
    from skimage.measure import find_contours

    both = np.concatenate([outline_px[:, ::-1], outline_px], axis=1)
    soft = ndimage.gaussian_filter(both, _SMOOTH_PX)
    down, right = np.gradient(soft)
    heights, radii = [], []
    for contour in find_contours(both, 0.0):
        row, column = contour.T
        # Slopes to the right and upwards of what is seen, per unit of depth.
        t = (column + 0.5 - outline_px.shape[1]) / view.focal_px
        s = (view.centre_row - row - 0.5) / view.focal_px
        a = -ndimage.map_coordinates(right, contour.T, order=1)
        b = ndimage.map_coordinates(down, contour.T, order=1)
        use = t > 0.0
        if use.sum() < 2:
            continue
        t, s, a, b = t[use], s[use], a[use], b[use]
        # The horizontal part of the normal (a, -(a t + b s)) points from the axis to the surface.
        depth = view.away / np.maximum(1.0 + t * t + s * _steepness(t, s, a, b), 0.1)
        largest = float((view.away * t / np.sqrt(1.0 + t * t)).max())
        across = t * depth
        towards = np.sqrt(np.maximum(largest**2 - across**2, 0.0))
        towards = np.clip(view.away - depth, -towards, towards)
        heights.append(view.height + s * (view.away - towards))
        radii.append(np.hypot(t * (view.away - towards), towards))
    return _by_height(heights, radii) if heights else None


def _steepness(
    t: NDArray[np.float64], s: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return t b / a along an outline (t, s) with normals (a, b).

    At the poles both t and a vanish: what counts there is a parabola through what is nearly level.
    """
    found = t * b / np.maximum(a, _LEAST_LEVEL)
    level = np.abs(a) < _LEVEL * np.abs(b)
    reach = _POLE * float(np.ptp(s))
    for pole in (
        level & (b > 0.0) & (s > s.max() - reach),
        level & (b < 0.0) & (s < s.min() + reach),
    ):
        if pole.sum() < 3:
            continue
        bend = float(np.polyfit(t[pole] ** 2, s[pole], 1)[0])
        outwards = float(np.sign(b[pole].sum()))
        found[pole] = outwards / (2.0 * max(-outwards * bend, _LEAST_BEND))
    return found


def _by_height(
    heights: list[NDArray[np.float64]], radii: list[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], float, float] | None:
    """Return the largest radius at each of `_HEIGHTS` even heights; None where there are no two."""
    low = min(float(h.min()) for h in heights)
    high = max(float(h.max()) for h in heights)
    if not high > low:
        return None
    margin = 0.15 * (high - low)
    low, step = low - margin, (high - low + 2.0 * margin) / _HEIGHTS
    found = np.zeros(_HEIGHTS)
    for height, radius in zip(heights, radii, strict=True):
        # Between neighbours along an outline there is a surface.
        share = np.linspace(0.0, 1.0, 16, endpoint=False)
        along = (height[:-1, None] + share * np.diff(height)[:, None]).ravel()
        width = (radius[:-1, None] + share * np.diff(radius)[:, None]).ravel()
        near = np.abs(np.diff(height)).repeat(16) < 20.0 * step
        index = np.rint((along - low) / step).astype(int)
        np.maximum.at(found, index[near].clip(0, _HEIGHTS - 1), width[near])
    seen_at = np.flatnonzero(found > 0.0)
    if len(seen_at) < 2:
        return None
    filled = np.interp(np.arange(_HEIGHTS), seen_at, found[seen_at], left=0.0, right=0.0)
    return filled, low, step


def _hollow(outline_px: NDArray[np.float32]) -> float:
    """Return the share of rows that show something beside the axis and nothing on it."""
    inside = outline_px > 0.0
    rows = inside.any(axis=1)
    return float((rows & ~inside[:, 0]).sum() / max(rows.sum(), 1))


def _axis_column(distance_px: NDArray[np.float32]) -> float:
    """Return the median over rows of the middle of the widest run."""
    middles = []
    for row in np.flatnonzero((distance_px > 0.0).any(axis=1)):
        edges = np.flatnonzero(np.diff(np.pad(distance_px[row] > 0.0, 1).astype(np.int8)))
        starts, ends = edges[0::2], edges[1::2]
        widest = int(np.argmax(ends - starts))
        middles.append((starts[widest] + ends[widest]) / 2.0)
    return float(np.median(middles))


def _where_axes_meet(
    cameras: Cameras, axis_px: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (2,) world x, z where the views see the axis, and (V,) how far it is from each."""
    slope = (axis_px - cameras.intrinsics_px[:, 2]) / cameras.intrinsics_px[:, 0]
    right, forward = cameras.world_from_camera[:, :3, 0], -cameras.world_from_camera[:, :3, 2]
    towards = (forward + slope[:, None] * right)[:, [0, 2]]
    across = np.stack([-towards[:, 1], towards[:, 0]], 1)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    start = cameras.positions[:, [0, 2]]
    axis, *_ = np.linalg.lstsq(across, (across * start).sum(1), rcond=None)
    return axis, ((axis - start) * forward[:, [0, 2]]).sum(1)


def _common_outline(
    silhouettes: Silhouettes,
    axis_px: NDArray[np.float64],
    scale: NDArray[np.float64],
    centre: float,
) -> NDArray[np.float32]:
    """Return what the outlines of all views, on both sides of the axis, have in common."""
    _, height, width = silhouettes.distance_px.shape
    k, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    common = np.full((height, width), np.inf, dtype=np.float32)
    for view, (column, factor) in enumerate(zip(axis_px, scale, strict=True)):
        for side in (-1.0, 1.0):
            at = np.stack([column + side * k * factor, centre + (row - centre) * factor], -1)
            found = sample_distance(silhouettes, view, at.astype(np.float32)) / factor
            np.minimum(common, found, out=common)
    return common.astype(np.float32)


def _share(turned: Turned, silhouettes: Silhouettes, view: int) -> float:
    """Return which part of a view's outline the turned part fills."""
    inside = silhouettes.distance_px[view] > 0.0
    row, column = np.indices(inside.shape, dtype=np.float32) + np.float32(0.5)
    return float((turned.inside_px(view, np.stack([column, row], -1))[inside] > 0.0).mean())

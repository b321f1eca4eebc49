"""Ambient occlusion and curvature of a height that tiles.

Occlusion is the share of the sky, weighted by the cosine to the surface's own normal, that the
relief leaves free: along each direction the horizon is marched, and what lies between the tangent
plane and the horizon is integrated in closed form (horizon-based occlusion: Max 1988, Bavoil,
Sainz and Dimitrov 2008). Deterministic, and moves with the tile when it is rolled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.fields import slopes_of_height
from assets3d.textures.torus import central_differences, row_bands

# Directions as whole pixels, so that a march meets pixel centres and planes stay exactly free.
# Half of them; the others are opposite.
_HALF_DIRECTIONS = {
    4: ((1, 0), (0, 1)),
    8: ((1, 0), (1, 1), (0, 1), (-1, 1)),
    16: ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1)),
}
# The march goes pixel by pixel, later by this ratio: steps so fine leave no rings around edges.
_STEP_RATIO = 1.12
# How far the relief's whole range can matter: from there it rises by at most 1 / 4 (14 degrees),
# which takes 6 % of the light.
_REACH = 4.0
# Few enough that all of a march stays in the processor's nearest cache.
_BAND_PX = 1 << 16
# The march ends at this share of the tile's side.
_LARGEST_REACH = 0.5
# Side up to which all pixels are counted.
_COUNTED_PX = 2048


def ambient_occlusion(
    height_m: NDArray[Any],
    pixel_m: float,
    *,
    radius_m: float | None = None,
    directions: int = 16,
) -> NDArray[np.float32]:
    """Return (H, W) float32, 0 where no sky is seen and 1 where all of it is.

    Args:
        height_m: (H, W) metres.
        pixel_m: side of a pixel in metres.
        radius_m: how far relief is looked for, at most half the tile; None: four times the range
            of the heights.
        directions: 4, 8 or 16.

    Raises:
        InputError: another number of directions, or a radius below 0.
    """
    if directions not in _HALF_DIRECTIONS:
        raise InputError(f"directions: is {directions}, wanted 4, 8 or 16")
    if radius_m is not None and radius_m < 0.0:
        raise InputError(f"radius_m: is {radius_m:g}, wanted 0 or more")
    height = np.asarray(height_m, np.float32)
    range_px = float(np.ptp(height)) / pixel_m
    radius_px = _REACH * range_px if radius_m is None else radius_m / pixel_m
    radius_px = min(radius_px, _LARGEST_REACH * min(height.shape))
    marches = _marches(directions, radius_px)
    margin = max([1, *(abs(x) for march in marches for x, _ in march.steps)])
    # Columns are padded once; rows are wrapped band by band, which needs no second large copy.
    padded = np.pad(height, ((0, 0), (margin, margin)), mode="wrap")
    padded /= np.float32(pixel_m)
    result = np.zeros(height.shape, np.float32)
    for rows in row_bands(height.shape, _BAND_PX):
        result[rows] = 1.0 - _hidden(padded, rows, margin, marches)
    return np.clip(result, 0.0, 1.0, out=result)


def curvature(height_m: NDArray[Any], pixel_m: float) -> NDArray[np.float32]:
    """Return the mean curvature (H, W) float32 in 1 / m of a height (H, W) in metres.

    Positive on ridges, negative in grooves: the top of a ball of radius r has 1 / r.
    """
    height = np.asarray(height_m, np.float32)
    result = np.zeros(height.shape, np.float32)
    for rows in row_bands(height.shape):
        # Two rows more on either side: the slopes' neighbours, and theirs.
        around = height[np.arange(rows.start - 2, rows.stop + 2) % len(height)]
        slope_x, slope_y = slopes_of_height(around, pixel_m)
        scale = 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2)
        divergence = central_differences(slope_x * scale)[0]
        divergence += central_differences(slope_y * scale)[1]
        result[rows] = divergence[2:-2] * np.float32(-0.5 / pixel_m)
    return result


def curvature_map(
    curvature_per_m: NDArray[Any],
    full_per_m: float | None = None,
    *,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Return curvature as a map (H, W) float32 0..1: 0.5 is flat, above are ridges.

    Args:
        curvature_per_m: from `curvature`.
        full_per_m: the curvature that becomes 0.88, larger ones saturate softly; None: what 98 %
            of the pixels stay below, of maps above 2048 px of every so many pixels.
        out: where the map is written, which may be the curvature itself; a new array if None.
    """
    values = np.asarray(curvature_per_m, np.float32)
    if full_per_m is None:
        # Of all pixels at 8192 px this would take 0.5 GB, and say the same. An odd step meets all
        # phases of a picture that a filter enlarged to twice or four times its side.
        every = -(-max(values.shape) // _COUNTED_PX) | 1
        full_per_m = float(np.percentile(np.abs(values[::every, ::every]), 98.0))
    if full_per_m <= 0.0:
        result = np.zeros(values.shape, np.float32) if out is None else out
        result.fill(0.5)
        return result
    result = np.divide(values, np.float32(full_per_m), out=out)
    np.tanh(result, out=result)
    result *= 0.5
    result += 0.5
    return result


@dataclass(frozen=True)
class _March:
    """One line through a pixel, gone both ways.

    Attributes:
        unit: (x, y) of the way forward, length 1, y down.
        share: of the full circle that each of the two ways stands for.
        steps: (x, y) offsets of the pixels met on the way forward.
    """

    unit: tuple[float, float]
    share: float
    steps: list[tuple[int, int]]


def _marches(directions: int, radius_px: float) -> list[_March]:
    lines = _HALF_DIRECTIONS[directions]
    azimuths = [math.atan2(y, x) for x, y in lines]
    after = [*azimuths[1:], azimuths[0] + math.pi]
    before = [azimuths[-1] - math.pi, *azimuths[:-1]]
    marches = []
    for (x, y), last, first in zip(lines, after, before, strict=True):
        length = math.hypot(x, y)
        counts = _step_counts(radius_px / length)
        steps = [(count * x, count * y) for count in counts]
        marches.append(_March((x / length, y / length), (last - first) / (4 * math.pi), steps))
    return marches


def _step_counts(largest: float) -> list[int]:
    """Return 1, 2, 3, ... and later a geometric series, up to `largest`."""
    counts = []
    count = 1
    while count <= largest:
        counts.append(count)
        count = max(count + 1, round(count * _STEP_RATIO))
    return counts


def _hidden(
    padded: NDArray[np.float32], rows: slice, margin: int, marches: list[_March]
) -> NDArray[np.float32]:
    """Return the share (rows, W) of the sky that the relief hides; all lengths are pixels."""
    here = _shifted(padded, rows, margin, (0, 0))
    slope_x = 0.5 * (
        _shifted(padded, rows, margin, (1, 0)) - _shifted(padded, rows, margin, (-1, 0))
    )
    slope_y = 0.5 * (
        _shifted(padded, rows, margin, (0, 1)) - _shifted(padded, rows, margin, (0, -1))
    )
    hidden, rise = np.zeros_like(slope_x), np.zeros_like(slope_x)
    for march in marches:
        along = slope_x * march.unit[0] + slope_y * march.unit[1]
        for way in (1, -1):
            tangent = along * way
            horizon = tangent.copy()
            for x, y in march.steps:
                there = _shifted(padded, rows, margin, (way * x, way * y))
                np.subtract(there, here, out=rise)
                rise *= 1.0 / math.hypot(x, y)
                np.maximum(horizon, rise, out=horizon)
            hidden += march.share * _hidden_along(tangent, horizon)
    hidden /= np.sqrt(1.0 + slope_x**2 + slope_y**2)
    return hidden


def _hidden_along(
    tangent: NDArray[np.float32], horizon: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what is hidden per normal's z, between the tangents of two elevations.

    With the normal n = nz · (-s, 1) in the plane of the march, this is the integral of
    2 (n · w) cos(e) / nz over the elevations e from atan(s) to atan(T).
    """
    hidden = horizon * (horizon - tangent)
    hidden /= 1.0 + horizon * horizon
    hidden -= tangent * (np.arctan(horizon) - np.arctan(tangent))
    return hidden


def _shifted(
    padded: NDArray[np.float32], rows: slice, margin: int, offset: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the pixels `offset` (x, y) away from a band of rows; rows wrap here."""
    x, y = offset
    columns = padded[:, margin + x : padded.shape[1] - margin + x]
    first, last = rows.start + y, rows.stop + y
    if first >= 0 and last <= len(padded):
        return columns[first:last]
    return columns[np.arange(first, last) % len(padded)]

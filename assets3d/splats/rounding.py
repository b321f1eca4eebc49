"""What four level pictures leave open, guessed: round or square cross-sections, flat or domed ends.

Outlines from the front, right, back and left allow a square section for every round thing, and in
perspective they also allow a bulge on every flat side, since the nearest edge of a box hides how
far its other parts reach. The guess: a section is a superellipse |x/a|^p + |z/c|^p <= 1, and the
outline of a side, of the top and of the bottom each stem from a depth between the middle (a ball)
and the nearest face (a box). Ends are made as flat as the outlines bear; `benchmarks.quality`
measures the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.splats.boxes import looks_like_a_box
from assets3d.splats.outline_cover import coverage
from assets3d.splats.silhouettes import Sighting, Silhouettes, sample
from assets3d.splats.turned import Turned, find_turned

#: Superellipse exponent and depth of the side outlines for round things and for boxes.
_ROUND = (2.2, 0.25)
_BOX = (10.0, 0.95)
#: Depths of the top's and bottom's outline: of a dome, and of a flat end.
_DOME, _FLAT = 0.2, 0.9
#: A shape that loses a hundredth of the outlines must be smaller by five hundredths to be taken.
_VOLUME_WEIGHT = 0.2


@dataclass(frozen=True)
class Rounding:
    """One guess.

    Attributes:
        exponent: of the superellipse; 2 is an ellipse, large is a rectangle.
        side: depth that the side outlines stem from: 0 the middle, 1 the face nearest the camera.
        top: the same for the upper outline.
        bottom: the same for the lower outline.
        turned: the part of it that was turned about an axis, where that is most of it.
    """

    exponent: float = _ROUND[0]
    side: float = _ROUND[1]
    top: float = _DOME
    bottom: float = _DOME
    turned: Turned | None = None


def candidate_roundings(cameras: Cameras, silhouettes: Silhouettes) -> list[Rounding]:
    """Return the guesses worth trying: box or round as the outlines look, ends flat or domed.

    What was turned needs no guess, but for what is beside it.
    """
    box = looks_like_a_box(cameras, silhouettes)
    turned = None if box else find_turned(cameras, silhouettes)
    if turned is not None:
        return [Rounding(turned=turned)]
    exponent, side = _BOX if box else _ROUND
    ends = product((_DOME, _FLAT), repeat=2)
    return [Rounding(exponent, side, top, bottom) for top, bottom in ends]


def rounded_distance(
    cameras: Cameras,
    groups: list[list[int]],
    silhouettes: Silhouettes,
    sightings: list[Sighting],
    points: NDArray[np.float32],
    centre: NDArray[np.float64],
    rounding: Rounding,
) -> NDArray[np.float32]:
    """Return the signed distance (A, B), positive inside, of points (A, B, 3) to the guessed shape.

    `groups` are the two groups of views along one line each, `sightings` where each view sees the
    points; `centre` is the object's, world.
    """
    offset, tangent, away = [], [], []
    for group in groups:
        seen_by = [_place(cameras, silhouettes, view, sightings[view]) for view in group]
        offset.append(np.mean([place for place, _ in seen_by], axis=0))
        tangent.append(np.mean([slope for _, slope in seen_by], axis=0))
        away.append(float(np.mean([_depth(cameras, view, centre) for view in group])))
    k = np.float32(rounding.side)
    half = []
    for this, other in ((0, 1), (1, 0)):
        # a = ta (da - k c) and c = tc (dc - k a), solved for a.
        near = away[this] - k * tangent[other] * away[other]
        half.append(tangent[this] * near / (1.0 - k * k * tangent[0] * tangent[1]))
    p = np.float32(rounding.exponent)
    place = sum((np.minimum(o / h, 8.0)) ** p for o, h in zip(offset, half, strict=True))
    distance = (1.0 - place ** (1.0 / p)) * np.minimum(*half)
    for index, group in enumerate(groups):
        for view in group:
            ends = _ends_distance(
                cameras, silhouettes, view, sightings[view], centre, half[1 - index], rounding
            )
            np.minimum(distance, ends, out=distance)
    if rounding.turned is not None:
        beside = np.minimum(distance, rounding.turned.beside(sightings))
        distance = np.maximum(rounding.turned.distance(points), beside)
    return distance.astype(np.float32)


def score(
    silhouettes: Silhouettes,
    sightings: list[Sighting],
    distance: NDArray[np.float32],
    spacing: float,
    bare_volume: float,
) -> float:
    """Score a guess: the part of the outlines that it still fills, less its share of the hull.

    `distance` (A, B) is that of a grid's points, `spacing` apart; `sightings` where they are seen.
    """
    # Voxel centres stand for half a voxel beyond them.
    kept = distance > -0.5 * spacing
    filled = [coverage(silhouettes, view, s, kept, spacing) for view, s in enumerate(sightings)]
    volume = float((distance > 0.0).sum()) / max(bare_volume, 1.0)
    return float(np.mean(filled)) - _VOLUME_WEIGHT * volume


def _place(
    cameras: Cameras, silhouettes: Silhouettes, view: int, sighting: Sighting
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far points lie from their row run's middle (world), and half the run's tangent."""
    pixels, unit = sighting
    half_px = sample(silhouettes.half_px[view], pixels, 0.5)
    across = sample(silhouettes.across[view], pixels, 4.0)
    return across * half_px * unit, half_px / np.float32(cameras.intrinsics_px[view, 0])


def _ends_distance(
    cameras: Cameras,
    silhouettes: Silhouettes,
    view: int,
    sighting: Sighting,
    centre: NDArray[np.float64],
    half_depth: NDArray[np.float32],
    rounding: Rounding,
) -> NDArray[np.float32]:
    """Signed distance below the top and above the bottom that one view's columns show."""
    pixels, unit = sighting
    _, fy, _, cy = (np.float32(v) for v in cameras.intrinsics_px[view])
    column = np.clip(pixels[..., 0].astype(np.int32), 0, cameras.width_px - 1)
    height = (cy - pixels[..., 1]) * unit
    away = np.float32(_depth(cameras, view, centre))
    top = (cy - silhouettes.top_px[view][column]) / fy * (away - rounding.top * half_depth)
    low = (cy - silhouettes.bottom_px[view][column]) / fy * (away - rounding.bottom * half_depth)
    return np.minimum(top - height, height - low)


def _depth(cameras: Cameras, view: int, point: NDArray[np.float64]) -> float:
    return float((cameras.positions[view] - point) @ cameras.world_from_camera[view, :3, 2])

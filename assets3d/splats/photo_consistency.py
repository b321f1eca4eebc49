"""Whether a guessed surface is where its colours agree: the same point, seen from two sides.

A point on the true surface has the same colour in every picture that shows it (photo-consistency:
Seitz and Dyer 1999; Kutulakos and Seitz 2000). Pictures a quarter turn apart share little of a
surface, but it is the part that tells: a round thing's quarter faces both cameras, and its colours
match point by point; on a box two sides meet there, each with its own light and its own boards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import project
from assets3d.splats.hull import Hull
from assets3d.splats.silhouettes import sample
from assets3d.splats.surface import surface_points, visibility
from assets3d.views.posed import Views

#: Points are compared that both views look at with at least this cosine, well within the outline.
_FACING, _SOLID = 0.3, 0.95
_POINTS, _SEED = 3000, 0
#: Pictures are softened by this part of their side: a guess is never right to the pixel.
_SOFT = 1.0 / 256.0
#: What two pictures share is compared where it is at least so many points.
_FEWEST = 10
#: By chance: with the point so many places further in the order of height.
_FURTHER = 9


@dataclass(frozen=True)
class Consistency:
    """How well colours agree on a surface.

    Attributes:
        difference: mean absolute difference of a point's colours in two views, 0..1.
        by_chance: the same of two points at about the same height.
        share: of the surface's points that two views were compared at.
    """

    difference: float
    by_chance: float
    share: float


def photo_consistency(views: Views, hull: Hull) -> Consistency | None:
    """Compare neighbouring views' colours on a hull's surface; None where they share too little.

    Args:
        views: of one object, in the order in which their cameras go round it.
        hull: the surface, in the world of the views' cameras.
    """
    if not (hull.distance > 0.0).any():
        return None
    points = surface_points(hull, _POINTS, _SEED)
    cosine = visibility(hull, points, views.cameras)
    pixels = project(views.cameras, points.position)[0].astype(np.float32)
    seen = [_colours(picture, place) for picture, place in zip(views.rgba, pixels, strict=True)]
    differences, by_chance = [], []
    for first in range(len(views)):
        second = (first + 1) % len(views)
        both = (np.minimum(cosine[first], cosine[second]) > _FACING) & (
            np.minimum(seen[first][1], seen[second][1]) > _SOLID
        )
        if both.sum() < _FEWEST:
            continue
        one, other = seen[first][0][both], seen[second][0][both]
        differences.append(np.abs(one - other).mean(axis=1))
        order = np.argsort(points.position[both, 1])
        elsewhere = np.roll(order, min(_FURTHER, len(order) - 1))
        by_chance.append(np.abs(one[order] - other[elsewhere]).mean(axis=1))
    if not differences:
        return None
    difference, chance = np.concatenate(differences), np.concatenate(by_chance)
    return Consistency(float(difference.mean()), float(chance.mean()), len(difference) / _POINTS)


def _colours(
    picture: NDArray[np.uint8], pixels: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the softened colours (N, 3) at pixel places (N, 2), and how solid alpha is there."""
    alpha = picture[..., 3].astype(np.float32) / np.float32(255.0)
    width = _SOFT * len(picture)
    cover = sample(ndimage.gaussian_filter(alpha, width), pixels[None], 0.0)[0]
    colours = []
    for channel in range(3):
        premultiplied = picture[..., channel].astype(np.float32) / np.float32(255.0) * alpha
        colours.append(sample(ndimage.gaussian_filter(premultiplied, width), pixels[None], 0.0)[0])
    solid = sample(ndimage.uniform_filter(alpha, 3), pixels[None], 0.0)[0]
    return np.stack(colours, axis=1) / np.maximum(cover, 1e-3)[:, None], solid

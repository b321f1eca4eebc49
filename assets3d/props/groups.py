"""Groups: two or three things of one kind side by side, each of its own size and turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.props.dice import Dice
from assets3d.props.operators import rotate_y, scale, translate, union
from assets3d.props.prop import AUTHOR_HALF_SIZE, Draft, surface_points
from assets3d.props.sdf import Field

#: Wider things would be too small in the picture when three stand in a row.
WIDEST = 1.7
_GAP = 0.12


def group(draft: Draft, count: int, dice: Dice) -> Draft | None:
    """Return `count` of a draft in a row along x, on one ground; None if it is too wide for that.

    Args:
        draft: one thing, author's units.
        count: how many, 2 or 3.
        dice: draws sizes (0.82..1), turns (up to 16 degrees) and places.
    """
    with torch.inference_mode():
        points = surface_points(_whole(draft))
    low, high = points.min(0), points.max(0)
    if (high[0] - low[0]) > WIDEST * (high[1] - low[1]):
        return None
    sizes = [1.0] + [dice.between(0.82, 1.0) for _ in range(count - 1)]
    turns = [dice.between(-16.0, 16.0) for _ in range(count)]
    first = dice.whole(0, count - 1)
    sizes = sizes[-first:] + sizes[:-first]
    middle = (low + high) / 2.0
    centred = points - [middle[0], low[1], middle[2]]
    places, left = [], 0.0
    for size, turn in zip(sizes, turns, strict=True):
        x = _turned_x(centred, turn) * size
        places.append(left - x.min())
        left += x.max() - x.min() + _GAP * (high - low).max()
    # The row must fit into the cube that props are measured in.
    fit = min(1.0, 1.9 * AUTHOR_HALF_SIZE / left, 1.9 * AUTHOR_HALF_SIZE / (high - low).max())
    shift = left / 2.0
    parts = []
    for size, turn, place in zip(sizes, turns, places, strict=True):
        size_fit = size * fit
        where = ((place - shift) * fit, -0.5 * (high[1] - low[1]) * fit, dice.between(-0.1, 0.1))

        def placed(field: Field, turn=turn, size_fit=size_fit, where=where) -> Field:
            at_origin = translate(field, -middle[0], -low[1], -middle[2])
            return translate(scale(rotate_y(at_origin, turn), size_fit), *where)

        for part in draft.parts:
            paint = tuple(replace(p, region=placed(p.region)) for p in part.paint)
            parts.append(replace(part, field=placed(part.field), paint=paint))
    return Draft(tuple(parts), replace(draft.words, count=count))


def _whole(draft: Draft) -> Field:
    return union(*(part.field for part in draft.parts))


def _turned_x(points: NDArray, degrees: float) -> NDArray:
    angle = np.radians(degrees)
    return np.cos(angle) * points[:, 0] + np.sin(angle) * points[:, 2]

"""Bring feet to given places by turning three joints of a leg; bone lengths stay exact.

The last segment keeps its direction in the world, or is bent by a given angle, and the two above it
are solved in the plane in which the leg already bends. Only where the foot is out of their reach
does the last segment straighten, and only where the whole leg is too short does the foot fall
short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]

#: How far the upper two bones may stretch, unless the given pose has them straighter.
_STRETCH = 0.995


@dataclass(frozen=True)
class Leg:
    """Top, middle, ankle and foot: (T, 3) places and, but for the foot, (T, 3, 3) world turns."""

    places: tuple[Array, Array, Array, Array]
    turns: tuple[Array, Array, Array]


def moved_leg(leg: Leg, goal: Array, bend_rad: Array | None = None) -> Leg:
    """Return the leg with its foot at `goal` (T, 3), as near as it reaches.

    Args:
        leg: as it is.
        goal: (T, 3) where the foot is to be.
        bend_rad: (T,) how far the last segment turns in the leg's plane; not at all by default.
    """
    top, middle, ankle, foot = leg.places
    paw = foot - ankle if bend_rad is None else _bent(leg, bend_rad)
    upper, lower = _length(middle - top), _length(ankle - middle)
    last = _length(foot - ankle)
    longest = np.maximum(_STRETCH * (upper + lower), _length(ankle - top))
    shortest = np.abs(upper - lower) * 1.01
    wanted = goal - paw
    distance = _length(wanted - top)
    # The ankle lies on a sphere around the goal, no farther from the top than the bones reach.
    bound = np.clip(distance, np.minimum(shortest, _length(ankle - top)), longest)
    swung = _joint_between(top, goal, bound, last, wanted - top)
    ankle_new = np.where((bound == distance)[:, None], wanted, swung)
    foot_new = ankle_new + last[:, None] * _unit(goal - ankle_new, paw)
    hint = _carried(ankle - top, ankle_new - top).apply(middle - top)
    middle_new = _joint_between(top, ankle_new, upper, lower, hint)
    places = (top, middle_new, ankle_new, foot_new)
    turns = tuple(
        _carried(old_end - old_start, new_end - new_start).as_matrix() @ turn
        for turn, old_start, old_end, new_start, new_end in zip(
            leg.turns, leg.places, leg.places[1:], places, places[1:], strict=False
        )
    )
    return Leg(places, turns)  # type: ignore[arg-type]


def _bent(leg: Leg, bend_rad: Array) -> Array:
    """Return (T, 3) the last segment turned about the normal of the leg's plane."""
    top, middle, ankle, foot = leg.places
    normal = np.cross(middle - top, foot - top)
    return np.asarray(
        Rotation.from_rotvec(_unit(normal, np.array([1.0, 0.0, 0.0])) * bend_rad[:, None]).apply(
            foot - ankle
        )
    )


def _length(vectors: Array) -> Array:
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def _unit(vectors: Array, otherwise: Array) -> Array:
    lengths = _length(vectors)[:, None]
    chosen = np.where(lengths > 1e-9, vectors, otherwise)
    return np.asarray(chosen / np.maximum(_length(chosen)[:, None], 1e-12))


def _joint_between(start: Array, end: Array, first: Array, second: Array, hint: Array) -> Array:
    """Return the joint of two bones from start to end, on the side of `hint` (law of cosines).

    Where the ends are too far apart for the bones, the joint lies on the line between them.
    """
    line = end - start
    distance = np.maximum(_length(line), 1e-9)
    unit = line / distance[:, None]
    near = (first**2 - second**2 + distance**2) / (2.0 * distance)
    near = np.clip(near, -first, first)
    height = np.sqrt(np.maximum(first**2 - near**2, 0.0))
    across = hint - unit * np.einsum("ti,ti->t", hint, unit)[:, None]
    any_across = np.cross(unit, np.roll(unit, 1, axis=1) + np.array([0.1, 0.2, 0.3]))
    return np.asarray(start + near[:, None] * unit + height[:, None] * _unit(across, any_across))


def _carried(before: Array, after: Array) -> Rotation:
    """Return the smallest rotations that turn directions `before` into `after`."""
    a, b = before / _length(before)[:, None], after / _length(after)[:, None]
    axis = np.cross(a, b)
    sine, cosine = _length(axis), np.einsum("ti,ti->t", a, b)
    angle = np.arctan2(sine, cosine)
    return Rotation.from_rotvec(axis * (angle / np.maximum(sine, 1e-12))[:, None])

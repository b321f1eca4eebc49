"""Where a foot that stands is to be: one place for a contact, faded in and out, dragged at need."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from motion.feet.contacts import ContactSettings, intervals

Array = NDArray[np.float64]

#: A foot is carried higher from the first speed, wholly so at the sum of both, under this height.
_SLOW_M_S, _HURRY_M_S, _LOW_M = 0.2, 0.6, 0.06
#: A foot that ends or begins its stance dragged along faster than this does not stand any more.
_DRAGGED_M_S = 0.25


@dataclass(frozen=True)
class LockSettings:
    """How feet are held.

    Attributes:
        contacts: when a foot stands.
        fade_s: how long a correction takes to fade in and out.
        leash_m: a foot that strays farther than this from its place drags it along.
        farthest_m: no joint is moved farther, but for what keeps a foot out of the ground.
        clearance_m: how much higher a foot that hurries low over the ground is carried.
    """

    contacts: ContactSettings = field(default_factory=ContactSettings)
    fade_s: float = 0.15
    leash_m: float = 0.026
    farthest_m: float = 0.029
    clearance_m: float = 0.022


def without_drag(
    standing: NDArray[np.bool_], feet_m: Array, floors_m: Array, fps: float, settings: LockSettings
) -> NDArray[np.bool_]:
    """Return the contacts without frames at their ends in which the foot drags its place along."""
    kept = standing.copy()
    for number in range(standing.shape[1]):
        for first, last in intervals(standing[:, number]):
            foot = feet_m[first:last, number]
            spots = _spots(foot, float(floors_m[number]), settings.leash_m)
            ways = np.linalg.norm(np.diff(spots, axis=0), axis=1) * fps
            held = np.flatnonzero(ways <= _DRAGGED_M_S)
            if len(held):
                kept[first : first + held[0], number] = False
                kept[first + held[-1] + 2 : last, number] = False
    return kept


def moves_to_spots(
    foot: Array, standing: NDArray[np.bool_], floor_m: float, fps: float, settings: LockSettings
) -> Array:
    """Return (T, 3) how to move a foot so that it is held in contact, fading in and out."""
    moves = np.zeros_like(foot)
    fade = max(round(settings.fade_s * fps), 1)
    spans = intervals(standing)
    for first, last in spans:
        spot = _spots(foot[first:last], floor_m, settings.leash_m)
        moves[first:last] = spot - foot[first:last]
    for number, (first, last) in enumerate(spans):
        before = spans[number - 1][1] if number else 0
        after = spans[number + 1][0] if number + 1 < len(spans) else len(foot)
        _fade(moves, range(first - 1, before - 1, -1), moves[first], fade)
        _fade(moves, range(last, after), moves[last - 1], fade)
    moves[:, 1] += np.where(standing, 0.0, _lift(foot, floor_m, fps, settings.clearance_m))
    return moves


def _lift(foot: Array, floor_m: float, fps: float, clearance_m: float) -> Array:
    """Return (T,) how much to raise a foot: the faster and the lower it is, the more.

    Networks blur the moments of lift-off and touch-down, and drag the foot over the ground there.
    """
    if len(foot) < 2:
        return np.zeros(len(foot))
    velocity = np.gradient(foot[:, [0, 2]], axis=0) * fps
    fast = np.clip((np.linalg.norm(velocity, axis=1) - _SLOW_M_S) / _HURRY_M_S, 0.0, 1.0)
    low = 1.0 - np.clip((foot[:, 1] - floor_m) / _LOW_M, 0.0, 1.0)
    return np.asarray(clearance_m * gaussian_filter1d(fast * low, 0.015 * fps, mode="nearest"))


def _fade(moves: Array, frames: range, move: Array, length: int) -> None:
    """Add a correction that fades with distance from the contact, gone at the next one."""
    length = min(length, len(frames) + 1)
    for steps, frame in enumerate(frames[: length - 1], 1):
        share = 1.0 - steps / length
        moves[frame] += move * share * share * (3.0 - 2.0 * share)


def _spots(foot: Array, floor_m: float, leash_m: float) -> Array:
    """Return (n, 3) places for the foot in one contact: one place, dragged if the foot strays.

    The place is the middle of what the foot covers in as many first frames as the leash allows.
    """
    low, high = np.minimum.accumulate(foot), np.maximum.accumulate(foot)
    reach = np.linalg.norm((high - low)[:, [0, 2]], axis=1) / 2.0
    held = max(int(np.searchsorted(reach, leash_m)) - 1, 0)
    spot = (low[held] + high[held]) / 2.0
    spot[1] = floor_m
    rise = np.minimum(np.abs(foot[:, 1] - floor_m), 0.8 * leash_m)
    free = np.sqrt(leash_m**2 - rise**2)  # what the way up or down leaves of the leash
    spots = np.zeros_like(foot)
    for frame, place in enumerate(foot):
        away = (place - spot) * [1.0, 0.0, 1.0]
        distance = float(np.linalg.norm(away))
        if distance > free[frame]:
            spot = spot + away * (1.0 - free[frame] / distance)
        spots[frame] = spot
    return spots

"""Legs by inverse kinematics: the last segment follows a rule, two bones above it are solved.

Bone lengths are exact. Where a paw lies out of reach the last segment is straightened first, and
only then does the paw fall short; `fell_short_m` says by how much.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motion.gaits.footfalls import Feet
from motion.gaits.postures import SEGMENTS_M, Trunk
from motion.skeleton import LEGS, PAWS, QUADRUPED

#: How much of their stretched length the upper two bones may take.
_REACH = 0.985
_SHOULDERS = (6, 11)


def solve_legs(
    trunk: Trunk, feet: Feet
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return world rotations from rest (T, 27, 3, 3), places (T, 27, 3) and fell_short_m (T, 4)."""
    turns, places = trunk.turns.copy(), trunk.places_m.copy()
    short = np.zeros((len(turns), 4))
    paws = _tucked(trunk, feet)
    for leg in range(4):
        if leg < 2:
            _swing_shoulder(turns, places, leg, paws[:, leg])
        short[:, leg] = _solve_leg(turns, places, trunk, feet, leg, paws[:, leg])
    return turns, places, short


def _tucked(trunk: Trunk, feet: Feet) -> NDArray[np.float64]:
    """Return the paws' targets with fore paws lifted before the chest where the animal rears."""
    paws = feet.positions_m.copy()
    for leg in range(2):
        side = QUADRUPED.rest_positions_m[PAWS[leg], 0]
        local = np.array([0.9 * side, -0.25, 0.21])  # from Spine1 in its own axes
        chest = trunk.places_m[:, 2] + trunk.turns[:, 2] @ local
        weight = trunk.tucked[:, None]
        lifted = paws[:, leg] + weight * (chest - paws[:, leg])
        lifted[:, 1] += 0.05 * np.sin(np.pi * weight[:, 0])
        paws[:, leg] = lifted
    return paws


def _swing_shoulder(
    turns: NDArray[np.float64], places: NDArray[np.float64], leg: int, paw: NDArray[np.float64]
) -> None:
    """Turn the shoulder blade with the leg, forward where the paw is ahead."""
    shoulder, arm = _SHOULDERS[leg], LEGS[leg][0]
    body = turns[:, 2]
    local = np.einsum("tji,tj->ti", body, paw - places[:, arm])
    angle = np.clip(0.75 * np.arctan2(local[:, 2] + 0.03, np.abs(local[:, 1]) + 0.12), -0.35, 0.4)
    cosine, sine = np.cos(angle), np.sin(angle)
    swing = np.zeros_like(body)
    swing[:, 0, 0] = 1.0
    swing[:, 1, 1] = swing[:, 2, 2] = cosine
    swing[:, 1, 2], swing[:, 2, 1] = sine, -sine
    turns[:, shoulder] = body @ swing
    places[:, arm] = places[:, shoulder] + turns[:, shoulder] @ QUADRUPED.offsets_m[arm]


def _solve_leg(
    turns: NDArray[np.float64],
    places: NDArray[np.float64],
    trunk: Trunk,
    feet: Feet,
    leg: int,
    paw: NDArray[np.float64],
) -> NDArray[np.float64]:
    upper, lower, last = LEGS[leg]
    lengths = SEGMENTS_M[leg]
    top = places[:, upper]
    side, forward = _leg_plane(turns[:, 0 if leg >= 2 else 2], paw - top)
    down = np.cross(side, forward)  # completes the plane: side x forward = -up
    line = paw - top
    along = np.arctan2(_dot(line, forward), _dot(line, down))
    rule = _last_pitch(trunk, feet, leg, along)
    wrist, paw_reached, short = _wrist(top, paw, along, rule, forward, down, lengths)
    bend = -forward
    if leg >= 2:  # a low animal's knees point up, out of the ground
        low = np.clip((0.25 - top[:, 1]) / 0.15, 0.0, 1.0)
        bend = forward - 0.6 * low[:, None] * down
    middle = _knee(top, wrist, bend, lengths)
    for joint, start, end in (
        (upper, top, middle),
        (lower, middle, wrist),
        (last, wrist, paw_reached),
    ):
        child = PAWS[leg] if joint == last else (lower if joint == upper else last)
        turns[:, joint] = _aim(QUADRUPED.offsets_m[child], end - start, side)
        places[:, joint], places[:, child] = start, end
    turns[:, PAWS[leg]] = turns[:, last]
    return short


def _leg_plane(
    body: NDArray[np.float64], line: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the leg plane's normal (leftwards) and its level forward direction."""
    forward = body[:, :, 2].copy()
    forward[:, 1] = 0.0
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    upward = -line
    upward[:, 1] = np.maximum(upward[:, 1], 0.08)  # a paw lifted beside a lying body
    side = np.cross(upward, forward)  # up the leg x forward = left
    lateral = np.stack([forward[:, 2], np.zeros(len(line)), -forward[:, 0]], axis=1)
    # near-level legs (lying) leave the cross product weak: lean on the body's own left
    side = side + 0.15 * lateral
    return side / np.linalg.norm(side, axis=1, keepdims=True), forward


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ti,ti->t", a, b))


def _last_pitch(
    trunk: Trunk, feet: Feet, leg: int, along: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the pitch from straight down (forward positive) that the last segment should have."""
    s = feet.swing[:, leg]
    arc = np.sin(np.pi * s) ** 2
    flat = trunk.last_pitch[:, 0 if leg < 2 else 1]
    if leg < 2:
        straight = 1.0 - np.clip((flat - 0.65) / 0.6, 0.0, 1.0)
        pitch = (
            flat
            + 0.9 * straight * (along - 0.1)
            - 1.5 * arc * np.sin(np.pi * np.clip(1.25 * s, 0, 1))
        )
        return pitch * (1 - trunk.tucked) + trunk.tucked * 0.15
    straight = 1.0 - np.clip((flat - 0.3) / 0.8, 0.0, 1.0)
    return flat + straight * (0.75 * (along + 0.06) - 0.55 * arc)


def _wrist(top, paw, along, rule, forward, down, lengths):  # type: ignore[no-untyped-def]
    """Return the joint above the last segment, the paw as reached, and by how much it fell short.

    The last segment turns from its rule towards the line of the leg as far as reach asks.
    """
    longest = _REACH * (lengths[0] + lengths[1])
    shortest = abs(lengths[0] - lengths[1]) + 0.012
    best, done = rule.copy(), np.zeros(len(rule), bool)
    for weight in np.linspace(0.0, 1.0, 17):
        pitch = rule + weight * (along - rule)
        wrist = paw - lengths[2] * _direction(pitch, forward, down)
        fits = np.linalg.norm(wrist - top, axis=1) <= longest
        best = np.where(done, best, pitch)
        done |= fits
    wrist = paw - lengths[2] * _direction(best, forward, down)
    reach = wrist - top
    distance = np.linalg.norm(reach, axis=1)
    allowed = np.clip(distance, shortest, longest)
    moved = reach * (allowed / np.maximum(distance, 1e-9))[:, None] - reach
    return wrist + moved, paw + moved, np.linalg.norm(moved, axis=1)


def _direction(pitch, forward, down):  # type: ignore[no-untyped-def]
    return np.sin(pitch)[:, None] * forward + np.cos(pitch)[:, None] * down


def _knee(top, wrist, bend, lengths):  # type: ignore[no-untyped-def]
    """Return the middle joint of two bones, bent to the side of `bend` (law of cosines)."""
    line = wrist - top
    distance = np.linalg.norm(line, axis=1, keepdims=True)
    unit = line / distance
    across = bend - unit * _dot(bend, unit)[:, None]
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    near = (lengths[0] ** 2 - lengths[1] ** 2 + distance**2) / (2.0 * distance)
    height = np.sqrt(np.maximum(lengths[0] ** 2 - near**2, 0.0))
    return top + near * unit + height * across


def _aim(
    rest: NDArray[np.float64], line: NDArray[np.float64], side: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rotations that turn a rest bone onto `line` and rest's left onto `side`."""
    before = _frame(rest[None], np.array([[1.0, 0.0, 0.0]]))
    return np.asarray(_frame(line, side) @ before.swapaxes(-1, -2))


def _frame(line: NDArray[np.float64], side: NDArray[np.float64]) -> NDArray[np.float64]:
    first = line / np.linalg.norm(line, axis=1, keepdims=True)
    second = side - first * _dot(side, first)[:, None]
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], axis=-1)

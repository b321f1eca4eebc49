"""The gait clock: when each foot stands and swings, as a function of speed.

Offsets and duty factors follow the tables of quadrupedal gaits (Alexander, Physiological Reviews
1989); stride frequencies are chosen so that a leg of this skeleton can reach its footholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.features import JUMP
from motion.gaits.timeline import Curves, smooth_step

# Rows: walk, pace, trot, canter with the left lead. Touch-down within the cycle of left fore,
# right fore, left hind, right hind, all counted from the left hind.
_OFFSETS = np.array(
    [
        [0.25, 0.75, 0.0, 0.5],
        [0.0, 0.5, 0.0, 0.5],
        [0.5, 1.0, 0.0, 0.5],
        [0.3, 1.0, 0.0, 0.7],
    ]
)
#: In a jump the fore feet land together, then the hind feet, which then push off together.
#: (phases; the flight between takes half a stride.)
_JUMP_LAND, _JUMP_PUSH, _JUMP_HZ = -0.15, 0.35, 1.15
_SPEEDS_MPS = np.array([0.0, 0.35, 0.7, 1.2, 2.0, 3.0, 4.0, 4.6])
_DUTY = np.array([0.74, 0.70, 0.65, 0.55, 0.45, 0.37, 0.31, 0.285])
_STRIDE_HZ = np.array([0.95, 1.1, 1.35, 1.8, 2.4, 2.75, 3.05, 3.2])


def duty_factor(speed_mps: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the share of a stride that a foot stands."""
    return np.asarray(np.interp(speed_mps, _SPEEDS_MPS, _DUTY))


def stride_hz(speed_mps: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the strides a second."""
    return np.asarray(np.interp(speed_mps, _SPEEDS_MPS, _STRIDE_HZ))


def gait_weights(speed_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 4) weights of walk, pace, trot, canter, which hold over a band of speeds each."""
    steps = [
        smooth_step((speed_mps - low) / (high - low))
        for low, high in ((0.85, 1.05), (1.45, 1.75), (2.7, 3.2))
    ]
    above = np.stack([np.ones_like(speed_mps), *steps], axis=1)
    below = np.concatenate([above[:, 1:], np.zeros((len(above), 1))], axis=1)
    return above - below


@dataclass(frozen=True)
class Cycle:
    """The gait clock.

    Attributes:
        phase: (T,) strides since the start; it rests while the animal stands.
        legs: (T, 4) phase of each leg: it touches down at whole numbers.
        duty: (T,) share of the stride on the ground.
        hz: (T,) strides a second that the speed asks for, also while at rest.
        lead: (T,) 1 left lead, -1 right lead in canter, eased between.
        activity: (T,) 0 at rest to 1 stepping.
    """

    phase: NDArray[np.float64]
    legs: NDArray[np.float64]
    duty: NDArray[np.float64]
    hz: NDArray[np.float64]
    lead: NDArray[np.float64]
    activity: NDArray[np.float64]


def gait_cycle(curves: Curves) -> Cycle:
    """Run the gait clock along a timeline."""
    effective = np.maximum(curves.speed_mps, 0.65 * np.abs(curves.turn_rate_radps))
    jump = curves.postures[:, JUMP]
    jump_duty = np.minimum(0.3, 0.36 * _JUMP_HZ / np.maximum(effective, 0.5))
    hz = stride_hz(effective) * (1 - jump) + _JUMP_HZ * jump
    duty = duty_factor(effective) * (1 - jump) + jump_duty * jump
    activity = _activity(curves, effective)
    phase = np.concatenate([[0.0], np.cumsum((hz * activity / curves.fps)[1:])])
    lead = _lead(phase, curves)
    offsets = _offsets(effective, lead)
    hind = _JUMP_PUSH - jump_duty
    fore = np.full_like(hind, _JUMP_LAND)
    leaping = np.stack([fore, fore, hind, hind], axis=1)
    offsets += jump[:, None] * (_nearest(leaping, offsets) - offsets)
    legs = np.maximum.accumulate(phase[:, None] - offsets, axis=0)
    return Cycle(phase, legs, duty, hz, lead, activity)


def _activity(curves: Curves, effective: NDArray[np.float64]) -> NDArray[np.float64]:
    """Step while moving or while the posture changes, and one stride longer to square up."""
    change = np.abs(np.gradient(curves.postures[:, 2:], axis=0)).sum(axis=1) * curves.fps
    wanted = ((effective > 0.04) | (change > 0.05) | (curves.postures[:, JUMP] > 0.05)).astype(
        float
    )
    after = int(0.65 * curves.fps)
    padded = np.concatenate([np.full(after, wanted[0]), wanted])
    held = np.lib.stride_tricks.sliding_window_view(padded, after + 1).max(axis=1)
    return _eased(held, int(0.1 * curves.fps))


def _eased(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Smooth along time with a raised cosine of `half` frames either way."""
    window = np.hanning(2 * half + 3)[1:-1]
    padded = np.concatenate([np.full(half, values[0]), values, np.full(half, values[-1])])
    return np.asarray(np.convolve(padded, window / window.sum(), mode="valid"))


def _lead(phase: NDArray[np.float64], curves: Curves) -> NDArray[np.float64]:
    """Choose the lead each time the animal speeds up to a canter, by which feet come next.

    A function of the phase keeps mirrored data consistent: half a stride on, the same pose
    mirrored takes the other lead.
    """
    lead = np.ones(len(phase))
    starts = np.flatnonzero((curves.speed_mps[1:] > 2.7) & (curves.speed_mps[:-1] <= 2.7)) + 1
    for start in starts:
        lead[start:] = 1.0 if (phase[start] - 0.1) % 1.0 < 0.5 else -1.0
    if curves.speed_mps[0] > 2.7 and not len(starts):
        lead[:] = 1.0
    return lead


def _offsets(speed_mps: NDArray[np.float64], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 4) touch-downs; a right lead is the left one mirrored, half a stride on."""
    right = _OFFSETS[:, [1, 0, 3, 2]] + 0.5
    right = right - np.round(right - _OFFSETS)
    weights = gait_weights(speed_mps)
    return np.where(lead[:, None] > 0, weights @ _OFFSETS, weights @ right)


def _nearest(wanted: NDArray[np.float64], current: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `wanted` shifted by whole strides to lie nearest to the first of `current`."""
    return np.asarray(wanted + np.round(current - wanted))

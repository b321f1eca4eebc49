"""When each foot is on the ground: gaits as functions of speed, and footholds locked to the world.

Offsets and duty factors follow the tables of quadrupedal gaits (Alexander, Physiological Reviews
1989); stride frequencies are chosen so that a leg of this skeleton can reach its footholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.features import JUMP
from motion.gait_timeline import Curves, smooth_step
from motion.skeleton import PAW_HEIGHT_M

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
#: No foot stays on the ground farther than this from where it would stand at ease.
_FARTHEST_M = 0.23
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


@dataclass(frozen=True)
class Feet:
    """Where the paws' ends are.

    Attributes:
        positions_m: (T, 4, 3) in the world.
        contacts: (T, 4) bool.
        swing: (T, 4) 0 on the ground, else 0..1 through the swing.
    """

    positions_m: NDArray[np.float64]
    contacts: NDArray[np.bool_]
    swing: NDArray[np.float64]


def footfalls(
    cycle: Cycle,
    home_m: NDArray[np.float64],
    rise_m: NDArray[np.float64],
    fps: float,
) -> Feet:
    """Place every stance on the ground and swing the feet between.

    Args:
        cycle: the gait clock.
        home_m: (T, 4, 2) x, z in the world where each foot would stand at ease at that time.
        rise_m: (T,) height that the body's flight adds to swinging feet.
        fps: frames a second.
    """
    frames = len(cycle.phase)
    positions = np.zeros((frames, 4, 3))
    contacts, swing = np.ones((frames, 4), bool), np.zeros((frames, 4))
    for leg in range(4):
        lifts, lands, places = _stances(cycle, home_m[:, leg], leg, fps)
        _stand(positions[:, leg], places, lifts, lands)
        for number, (lift, land) in enumerate(zip(lifts, lands, strict=True)):
            times = np.arange(int(np.floor(lift)) + 1, min(frames, int(np.ceil(land))))
            ends = places[number : number + 2]
            positions[times, leg] = _swing(home_m[:, leg], ends, lift, land, times, rise_m, fps)
            contacts[times, leg] = False
            swing[times, leg] = np.clip((times - lift) / (land - lift), 1e-3, 1.0)
    return Feet(positions, contacts, swing)


def _stances(
    cycle: Cycle, home_m: NDArray[np.float64], leg: int, fps: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return frames (fractional) of lift-off and of the landing after it, and the footholds.

    A leg that would be stretched too far (the animal speeds up or turns in mid-stance) lifts early.
    """
    up = _crossings(cycle.legs[:, leg] - cycle.duty)
    down = _crossings(cycle.legs[:, leg])
    swing = (1.0 - cycle.duty) / cycle.hz * fps
    last = len(home_m) - 1.0
    lifts: list[float] = []
    lands: list[float] = []
    places = []
    begin = 0.0
    while True:
        after = up[np.searchsorted(up, begin + 0.06 * fps) :]
        lift = float(after[0]) if len(after) else last
        place = _foothold(cycle, home_m, begin, lift, fps)
        early = _stretched(home_m, place, begin, lift)
        if early < lift:
            lift = early
            place = _foothold(cycle, home_m, begin, lift, fps)
        places.append(place)
        if lift >= last:
            return np.array(lifts), np.array(lands), np.array(places)
        soon = min(int(lift) + int(0.3 * fps), len(swing) - 1)
        usual = max(swing[int(lift)], swing[soon])
        later = down[np.searchsorted(down, lift + 0.6 * usual) :]
        begin = min(float(later[0]) if len(later) else np.inf, lift + 1.25 * usual)
        lifts.append(lift)
        lands.append(begin)
        if begin >= last:
            places.append(home_m[-1])
            return np.array(lifts), np.array(lands), np.array(places)


def _stretched(
    home_m: NDArray[np.float64], place: NDArray[np.float64], begin: float, lift: float
) -> float:
    """Return the first frame after mid-stance at which the foot is too far from its home."""
    first = int(0.5 * (begin + lift)) + 1
    far = np.hypot(*(home_m[first : int(lift)] - place).T) > _FARTHEST_M
    return float(first + np.argmax(far)) if far.any() else lift


def _crossings(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fractional frames at which a rising curve passes whole numbers."""
    steps = np.flatnonzero(np.floor(values[1:]) > np.floor(values[:-1]))
    part = (np.floor(values[steps + 1]) - values[steps]) / (values[steps + 1] - values[steps])
    return np.asarray(steps + part)


def _foothold(
    cycle: Cycle, home_m: NDArray[np.float64], begin: float, end: float, fps: float
) -> NDArray[np.float64]:
    """Return x, z of a stance: where the home is half a usual stance in from either end."""
    usual = (
        cycle.duty[min(int(begin), len(home_m) - 1)] / cycle.hz[min(int(begin), len(home_m) - 1)]
    )
    half = min(0.5 * usual * fps, 0.5 * (end - begin))
    times = [end - half] if begin == 0.0 else [begin + half, end - half]
    return np.asarray(_at(home_m, np.array(times)).mean(axis=0))


def _at(values: NDArray[np.float64], frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of `values` at fractional frames, held beyond the last."""
    low = np.minimum(frames.astype(int), len(values) - 2)
    part = np.minimum(frames - low, 1.0)[..., None]
    return np.asarray(values[low] + part * (values[low + 1] - values[low]))


def _stand(
    positions: NDArray[np.float64],
    places: NDArray[np.float64],
    lifts: NDArray[np.float64],
    lands: NDArray[np.float64],
) -> None:
    """Write one foot's (T, 3) path where it rests on its footholds."""
    begins = np.concatenate([[0.0], lands])
    ends = np.concatenate([lifts, [len(positions)]])
    positions[:, 1] = PAW_HEIGHT_M
    for place, begin, end in zip(places, begins, ends, strict=True):
        span = slice(int(np.ceil(begin)), min(len(positions), int(np.floor(end)) + 1))
        positions[span, 0], positions[span, 2] = place


def _swing(
    home_m: NDArray[np.float64],
    ends: NDArray[np.float64],
    lift: float,
    land: float,
    times: NDArray[np.int64],
    rise_m: NDArray[np.float64],
    fps: float,
) -> NDArray[np.float64]:
    """Return (n, 3) places of a foot between two footholds.

    It leaves the ground's speed for the body's within a short blend, is carried forward with the
    body, and takes up the ground's speed again before it lands.
    """
    s = (times - lift) / (land - lift)
    blend = min(0.4 * (land - lift), 0.1 * fps)
    leaving = smooth_step((times - lift) / blend)[:, None]
    landing = smooth_step((land - times) / blend)[:, None]
    begin, end = ends - _at(home_m, np.array([lift, land]))
    carried = home_m[times] + begin + (end - begin) * smooth_step(s)[:, None]
    flat = (leaving + landing - 1) * carried + (1 - leaving) * ends[0] + (1 - landing) * ends[1]
    stride = float(np.hypot(*(ends[1] - ends[0])))
    height = 0.012 + min(0.075, 0.17 * stride)
    arc = np.sin(np.pi * s) ** 1.15
    return np.stack([flat[:, 0], PAW_HEIGHT_M + (height + rise_m[times]) * arc, flat[:, 1]], axis=1)

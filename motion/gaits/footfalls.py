"""Footholds: every stance is locked to the world, swings are carried with the body between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.gaits.cycles import Cycle
from motion.gaits.timeline import smooth_step
from motion.skeleton import PAW_HEIGHT_M

#: No foot stays on the ground farther than this from where it would stand at ease.
_FARTHEST_M = 0.23


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

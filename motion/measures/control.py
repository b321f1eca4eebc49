"""How well a controlled run does what it is told: speed, heading, foresight, use of the experts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.control.rollout import Rollout

Array = NDArray[np.float64]

#: Times of the trajectory samples 7 to 11 ahead of the present.
HORIZONS_S = (0.2, 0.4, 0.6, 0.8, 1.0)
_PRESENT_SAMPLE = 6
#: Heights that the hips keep while the animal is on its feet.
HIPS_BAND_M = (0.25, 0.65)
_GETTING_UP_S = 0.5
_JUMP, _LIE = 2, 5


@dataclass(frozen=True)
class Steady:
    """One command after it has settled.

    Attributes:
        name: of its section; seconds: how long was measured.
        wanted_m_s, reached_m_s: speed over ground, means.
        speed_error: |reached - wanted| / wanted; nan where no speed is asked for.
        heading_error_deg: mean of |yaw - wanted|, nan where no heading is asked for.
        turn_error_deg_s: |mean turn rate - wanted|, nan while a heading is approached.
    """

    name: str
    seconds: float
    wanted_m_s: float
    reached_m_s: float
    speed_error: float
    heading_error_deg: float
    turn_error_deg_s: float


def steady_states(rollout: Rollout, *, settle_s: float = 2.0, least_s: float = 1.0) -> list[Steady]:
    """Return each command's steady state: all after its first `settle_s`, if `least_s` is left."""
    speed, turn = ground_speed_m_s(rollout), _turn_rates(rollout)
    found = []
    for part in rollout.sections:
        frames = slice(part.first + round(settle_s * rollout.fps), part.last)
        if frames.stop - frames.start < least_s * rollout.fps:
            continue
        wanted, heading, wanted_turn = rollout.wanted[frames].T
        reached, asked = float(speed[frames].mean()), float(wanted.mean())
        off = np.abs(_wrapped(rollout.ground[frames, 2] - heading))
        given = np.isfinite(heading)
        turn_off = abs(float((turn[frames] - wanted_turn).mean()))
        found.append(
            Steady(
                part.name,
                (frames.stop - frames.start) / rollout.fps,
                asked,
                reached,
                abs(reached - asked) / asked if asked > 0.05 else float("nan"),
                float(np.degrees(off[given].mean())) if given.any() else float("nan"),
                float("nan") if given.any() else float(np.degrees(turn_off)),
            )
        )
    return found


def ground_speed_m_s(rollout: Rollout) -> Array:
    """Return (T,) speed of the root over ground."""
    return np.hypot(*np.gradient(rollout.ground[:, :2], axis=0).T) * rollout.fps


def settling_times_s(rollout: Rollout, *, band: float = 0.1) -> list[float]:
    """Return for each command that changes the speed how long until it stays within the band.

    The band is a share of the wanted speed, at least 0.05 m/s; the speed is smoothed over half a
    second, more than a stride of the faster gaits. nan: never.
    """
    window = max(1, round(rollout.fps / 2))
    padded = np.pad(ground_speed_m_s(rollout), (window // 2, window - 1 - window // 2), "edge")
    speed = np.convolve(padded, np.ones(window) / window, "valid")
    times = []
    for part in rollout.sections:
        wanted = rollout.wanted[part.first : part.last, 0]
        off = np.abs(speed[part.first : part.last] - wanted) > np.maximum(band * wanted, 0.05)
        if not len(off) or not off[0]:
            continue
        last = int(np.flatnonzero(off)[-1]) + 1
        times.append(last / rollout.fps if last < len(off) else float("nan"))
    return times


def trajectory_errors(rollout: Rollout) -> tuple[Array, Array]:
    """Return RMS distance (5,) in m and heading (5,) in degrees of the foreseen root.

    What the trajectory says the root will be 0.2 to 1.0 s later, against what it then was.
    Horizons that the run is too short for are nan.
    """
    metres, degrees = np.full(len(HORIZONS_S), np.nan), np.full(len(HORIZONS_S), np.nan)
    for number, seconds in enumerate(HORIZONS_S):
        later = round(seconds * rollout.fps)
        if later >= len(rollout):
            continue
        foreseen = rollout.trajectory[:-later, _PRESENT_SAMPLE + 1 + number]
        reached = rollout.ground[later:]
        metres[number] = np.sqrt(np.sum((foreseen[:, :2] - reached[:, :2]) ** 2, axis=1).mean())
        off = _wrapped(np.arctan2(foreseen[:, 2], foreseen[:, 3]) - reached[:, 2])
        degrees[number] = np.degrees(np.sqrt(np.mean(off**2)))
    return metres, degrees


def expert_use(experts: Array) -> tuple[Array, float, float]:
    """Return mean weights (8,), mean entropy of a frame in nats, and how many experts are in use.

    The last is exp of the entropy of the mean weights: 8 when all are used alike, 1 when one does
    everything.
    """
    mean = experts.mean(axis=0)
    return mean, float(_entropy(experts).mean()), float(np.exp(_entropy(mean)))


def _entropy(weights: Array) -> Array:
    return -np.sum(weights * np.log(np.maximum(weights, 1e-12)), axis=-1)


def hips_outside_band(rollout: Rollout) -> float:
    """Return the share of frames with hips out of 0.25-0.65 m; lying and jumping do not count.

    Neither does the half second after them: the style is left at once, the body gets up in time.
    """
    height = rollout.positions_m[:, 0, 1]
    lying = rollout.styles[:, [_JUMP, _LIE]].sum(axis=1) > 0.1
    last = np.maximum.accumulate(np.where(lying, np.arange(len(lying)), -len(lying)))
    free = np.arange(len(lying)) - last <= _GETTING_UP_S * rollout.fps
    outside = (height < HIPS_BAND_M[0]) | (height > HIPS_BAND_M[1])
    return float((outside & ~free).mean())


def is_finite(rollout: Rollout) -> bool:
    """Return whether every number of the run is one."""
    return all(
        bool(np.isfinite(values).all())
        for values in (rollout.ground, rollout.positions_m, rollout.axes, rollout.experts)
    )


def _turn_rates(rollout: Rollout) -> Array:
    return np.asarray(np.gradient(np.unwrap(rollout.ground[:, 2])) * rollout.fps)


def _wrapped(angle: Array) -> Array:
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)

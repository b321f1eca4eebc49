"""What a procedural animal does when: parts of speed, turn rate, style, and smooth curves of them.

A timeline is a list of `Part`s. `curves` turns it into per-frame speed, turn rate, the path on the
ground, the soft style labels that a network is trained with, and the posture weights that lag
behind them, because a body takes longer to sit down than a label takes to say so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.features import IDLE, JUMP, LIE, MOVE, SIT, STAND, STYLES

__all__ = ["GAIT_SPEEDS", "STYLES", "Curves", "Part", "curves", "random_timeline", "smooth_step"]

#: Speeds in metres a second at which each gait is at its purest.
GAIT_SPEEDS = {"walk": 0.7, "pace": 1.2, "trot": 2.0, "canter": 4.0}
_STILL = (IDLE, SIT, STAND, LIE)
#: Above this speed an animal does not begin to sit, rear or lie down (m/s).
_SLOW_MPS = 0.45


@dataclass(frozen=True)
class Part:
    """One stretch of a timeline.

    Attributes:
        seconds: how long it lasts, the change from the part before it included.
        style: number in STYLES; the still ones force speed 0.
        speed_mps: speed over ground at its end.
        turn_rate_radps: positive to the left.
        slip_rad: angle from the animal's forward to its velocity, positive to the left.
        ramp_s: how long speed, turn rate and label take to change.
    """

    seconds: float
    style: int = MOVE
    speed_mps: float = 0.0
    turn_rate_radps: float = 0.0
    slip_rad: float = 0.0
    ramp_s: float = 0.5


@dataclass(frozen=True)
class Curves:
    """A timeline sampled at T frames.

    Attributes:
        speed_mps, turn_rate_radps: (T,).
        ground: (T, 3) x_m, z_m, yaw_rad of the path.
        styles: (T, 6) labels, each row sums to 1.
        postures: (T, 6) weights of the bodily posture; idle and move are both upright.
        fps: frames a second.
    """

    speed_mps: NDArray[np.float64]
    turn_rate_radps: NDArray[np.float64]
    ground: NDArray[np.float64]
    styles: NDArray[np.float64]
    postures: NDArray[np.float64]
    fps: float


def smooth_step(x: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Return the cubic from 0 at x <= 0 to 1 at x >= 1 with flat ends."""
    y = np.clip(np.asarray(x, np.float64), 0.0, 1.0)
    return np.asarray(y * y * (3.0 - 2.0 * y))


def curves(parts: list[Part], fps: float = 60.0) -> Curves:
    """Sample a timeline; each part starts on a whole frame."""
    counts = [max(1, round(part.seconds * fps)) for part in parts]
    total = sum(counts)
    wave = _Waves(total, fps)
    first = 0
    for number, (part, count) in enumerate(zip(parts, counts, strict=True)):
        wave.add(part, parts[number - 1] if number else None, first)
        first += count
    yaw = _integrate(wave.turn, fps)
    course = yaw + wave.slip
    ground = np.stack(
        [
            _integrate(wave.speed * np.sin(course), fps),
            _integrate(wave.speed * np.cos(course), fps),
            yaw,
        ],
        axis=1,
    )
    return Curves(wave.speed, wave.turn, ground, wave.styles, wave.postures, fps)


def _integrate(rate: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    steps = 0.5 * (rate[1:] + rate[:-1]) / fps
    return np.concatenate([[0.0], np.cumsum(steps)])


class _Waves:
    """Curves under construction: each part overwrites everything from its start to the end."""

    def __init__(self, total: int, fps: float) -> None:
        self.time = np.arange(total) / fps
        self.fps = fps
        self.speed, self.turn, self.slip = np.zeros(total), np.zeros(total), np.zeros(total)
        self.styles, self.postures = np.zeros((total, 6)), np.zeros((total, 6))

    def add(self, part: Part, before: Part | None, first: int) -> None:
        start = self.time[first]
        still = part.style in _STILL
        speed = 0.0 if still else part.speed_mps
        label = np.eye(6)[part.style]
        if before is None:
            for curve, value in ((self.speed, speed), (self.turn, part.turn_rate_radps)):
                curve[first:] = value
            self.slip[first:] = part.slip_rad
            self.styles[first:] = self.postures[first:] = label
            return
        rise = 0.0
        if before.style in (SIT, STAND, LIE) and part.style != before.style and not still:
            rise = 0.55  # the animal gets up before it walks off
        elif before.style == IDLE and not still:
            rise = 0.1
        seconds = max(part.ramp_s, abs(speed - self.speed[first]) / 4.0)
        self._ramp(self.speed, first, start + rise, seconds, speed)
        turn = 0.0 if still else part.turn_rate_radps
        self._ramp(self.turn, first, start + rise, max(0.2, 0.45 * part.ramp_s), turn)
        self._ramp(self.slip, first, start + rise, max(0.4, part.ramp_s), part.slip_rad)
        self._label(part, label, first, start)

    def _label(self, part: Part, label: NDArray[np.float64], first: int, start: float) -> None:
        begin = start
        if part.style in _STILL:  # only once it is slow
            fast = self.speed[first:] > (0.6 if part.style == IDLE else _SLOW_MPS)
            begin = start + np.count_nonzero(fast) / self.fps
        old_styles, old_postures = self.styles[first].copy(), self.postures[first].copy()
        bodily = max(0.8, part.ramp_s) if part.style in (SIT, STAND, LIE) else 0.75
        ramp = np.clip((self.time[first:] - begin) / min(part.ramp_s, 0.8), 0.0, 1.0)[:, None]
        slow = smooth_step((self.time[first:] - begin - 0.05) / bodily)[:, None]
        if part.style == JUMP or old_postures[JUMP] > 0.5:
            slow = smooth_step((self.time[first:] - begin - 0.05) / 0.45)[:, None]
        self.styles[first:] = old_styles + (label - old_styles) * ramp
        self.postures[first:] = old_postures + (label - old_postures) * slow

    def _ramp(
        self, curve: NDArray[np.float64], first: int, start: float, seconds: float, value: float
    ) -> None:
        old = curve[first]
        curve[first:] = old + (value - old) * smooth_step((self.time[first:] - start) / seconds)


def random_timeline(generator: np.random.Generator, seconds: float) -> list[Part]:
    """Return a random timeline: wandering speeds and turns, stops, postures, jumps."""
    parts = [Part(float(generator.uniform(1.0, 2.0)), IDLE)]
    while sum(part.seconds for part in parts) < seconds:
        parts.append(_random_part(generator, parts[-1]))
    return parts


def _random_part(generator: np.random.Generator, before: Part) -> Part:
    ramp = float(generator.uniform(0.3, 1.0))
    draw = generator.uniform()
    if before.style in (SIT, STAND, LIE):
        draw = draw * 1.2  # up and off again, or from one posture to another
    running = before.style == MOVE and before.speed_mps > 0.8
    if draw < 0.66 or (draw < 0.76 and not running):
        return _random_move(generator, ramp)
    if draw < 0.76:
        speed = float(generator.uniform(1.0, 3.5))
        return Part(float(generator.uniform(1.2, 3.2)), JUMP, speed, ramp_s=min(ramp, 0.5))
    stop_s = 0.4 + before.speed_mps / 4.0
    style = int(generator.choice(_STILL, p=[0.4, 0.22, 0.18, 0.2]))
    length = float(generator.uniform(1.8, 4.0)) + stop_s
    return Part(length, style, ramp_s=ramp)


def _random_move(generator: np.random.Generator, ramp: float) -> Part:
    """Return a part with a gait speed or any speed; turns get slower as the animal gets faster."""
    if generator.uniform() < 0.5:
        speed = float(generator.choice(list(GAIT_SPEEDS.values()))) * float(
            generator.uniform(0.95, 1.05)
        )
    else:
        speed = float(4.6 * generator.uniform() ** 1.3)
    most = min(np.radians(120.0), 6.0 / max(speed, 0.1))
    turning = generator.uniform() < 0.65
    turn = float(generator.uniform(-most, most)) if turning else 0.0
    slipping = generator.uniform() < 0.15 and 0.2 < speed < 2.5
    slip = float(generator.uniform(-0.6, 0.6)) if slipping else 0.0
    seconds = float(generator.uniform(1.2, 4.0)) + speed / 6.0
    return Part(seconds, MOVE, speed, turn, slip, ramp)

"""What steering remembers and wishes for, and the arithmetic that both steerings share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from motion.control.settings import ControlSettings
from motion.control.trajectory import ROOT, Trajectory
from motion.features import FPS, LIE, SIT, STAND, Array

SECONDS = 1.0 / FPS
SEATED = (SIT, STAND, LIE)


@dataclass(frozen=True)
class Steering:
    """What steering remembers from frame to frame.

    Attributes:
        direction, velocity_m_s: (2,) target direction and target velocity in the world.
        correction: 0 to 1, how far the prediction shapes the future.
        speed_m_s: the wanted speed after the limits on acceleration; expected_m_s: what an animal
            that answers as late as they do should have by now.
        speed_error_sum_m, speed_error_m_s: the PID's integral and last error.
        heading_rad: the kept heading (closed loop only); heading_error_sum: rad s.
        turn_rad_s: rate at which the kept heading turns: the wanted one, as late as an animal.
    """

    direction: Array
    velocity_m_s: Array
    correction: float = 0.0
    speed_m_s: float = 0.0
    expected_m_s: float = 0.0
    speed_error_sum_m: float = 0.0
    speed_error_m_s: float = 0.0
    heading_rad: float = 0.0
    heading_error_sum: float = 0.0
    turn_rad_s: float = 0.0


@dataclass(frozen=True)
class Wish:
    """A frame's target before smoothing: move in the target direction's axes, m/s; styles."""

    direction: Array
    move: Array
    steered: float
    styles: Array
    controlled: bool


def resting_steering(root: Array) -> Steering:
    """Return the memory of an animal that stands at root (x_m, z_m, yaw_rad)."""
    return Steering(
        np.array([np.sin(root[2]), np.cos(root[2])]), np.zeros(2), heading_rad=float(root[2])
    )


def yaw_of(direction: Array) -> float:
    """Return the yaw in radians of a (2,) ground direction; 0 for none."""
    return float(np.arctan2(direction[0], direction[1]))


def wrapped(angle_rad: float) -> float:
    """Return the same angle in [-pi, pi)."""
    return float((angle_rad + np.pi) % (2 * np.pi) - np.pi)


def bounded(value: float, limit: float) -> float:
    """Return the value, at most `limit` away from 0."""
    return float(max(-limit, min(value, limit)))


def speed_now(trajectory: Trajectory) -> float:
    """Return the length of the root's velocity, m/s."""
    return math.hypot(*trajectory.velocities_m_s[ROOT].tolist())


def speed_pid(
    steering: Steering, error: float, wanted: float, settings: ControlSettings
) -> tuple[Steering, float]:
    """Return the memory and what the PID on speed adds to the wanted speed, m/s."""
    total = steering.speed_error_sum_m + error * SECONDS
    if settings.speed_integral > 0:
        most = settings.speed_correction_limit * max(wanted, 0.0) / settings.speed_integral
        total = bounded(total, most)
    slope = (error - steering.speed_error_m_s) / SECONDS
    added = settings.speed_gain * error + settings.speed_integral * total
    added += settings.speed_derivative * slope
    return replace(steering, speed_error_sum_m=total, speed_error_m_s=error), added

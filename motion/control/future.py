"""The wanted future: target and styles blended into the trajectory, the farther the more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from motion.control.settings import ControlSettings
from motion.control.steering_state import Steering, wrapped, yaw_of
from motion.control.trajectory import AHEAD, FUTURE, FUTURE_POINTS, ROOT, Trajectory, normalised
from motion.features import Array


def future_wanted(
    trajectory: Trajectory, steering: Steering, settings: ControlSettings
) -> Trajectory:
    """Blend the target into points 61 to 110, the farther the more."""
    u = AHEAD[1:, None]
    directions, velocities = steering.direction, steering.velocity_m_s
    if settings.arc_future:
        directions, velocities = _arc(trajectory, steering)
    to_position, to_direction = 1 - (1 - u) ** 0.75, 1 - (1 - u) ** 1.25
    steps = np.diff(trajectory.positions_m[ROOT:], axis=0)
    steps += to_position * (velocities / FUTURE_POINTS - steps)
    positions, turns, speeds = (
        values.copy()
        for values in (
            trajectory.positions_m,
            trajectory.directions,
            trajectory.velocities_m_s,
        )
    )
    positions[FUTURE] = positions[ROOT] + np.cumsum(steps, axis=0)
    turns[FUTURE] += to_direction * (directions - turns[FUTURE])
    speeds[FUTURE] += u * (velocities - speeds[FUTURE])
    if settings.unit_directions:
        turns[FUTURE] = normalised(turns[FUTURE], trajectory.directions[FUTURE])
    return replace(trajectory, positions_m=positions, directions=turns, velocities_m_s=speeds)


def _arc(trajectory: Trajectory, steering: Steering) -> tuple[Array, Array]:
    """Return (50, 2) directions and velocities that turn evenly up to the target direction."""
    yaw, target = yaw_of(trajectory.directions[ROOT]), yaw_of(steering.direction)
    lead = wrapped(target - yaw)
    yaws = yaw + lead * AHEAD[1:]
    directions = np.stack([np.sin(yaws), np.cos(yaws)], axis=1)
    # The target velocity is told at the target direction: turn it back along the arc.
    velocity = np.broadcast_to(steering.velocity_m_s, directions.shape)
    sine, cosine = np.sin(yaws - target), np.cos(yaws - target)
    x, z = velocity[:, 0], velocity[:, 1]
    return directions, np.stack([x * cosine + z * sine, z * cosine - x * sine], axis=1)


def styles_wanted(
    trajectory: Trajectory,
    request: Array,
    steering: Steering,
    gain: float,
    settings: ControlSettings,
) -> Trajectory:
    """Blend the styles asked for, and the speed, into the root and the future."""
    u = AHEAD[:, None]
    rates = np.array(settings.transitions)
    styles, speeds = trajectory.styles.copy(), trajectory.speeds_m_s.copy()
    blended = styles[ROOT:] + (rates + u * (1 - rates)) * (request - styles[ROOT:])
    totals = blended.sum(axis=1, keepdims=True)
    styles[ROOT:] = blended / np.where(totals > 0, totals, 1.0)
    speeds[ROOT:] += gain * (np.hypot(*steering.velocity_m_s) - speeds[ROOT:])
    return replace(trajectory, styles=styles, speeds_m_s=speeds)

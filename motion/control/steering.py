"""From a command to what the future ought to be: target direction, target velocity, styles.

Two steerings share one record: the demo's open one (`motion.control.demo_steering`) and the closed
one for scripts (`motion.control.closed_steering`). Both add a PID on speed.
"""

from __future__ import annotations

from dataclasses import replace

from motion.control.closed_steering import closed_steered
from motion.control.command import Command
from motion.control.demo_steering import demo_steered
from motion.control.settings import ControlSettings
from motion.control.steering_state import Steering, yaw_of
from motion.control.trajectory import Trajectory, normalised
from motion.features import Array, turned


def steered(
    steering: Steering, trajectory: Trajectory, command: Command, settings: ControlSettings
) -> tuple[Steering, Array, bool]:
    """Take a command up for one frame.

    Returns:
        The new memory, the (6,) styles asked for, and whether the animal is under command.
    """
    if settings.closed_loop:
        steering, wish = closed_steered(steering, trajectory, command, settings)
    else:
        steering, wish = demo_steered(steering, trajectory, command, settings)
    gain = settings.gain_moving if wish.controlled else settings.gain_idle
    direction = steering.direction + gain * (wish.direction - steering.direction)
    if settings.unit_directions:
        direction = normalised(direction, wish.direction)
    velocity = turned(wish.move, yaw_of(direction))
    new = replace(
        steering,
        direction=direction,
        velocity_m_s=steering.velocity_m_s + gain * (velocity - steering.velocity_m_s),
        correction=steering.correction + gain * (wish.steered - steering.correction),
    )
    return new, wish.styles, wish.controlled

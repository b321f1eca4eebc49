"""The closed loop for scripts: a heading of its own, and speed, both with their error fed back.

The heading turns at the commanded rate; the target leads the animal by what that rate gives in the
one second that the future spans, and by a proportional and integral share of the animal's error.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from motion.control.command import Command
from motion.control.settings import ControlSettings
from motion.control.steering_state import (
    SEATED,
    SECONDS,
    Steering,
    Wish,
    bounded,
    speed_now,
    speed_pid,
    wrapped,
)
from motion.control.trajectory import ROOT, Trajectory, curvature, root_freedom
from motion.features import IDLE, JUMP, MOVE, STYLES, Array, turned


def closed_steered(
    steering: Steering, trajectory: Trajectory, command: Command, settings: ControlSettings
) -> tuple[Steering, Wish]:
    """Follow the command: speed and heading are both closed loops."""
    speed, freedom = speed_now(trajectory), root_freedom(trajectory.styles[ROOT])
    request = _styles(command, trajectory, speed, settings)
    goal = command.speed(settings)
    turns = command.style_number in (MOVE, JUMP) and (goal > 0 or command.turn_rad_s != 0)
    steering = _with_speed(steering, goal, speed if freedom < 0.9 else None, settings)
    controlled = turns or steering.speed_m_s > 0
    if goal > 0:
        error = steering.expected_m_s - speed
        steering, added = speed_pid(steering, error, steering.speed_m_s, settings)
        ahead = max(steering.speed_m_s + added, 0.0)
    else:
        steering = replace(steering, speed_error_sum_m=0.0, speed_error_m_s=0.0)
        ahead = steering.speed_m_s
    steering, lead = _with_heading(steering, trajectory, command, turns and freedom > 0.5, settings)
    move = ahead * np.array([np.sin(command.travel_rad), np.cos(command.travel_rad)])
    aim = turned(trajectory.directions[ROOT], lead)
    # While stopping, the prediction's own future must not keep the animal going.
    corrected = float(goal > 0 or turns)
    return steering, Wish(aim, move, corrected, request, controlled)


def _styles(
    command: Command, trajectory: Trajectory, speed: float, settings: ControlSettings
) -> Array:
    """Return the styles asked for: jumps wait for a run-up, sitting waits for a halt."""
    request, style = np.zeros(len(STYLES)), command.style_number
    if style == JUMP:
        ready = speed >= settings.slow_enough_m_s and curvature(trajectory) <= 0.25
        request[JUMP if ready else MOVE] = 1.0
        return request
    moving = min(speed, 1.0) ** 2
    if style == MOVE and (command.speed(settings) > 0 or command.turn_rad_s != 0):
        request[MOVE] = 1.0
    elif style in SEATED and speed <= settings.slow_enough_m_s:
        request[style], request[MOVE] = 1.0, moving
    else:
        request[IDLE], request[MOVE] = 1.0 - moving, moving
    return request


def _with_speed(
    steering: Steering, goal: float, held_m_s: float | None, settings: ControlSettings
) -> Steering:
    """Let the wanted speed approach the goal no faster than the animal can.

    `held_m_s` is the speed of an animal that cannot move freely yet, for it gets up: no more than
    that can be expected of it.
    """
    up, down = settings.acceleration_m_s2 * SECONDS, settings.deceleration_m_s2 * SECONDS
    change = max(-down, min(goal - steering.speed_m_s, up))
    wanted = steering.speed_m_s + change
    # The error is told from what can be expected by now: a loop that counts the delay that every
    # animal has as an error stores it up, and overshoots.
    late = min(SECONDS / settings.speed_delay_s, 1.0)
    expected = steering.expected_m_s + late * (wanted - steering.expected_m_s)
    expected = expected if held_m_s is None else held_m_s
    return replace(steering, speed_m_s=wanted, expected_m_s=expected)


def _with_heading(
    steering: Steering,
    trajectory: Trajectory,
    command: Command,
    turns: bool,
    settings: ControlSettings,
) -> tuple[Steering, float]:
    """Turn the kept heading; return by how much the target direction leads the animal's, rad."""
    yaw = float(trajectory.root[2])
    if not turns:
        still = replace(steering, heading_rad=yaw, heading_error_sum=0.0, turn_rad_s=0.0)
        return still, 0.0
    rate = command.turn_rad_s
    if command.heading_rad is not None:
        fastest = abs(rate) or math.radians(settings.turn_rate_limit_deg_s)
        left = wrapped(command.heading_rad - steering.heading_rad)
        # The kept heading glides on by its own delay, so that much is on its way already.
        left -= steering.turn_rad_s * settings.turn_delay_s
        rate = bounded(left / settings.turn_delay_s, fastest)
    late = min(SECONDS / settings.turn_delay_s, 1.0)
    turn = steering.turn_rad_s + late * (rate - steering.turn_rad_s)
    kept = steering.heading_rad + turn * SECONDS
    limit = math.radians(settings.heading_error_limit_deg)
    error = bounded(wrapped(kept - yaw), limit)
    bound = math.radians(settings.heading_integral_limit_deg)
    total = steering.heading_error_sum + error * SECONDS
    if settings.heading_integral > 0:
        bound /= settings.heading_integral
    total = bounded(total, bound)
    lead = rate + settings.heading_gain * error + settings.heading_integral * total
    widest = math.radians(settings.lead_limit_deg)
    new = replace(steering, heading_rad=yaw + error, heading_error_sum=total, turn_rad_s=turn)
    return new, bounded(lead, widest)

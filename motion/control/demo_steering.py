"""The published demo's steering: the target lies so far to the side as the keys say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from motion.control.command import Command
from motion.control.settings import ControlSettings
from motion.control.steering_state import (
    SEATED,
    Steering,
    Wish,
    bounded,
    speed_now,
    speed_pid,
    wrapped,
)
from motion.control.trajectory import ROOT, Trajectory, curvature, normalised
from motion.features import JUMP, MOVE, STYLES, Array, turned


def demo_steered(
    steering: Steering, trajectory: Trajectory, command: Command, settings: ControlSettings
) -> tuple[Steering, Wish]:
    """The published laws; commands stand in for the keys, a commanded speed for the style's own."""
    root, speed, bend = trajectory.root, speed_now(trajectory), curvature(trajectory)
    keys, turn = _move_key(command, settings), _turn_key(command, root[2], settings)
    request = np.zeros(len(STYLES))
    request[command.style_number] = 1.0
    controlled = turn != 0 or bool(keys.any()) or request[MOVE] != 0
    biases = np.array(settings.style_speeds_m_s)
    if command.speed_m_s is not None:
        biases[command.style_number] = command.speed(settings)
    bias = target = float(trajectory.styles[ROOT] @ biases)
    if turn == 0:
        goal = target + bend * (speed - target)
        steering, added = speed_pid(steering, goal - speed, math.inf, settings)
        bias += added
    else:
        steering = replace(steering, speed_error_sum_m=0.0, speed_error_m_s=0.0)
    move = bias * normalised(keys)
    if not keys.any() and turn != 0:
        move = np.array([0.0, 2.0 / 3.0])
    elif keys[1] == 0 and turn != 0:
        move = bias * normalised(np.array([keys[0], 1.0]))
    else:
        move += min(speed / 6.0, 1.0) * (np.array([0.0, bias]) - move)
    if request[JUMP] == 0:
        request[MOVE] = max(request[MOVE], min(speed, 1.0) ** 2)
        if request[MOVE] > 0:
            move[1] = max(move[1], 0.1 * request[MOVE])
    else:
        move, turn = np.array([0.0, bias]), 0.0
        request[JUMP] = float(bend <= 0.25 and speed >= settings.slow_enough_m_s)
        request[MOVE] = 1.0 - request[JUMP]
    if speed > settings.slow_enough_m_s:
        request[list(SEATED)] = 0.0
    aim = turned(trajectory.directions[ROOT], math.radians(settings.turn_angle_deg) * turn)
    strength = max(float(np.hypot(*normalised(move))), abs(turn))
    return steering, Wish(aim, move, strength, request, controlled)


def _move_key(command: Command, settings: ControlSettings) -> Array:
    """Return the (2,) keys for going, left and ahead: unit, or 0 where nothing is pressed."""
    if command.style_number not in (MOVE, JUMP) or command.speed(settings) == 0:
        return np.zeros(2)
    # Rounded, so that sideways is sideways and not a little ahead.
    return np.array([round(part(command.travel_rad), 9) for part in (math.sin, math.cos)])


def _turn_key(command: Command, yaw_rad: float, settings: ControlSettings) -> float:
    """Return -1 to 1: full turn aims `turn_angle_deg` to the side, about as many degrees a s."""
    if command.style_number not in (MOVE, JUMP):
        return 0.0
    angle = command.turn_rad_s
    if command.heading_rad is not None:
        angle = wrapped(command.heading_rad - yaw_rad)
    return bounded(angle / math.radians(settings.turn_angle_deg), 1.0)

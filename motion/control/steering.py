"""From a command to what the future ought to be: target direction, target velocity, styles.

Two steerings share one record. The demo's is open: the target direction lies so far to the side
as the keys say. The closed one keeps a heading of its own, which turns at the commanded rate;
the target leads the animal by what that rate gives in the one second that the future spans, and
by a proportional and integral share of the animal's error. Both add a PID on speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from motion.control.command import Command
from motion.control.settings import ControlSettings
from motion.control.trajectory import ROOT, Trajectory, curvature, normalised, root_freedom
from motion.features import FPS, IDLE, JUMP, LIE, MOVE, SIT, STAND, STYLES, Array, turned

_SECONDS = 1.0 / FPS
_SEATED = (SIT, STAND, LIE)


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
class _Wish:
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


def steered(
    steering: Steering, trajectory: Trajectory, command: Command, settings: ControlSettings
) -> tuple[Steering, Array, bool]:
    """Take a command up for one frame.

    Returns:
        The new memory, the (6,) styles asked for, and whether the animal is under command.
    """
    if settings.closed_loop:
        steering, wish = _closed(steering, trajectory, command, settings)
    else:
        steering, wish = _demo(steering, trajectory, command, settings)
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


def yaw_of(direction: Array) -> float:
    """Return the yaw in radians of a (2,) ground direction; 0 for none."""
    return float(np.arctan2(direction[0], direction[1]))


def wrapped(angle_rad: float) -> float:
    """Return the same angle in [-pi, pi)."""
    return float((angle_rad + np.pi) % (2 * np.pi) - np.pi)


def bounded(value: float, limit: float) -> float:
    """Return the value, at most `limit` away from 0."""
    return float(max(-limit, min(value, limit)))


def _speed_now(trajectory: Trajectory) -> float:
    return math.hypot(*trajectory.velocities_m_s[ROOT].tolist())


def _demo(
    steering: Steering, trajectory: Trajectory, command: Command, settings: ControlSettings
) -> tuple[Steering, _Wish]:
    """The published laws; commands stand in for the keys, a commanded speed for the style's own."""
    root, speed, bend = trajectory.root, _speed_now(trajectory), curvature(trajectory)
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
        steering, added = _speed_pid(steering, goal - speed, math.inf, settings)
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
        request[list(_SEATED)] = 0.0
    aim = turned(trajectory.directions[ROOT], math.radians(settings.turn_angle_deg) * turn)
    strength = max(float(np.hypot(*normalised(move))), abs(turn))
    return steering, _Wish(aim, move, strength, request, controlled)


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


def _speed_pid(
    steering: Steering, error: float, wanted: float, settings: ControlSettings
) -> tuple[Steering, float]:
    """Return the memory and what the PID on speed adds to the wanted speed, m/s."""
    total = steering.speed_error_sum_m + error * _SECONDS
    if settings.speed_integral > 0:
        most = settings.speed_correction_limit * max(wanted, 0.0) / settings.speed_integral
        total = bounded(total, most)
    slope = (error - steering.speed_error_m_s) / _SECONDS
    added = settings.speed_gain * error + settings.speed_integral * total
    added += settings.speed_derivative * slope
    return replace(steering, speed_error_sum_m=total, speed_error_m_s=error), added


def _closed(
    steering: Steering, trajectory: Trajectory, command: Command, settings: ControlSettings
) -> tuple[Steering, _Wish]:
    """Follow the command: speed and heading are both closed loops."""
    speed, freedom = _speed_now(trajectory), root_freedom(trajectory.styles[ROOT])
    request = _styles(command, trajectory, speed, settings)
    goal = command.speed(settings)
    turns = command.style_number in (MOVE, JUMP) and (goal > 0 or command.turn_rad_s != 0)
    steering = _with_speed(steering, goal, speed if freedom < 0.9 else None, settings)
    controlled = turns or steering.speed_m_s > 0
    if goal > 0:
        error = steering.expected_m_s - speed
        steering, added = _speed_pid(steering, error, steering.speed_m_s, settings)
        ahead = max(steering.speed_m_s + added, 0.0)
    else:
        steering = replace(steering, speed_error_sum_m=0.0, speed_error_m_s=0.0)
        ahead = steering.speed_m_s
    steering, lead = _with_heading(steering, trajectory, command, turns and freedom > 0.5, settings)
    move = ahead * np.array([np.sin(command.travel_rad), np.cos(command.travel_rad)])
    aim = turned(trajectory.directions[ROOT], lead)
    # While stopping, the prediction's own future must not keep the animal going.
    corrected = float(goal > 0 or turns)
    return steering, _Wish(aim, move, corrected, request, controlled)


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
    elif style in _SEATED and speed <= settings.slow_enough_m_s:
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
    up, down = settings.acceleration_m_s2 * _SECONDS, settings.deceleration_m_s2 * _SECONDS
    change = max(-down, min(goal - steering.speed_m_s, up))
    wanted = steering.speed_m_s + change
    # The error is told from what can be expected by now: a loop that counts the delay that every
    # animal has as an error stores it up, and overshoots.
    late = min(_SECONDS / settings.speed_delay_s, 1.0)
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
    late = min(_SECONDS / settings.turn_delay_s, 1.0)
    turn = steering.turn_rad_s + late * (rate - steering.turn_rad_s)
    kept = steering.heading_rad + turn * _SECONDS
    limit = math.radians(settings.heading_error_limit_deg)
    error = bounded(wrapped(kept - yaw), limit)
    bound = math.radians(settings.heading_integral_limit_deg)
    total = steering.heading_error_sum + error * _SECONDS
    if settings.heading_integral > 0:
        bound /= settings.heading_integral
    total = bounded(total, bound)
    lead = rate + settings.heading_gain * error + settings.heading_integral * total
    widest = math.radians(settings.lead_limit_deg)
    new = replace(steering, heading_rad=yaw + error, heading_error_sum=total, turn_rad_s=turn)
    return new, bounded(lead, widest)

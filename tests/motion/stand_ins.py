"""Networks whose answer is known: a constant one, and one that follows the trajectory it is shown.

The follower is what control is tested on: it turns and runs towards the wanted future, but weaker
or stronger than asked and late, as trained networks do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from motion import features as f
from motion.control.controller import start_state
from motion.network import Network
from motion.weights import random_weights


class Answer(NamedTuple):
    output: np.ndarray
    experts: np.ndarray


EXPERTS = np.full(8, 0.125, np.float32)


def resting_pose() -> f.Pose:
    """The rest pose relative to its root."""
    return start_state().pose


def straight_samples(velocity_m_s=(0.0, 0.0), yaw_rate=0.0) -> f.Samples:
    """Six predicted samples of a steady arc, relative to their own root."""
    times = f.SAMPLE_TIMES_S[6:]
    yaws = yaw_rate * times
    directions = np.stack([np.sin(yaws), np.cos(yaws)], axis=1)
    velocities = f.turned(np.broadcast_to(np.asarray(velocity_m_s, float), (6, 2)), yaws)
    steps = np.diff(times, prepend=0.0)[:, None] * velocities
    return f.Samples(np.cumsum(steps, axis=0), directions, velocities)


def constant_output(root_motion, pose=None, samples=None) -> np.ndarray:
    output = f.Output(
        samples or straight_samples(), pose or resting_pose(), np.asarray(root_motion, float)
    )
    return f.pack_output(output)


def constant_network(root_motion, **parts) -> Network:
    """A real network with experts of zeros: its output is its mean, whatever it is shown."""
    weights = random_weights(0)
    first, second, last = (
        layer._replace(a=np.zeros_like(layer.a), b=np.zeros_like(layer.b))
        for layer in weights.experts
    )
    mean = constant_output(root_motion, **parts)
    return Network(
        replace(weights, experts=(first, second, last), output_mean=mean), backend="numpy"
    )


@dataclass
class Follower:
    """Runs and turns towards the wanted future.

    Attributes:
        speed_share, turn_share: share of the wanted speed and turn that it does.
        lag_s: time constant of both.
        sway: relative ripple of the speed, and of the turn rate in rad/s, twice a second.
        pull_rad_s: what it turns by itself, as an animal that does not run straight.
    """

    speed_share: float = 0.9
    turn_share: float = 0.8
    lag_s: float = 0.3
    sway: float = 0.1
    pull_rad_s: float = 0.1
    _motion: np.ndarray = field(default_factory=lambda: np.zeros(3))
    _frames: int = 0

    def __call__(self, x):
        samples, _ = f.unpack_input(x)
        self._frames += 1
        ripple = np.sin(2 * np.pi * 2 * self._frames / f.FPS)
        ahead = samples.velocities_m_s[8] * self.speed_share * (1 + self.sway * ripple)
        turn = np.arctan2(*samples.directions[9]) / f.SAMPLE_TIMES_S[9] * self.turn_share
        wanted = np.array([ahead[0], turn + self.pull_rad_s + self.sway * ripple, ahead[1]])
        self._motion += (wanted - self._motion) / (self.lag_s * f.FPS)
        vx, rate, vz = self._motion
        output = constant_output(
            [vx, np.degrees(rate), vz], samples=straight_samples((vx, vz), rate)
        )
        return Answer(output, EXPERTS)

"""The controller: command in, next pose out, sixty times a second.

Each frame the command bends the future of the trajectory, the network predicts from trajectory and
pose, and its root motion, future and pose become the new state. `advance` is a pure function of
the state; `Controller` holds a state for those who only want to step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motion.control.command import Command
from motion.control.future import future_wanted, styles_wanted
from motion.control.settings import ControlSettings
from motion.control.steering import steered
from motion.control.steering_state import Steering, resting_steering
from motion.control.trajectory import (
    ROOT,
    Trajectory,
    future_predicted,
    normalised,
    past_shifted,
    resting,
    root_freedom,
    root_moved,
)
from motion.features import (
    FPS,
    Array,
    Output,
    Pose,
    input_vector,
    pose_to_world,
    samples_to_world,
    unpack_output,
)
from motion.skeleton import QUADRUPED, REST_AXES

__all__ = ["Command", "ControlSettings", "Controller", "Frame", "State", "advance", "start_state"]


class Prediction(Protocol):
    """What a network says: output (363,) and experts (8,)."""

    @property
    def output(self) -> NDArray[np.float32]:
        """(363,) in metres, degrees and seconds."""

    @property
    def experts(self) -> NDArray[np.float32]:
        """(8,) blend weights."""


class Predictor(Protocol):
    """Anything that predicts the next frame from the 480 numbers."""

    def __call__(self, x: NDArray[np.float32], /) -> Prediction:
        """Return the prediction for x (480,)."""


@dataclass(frozen=True)
class State:
    """All that the next frame depends on: trajectory and pose in the world, steering, frames."""

    trajectory: Trajectory
    pose: Pose
    steering: Steering
    frames: int = 0


@dataclass(frozen=True)
class Frame:
    """One frame as the network said it; `motion.control.rollout.Rollout` stacks these.

    Attributes:
        ground: (3,) x_m, z_m, yaw_rad of the root.
        positions_m: (27, 3); axes: (27, 3, 3) columns X, Y (up), Z (forward), in the world.
        experts: (8,); styles: (6,) at the root.
        trajectory: (12, 4) x_m, z_m, direction x, direction z of the samples in the world.
        wanted: (3,) commanded speed m/s, heading rad or nan, turn rate rad/s.
    """

    ground: Array
    positions_m: Array
    axes: Array
    experts: Array
    styles: Array
    trajectory: Array
    wanted: Array


class Controller:
    """Steps a network under commands; deterministic.

    Args:
        network: `motion.network.Network`, or anything that predicts.
        settings: the laws and their numbers.
        start: (x_m, z_m, yaw_rad) where the animal stands at rest.
    """

    def __init__(
        self,
        network: Predictor,
        settings: ControlSettings | None = None,
        start: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        self.network = network
        self.settings = settings or ControlSettings()
        self.state = start_state(start)

    def step(self, command: Command) -> Frame:
        """Advance by 1/60 s under a command and return the new frame."""
        self.state, frame = advance(self.network, self.settings, self.state, command)
        return frame


def start_state(start: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> State:
    """Return the state of an animal that stands in the rest pose and does nothing."""
    root = np.array(start, np.float64)
    still = np.zeros((len(QUADRUPED), 3))
    rest = Pose(QUADRUPED.rest_positions_m, REST_AXES[:, :, 2], REST_AXES[:, :, 1], still)
    return State(resting(root), pose_to_world(rest, root), resting_steering(root))


def advance(
    network: Predictor, settings: ControlSettings, state: State, command: Command
) -> tuple[State, Frame]:
    """Return the state and the frame 1/60 s later."""
    if state.frames < round(settings.warm_up_s * FPS):
        command = Command("move")
    steering, request, controlled = steered(state.steering, state.trajectory, command, settings)
    gain = settings.gain_moving if controlled else settings.gain_idle
    trajectory = future_wanted(state.trajectory, steering, settings)
    trajectory = styles_wanted(trajectory, request, steering, gain, settings)
    root, previous_root = trajectory.root, trajectory.previous_root
    prediction = network(input_vector(trajectory.samples(), state.pose, root, previous_root))
    output = unpack_output(prediction.output)
    trajectory = fed_back(trajectory, output, steering.correction, settings)
    pose = pose_fed_back(state.pose, pose_to_world(output.pose, root))
    new = State(trajectory, pose, steering, state.frames + 1)
    return new, _frame(new, np.asarray(prediction.experts, np.float64), command.wanted(settings))


def fed_back(
    trajectory: Trajectory, output: Output, correction: float, settings: ControlSettings
) -> Trajectory:
    """Take the predicted root motion and future up.

    Order matters: the past slides first, so the root as it was becomes the newest past point; then
    the root moves and carries the future along; then the prediction, told from the new root, pulls
    at the future.
    """
    frames = FPS if settings.root_motion_unit == "per_second" else 1.0
    freedom = root_freedom(trajectory.styles[ROOT])
    step = output.root_motion * (freedom / frames) * np.array([1.0, np.pi / 180, 1.0])
    moved = root_moved(past_shifted(trajectory), step, add_velocity=settings.add_velocity)
    samples = samples_to_world(output.samples, moved.root)
    return future_predicted(moved, samples, correction, unit_directions=settings.unit_directions)


def pose_fed_back(old: Pose, predicted: Pose) -> Pose:
    """Return the mean of the pose carried on by the predicted velocities, and the predicted one."""
    carried = old.positions_m + predicted.velocities_m_s / FPS
    return Pose(
        0.5 * (carried + predicted.positions_m),
        normalised(predicted.forward, old.forward),
        normalised(predicted.up, old.up),
        predicted.velocities_m_s,
    )


def axes_of(pose: Pose) -> Array:
    """Return (27, 3, 3) rotations with columns X, Y, Z: Z is forward, X is square to up and Z."""
    z = normalised(pose.forward)
    x = normalised(_cross(pose.up, z))
    return np.stack([x, _cross(z, x), z], axis=-1)


def _cross(a: Array, b: Array) -> Array:
    # numpy.cross spends most of its time on checks at this size.
    i, j = (1, 2, 0), (2, 0, 1)
    return a[:, i] * b[:, j] - a[:, j] * b[:, i]


def _frame(state: State, experts: Array, wanted: Array) -> Frame:
    samples = state.trajectory.samples()
    return Frame(
        state.trajectory.root,
        state.pose.positions_m,
        axes_of(state.pose),
        experts,
        state.trajectory.styles[ROOT],
        np.concatenate([samples.positions_m, samples.directions], axis=1),
        wanted,
    )

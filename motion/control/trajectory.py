"""The controller's path of 111 points: one second behind the root, the root, one second ahead.

Past points are one frame (1/60 s) apart, future points 1/50 s: every tenth point is a sample of the
network's input, so past samples lie 10 frames apart and future ones 12, on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from motion.features import (
    FPS,
    IDLE,
    LIE,
    SIT,
    STAND,
    STYLES,
    Array,
    Samples,
    turned,
)

POINTS, ROOT = 111, 60
SPACING = 10
FUTURE = slice(ROOT + 1, POINTS)
FUTURE_POINTS = POINTS - 1 - ROOT
#: How far ahead (0 at the root, 1 at the last point) each point from the root on lies.
AHEAD = np.arange(POINTS - ROOT) / FUTURE_POINTS

# Between which two output samples (0 is the present) each future point lies, and how far along.
_NUMBER = np.arange(ROOT + 1, POINTS)
_BELOW = _NUMBER // SPACING - ROOT // SPACING
_ABOVE = -(-_NUMBER // SPACING) - ROOT // SPACING
_ALONG = (_NUMBER % SPACING) / SPACING
# As a matrix (50, 6): one product interpolates.
_BETWEEN = (1 - _ALONG)[:, None] * np.eye(6)[_BELOW] + _ALONG[:, None] * np.eye(6)[_ABOVE]


@dataclass(frozen=True)
class Trajectory:
    """111 points in the world; point 60 is the root.

    Attributes:
        positions_m, directions, velocities_m_s: (111, 2), x and z.
        speeds_m_s: (111,) the speed asked for, which is not the length of the velocity.
        styles: (111, 6) idle, move, jump, sit, stand, lie.
    """

    positions_m: Array
    directions: Array
    velocities_m_s: Array
    speeds_m_s: Array
    styles: Array

    @property
    def root(self) -> Array:
        """(3,) x_m, z_m, yaw_rad of the present."""
        return self.frame(ROOT)

    @property
    def previous_root(self) -> Array:
        """(3,) the root one frame ago: the frame that the input's bones are told in."""
        return self.frame(ROOT - 1)

    def frame(self, point: int) -> Array:
        """Return (3,) x_m, z_m, yaw_rad of a point."""
        x, z = self.positions_m[point]
        direction = self.directions[point]
        return np.array([x, z, np.arctan2(direction[0], direction[1])])

    def samples(self) -> Samples:
        """Return the 12 samples of the network's input, in the world."""
        every = slice(None, None, SPACING)
        return Samples(
            self.positions_m[every],
            self.directions[every],
            self.velocities_m_s[every],
            self.speeds_m_s[every],
            self.styles[every],
        )


def resting(start: Array) -> Trajectory:
    """Return an idle trajectory: every point at start (x_m, z_m, yaw_rad), nothing moves."""
    x, z, yaw = start
    styles = np.zeros((POINTS, len(STYLES)))
    styles[:, IDLE] = 1.0
    return Trajectory(
        np.tile([x, z], (POINTS, 1)).astype(np.float64),
        np.tile([np.sin(yaw), np.cos(yaw)], (POINTS, 1)),
        np.zeros((POINTS, 2)),
        np.zeros(POINTS),
        styles,
    )


def curvature(trajectory: Trajectory) -> float:
    """Return how much the 12 samples bend as one path: 0 straight, 1 half a circle or more."""
    steps = np.diff(trajectory.positions_m[::SPACING], axis=0)
    before, after = steps[:-1], steps[1:]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    dot = np.einsum("ij,ij->i", before, after)
    # Steps of no length have no direction: they must not bend the path with rounding noise.
    sizes = np.einsum("ij,ij->i", before, before) * np.einsum("ij,ij->i", after, after)
    angles = np.where(sizes > 1e-15, np.arctan2(cross, dot), 0.0)
    return float(min(abs(angles.sum()) / np.pi, 1.0))


def root_freedom(styles: Array) -> float:
    """Return 0 to 1, how much of the predicted root motion counts: none when idle or seated."""
    seated = styles[SIT] + styles[STAND] + styles[LIE]
    idle_part = max(1.0 - styles[IDLE], 0.0) ** 0.25
    return float(min(idle_part, max(1.0 - seated, 0.0) ** 0.5))


def past_shifted(trajectory: Trajectory) -> Trajectory:
    """Let the past slide by one frame: points 0 to 59 take over from 1 to 60."""

    def slid(values: Array) -> Array:
        return np.concatenate([values[1 : ROOT + 1], values[ROOT:]])

    return Trajectory(
        slid(trajectory.positions_m),
        slid(trajectory.directions),
        slid(trajectory.velocities_m_s),
        slid(trajectory.speeds_m_s),
        slid(trajectory.styles),
    )


def root_moved(trajectory: Trajectory, step: Array, *, add_velocity: bool) -> Trajectory:
    """Move the root by one frame's step and carry the future along.

    Args:
        trajectory: the past has been shifted already.
        step: (3,) x m, yaw rad, z m in this frame, relative to the root.
        add_velocity: True adds the root's velocity to the future's, frame after frame, as the
            published controller does; False turns the future's velocities with the animal.
    """
    root = trajectory.root
    offset = np.array([step[0], step[2]])
    here = turned(offset, root[2])
    # The future is carried in the new root's axes, as the published controller does.
    ahead = turned(offset, root[2] + step[1])
    positions = trajectory.positions_m.copy()
    positions[ROOT] += here
    positions[FUTURE] += ahead
    velocities = trajectory.velocities_m_s.copy()
    velocities[ROOT] = here * FPS
    if add_velocity:
        velocities[FUTURE] += ahead * FPS
    else:
        velocities[FUTURE] = turned(velocities[FUTURE], step[1])
    directions = trajectory.directions.copy()
    directions[ROOT:] = turned(directions[ROOT:], step[1])
    return replace(
        trajectory, positions_m=positions, directions=directions, velocities_m_s=velocities
    )


def future_predicted(
    trajectory: Trajectory, samples: Samples, correction: float, *, unit_directions: bool
) -> Trajectory:
    """Pull points 61 to 110 towards the predicted samples.

    Args:
        trajectory: after `root_moved`.
        samples: the output's 6 samples in the world (directions need not be unit).
        correction: 0 keeps the points, 1 replaces them.
        unit_directions: whether the blended directions are made unit again.
    """
    ahead = normalised(samples.directions)
    directions = normalised(_between(ahead))
    velocities = _between(samples.velocities_m_s)
    drifted = trajectory.positions_m[FUTURE] + velocities / FPS
    positions = 0.5 * (drifted + _between(samples.positions_m))

    def blended(old: Array, new: Array) -> Array:
        values = old.copy()
        values[FUTURE] += correction * (new - old[FUTURE])
        return values

    turned_points = blended(trajectory.directions, directions)
    if unit_directions:
        turned_points[FUTURE] = normalised(turned_points[FUTURE], trajectory.directions[FUTURE])
    return replace(
        trajectory,
        positions_m=blended(trajectory.positions_m, positions),
        directions=turned_points,
        velocities_m_s=blended(trajectory.velocities_m_s, velocities),
    )


def normalised(vectors: Array, otherwise: Array | None = None) -> Array:
    """Return unit vectors along the last axis; those of no length become `otherwise` or stay 0."""
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    unit = vectors / np.maximum(lengths, 1e-9)
    return unit if otherwise is None else np.where(lengths > 1e-6, unit, otherwise)


def _between(values: Array) -> Array:
    return np.asarray(_BETWEEN @ values)

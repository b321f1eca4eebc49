"""The network's vectors: 480 numbers in, 363 out, and the frames that they are told in.

Both vectors are interleaved: one block a trajectory sample, then one block a bone. A root is
(x_m, z_m, yaw_rad), a frame on the ground that looks along (sin yaw, cos yaw); ground vectors are
(x, z). Every function takes leading axes, so training packs whole clips and the controller one
frame with the same code. The numbers are right-handed with the animal's left at +X, as the
published weights have them; where a character is wanted in a left-handed engine, `flipped` is the
one place that does it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motion.skeleton import BONE_COUNT, QUADRUPED

Array = NDArray[np.float64]

FPS = 60.0
STYLES = ("idle", "move", "jump", "sit", "stand", "lie")
IDLE, MOVE, JUMP, SIT, STAND, LIE = range(6)

SAMPLES, PRESENT = 12, 6
#: Past samples are 10 frames apart, future samples 12: the network was trained that way.
SAMPLE_TIMES_S = np.array([k / 6 - 1 for k in range(6)] + [i / 5 for i in range(6)])

SAMPLE_SIZE, BONE_SIZE = 13, 12
OUT_SAMPLES, OUT_SAMPLE_SIZE = 6, 6
INPUT_SIZE = SAMPLES * SAMPLE_SIZE + BONE_COUNT * BONE_SIZE
OUTPUT_SIZE = OUT_SAMPLES * OUT_SAMPLE_SIZE + BONE_COUNT * BONE_SIZE + 3

#: The parts of the vectors; the first two are reshaped to one row a sample or bone.
INPUT_SAMPLES = slice(0, SAMPLES * SAMPLE_SIZE)
INPUT_BONES = slice(SAMPLES * SAMPLE_SIZE, INPUT_SIZE)
OUTPUT_SAMPLES = slice(0, OUT_SAMPLES * OUT_SAMPLE_SIZE)
OUTPUT_BONES = slice(OUT_SAMPLES * OUT_SAMPLE_SIZE, OUTPUT_SIZE - 3)
OUTPUT_ROOT = slice(OUTPUT_SIZE - 3, OUTPUT_SIZE)

#: Columns of a sample's row; the output's rows end after the velocity.
POSITION, DIRECTION, VELOCITY, SPEED, STYLE = (
    slice(0, 2),
    slice(2, 4),
    slice(4, 6),
    6,
    slice(7, 13),
)

_GROUND_PARTS = ("position_x", "position_z", "direction_x", "direction_z", "velocity_x")
_SAMPLE_COLUMNS = (*_GROUND_PARTS, "velocity_z", "speed", *STYLES)
_BONE_COLUMNS = tuple(
    f"{part}_{axis}" for part in ("position", "forward", "up", "velocity") for axis in "xyz"
)
_BONE_NAMES = tuple(f"{bone}.{column}" for bone in QUADRUPED.names for column in _BONE_COLUMNS)
#: What each number is, such as "sample6.speed", "LeftHandSite.velocity_x", "root.yaw_rate".
INPUT_NAMES = (
    tuple(f"sample{k}.{column}" for k in range(SAMPLES) for column in _SAMPLE_COLUMNS) + _BONE_NAMES
)
OUTPUT_NAMES = (
    tuple(f"sample{k}.{column}" for k in range(6, SAMPLES) for column in _SAMPLE_COLUMNS[:6])
    + _BONE_NAMES
    + ("root.velocity_x", "root.yaw_rate", "root.velocity_z")
)


@dataclass(frozen=True)
class Samples:
    """Trajectory samples, S = 12 for the input, 6 (the present and the future) for the output.

    Attributes:
        positions_m, directions, velocities_m_s: (…, S, 2) x and z; directions are unit.
        speeds_m_s: (…, S); styles: (…, S, 6), each summing to 1. None in the output.
    """

    positions_m: Array
    directions: Array
    velocities_m_s: Array
    speeds_m_s: Array | None = None
    styles: Array | None = None


@dataclass(frozen=True)
class Pose:
    """27 bones: (…, 27, 3) each. forward and up are the bone's own Z and Y axes, unit."""

    positions_m: Array
    forward: Array
    up: Array
    velocities_m_s: Array


@dataclass(frozen=True)
class Output:
    """One prediction, taken apart and still in the network's own frames.

    Attributes:
        samples: 6 samples of the next frame, relative to the next root.
        pose: the next frame's bones, relative to the current root.
        root_motion: (…, 3) x m/s, yaw deg/s, z m/s, relative to the current root.
    """

    samples: Samples
    pose: Pose
    root_motion: Array


def turned(vectors: Array, yaw_rad: Array | float) -> Array:
    """Turn (…, 2) ground vectors by yaws (…,) about +Y: (0, 1) goes to (sin yaw, cos yaw)."""
    sine, cosine = np.sin(yaw_rad), np.cos(yaw_rad)
    x, z = vectors[..., 0], vectors[..., 1]
    new_x = x * cosine + z * sine
    result = np.zeros((*new_x.shape, 2))
    result[..., 0] = new_x
    result[..., 1] = z * cosine - x * sine
    return result


def turned_3d(vectors: Array, yaw_rad: Array | float) -> Array:
    """Turn (…, 3) vectors by yaws (…,) about +Y."""
    sine, cosine = np.sin(yaw_rad), np.cos(yaw_rad)
    x, z = vectors[..., 0], vectors[..., 2]
    new_x = x * cosine + z * sine
    result = np.zeros((*new_x.shape, 3))
    result[..., 0] = new_x
    result[..., 1] = vectors[..., 1]
    result[..., 2] = z * cosine - x * sine
    return result


def samples_to_root(samples: Samples, root: Array) -> Samples:
    """Tell world samples relative to roots (…, 3): positions in full, the rest turned only."""
    return _turned_samples(samples, samples.positions_m - root[..., None, :2], -root[..., 2])


def samples_to_world(samples: Samples, root: Array) -> Samples:
    """Undo `samples_to_root`."""
    told = _turned_samples(samples, samples.positions_m, root[..., 2])
    return replace(told, positions_m=told.positions_m + root[..., None, :2])


def _turned_samples(samples: Samples, positions_m: Array, yaw_rad: Array) -> Samples:
    """Turn everything in one go: at the size of one frame, calls cost more than numbers."""
    count = positions_m.shape[-2]
    both = (positions_m, samples.directions, samples.velocities_m_s)
    rows = turned(np.concatenate(both, axis=-2), yaw_rad[..., None])
    return Samples(
        rows[..., :count, :],
        rows[..., count : 2 * count, :],
        rows[..., 2 * count :, :],
        samples.speeds_m_s,
        samples.styles,
    )


def _lifted(root: Array) -> Array:
    lifted = np.zeros((*root.shape[:-1], 1, 3))
    lifted[..., 0, 0], lifted[..., 0, 2] = root[..., 0], root[..., 1]
    return lifted


def pose_to_root(pose: Pose, root: Array) -> Pose:
    """Tell a world pose relative to roots (…, 3) on the ground y = 0."""
    return _turned_pose(pose, pose.positions_m - _lifted(root), -root[..., 2])


def pose_to_world(pose: Pose, root: Array) -> Pose:
    """Undo `pose_to_root`."""
    told = _turned_pose(pose, pose.positions_m, root[..., 2])
    return replace(told, positions_m=told.positions_m + _lifted(root))


def _turned_pose(pose: Pose, positions_m: Array, yaw_rad: Array) -> Pose:
    count = positions_m.shape[-2]
    both = (positions_m, pose.forward, pose.up, pose.velocities_m_s)
    rows = turned_3d(np.concatenate(both, axis=-2), yaw_rad[..., None])
    return Pose(*(rows[..., k * count : (k + 1) * count, :] for k in range(4)))


def root_motion(root: Array, next_root: Array, fps: float = FPS) -> Array:
    """Return (…, 3) x m/s, yaw deg/s, z m/s from one root to the next, relative to the first."""
    step = turned(next_root[..., :2] - root[..., :2], -root[..., 2])
    yaw = np.remainder(next_root[..., 2] - root[..., 2] + np.pi, 2 * np.pi) - np.pi
    return np.stack([step[..., 0], np.degrees(yaw), step[..., 1]], axis=-1) * fps


def moved_root(root: Array, motion: Array, fps: float = FPS) -> Array:
    """Return the next root (…, 3) after one frame of root motion: undoes `root_motion`."""
    step = turned(motion[..., [0, 2]] / fps, root[..., 2])
    yaw = root[..., 2] + np.radians(motion[..., 1]) / fps
    return np.concatenate([root[..., :2] + step, yaw[..., None]], axis=-1)


def root_of_pose(positions_m: Array) -> Array:
    """Return (…, 3) roots of (…, 27, 3) bones: below the hips, looking from hips to neck."""
    hips = positions_m[..., QUADRUPED.index("Hips"), :]
    ahead = positions_m[..., QUADRUPED.index("Neck"), :] - hips
    yaw = np.arctan2(ahead[..., 0], ahead[..., 2])
    return np.stack([hips[..., 0], hips[..., 2], yaw], axis=-1)


def pack_input(samples: Samples, pose: Pose) -> NDArray[np.float32]:
    """Return (…, 480) from 12 samples relative to root(i) and a pose relative to root(i-1)."""
    if samples.speeds_m_s is None or samples.styles is None:
        raise ValueError("input samples need speeds and styles")
    ground = (samples.positions_m, samples.directions, samples.velocities_m_s)
    rows = np.concatenate([*ground, samples.speeds_m_s[..., None], samples.styles], axis=-1)
    return _joined(rows, _bone_rows(pose)).astype(np.float32)


def unpack_input(vector: NDArray[np.floating]) -> tuple[Samples, Pose]:
    """Undo `pack_input`."""
    rows = _rows(vector[..., INPUT_SAMPLES], SAMPLES)
    samples = Samples(
        rows[..., POSITION],
        rows[..., DIRECTION],
        rows[..., VELOCITY],
        rows[..., SPEED],
        rows[..., STYLE],
    )
    return samples, _pose(_rows(vector[..., INPUT_BONES], BONE_COUNT))


def pack_output(output: Output) -> NDArray[np.float32]:
    """Return (…, 363); `Output` says which part is relative to which root."""
    samples = output.samples
    ground = (samples.positions_m, samples.directions, samples.velocities_m_s)
    rows = np.concatenate(ground, axis=-1)
    both = _joined(rows, _bone_rows(output.pose))
    return np.concatenate([both, output.root_motion], axis=-1).astype(np.float32)


def unpack_output(vector: NDArray[np.floating]) -> Output:
    """Undo `pack_output`."""
    rows = _rows(vector[..., OUTPUT_SAMPLES], OUT_SAMPLES)
    samples = Samples(rows[..., POSITION], rows[..., DIRECTION], rows[..., VELOCITY])
    pose = _pose(_rows(vector[..., OUTPUT_BONES], BONE_COUNT))
    return Output(samples, pose, vector[..., OUTPUT_ROOT].astype(np.float64))


def input_vector(
    samples: Samples, pose: Pose, root: Array, previous_root: Array
) -> NDArray[np.float32]:
    """Return (…, 480) of a frame from world samples and the world pose of the same frame.

    The trajectory is told from the frame's own root, the bones from the root one frame earlier.
    """
    return pack_input(samples_to_root(samples, root), pose_to_root(pose, previous_root))


def output_vector(
    next_samples: Samples, next_pose: Pose, root: Array, next_root: Array
) -> NDArray[np.float32]:
    """Return (…, 363) of a frame from the next frame's 6 world samples and world pose.

    The trajectory is told from the next root; bones and root motion from the current one.
    """
    return pack_output(
        Output(
            samples_to_root(next_samples, next_root),
            pose_to_root(next_pose, root),
            root_motion(root, next_root),
        )
    )


def _rows(vector: NDArray[np.floating], count: int) -> Array:
    return vector.reshape(*vector.shape[:-1], count, -1).astype(np.float64)


def _joined(samples: Array, bones: Array) -> Array:
    flat = [rows.reshape(*rows.shape[:-2], -1) for rows in (samples, bones)]
    return np.concatenate(flat, axis=-1)


def _bone_rows(pose: Pose) -> Array:
    parts = (pose.positions_m, pose.forward, pose.up, pose.velocities_m_s)
    return np.concatenate(parts, axis=-1)


def _pose(rows: Array) -> Pose:
    return Pose(rows[..., 0:3], rows[..., 3:6], rows[..., 6:9], rows[..., 9:12])


def flipped(
    positions_m: Array, quaternions_xyzw: Array, *, left_handed: bool = True
) -> tuple[Array, Array]:
    """Convert (…, 3) places and (…, 4) quaternions to a left-handed engine's frame (+X right).

    Negates x of places and y, z of quaternions: the same animal, not its mirror image. Its own
    inverse; nothing changes where left_handed is False.
    """
    if not left_handed:
        return positions_m, quaternions_xyzw
    return positions_m * np.array([-1.0, 1.0, 1.0]), quaternions_xyzw * np.array(
        [1.0, -1.0, -1.0, 1.0]
    )

"""The network's vectors: records in, 480 and 363 numbers out, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motion.features.frames import pose_to_root, root_motion, samples_to_root
from motion.features.layout import (
    DIRECTION,
    INPUT_BONES,
    INPUT_SAMPLES,
    OUT_SAMPLES,
    OUTPUT_BONES,
    OUTPUT_ROOT,
    OUTPUT_SAMPLES,
    POSITION,
    SAMPLES,
    SPEED,
    STYLE,
    VELOCITY,
    Array,
    Output,
    Pose,
    Samples,
)
from motion.skeleton import BONE_COUNT


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

"""From one ground frame to another: samples and poses told from a root, roots moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from motion.features.layout import FPS, Array, Pose, Samples
from motion.skeleton import QUADRUPED


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

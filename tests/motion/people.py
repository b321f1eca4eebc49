"""Humanoid motions of known rotations, for tests."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from motion.clip import Clip, continuous
from motion.humanoid.body import HUMANOID


def person(frames: int, turns: dict[str, np.ndarray], root: np.ndarray, fps: float = 20.0) -> Clip:
    """Return a clip with Euler angles XYZ (T, 3) in degrees for the joints named, else rest."""
    rotations = np.zeros((frames, len(HUMANOID), 4))
    rotations[..., 3] = 1.0
    for name, angles in turns.items():
        angles = np.broadcast_to(angles, (frames, 3))
        quaternions = Rotation.from_euler("YXZ", angles[:, [1, 0, 2]], degrees=True).as_quat()
        rotations[:, HUMANOID.index(name)] = quaternions
    return Clip(HUMANOID, root, continuous(rotations), fps)


def walker(frames: int = 60, turn_deg: float = 0.0, fps: float = 20.0) -> Clip:
    """Return a person walking with bending knees and elbows while turning by `turn_deg`."""
    phase = 2 * np.pi * np.arange(frames) / fps
    zero, swing = np.zeros(frames), 25 * np.sin(phase)
    yaw = np.linspace(0, turn_deg, frames)
    root = np.zeros((frames, 3))
    step = np.stack([np.sin(np.radians(yaw)), 0 * yaw, np.cos(np.radians(yaw))], 1) * 1.2 / fps
    root[1:] = np.cumsum(step[:-1], axis=0)
    root[:, 1] = HUMANOID.offsets_m[0, 1] - 0.02
    knee = 30 + 25 * np.sin(phase + 1)
    turns = {
        "pelvis": np.stack([zero, yaw + 5 * np.sin(phase), zero], 1),
        "spine2": np.stack([zero, -8 * np.sin(phase), zero], 1),
        "left_hip": np.stack([-15 + swing, zero + 6, zero], 1),
        "right_hip": np.stack([-15 - swing, zero - 6, zero], 1),
        "left_knee": np.stack([knee, zero, zero], 1),
        "right_knee": np.stack([60 - knee, zero, zero], 1),
        "left_ankle": np.stack([-swing / 3, zero, zero], 1),
        "left_shoulder": np.stack([swing, zero, zero - 70], 1),
        "right_shoulder": np.stack([-swing, zero, zero + 70], 1),
        "left_elbow": np.stack([zero, zero - 40 - swing, zero], 1),
        "right_elbow": np.stack([zero, zero + 40 - swing, zero], 1),
    }
    return person(frames, turns, root, fps)


def encode(positions: np.ndarray) -> np.ndarray:
    """Return HumanML3D vectors (T - 1, 263) of positions; the blocks nobody decodes are zero.

    The inverse of the decoding rule: half turns about -Y, root velocity in the frame turned to.
    The first frame must face +Z over the origin.
    """
    across = positions[:, 1] - positions[:, 2] + positions[:, 16] - positions[:, 17]
    yaw = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    back = Rotation.from_rotvec(np.outer(-yaw, [0, 1, 0]))
    vectors = np.zeros((len(positions) - 1, 263))
    vectors[:, 0] = -np.diff(yaw) / 2
    vectors[:, 1:3] = back[1:].apply(np.diff(positions[:, 0], axis=0))[:, [0, 2]]
    vectors[:, 3] = positions[:-1, 0, 1]
    local = positions[:, 1:] - positions[:, :1] * [1, 0, 1]
    local = np.einsum("tij,tnj->tni", back.as_matrix(), local)[:-1]
    vectors[:, 4:67] = local.reshape(len(local), 63)
    return vectors

"""Text-to-motion results as clips: `read_joints(path)` gives what BVH and GLB writers take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from motion.clip import Clip, local_rotations
from motion.humanoid import body as humanoid
from motion.humanoid.joint_files import read_positions
from motion.humanoid.pose import fit_rotations, rigid_children, solve_rotations
from motion.skeleton import Skeleton

Array = NDArray[np.float64]

SOURCE_FPS = 20.0
_FPS_BAND = (1.0, 240.0)


def read_joints(
    path: Path,
    *,
    mean: Path | None = None,
    std: Path | None = None,
    normalised: bool = True,
    source_fps: float = SOURCE_FPS,
    fps: float | None = 60.0,
    name: str | None = None,
) -> Clip:
    """Return the motion in an npy file as a clip of the 22-joint humanoid, feet on the ground.

    Args:
        path: (T, 22, 3) positions or (T, 263) vectors.
        mean: (263,) mean of the vectors, see `read_positions`.
        std: (263,) standard deviation of the vectors.
        normalised: False where vectors are in metres already.
        source_fps: the file's own rate: 20 for everything trained on HumanML3D.
        fps: the clip's rate, resampled along the shortest rotations; None: the file's own. Feet are
            best locked after it.
        name: what the clip is called; None: the file's name.

    Raises:
        InputError: one line naming the file, what was found and what was wanted.
    """
    path = Path(path)
    for field, value in (("source_fps", source_fps), ("fps", fps or source_fps)):
        if not (np.isfinite(value) and _FPS_BAND[0] <= value <= _FPS_BAND[1]):
            raise InputError(f"{path}: {field} {value}; wanted {_FPS_BAND[0]:g}-{_FPS_BAND[1]:g}")
    positions = read_positions(path, mean=mean, std=std, normalised=normalised)
    clip = clip_from_positions(grounded(positions), source_fps, name or path.stem)
    if fps is None or fps == source_fps:
        return clip
    from motion.editing.resample import resample

    return resample(clip, fps)


def clip_from_positions(positions_m: Array, fps: float, name: str = "motion") -> Clip:
    """Return joint positions (T, 22, 3) as a clip with constant bone lengths.

    Bone lengths are the medians over the clip; twists are solved (`humanoid_pose`).
    """
    skeleton = fit_skeleton(positions_m)
    turns = solve_rotations(skeleton, positions_m)
    ahead = turns[:, humanoid.PELVIS, :, 2]
    yaw = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))
    ground = np.column_stack([positions_m[:, 0, 0], positions_m[:, 0, 2], yaw])
    rotations = local_rotations(skeleton, turns)
    return Clip(skeleton, positions_m[:, 0].copy(), rotations, fps, name, (), ground)


def grounded(positions_m: Array) -> Array:
    """Lift or lower the motion so that the carrying foot is at its height over y = 0.

    The data set puts the lowest foot joint of a clip at 0, which is inside the shoe. A low
    percentile of the lower foot stands for the ground, so one bad frame does not move it.
    """
    lower = positions_m[:, list(humanoid.FEET), 1].min(axis=1)
    floor = np.percentile(lower, 10.0)
    return positions_m + np.array([0.0, humanoid.FOOT_HEIGHT_M - floor, 0.0])


def fit_skeleton(positions_m: Array) -> Skeleton:
    """Return the humanoid with the bone lengths of positions (T, 22, 3), the medians over time.

    Joints with three children (pelvis, chest) take the mean shape of the three (generalised
    Procrustes), turned as in the standard rest pose; single bones keep their rest direction.
    """
    offsets = humanoid.HUMANOID.offsets_m.copy()
    parents = humanoid.HUMANOID.parents
    for joint in range(1, len(parents)):
        bones = np.linalg.norm(positions_m[:, joint] - positions_m[:, parents[joint]], axis=1)
        offsets[joint] *= np.median(bones) / np.linalg.norm(offsets[joint])
    for joint, children in rigid_children().items():
        rows = list(children)
        standard = shape = offsets[rows]
        seen = positions_m[:, rows] - positions_m[:, [joint]]
        for _ in range(3):
            turns = fit_rotations(shape, seen)
            shape = np.median(np.einsum("tji,tnj->tni", turns, seen), axis=0)
        upright = fit_rotations(shape, standard[None])[0]
        offsets[rows] = shape @ upright.T
    return humanoid.with_offsets(offsets)

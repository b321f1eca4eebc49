"""A clip: arrays and a skeleton. Everything that is exported is one of these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from motion.skeleton import Skeleton


@dataclass(frozen=True)
class Section:
    """A named part of a clip: frames first to last - 1, one command of the script."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Clip:
    """T poses of a skeleton of J joints at a fixed rate.

    Attributes:
        skeleton: rest pose and parents.
        root_positions_m: (T, 3) place of joint 0 in the world.
        rotations_xyzw: (T, J, 4) unit quaternions relative to the parent (joint 0: to the world),
            identity in the rest pose. Consecutive frames of a joint have dot product >= 0.
        fps: poses a second.
        name: what the clip is called in files.
        sections: the parts a script made, in order; () for one nameless part.
        ground: (T, 3) x_m, z_m, yaw_rad of the character's place on the ground, or None where it is
            not known; yaw turns about +Y, 0 looks along +Z.
    """

    skeleton: Skeleton
    root_positions_m: NDArray[np.float64]
    rotations_xyzw: NDArray[np.float64]
    fps: float
    name: str = "clip"
    sections: tuple[Section, ...] = ()
    ground: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.root_positions_m)

    @property
    def seconds(self) -> float:
        """Time from the first pose to the last."""
        return (len(self) - 1) / self.fps


def world_pose(clip: Clip) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the joints' places (T, J, 3) and rotations from rest (T, J, 3, 3) in the world."""
    frames, joints = clip.rotations_xyzw.shape[:2]
    local = Rotation.from_quat(clip.rotations_xyzw.reshape(-1, 4)).as_matrix()
    local = local.reshape(frames, joints, 3, 3)
    places, turns = np.zeros((frames, joints, 3)), np.zeros((frames, joints, 3, 3))
    for joint, parent in enumerate(clip.skeleton.parents):
        if parent < 0:
            places[:, joint], turns[:, joint] = clip.root_positions_m, local[:, joint]
            continue
        turns[:, joint] = turns[:, parent] @ local[:, joint]
        offset = clip.skeleton.offsets_m[joint]
        places[:, joint] = places[:, parent] + turns[:, parent] @ offset
    return places, turns


def local_rotations(skeleton: Skeleton, turns_world: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, J, 4) quaternions relative to the parents of (T, J, 3, 3) rotations from rest.

    End sites get the identity: they have no rotation of their own.
    """
    frames, joints = turns_world.shape[:2]
    local = turns_world.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            local[:, joint] = turns_world[:, parent].swapaxes(-1, -2) @ turns_world[:, joint]
    local[:, skeleton.sites] = np.eye(3)
    quaternions = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat()
    return continuous(quaternions.reshape(frames, joints, 4))


def continuous(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Flip signs along the first axis so that neighbours never have a negative dot product."""
    dots = np.einsum("t...k,t...k->t...", quaternions[1:], quaternions[:-1])
    signs = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    return np.concatenate([quaternions[:1], quaternions[1:] * signs[..., None]])

"""What a controlled run leaves behind, frame by frame, exactly as the network said it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motion.clip import Clip, Section, local_rotations, world_pose
from motion.feet.leg_ik import Leg, moved_leg
from motion.skeleton import LEGS, PAWS, QUADRUPED, REST_AXES


@dataclass(frozen=True)
class Rollout:
    """T frames of the quadruped under a script.

    Attributes:
        ground: (T, 3) x_m, z_m, yaw_rad of the root on the ground after each frame.
        positions_m: (T, 27, 3) bones in the world; lengths are the network's, not kept exactly.
        axes: (T, 27, 3, 3) the network's bone axes in the world, columns X, Y (up), Z (forward).
        experts: (T, 8) blend weights, each row sums to 1.
        trajectory: (T, 12, 4) x_m, z_m, direction x, direction z of the samples in the world.
        styles: (T, 6) styles at the root: idle, move, jump, sit, stand, lie.
        wanted: (T, 3) commanded speed (m/s), heading (rad, nan where the script asks for none)
            and turn rate (rad/s, left positive).
        sections: one for each command of the script.
        fps: frames a second; the controller's own 60.
    """

    ground: NDArray[np.float64]
    positions_m: NDArray[np.float64]
    axes: NDArray[np.float64]
    experts: NDArray[np.float64]
    trajectory: NDArray[np.float64]
    styles: NDArray[np.float64]
    wanted: NDArray[np.float64]
    sections: tuple[Section, ...] = ()
    fps: float = 60.0

    def __len__(self) -> int:
        return len(self.ground)


def clip_from_rollout(rollout: Rollout, name: str) -> Clip:
    """Return the run as a clip: the skeleton's bone lengths, hips and paws where predicted.

    Predicted bones stretch by millimetres to centimetres. With rotations alone that would add up
    at the paws, which would slide and sink more than the network meant; so the legs are bent until
    the paws are at their predicted places, as far as they reach.
    """
    turns = rollout.axes @ REST_AXES.swapaxes(-1, -2)
    clip = Clip(
        QUADRUPED,
        rollout.positions_m[:, 0],
        local_rotations(QUADRUPED, turns),
        rollout.fps,
        name,
        rollout.sections,
        rollout.ground,
    )
    places, turns = world_pose(clip)
    for paw, joints in zip(PAWS, LEGS, strict=True):
        top, middle, ankle = joints
        leg = Leg(
            (places[:, top], places[:, middle], places[:, ankle], places[:, paw]),
            (turns[:, top], turns[:, middle], turns[:, ankle]),
        )
        reached = moved_leg(leg, rollout.positions_m[:, paw])
        for joint, turn in zip(joints, reached.turns, strict=True):
            turns[:, joint] = turn
    return replace(clip, rotations_xyzw=local_rotations(QUADRUPED, turns))

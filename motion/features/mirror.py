"""The same motion of the mirrored animal: left and right exchanged, for twice the training data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motion.features.vectors import (
    Array,
    Output,
    Pose,
    Samples,
    pack_input,
    pack_output,
    unpack_input,
    unpack_output,
)
from motion.skeleton import QUADRUPED, REST_AXES


def _counterparts() -> tuple[list[int], Array, Array]:
    """Return each bone's mirror bone, and the signs of its own forward and up when mirrored."""
    swap = {"Left": "Right", "Right": "Left"}
    others = []
    for name in QUADRUPED.names:
        side = next((word for word in swap if name.startswith(word)), "")
        others.append(QUADRUPED.index(swap.get(side, "") + name[len(side) :]))
    mirror = np.diag([-1.0, 1.0, 1.0])
    # A mirrored axis is the other bone's reflected one, with the sign that the rest pose shows.
    images = np.einsum("ij,bjk->bik", mirror, REST_AXES[others])
    signs = np.sign(np.einsum("bik,bik->bk", images, REST_AXES))
    return others, signs[:, 2:3], signs[:, 1:2]


_OTHERS, _FORWARD_SIGNS, _UP_SIGNS = _counterparts()
_GROUND_MIRROR, _SPACE_MIRROR = np.array([-1.0, 1.0]), np.array([-1.0, 1.0, 1.0])


def mirrored_samples(samples: Samples) -> Samples:
    """Return the samples with left and right exchanged (world or root-relative alike)."""
    return Samples(
        samples.positions_m * _GROUND_MIRROR,
        samples.directions * _GROUND_MIRROR,
        samples.velocities_m_s * _GROUND_MIRROR,
        samples.speeds_m_s,
        samples.styles,
    )


def mirrored_pose(pose: Pose) -> Pose:
    """Return the pose with left and right exchanged: bones swapped, x negated, axes kept proper."""
    return Pose(
        pose.positions_m[..., _OTHERS, :] * _SPACE_MIRROR,
        pose.forward[..., _OTHERS, :] * _SPACE_MIRROR * _FORWARD_SIGNS,
        pose.up[..., _OTHERS, :] * _SPACE_MIRROR * _UP_SIGNS,
        pose.velocities_m_s[..., _OTHERS, :] * _SPACE_MIRROR,
    )


def mirrored_input(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the (…, 480) input of the mirrored animal."""
    samples, pose = unpack_input(vector)
    return pack_input(mirrored_samples(samples), mirrored_pose(pose))


def mirrored_output(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the (…, 363) output of the mirrored animal."""
    output = unpack_output(vector)
    motion = output.root_motion * np.array([-1.0, -1.0, 1.0])
    return pack_output(Output(mirrored_samples(output.samples), mirrored_pose(output.pose), motion))

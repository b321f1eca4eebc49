"""Where a clip's character stands and faces on the ground, when the clip itself does not say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from motion.clip import Clip

#: The body sways and nods with every stride; its place on the ground should not.
SMOOTHING_S = 0.25


def ground_track(clip: Clip, smoothing_s: float = SMOOTHING_S) -> NDArray[np.float64]:
    """Return (T, 3) x_m, z_m, yaw_rad: the clip's own where it has one, else found from joint 0.

    The yaw is joint 0's turn about +Y (its swing apart), 0 where it faces +Z as in the rest pose,
    without jumps of a turn; place and yaw are smoothed by a Gaussian of `smoothing_s`.
    """
    if clip.ground is not None:
        return np.column_stack([clip.ground[:, :2], np.unwrap(clip.ground[:, 2])])
    hips = clip.rotations_xyzw[:, 0]
    yaw = np.unwrap(2.0 * np.arctan2(hips[:, 1], hips[:, 3]))
    track = np.column_stack([clip.root_positions_m[:, [0, 2]], yaw])
    return np.asarray(gaussian_filter1d(track, smoothing_s * clip.fps, axis=0, mode="nearest"))


def at_origin(clip: Clip) -> Clip:
    """Return the clip moved and turned so that it starts on the origin, facing +Z."""
    ground = ground_track(clip)
    x, z, yaw = ground[0]
    back = Rotation.from_rotvec([0.0, -yaw, 0.0])
    rotations = clip.rotations_xyzw.copy()
    rotations[:, 0] = (back * Rotation.from_quat(rotations[:, 0])).as_quat()
    flat = np.column_stack([ground[:, 0] - x, np.zeros(len(ground)), ground[:, 1] - z])
    places = back.apply(flat)
    return replace(
        clip,
        root_positions_m=back.apply(clip.root_positions_m - [x, 0.0, z]),
        rotations_xyzw=rotations,
        ground=np.column_stack([places[:, 0], places[:, 2], ground[:, 2] - yaw]),
    )


def relative_to_ground(
    clip: Clip, ground: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return joint 0's (T, 3) places and (T, 4) rotations seen from the ground track."""
    back = Rotation.from_rotvec(
        np.column_stack([0 * ground[:, 2], -ground[:, 2], 0 * ground[:, 2]])
    )
    flat = np.column_stack([ground[:, 0], np.zeros(len(ground)), ground[:, 1]])
    turned = back * Rotation.from_quat(clip.rotations_xyzw[:, 0])
    return back.apply(clip.root_positions_m - flat), turned.as_quat()

"""Clips put elsewhere on the ground: at a place, or so that one goes on where another ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from motion.clip import Clip, continuous
from motion.editing.ground import ground_track

Array = NDArray[np.float64]

_UP = np.array([0.0, 1.0, 0.0])


def continued(before: Clip, after: Clip, *, seconds: float = 0.0) -> Clip:
    """Return `after` moved and turned on the ground so that it goes on where `before` ends.

    Its first pose stands where the ground track of `before` is `seconds` after its end, at its last
    speed and turn rate.
    """
    track, start = ground_track(before), ground_track(after)[0]
    rate = (track[-1] - track[-2]) * before.fps
    heading = float(track[-1, 2] + rate[2] * seconds / 2.0)  # of the middle of the gap
    local = _turned(rate[:2], -float(track[-1, 2]))
    place = track[-1, :2] + _turned(local, heading) * seconds
    turn = float(track[-1, 2] + rate[2] * seconds - start[2])
    return moved(after, turn, start[:2], place)


def moved(clip: Clip, turn_rad: float, pivot_xz: Array, place_xz: Array) -> Clip:
    """Return the clip turned about +Y at a point of the ground, which then lies at `place_xz`."""
    turn = Rotation.from_rotvec(turn_rad * _UP)
    pivot, place = (np.array([point[0], 0.0, point[1]]) for point in (pivot_xz, place_xz))
    rotations = clip.rotations_xyzw.copy()
    rotations[:, 0] = continuous((turn * Rotation.from_quat(rotations[:, 0])).as_quat())
    ground = None
    if clip.ground is not None:
        spots = clip.ground[:, :2] - pivot_xz
        spots = _turned(spots, turn_rad) + place_xz
        ground = np.column_stack([spots, clip.ground[:, 2] + turn_rad])
    root = turn.apply(clip.root_positions_m - pivot) + place
    return replace(clip, root_positions_m=root, rotations_xyzw=rotations, ground=ground)


def _turned(spots_xz: Array, yaw_rad: float) -> Array:
    """Turn (..., 2) x, z by a yaw: +Z goes to (sin, cos)."""
    x, z = spots_xz[..., 0], spots_xz[..., 1]
    cosine, sine = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.stack([x * cosine + z * sine, z * cosine - x * sine], axis=-1)

"""How good a motion is: feet, ground, bones, smoothness; pure functions of places and clips.

Feet are (T, F, 3) places in the world in metres, F feet; heights are over y = 0. A foot's contact
height is the height of its joint while it stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.clip import Clip, world_pose
from motion.humanoid import body as humanoid
from motion.skeleton import LEGS, PAW_HEIGHT_M, PAWS, QUADRUPED, Skeleton

Array = NDArray[np.float64]

#: Height over contact up to which a foot's sliding counts (H of the skating measure).
SKATING_HEIGHT_M = 0.025
#: A foot stands when it is lower than this over its contact height and slower than the sum of a
#: constant and a share of the body's speed; a foot in swing moves at about twice the body's speed.
#: On procedural gaits, whose contacts are known, this finds 4 % (walk) to 12 % (canter, where a
#: stance is 6 frames) more than there are.
_STANDING_HEIGHT_M, _STANDING_M_S, _STANDING_SHARE = 0.025, 0.1, 0.1
#: Share of the lowest frames that tells a foot's contact height when the skeleton does not.
_CONTACT_PERCENTILE = 2.0


@dataclass(frozen=True)
class Feet:
    """Which joints carry the body.

    Attributes:
        joints: F joint numbers; names: what to call them.
        legs: for each foot the joints above it that bend.
        contact_height_m: (F,) height of the joints while they stand.
    """

    joints: tuple[int, ...]
    names: tuple[str, ...]
    legs: tuple[tuple[int, ...], ...]
    contact_height_m: Array


def feet_of(clip: Clip) -> Feet:
    """Return the feet of a clip: known for our two skeletons, else the leaves nearest the ground.

    For a foreign skeleton a foot is a leaf that comes within a tenth of the body's height of the
    lowest leaf; its contact height is a low percentile of its own heights, foot by foot, because
    captured paws have markers at different heights.
    """
    skeleton = clip.skeleton
    if skeleton.names == QUADRUPED.names:
        names = ("left_fore", "right_fore", "left_hind", "right_hind")
        return Feet(PAWS, names, LEGS, np.full(len(PAWS), PAW_HEIGHT_M))
    if len(skeleton) == len(humanoid.HUMANOID) and np.array_equal(
        skeleton.parents, humanoid.HUMANOID.parents
    ):
        legs = tuple(leg[:3] for leg in humanoid.LEGS)
        heights = np.full(len(legs), humanoid.FOOT_HEIGHT_M)
        return Feet(humanoid.FEET, ("left", "right"), legs, heights)
    places, _ = world_pose(clip)
    leaves = np.setdiff1d(np.arange(len(skeleton)), skeleton.parents)
    # An end site without length, as files have them below a toe, is no foot: its parent is.
    empty = np.linalg.norm(skeleton.offsets_m[leaves], axis=1) < 1e-6
    leaves = np.unique(np.where(empty, skeleton.parents[leaves], leaves))
    lows = np.percentile(places[:, leaves, 1], _CONTACT_PERCENTILE, axis=0)
    tall = float(np.median(np.ptp(places[:, :, 1], axis=1)))
    feet = [
        int(leaf) for leaf, low in zip(leaves, lows, strict=True) if low < lows.min() + tall / 10
    ]
    return Feet(
        tuple(feet),
        tuple(skeleton.names[foot] for foot in feet),
        tuple(_above(skeleton, foot) for foot in feet),
        np.percentile(places[:, feet, 1], _CONTACT_PERCENTILE, axis=0),
    )


def _above(skeleton: Skeleton, foot: int, count: int = 3) -> tuple[int, ...]:
    chain: list[int] = []
    joint = int(skeleton.parents[foot])
    while joint > 0 and len(chain) < count:
        chain.append(joint)
        joint = int(skeleton.parents[joint])
    return tuple(reversed(chain))


def foot_skating_m_s(feet_m: Array, contact_height_m: Array, fps: float) -> Array:
    """Return (F,) mean of |v_xz| (2 - 2^clamp(h / H, 0, 1)) over the frames, H = 2.5 cm.

    The weight is 1 on the ground and 0 from H up (Zhang et al., SIGGRAPH 2018).
    """
    speed = horizontal_speed_m_s(feet_m, fps)
    height = (feet_m[1:, :, 1] + feet_m[:-1, :, 1]) / 2.0 - contact_height_m
    weight = 2.0 - 2.0 ** np.clip(height / SKATING_HEIGHT_M, 0.0, 1.0)
    return np.asarray(np.mean(speed * weight, axis=0))


def skating_ratio(feet_m: Array, fps: float) -> float:
    """Return the share of frames in which some foot under 5 cm moves faster than 0.5 m/s.

    The measure of the text-to-motion papers, which say 2.5 cm a frame at 20 frames a second
    (Karunratanakul et al., ICCV 2023).
    """
    low = np.maximum(feet_m[1:, :, 1], feet_m[:-1, :, 1]) < 0.05
    return float(np.mean(np.any(low & (horizontal_speed_m_s(feet_m, fps) > 0.5), axis=1)))


def horizontal_speed_m_s(places_m: Array, fps: float) -> Array:
    """Return (T - 1, F) speeds over ground."""
    return np.asarray(np.linalg.norm(np.diff(places_m[..., [0, 2]], axis=0), axis=-1) * fps)


def standing(
    feet_m: Array, body_m: Array, contact_height_m: Array, fps: float
) -> NDArray[np.bool_]:
    """Return (T, F) whether each foot stands: low, and slow against the body (T, 3)."""
    slow_m_s = _STANDING_M_S + _STANDING_SHARE * _at_frames(horizontal_speed_m_s(body_m, fps))
    slow = _at_frames(horizontal_speed_m_s(feet_m, fps)) < slow_m_s[:, None]
    low = feet_m[..., 1] - contact_height_m < _STANDING_HEIGHT_M
    return np.asarray(low & slow)


def _at_frames(between: Array) -> Array:
    """Return (T, ...) means of the steps to and from each frame, from values (T - 1, ...)."""
    to, leaving = np.concatenate([between[:1], between]), np.concatenate([between, between[-1:]])
    return np.asarray((to + leaving) / 2.0)


def penetration_m(feet_m: Array, contact_height_m: Array) -> Array:
    """Return (T, F) how far each foot is under the height at which it stands; 0 above."""
    return np.asarray(np.maximum(contact_height_m - feet_m[..., 1], 0.0))


def bone_length_errors_m(places_m: Array, skeleton: Skeleton) -> Array:
    """Return (T, J - 1) how far each bone of places (T, J, 3) is from its length."""
    bones = places_m[:, 1:] - places_m[:, skeleton.parents[1:]]
    wanted = np.linalg.norm(skeleton.offsets_m[1:], axis=1)
    return np.asarray(np.abs(np.linalg.norm(bones, axis=2) - wanted))


def jerk_m_s3(places_m: Array, fps: float) -> float:
    """Return the mean size of the third derivative of places (T, J, 3); 0 for under 4 frames."""
    if len(places_m) < 4:
        return 0.0
    return float(np.linalg.norm(np.diff(places_m, 3, axis=0) * fps**3, axis=2).mean())


def joint_motion_deg(clip: Clip, joints: tuple[int, ...]) -> Array:
    """Return (T - 1, N) how far joints turned against their parents, in degrees a 1/60 s.

    Its mean over leg joints is the inverse measure of leg stiffness of Zhang et al. (2018).
    """
    turned = clip.rotations_xyzw[:, list(joints)]
    dots = np.abs(np.einsum("tjk,tjk->tj", turned[1:], turned[:-1]))
    chord = np.sqrt(np.maximum(1.0 - dots**2, 0.0))  # exact for small angles, unlike arccos
    return np.asarray(np.degrees(2.0 * np.arctan2(chord, dots)) * clip.fps / 60.0)


def longest_freeze_s(
    clip: Clip, asked_to_move: NDArray[np.bool_], *, least_deg: float = 0.1
) -> float:
    """Return the longest time in which a clip asked to move does not move its legs.

    Args:
        clip: the motion.
        asked_to_move: (T,) frames in which legs must move.
        least_deg: legs whose joints turn less than this a 1/60 s, on average over half a second,
            stand still. Slow walking turns them by 1 or more.
    """
    joints = tuple(joint for leg in feet_of(clip).legs for joint in leg)
    motion = joint_motion_deg(clip, joints).mean(axis=1)
    window = max(1, round(clip.fps / 2))
    smooth = np.convolve(np.pad(motion, window, mode="edge"), np.ones(window) / window, "same")
    still = (smooth[window:-window] < least_deg) & asked_to_move[1:]
    longest = run = 0
    for frame in still:
        run = run + 1 if frame else 0
        longest = max(longest, run)
    return longest / clip.fps


def largest_move_m(before: Clip, after: Clip) -> float:
    """Return the farthest that any joint of a clip was moved, as by the foot lock."""
    first, second = world_pose(before)[0], world_pose(after)[0]
    return float(np.linalg.norm(second - first, axis=2).max())

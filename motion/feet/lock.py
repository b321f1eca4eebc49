"""Hold standing feet where they stand: a named step of the export that never feeds back.

A network's feet slide by centimetres while they should stand. Here each contact gets one place on
the ground, the foot is brought there by leg inverse kinematics, and the correction fades in before
the contact and out after it (the idea of Kovar et al., Footskate Cleanup for Motion Capture
Editing, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from motion.clip import Clip, local_rotations, world_pose
from motion.feet.contacts import found_contacts
from motion.feet.holding import LockSettings, moves_to_spots, without_drag
from motion.feet.leg_ik import Leg, moved_leg
from motion.measures.pose import feet_of
from motion.skeleton import Skeleton

Array = NDArray[np.float64]

#: How often a leg is solved again with a shorter way.
_ATTEMPTS = 4
#: How far a paw may bend where a leg is so straight that its knee would have to move too far.
_BENDS_RAD = np.array([sign * 0.05 * n for n in range(1, 13) for sign in (1.0, -1.0)])


@dataclass(frozen=True)
class Locked:
    """A clip with held feet.

    Attributes:
        clip: the clip; root, spine, neck, tail and all bone lengths as they were.
        contacts: (T, F) bool, which foot stands; F in the order of `motion.measures.feet_of`.
        largest_move_m: how far the step moved any joint at any time.
        fell_short_m: how far at most a foot stayed from where it was to go, out of the leg's reach.
    """

    clip: Clip
    contacts: NDArray[np.bool_]
    largest_move_m: float
    fell_short_m: float


def lock_feet(
    clip: Clip,
    *,
    contacts: NDArray[np.bool_] | None = None,
    feet_m: Array | None = None,
    settings: LockSettings | None = None,
) -> Locked:
    """Return the clip with standing feet held and no foot under the ground.

    Works on the quadruped, the humanoid and on foreign skeletons whose feet have three joints
    above them; a clip without such feet comes back as it is.

    Args:
        clip: any clip.
        contacts: (T, F) where it is known which foot stands; found by `motion.feet.contacts`
            otherwise.
        feet_m: (T, F, 3) places in which contacts are looked for, by default the clip's own. A
            network's predicted feet (`rollout.positions_m[:, PAWS]`) are steadier than those that
            its joint angles and fixed bones lead to.
        settings: thresholds and times.
    """
    settings = settings or LockSettings()
    feet = feet_of(clip)
    places, turns = world_pose(clip)
    own = places[:, list(feet.joints)]
    if contacts is None:
        seen = own if feet_m is None else feet_m
        contacts = found_contacts(seen, places[:, 0], clip.fps, settings.contacts)
        contacts = without_drag(contacts, own, feet.contact_height_m, clip.fps, settings)
    if contacts.shape != own.shape[:2]:
        raise ValueError(f"contacts: found {contacts.shape}, wanted {own.shape[:2]}")
    new_turns = turns.copy()
    short = 0.0
    for number, (foot, joints) in enumerate(zip(feet.joints, feet.legs, strict=True)):
        if len(joints) != 3:
            continue
        floor = float(feet.contact_height_m[number])
        leg = Leg(
            tuple(places[:, joint] for joint in (*joints, foot)),  # type: ignore[arg-type]
            tuple(turns[:, joint] for joint in joints),  # type: ignore[arg-type]
        )
        moves = moves_to_spots(own[:, number], contacts[:, number], floor, clip.fps, settings)
        moved, goal = _moved_within(leg, moves, floor, clip.fps, settings)
        for joint, turn in zip(joints, moved.turns, strict=True):
            new_turns[:, joint] = turn
        short = max(short, float(np.linalg.norm(moved.places[3] - goal, axis=1).max(initial=0.0)))
    result = replace(clip, rotations_xyzw=_rotations(clip.skeleton, clip, new_turns))
    after, _ = world_pose(result)
    largest = float(np.linalg.norm(after - places, axis=-1).max(initial=0.0))
    return Locked(result, contacts, largest, short)


def _moved_within(
    leg: Leg, moves: Array, floor_m: float, fps: float, settings: LockSettings
) -> tuple[Leg, Array]:
    """Return the leg with its foot moved, and the goal, no joint moved farther than allowed.

    A bent knee may move twice as far as the foot. There the foot's way is cut short, softly in
    time; out of the ground it comes all the same.
    """
    foot = leg.places[3]
    for attempt in range(_ATTEMPTS):
        goal = foot + moves
        goal[:, 1] = np.maximum(goal[:, 1], floor_m)
        moved = moved_leg(leg, goal)
        farthest = _farthest(leg, moved)
        if attempt == _ATTEMPTS - 1 or farthest.max(initial=0.0) <= settings.farthest_m:
            break
        share = np.minimum(1.0, 0.95 * settings.farthest_m / np.maximum(farthest, 1e-9))
        near = max(round(0.05 * fps), 1)
        share = gaussian_filter1d(minimum_filter1d(share, 4 * near + 1), near, truncate=2.0)
        moves = moves * share[:, None]
    if farthest.max(initial=0.0) > settings.farthest_m:
        moved = moved_leg(leg, goal, _bends(leg, goal, farthest, fps, settings))
    return moved, goal


def _farthest(leg: Leg, moved: Leg) -> Array:
    """Return (T,) the longest way of a joint."""
    ways = [new - old for new, old in zip(moved.places, leg.places, strict=True)]
    return np.asarray(np.linalg.norm(ways, axis=2).max(axis=0))


def _bends(leg: Leg, goal: Array, farthest: Array, fps: float, settings: LockSettings) -> Array:
    """Return (T,) how far to bend the paw so that the knee of a straight leg moves less.

    Straight legs answer a short way of the foot with a long one of the knee; the smallest bend
    that avoids this is taken, and it comes and goes softly.
    """
    over = np.flatnonzero(farthest > settings.farthest_m)
    part = Leg(
        tuple(place[over] for place in leg.places),  # type: ignore[arg-type]
        tuple(turn[over] for turn in leg.turns),  # type: ignore[arg-type]
    )
    ways = np.array(
        [
            _farthest(part, moved_leg(part, goal[over], np.full(len(over), bend)))
            for bend in _BENDS_RAD
        ]
    )
    enough = np.argmax(ways <= 0.95 * settings.farthest_m, axis=0)
    best = np.where((ways <= 0.95 * settings.farthest_m).any(axis=0), enough, ways.argmin(axis=0))
    bends = np.zeros(len(goal))
    bends[over] = _BENDS_RAD[best]
    near = max(round(0.05 * fps), 1)
    soft = [
        gaussian_filter1d(
            maximum_filter1d(np.maximum(sign * bends, 0.0), 4 * near + 1), near, truncate=2.0
        )
        for sign in (1.0, -1.0)
    ]
    return np.asarray(soft[0] - soft[1])


def _rotations(skeleton: Skeleton, clip: Clip, turns: Array) -> Array:
    """Return local rotations, the clip's own wherever nothing was turned."""
    found = local_rotations(skeleton, turns)
    same = np.abs(np.einsum("tjk,tjk->tj", found, clip.rotations_xyzw)) > 1.0 - 1e-13
    whole = same.all(axis=0)  # a joint's own track, or the new one, never a mixture of signs
    return np.where(whole[None, :, None], clip.rotations_xyzw, found)

"""Hold standing feet where they stand: a named step of the export that never feeds back.

A network's feet slide by centimetres while they should stand. Here each contact gets one place on
the ground, the foot is brought there by leg inverse kinematics, and the correction fades in before
the contact and out after it (the idea of Kovar et al., Footskate Cleanup for Motion Capture
Editing, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from motion.clip import Clip, local_rotations, world_pose
from motion.feet.contacts import ContactSettings, found_contacts, intervals
from motion.feet.leg_ik import Leg, moved_leg
from motion.measures.table import feet_of
from motion.skeleton import Skeleton

Array = NDArray[np.float64]

#: How often a leg is solved again with a shorter way.
_ATTEMPTS = 4
#: A foot is carried higher from the first speed, wholly so at the sum of both, under this height.
_SLOW_M_S, _HURRY_M_S, _LOW_M = 0.3, 0.9, 0.06


@dataclass(frozen=True)
class LockSettings:
    """How feet are held.

    Attributes:
        contacts: when a foot stands.
        fade_s: how long a correction takes to fade in and out.
        leash_m: a foot that strays farther than this from its place drags it along.
        farthest_m: no joint is moved farther, but for what keeps a foot out of the ground.
        clearance_m: how much higher a foot that hurries low over the ground is carried.
    """

    contacts: ContactSettings = field(default_factory=ContactSettings)
    fade_s: float = 0.15
    leash_m: float = 0.026
    farthest_m: float = 0.029
    clearance_m: float = 0.012


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
        moves = _moves(own[:, number], contacts[:, number], floor, clip.fps, settings)
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
        farthest = np.max(
            [
                np.linalg.norm(new - old, axis=1)
                for new, old in zip(moved.places, leg.places, strict=True)
            ],
            axis=0,
        )
        if attempt == _ATTEMPTS - 1 or farthest.max(initial=0.0) <= settings.farthest_m:
            break
        share = np.minimum(1.0, 0.95 * settings.farthest_m / np.maximum(farthest, 1e-9))
        near = max(round(0.05 * fps), 1)
        share = gaussian_filter1d(minimum_filter1d(share, 4 * near + 1), near, truncate=2.0)
        moves = moves * share[:, None]
    return moved, goal


def _rotations(skeleton: Skeleton, clip: Clip, turns: Array) -> Array:
    """Return local rotations, the clip's own wherever nothing was turned."""
    found = local_rotations(skeleton, turns)
    same = np.abs(np.einsum("tjk,tjk->tj", found, clip.rotations_xyzw)) > 1.0 - 1e-13
    whole = same.all(axis=0)  # a joint's own track, or the new one, never a mixture of signs
    return np.where(whole[None, :, None], clip.rotations_xyzw, found)


def _moves(
    foot: Array, standing: NDArray[np.bool_], floor_m: float, fps: float, settings: LockSettings
) -> Array:
    """Return (T, 3) how to move a foot so that it is held in contact, fading in and out."""
    moves = np.zeros_like(foot)
    fade = max(round(settings.fade_s * fps), 1)
    spans = intervals(standing)
    for first, last in spans:
        spot = _spots(foot[first:last], floor_m, settings.leash_m)
        moves[first:last] = spot - foot[first:last]
    for number, (first, last) in enumerate(spans):
        before = spans[number - 1][1] if number else 0
        after = spans[number + 1][0] if number + 1 < len(spans) else len(foot)
        _fade(moves, range(first - 1, before - 1, -1), moves[first], fade)
        _fade(moves, range(last, after), moves[last - 1], fade)
    moves[:, 1] += np.where(standing, 0.0, _lift(foot, floor_m, fps, settings.clearance_m))
    return moves


def _lift(foot: Array, floor_m: float, fps: float, clearance_m: float) -> Array:
    """Return (T,) how much to raise a foot: the faster and the lower it is, the more.

    Networks blur the moments of lift-off and touch-down, and drag the foot over the ground there.
    """
    if len(foot) < 2:
        return np.zeros(len(foot))
    velocity = np.gradient(foot[:, [0, 2]], axis=0) * fps
    fast = np.clip((np.linalg.norm(velocity, axis=1) - _SLOW_M_S) / _HURRY_M_S, 0.0, 1.0)
    low = 1.0 - np.clip((foot[:, 1] - floor_m) / _LOW_M, 0.0, 1.0)
    return np.asarray(clearance_m * gaussian_filter1d(fast * low, 0.015 * fps, mode="nearest"))


def _fade(moves: Array, frames: range, move: Array, length: int) -> None:
    """Add a correction that fades with distance from the contact, gone at the next one."""
    length = min(length, len(frames) + 1)
    for steps, frame in enumerate(frames[: length - 1], 1):
        share = 1.0 - steps / length
        moves[frame] += move * share * share * (3.0 - 2.0 * share)


def _spots(foot: Array, floor_m: float, leash_m: float) -> Array:
    """Return (n, 3) places for the foot in one contact: one place, dragged if the foot strays.

    The place is the middle of what the foot covers in as many first frames as the leash allows.
    """
    low, high = np.minimum.accumulate(foot), np.maximum.accumulate(foot)
    reach = np.linalg.norm((high - low)[:, [0, 2]], axis=1) / 2.0
    held = max(int(np.searchsorted(reach, leash_m)) - 1, 0)
    spot = (low[held] + high[held]) / 2.0
    spot[1] = floor_m
    rise = np.minimum(np.abs(foot[:, 1] - floor_m), 0.8 * leash_m)
    free = np.sqrt(leash_m**2 - rise**2)  # what the way up or down leaves of the leash
    spots = np.zeros_like(foot)
    for frame, place in enumerate(foot):
        away = (place - spot) * [1.0, 0.0, 1.0]
        distance = float(np.linalg.norm(away))
        if distance > free[frame]:
            spot = spot + away * (1.0 - free[frame] / distance)
        spots[frame] = spot
    return spots

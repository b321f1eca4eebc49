"""Motion in-betweening: two clips joined by the poses between them, their ends untouched.

The second clip is continued backwards from its start, slowing down; what then separates it from
the end of the first, in place, rotation and speed, is a decaying offset (inertialised blending,
Bollo, GDC 2018): a quintic in time that starts with the difference in value and rate and ends with
value, rate and acceleration of zero. Rotations differ as rotation vectors, the heading by itself,
the shorter way round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from motion.clip import Clip, Section, continuous
from motion.editing.offsets import added, decayed, difference
from motion.editing.placement import continued
from motion.feet.steps import stepped

__all__ = ["between", "continued"]

Array = NDArray[np.float64]

#: Within this time a motion continued backwards loses all but 1/e of its speed: the body has
#: momentum, but a leg in swing that went on for longer would fold up.
_FADE_S, _LIMB_FADE_S = 0.15, 0.05
#: A joint's rate at the end of the first clip is gone after this time at most, for the same reason.
_LIMB_RATE_S = 0.2
_UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class _State:
    """A stretch of K frames in the coordinates in which offsets are taken.

    Attributes:
        root_m: (K, 3) place of joint 0.
        yaw_rad: (K,) heading, unwrapped.
        local: (K, J, 4) rotations, that of joint 0 without the heading.
        ground: (K, 3) x_m, z_m and yaw_rad of the clip's own ground track.
    """

    root_m: Array
    yaw_rad: Array
    local: Array
    ground: Array


def between(
    before: Clip,
    after: Clip,
    *,
    seconds: float = 0.5,
    settle_s: float = 0.0,
    steps: bool = True,
    name: str = "",
) -> Clip:
    """Return `before`, the poses between, and `after` as one clip.

    Args:
        before: kept as it is.
        after: kept as it is but for the first `settle_s` seconds.
        seconds: time from the last pose of `before` to the first of `after`; 0: the same moment.
        settle_s: how long the difference may live on in `after`.
        steps: feet that stand at an end of the gap step instead of gliding.
        name: of the new clip; "" joins the two names.

    Raises:
        InputError: other skeletons or rates, no time to blend in, clips of under two poses.
    """
    gap, settle = _check(before, after, seconds, settle_s)
    base = _extended(_state(after), gap + 1, before.fps)
    end = _state(_cut(before, len(before) - 2, len(before)))
    limb_frames = min(gap + settle, max(1, round(_LIMB_RATE_S * before.fps)))
    blended = _state_sum(base, _offsets(end, base, gap + settle, limb_frames))
    # base[0] is one frame before the last of `before`; its part from frame `gap + 1` is `after`.
    middle = _clip_of(blended, before)
    clip = _joined(before, middle, skip=2)
    if steps and gap > 1:
        clip = stepped(clip, len(before) - 1, len(before) - 1 + gap)
    label = name or f"{before.name}_to_{after.name}"
    first = len(before) + max(gap - 1, 0)
    tail = tuple(
        Section(part.name, part.first + first, part.last + first) for part in after.sections
    ) or (Section(after.name, first, len(clip)),)
    head = before.sections or (Section(before.name, 0, len(before)),)
    between = (Section("between", len(before), first),) if gap > 1 else ()
    return replace(clip, name=label, sections=(*head, *between, *tail))


def _check(before: Clip, after: Clip, seconds: float, settle_s: float) -> tuple[int, int]:
    names = f"in-between of {before.name} and {after.name}"
    if before.skeleton.names != after.skeleton.names or not np.allclose(
        before.skeleton.offsets_m[1:], after.skeleton.offsets_m[1:], atol=1e-6
    ):
        raise InputError(f"{names}: different skeletons; wanted the same joints and bone lengths")
    if before.fps != after.fps:
        raise InputError(f"{names}: {before.fps:g} and {after.fps:g} fps; wanted the same rate")
    if min(len(before), len(after)) < 2:
        raise InputError(f"{names}: {len(before)} and {len(after)} poses; wanted 2 or more each")
    if not (seconds >= 0 and settle_s >= 0 and seconds + settle_s > 0):
        raise InputError(f"{names}: seconds {seconds}, settle_s {settle_s}; wanted one above 0")
    gap, settle = round(seconds * before.fps), round(settle_s * before.fps)
    if gap + settle < 1 or settle >= len(after):
        raise InputError(
            f"{names}: gap of {gap} and settling over {settle} frames; wanted 1 or more together, "
            f"and no longer than the second clip's {len(after)} poses"
        )
    return gap, settle


def _cut(clip: Clip, first: int, last: int) -> Clip:
    ground = None if clip.ground is None else clip.ground[first:last]
    return replace(
        clip,
        root_positions_m=clip.root_positions_m[first:last],
        rotations_xyzw=clip.rotations_xyzw[first:last],
        sections=(),
        ground=ground,
    )


def _state(clip: Clip) -> _State:
    root = Rotation.from_quat(clip.rotations_xyzw[:, 0])
    ahead = root.apply([0.0, 0.0, 1.0])
    yaw = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))
    local = clip.rotations_xyzw.copy()
    local[:, 0] = (Rotation.from_rotvec(np.outer(-yaw, _UP)) * root).as_quat()
    ground = clip.ground
    if ground is None:
        ground = np.column_stack([clip.root_positions_m[:, [0, 2]], yaw])
    return _State(clip.root_positions_m, yaw, local, ground)


def _extended(state: _State, frames: int, fps: float) -> _State:
    """Continue a state backwards by so many frames, at its first speed fading away."""
    reach, limb_reach = (
        np.expm1(-np.arange(frames, 0, -1) / (fps * fade_s)) / -np.expm1(-1.0 / (fps * fade_s))
        for fade_s in (_FADE_S, _LIMB_FADE_S)
    )
    # A clip that is continued at the same moment needs the step before its first to the second
    # order, else one cut in two would not be itself; over a gap that would only feed noise.
    curved = frames == 1 and len(state.root_m) > 2

    def line(values: Array) -> Array:
        step = values[1] - values[0]
        if curved:
            step = 2.0 * step - (values[2] - values[1])
        return np.concatenate([values[0] + np.multiply.outer(reach, step), values])

    turn = difference(state.local[1], state.local[0])
    if curved:
        turn = 2.0 * turn - difference(state.local[2], state.local[1])
    ways = np.multiply.outer(limb_reach, turn)
    earlier = added(np.broadcast_to(state.local[0], (frames, *state.local[0].shape)), ways)
    return _State(
        line(state.root_m),
        line(state.yaw_rad),
        np.concatenate([earlier, state.local]),
        line(state.ground),
    )


def _offsets(end: _State, base: _State, frames: int, limb_frames: int) -> _State:
    """Return what is to be added to the base from its frame 0 on, so that it starts like `end`.

    Frame 1 of both is the last pose of the first clip; `local` holds rotation vectors here.
    """

    def plain(first: Array, second: Array) -> Array:
        return decayed(first[:2] - second[:2], frames, len(base.root_m))

    def heading(first: Array, second: Array) -> Array:
        gap = first[:2] - second[:2]
        return decayed(gap - 2 * np.pi * np.round(gap[1] / (2 * np.pi)), frames, len(base.root_m))

    turns = difference(end.local[:2], base.local[:2])
    ground = plain(end.ground, base.ground)
    ground[:, 2] = heading(end.ground[:, 2], base.ground[:, 2])
    return _State(
        plain(end.root_m, base.root_m),
        heading(end.yaw_rad, base.yaw_rad),
        decayed(turns, frames, len(base.root_m), limb_frames),
        ground,
    )


def _state_sum(base: _State, offset: _State) -> _State:
    return _State(
        base.root_m + offset.root_m,
        base.yaw_rad + offset.yaw_rad,
        added(base.local, offset.local),
        base.ground + offset.ground,
    )


def _clip_of(state: _State, like: Clip) -> Clip:
    rotations = state.local.copy()
    heading = Rotation.from_rotvec(np.outer(state.yaw_rad, _UP))
    rotations[:, 0] = (heading * Rotation.from_quat(rotations[:, 0])).as_quat()
    ground = None if like.ground is None else state.ground
    return replace(
        like, root_positions_m=state.root_m, rotations_xyzw=rotations, ground=ground, sections=()
    )


def _joined(before: Clip, middle: Clip, skip: int) -> Clip:
    """Append `middle` from frame `skip` on to `before`."""
    ground = None
    if before.ground is not None and middle.ground is not None:
        ground = np.concatenate([before.ground, middle.ground[skip:]])
        ground[:, 2] = np.unwrap(ground[:, 2])
    rotations = np.concatenate([before.rotations_xyzw, middle.rotations_xyzw[skip:]])
    root = np.concatenate([before.root_positions_m, middle.root_positions_m[skip:]])
    return replace(
        before, root_positions_m=root, rotations_xyzw=continuous(rotations), ground=ground
    )

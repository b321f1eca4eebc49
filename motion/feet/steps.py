"""Steps for feet that have to be elsewhere: stand, swing in an arc, stand again.

Poses between two clips glide from the one to the other; with this, feet that stand at the first
are lifted one after the other and put down where they stand at the last, in as many steps as the
way needs. Legs only: root, spine and all else stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motion.clip import Clip, continuous, local_rotations, world_pose
from motion.feet.leg_ik import Leg, moved_leg
from motion.measures.pose import feet_of, standing

Array = NDArray[np.float64]

#: Share of a leg's length up to which it reaches for a foothold without holding back.
_BENT = 0.88


@dataclass(frozen=True)
class StepSettings:
    """How feet step.

    Attributes:
        farthest_m: length of one step; longer ways take more.
        shortest_s: least time of one step of both groups of feet; it bounds their number.
        lift_m: height of a swing, reached by steps of `full_lift_m` or longer.
        full_lift_m: see lift_m.
        carry_s: how long a foot in swing at an end carries on at its rate.
        still_m: feet that have to move less than this stay on the ground.
    """

    farthest_m: float = 0.4
    shortest_s: float = 0.35
    lift_m: float = 0.06
    full_lift_m: float = 0.25
    carry_s: float = 0.16
    still_m: float = 0.015


@dataclass(frozen=True)
class _End:
    """A foot at one end of the gap: place, rate per frame, and whether it stands."""

    place: Array
    rate: Array
    stands: bool


def stepped(clip: Clip, first: int, last: int, settings: StepSettings | None = None) -> Clip:
    """Return the clip with feet stepping strictly between the frames first and last.

    Feet that stand at neither end keep their motion unless there is time for two steps. Feet
    alternate in two groups: left and right,
    or the diagonals of four.
    """
    settings = settings or StepSettings()
    if last - first < 3:
        return clip
    feet = feet_of(clip)
    places, turns = world_pose(clip)
    paths = places[:, list(feet.joints)]
    stands = standing(paths, places[:, 0], feet.contact_height_m, clip.fps)
    ends = [
        (
            _end(paths[:, foot], stands[:, foot], first, -1),
            _end(paths[:, foot], stands[:, foot], last, 1),
        )
        for foot in range(len(feet.joints))
    ]
    count = _steps(ends, (last - first) / clip.fps, settings)
    inner = slice(first + 1, last)
    for foot, (joint, legs) in enumerate(zip(feet.joints, feet.legs, strict=True)):
        start, end = ends[foot]
        if len(legs) != 3 or not (start.stands or end.stands or count > 1):
            continue
        goal = _path(start, end, last - first, count, _second_group(foot), clip.fps, settings)[1:-1]
        chain = (*legs, joint)
        leg = Leg(
            tuple(places[inner, number] for number in chain),  # type: ignore[arg-type]
            tuple(turns[inner, number] for number in legs),  # type: ignore[arg-type]
        )
        goal = _within_reach(goal, leg)
        for number, turn in zip(legs, moved_leg(leg, goal).turns, strict=True):
            turns[inner, number] = turn
    rotations = clip.rotations_xyzw.copy()
    rotations[inner] = local_rotations(clip.skeleton, turns[inner])
    return replace(clip, rotations_xyzw=continuous(rotations))


def _within_reach(goal: Array, leg: Leg) -> Array:
    """Pull goals in that would stretch a leg straight, so that no knee snaps.

    The ankle's distance from the top is compressed from `_BENT` of the leg's length on, or from
    the distance that the pose has by itself.
    """
    top, middle, ankle, foot = leg.places
    longest = np.linalg.norm(middle - top, axis=1) + np.linalg.norm(ankle - middle, axis=1)
    free = np.maximum(_BENT * longest, np.linalg.norm(ankle - top, axis=1))
    room = np.maximum(0.999 * longest - free, 1e-4)
    line = goal - (foot - ankle) - top
    distance = np.linalg.norm(line, axis=1)
    over = np.maximum(distance - free, 0.0)
    allowed = np.where(over > 0, free + room * (1.0 - np.exp(-over / room)), distance)
    return np.asarray(goal + line * (allowed / np.maximum(distance, 1e-9) - 1.0)[:, None])


def _second_group(foot: int) -> bool:
    """Return whether a foot steps second: the right one; of four the second diagonal."""
    return foot in (1, 2)


def _end(path: Array, stands: NDArray[np.bool_], frame: int, side: int) -> _End:
    """Look at a foot from outside the gap: side -1 before, 1 after."""
    rate = (path[frame + side] - path[frame]) * side
    # The frame itself may already be judged by what happens inside the gap.
    return _End(path[frame], rate, bool(stands[frame + side]))


def _steps(ends: list[tuple[_End, _End]], seconds: float, settings: StepSettings) -> int:
    way = max(float(np.linalg.norm(end.place - start.place)) for start, end in ends)
    most = max(1, int(seconds / settings.shortest_s))
    return min(max(1, int(np.ceil(way / settings.farthest_m))), most)


def _path(
    start: _End,
    end: _End,
    frames: int,
    count: int,
    second: bool,
    fps: float,
    settings: StepSettings,
) -> Array:
    """Return a foot's places (frames + 1, 3): it stands, and swings once in each of the steps."""
    flat = np.array([1.0, 0.0, 1.0])
    way = (end.place - start.place) * flat
    path = np.zeros((frames + 1, 3))
    path[:] = start.place
    if start.stands and end.stands and np.linalg.norm(way) < settings.still_m:
        share = np.linspace(0.0, 1.0, frames + 1)[:, None]
        return start.place + (end.place - start.place) * share**2 * (3.0 - 2.0 * share)
    still, here, rate = np.zeros(3), start.place, start.rate
    for step in range(count):
        begin, stop = _swing_window(frames, count, step, second)
        begin = 0 if step == 0 and not start.stands else begin
        stop = frames if step == count - 1 and not end.stands else stop
        there = end.place - way * (1.0 - (step + 1) / count)
        arriving = end.rate if step == count - 1 and not end.stands else still
        leaving = rate if step == 0 and not start.stands else still
        path[begin : stop + 1] = _swing(here, there, leaving, arriving, stop - begin, fps, settings)
        path[stop:] = there
        here = there
    return path


def _swing_window(frames: int, count: int, step: int, second: bool) -> tuple[int, int]:
    """Return first and last frame of a swing: each group has a bit more than half of a step."""
    length = frames / count
    begin = (step + (0.45 if second else 0.02)) * length
    return round(begin), max(round(begin + 0.53 * length), round(begin) + 1)


def _swing(
    here: Array,
    there: Array,
    leaving: Array,
    arriving: Array,
    frames: int,
    fps: float,
    settings: StepSettings,
) -> Array:
    """Return a quintic from place and rate to place and rate, lifted in the middle."""
    time = (np.arange(frames + 1) / frames)[:, None]
    to = time**3 * (10.0 - 15.0 * time + 6.0 * time**2)
    # Rates carry on for a moment only, else a fast swing would run far past its end.
    carry = min(frames, max(1, round(settings.carry_s * fps)))
    since = np.clip(time * frames / carry, 0.0, 1.0)
    until = np.clip((1.0 - time) * frames / carry, 0.0, 1.0)
    path = here + (there - here) * to
    path = path + carry * (leaving * _rate(since) - arriving * _rate(until))
    far = float(np.linalg.norm(there - here))
    lift = settings.lift_m * min(1.0, far / settings.full_lift_m)
    path[:, 1] += lift * (16.0 * time**2 * (1.0 - time) ** 2)[:, 0]
    path[:, 1] = np.maximum(path[:, 1], min(here[1], there[1]))
    return np.asarray(path)


def _rate(time: Array) -> Array:
    """Return the quintic that starts at 0 with a rate of 1 and ends at rest at 0."""
    return time - 6.0 * time**3 + 8.0 * time**4 - 3.0 * time**5

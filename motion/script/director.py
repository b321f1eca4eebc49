"""The director tells the controller, frame by frame, what the current entry of a script wants."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from motion.control.command import Command
from motion.control.controller import State
from motion.control.settings import ControlSettings
from motion.control.steering_state import bounded, wrapped, yaw_of
from motion.control.trajectory import ROOT, Trajectory
from motion.features import FPS, JUMP, Array
from motion.script.parser import Entry
from motion.script.paths import Way
from motion.skeleton import PAWS

_log = logging.getLogger(__name__)

#: A jump is in the air when the lowest paw's site is above the first height, and down again when
#: it is below the second. In a trot's or a canter's suspension some paw stays below the first.
_AIRBORNE_M, _LANDED_M = 0.1, 0.04
#: A network that does not leave the ground is not waited for longer than this for each jump.
_JUMP_LIMIT_S = 3.0
#: Pursuit aims at a point this many seconds ahead, within these bounds, in a direction that the
#: way has this much later.
_LOOK_AHEAD_S, _NEAREST_AIM_M, _FARTHEST_AIM_M, _PREVIEW_S = 0.5, 0.35, 1.5, 0.45
#: In bends the speed drops until they need no more than this turn, down to this share of it.
_FASTEST_TURN_RAD_S, _SLOWEST = 1.0, 0.4
#: Slip is not told from a quarter of a second with less way than this, and never more than this.
_LEAST_MOVE_M, _MOST_SLIP_RAD = 0.03, 0.35
#: How near to the last point a way counts as finished.
_ARRIVED_M = 0.15


class Director:
    """Turns entries into commands; `begin` an entry, then ask for a command before each frame."""

    def __init__(self, settings: ControlSettings) -> None:
        self._settings = settings
        self._entry = Entry("idle", Command(), 0.0)
        self._frames = 0
        self._jump = _JumpCounter()
        self._progress_m = 0.0

    def begin(self, entry: Entry, state: State) -> None:
        """Start an entry."""
        self._entry, self._frames, self._progress_m = entry, 0, 0.0
        self._jump = _JumpCounter()
        if isinstance(entry.way, Way):
            here = state.trajectory.positions_m[ROOT]
            self._progress_m = entry.way.nearest(here, 0.0, _FARTHEST_AIM_M)

    def command(self, state: State) -> Command | None:
        """Return the command of the next frame, or None when the entry is over."""
        entry = self._entry
        self._frames += 1
        if entry.jumps:
            return self._jumping(state)
        if isinstance(entry.way, Way):
            return self._following(entry.way, state)
        assert entry.seconds is not None
        frames = max(round(entry.seconds * FPS), 1)
        return entry.command if self._frames <= frames else None

    def _jumping(self, state: State) -> Command | None:
        entry = self._entry
        self._jump.see(state)
        if self._jump.count >= entry.jumps:
            return None
        if self._frames > entry.jumps * _JUMP_LIMIT_S * FPS:
            found = self._jump.count
            _log.warning(
                "%s: %d of %d jumps, the network stays down", entry.name, found, entry.jumps
            )
            return None
        return entry.command

    def _following(self, way: Way, state: State) -> Command | None:
        entry = self._entry
        root = state.trajectory.root
        speed = entry.command.speed(self._settings)
        reach = float(np.clip(speed * _LOOK_AHEAD_S, _NEAREST_AIM_M, _FARTHEST_AIM_M))
        last = self._progress_m + 2 * reach
        self._progress_m = way.nearest(root[:2], self._progress_m, last)
        rest = way.length_m - self._progress_m
        if rest < _ARRIVED_M and np.linalg.norm(way.points_m[-1] - root[:2]) < reach:
            return None
        if self._frames > (3 * way.length_m / speed + 10) * FPS:
            _log.warning("%s: %.1f m short of the way's end, gone on", entry.name, rest)
            return None
        heading = _heading_along(way, self._progress_m, root, reach, speed)
        slower = _speed_in_bend(way, self._progress_m, reach, wrapped(heading - root[2]), speed)
        heading = wrapped(heading - _slip(state.trajectory))
        return replace(entry.command, speed_m_s=slower, heading_rad=heading)


def _heading_along(
    way: Way, progress_m: float, root: Array, reach_m: float, speed_m_s: float
) -> float:
    """Return the heading that follows a way: along it, and back to it within `reach_m`.

    Pure pursuit of a point that lies not on the way but on the tangent to it, as far ahead as
    the animal's answer takes: pursuit of the way itself would cut every bend.
    """
    step = max(_PREVIEW_S * speed_m_s, 0.05)
    # Beyond the end straight on, so that the animal does not spin about the last point.
    start = min(progress_m + step, way.length_m - step)
    tangent = way.at(start + step) - way.at(start - step)
    back = way.at(progress_m) - root[:2]
    aim = back + tangent / np.linalg.norm(tangent) * reach_m
    return float(np.arctan2(aim[0], aim[1]))


def _slip(trajectory: Trajectory) -> float:
    """Return the angle from where the animal looked to where it went, over the last 1/4 s, rad.

    An animal that drifts outwards or inwards in a bend must look the other way to stay on it.
    """
    frames = 16
    moved = trajectory.positions_m[ROOT] - trajectory.positions_m[ROOT - frames]
    if np.hypot(*moved) < _LEAST_MOVE_M:
        return 0.0
    looked = yaw_of(trajectory.directions[ROOT - frames : ROOT].mean(axis=0))
    return bounded(wrapped(yaw_of(moved) - looked), _MOST_SLIP_RAD)


def _speed_in_bend(
    way: Way, progress_m: float, reach_m: float, error_rad: float, speed_m_s: float
) -> float:
    """Return the speed at which the bend ahead needs no more than the fastest turn.

    An animal rounds a corner slower, too; at full speed it would be carried far out of it.
    """
    places = [way.at(progress_m + share * reach_m) for share in (0.0, 0.7, 1.3, 2.0)]
    before, after = places[1] - places[0], places[3] - places[2]
    cross, dot = before[0] * after[1] - before[1] * after[0], before @ after
    bend = max(abs(float(np.arctan2(cross, dot))), abs(error_rad)) / (1.3 * reach_m)
    return float(np.clip(_FASTEST_TURN_RAD_S / max(bend, 1e-6), _SLOWEST * speed_m_s, speed_m_s))


class _JumpCounter:
    """Counts flights: all four paws leave the ground while the style is jumping, then land."""

    def __init__(self) -> None:
        self.count = 0
        self._flying = False

    def see(self, state: State) -> None:
        lowest = state.pose.positions_m[list(PAWS), 1].min()
        if self._flying:
            if lowest < _LANDED_M:
                self._flying, self.count = False, self.count + 1
        elif lowest > _AIRBORNE_M and state.trajectory.styles[ROOT, JUMP] > 0.5:
            self._flying = True

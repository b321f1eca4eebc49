"""The director tells the controller, frame by frame, what the current entry of a script wants."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from motion.command import Command
from motion.controller import State
from motion.features import FPS, JUMP
from motion.paths import Way
from motion.script_parser import Entry
from motion.settings import ControlSettings
from motion.skeleton import PAWS
from motion.steering import wrapped
from motion.trajectory import ROOT

_log = logging.getLogger(__name__)

#: A jump is in the air when the lowest paw's site is above the first height, and down again when
#: it is below the second.
_AIRBORNE_M, _LANDED_M = 0.06, 0.04
#: A network that does not leave the ground is not waited for longer than this for each jump.
_JUMP_LIMIT_S = 3.0
#: Pure pursuit aims at the point of the way this many seconds ahead, within these bounds.
_LOOK_AHEAD_S, _NEAREST_AIM_M, _FARTHEST_AIM_M = 0.5, 0.35, 1.5
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
        aim = way.at(self._progress_m + reach) - root[:2]
        if rest < reach:  # beyond the end, straight on: no spinning about the last point
            end = way.points_m[-1] - way.points_m[-2]
            aim += end / np.linalg.norm(end) * (reach - rest)
        heading = float(np.arctan2(aim[0], aim[1]))
        error = wrapped(heading - root[2])
        # Round a corner slower, as an animal does, or it would be cut widely.
        slower = float(np.clip(np.cos(error), 0.4, 1.0))
        return replace(entry.command, speed_m_s=speed * slower, heading_rad=heading)


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

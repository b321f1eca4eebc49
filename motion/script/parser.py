"""A script of commands, as the manifest has it, checked entry by entry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assets3d.errors import InputError
from motion.control.command import Command
from motion.control.settings import GAIT_SPEEDS_M_S, ControlSettings
from motion.script.paths import Way, read_way, way_of_points
from motion.script.quantities import ANGLE, SPEED, TIME, TURN, quantity

#: Commands that name a style; rearing is the network's style "stand".
STYLE_COMMANDS = {"idle": "idle", "sit": "sit", "rear": "stand", "lie": "lie"}
COMMANDS = (*GAIT_SPEEDS_M_S, "move", "jump", "path", *STYLE_COMMANDS)

_MOVING_FIELDS = ("speed", "turn", "heading", "travel")
_FIELDS = {
    **dict.fromkeys(GAIT_SPEEDS_M_S, _MOVING_FIELDS),
    "move": _MOVING_FIELDS,
    "jump": ("speed", "heading"),
    "path": ("speed", "scale"),
    **dict.fromkeys(STYLE_COMMANDS, ()),
}
#: No animal that this is made for is faster, spins faster or is left alone for longer.
_FASTEST_M_S, _FASTEST_TURN_RAD_S, _LONGEST_S, _MOST_JUMPS = 8.0, 2 * math.pi, 3600.0, 100


@dataclass(frozen=True)
class Entry:
    """One command of a script.

    Attributes:
        name: unique in its script, such as "walk" or "walk_2".
        command: what the controller is told; on a path, the speed counts and the rest follows.
        seconds: how long; None for jumps and paths, which end when they are done.
        jumps: how many, for a jump.
        way: what to follow: its points, or the file and the metres of its unit.
    """

    name: str
    command: Command
    seconds: float | None = None
    jumps: int = 0
    way: Way | Path | None = None
    metres_per_unit: float = 1.0
    number: int = 0


@dataclass(frozen=True)
class Script:
    """Commands in order; at least one."""

    entries: tuple[Entry, ...]


def parse_script(entries: Sequence[Mapping[str, Any]]) -> Script:
    """Return the script in a manifest's list; files of paths are not opened yet.

    Raises:
        InputError: a command or field the controller lacks, a wrong unit or a value out of
            bounds; the message begins with the entry's number and field.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise InputError(f"script: {entries!r}, wanted a list of commands such as {{walk: 3 s}}")
    names: dict[str, int] = {}
    parsed = []
    for number, entry in enumerate(entries, 1):
        verb = _verb(entry, number)
        names[verb] = names.get(verb, 0) + 1
        name = verb if names[verb] == 1 else f"{verb}_{names[verb]}"
        parsed.append(_entry(entry, verb, name, number))
    return Script(tuple(parsed))


def opened(script: Script, folder: Path = Path()) -> Script:
    """Read the files of the script's paths; relative ones lie in `folder`.

    Raises:
        InputError: a file that is missing, has no way in it, or one too long to be followed.
    """

    def read(entry: Entry) -> Entry:
        if not isinstance(entry.way, Path):
            return entry
        where = f"script {entry.number} path"
        way = read_way(folder / entry.way, where, metres_per_unit=entry.metres_per_unit)
        return replace(entry, way=_followable(way, entry.command, f"{where}: {entry.way.name}"))

    return Script(tuple(read(entry) for entry in script.entries))


def _verb(entry: object, number: int) -> str:
    if not isinstance(entry, Mapping) or not entry:
        raise InputError(f"script {number}: {entry!r}, wanted a mapping such as {{walk: 3 s}}")
    verb = next(iter(entry))
    if verb not in COMMANDS:
        raise InputError(
            f"script {number}: no command {verb!r}, the controller has {', '.join(COMMANDS)}"
        )
    for field in list(entry)[1:]:
        if field not in _FIELDS[verb]:
            known = ", ".join(_FIELDS[verb]) or "no further fields"
            raise InputError(f"script {number} {verb}: no field {field!r}, it has {known}")
    return str(verb)


def _entry(entry: Mapping[str, Any], verb: str, name: str, number: int) -> Entry:
    value, where = entry[verb], f"script {number} {verb}"
    if verb in STYLE_COMMANDS:
        return Entry(name, Command(STYLE_COMMANDS[verb]), _seconds(value, where), number=number)
    command = _moving(entry, verb, number)
    if verb == "jump":
        times = isinstance(value, int) and not isinstance(value, bool)
        if not times or not 1 <= value <= _MOST_JUMPS:
            raise InputError(f"{where}: {value!r}, wanted how many times, 1 to {_MOST_JUMPS}")
        return Entry(name, command, jumps=value, number=number)
    if verb == "path":
        scale = _scale(entry, value, number)
        way: Way | Path
        if isinstance(value, str):
            way = Path(value)
        else:
            way = _followable(way_of_points(value, where), command, where)
        if isinstance(way, Path) and way.suffix.lower() not in (".svg", ".csv"):
            raise InputError(f"{where}: {way.name} is neither .svg nor .csv")
        return Entry(name, command, way=way, metres_per_unit=scale, number=number)
    return Entry(name, command, _seconds(value, where), number=number)


def _followable(way: Way, command: Command, where: str) -> Way:
    """Return the way where it ends within the longest time; drawings in pixels often do not."""
    seconds = way.length_m / command.speed(ControlSettings())
    if seconds > _LONGEST_S:
        raise InputError(
            f"{where}: a way of {way.length_m:.6g} m takes {seconds:.0f} s, wanted at most "
            f"{_LONGEST_S:g} s (scale: 0.01 makes centimetres of a file's units)"
        )
    return way


def _moving(entry: Mapping[str, Any], verb: str, number: int) -> Command:
    """Return the command of a verb that moves, from its optional fields."""

    def field(name: str, units: dict[str, float], example: str, most: float) -> float | None:
        if name not in entry:
            return None
        where = f"script {number} {name}"
        found = quantity(entry[name], units, where, example)
        if abs(found) > most:
            raise InputError(f"{where}: {entry[name]!r} is more than the controller can follow")
        return found

    speed = field("speed", SPEED, "1.5 m/s", _FASTEST_M_S)
    if speed is not None and speed < 0:
        raise InputError(
            f"script {number} speed: {entry['speed']!r} is negative, wanted travel: 180 deg for "
            "going backwards"
        )
    if verb == "path" and speed == 0:
        raise InputError(f"script {number} speed: {entry['speed']!r}, wanted more than 0")
    turn = field("turn", TURN, "40 deg/s", _FASTEST_TURN_RAD_S)
    heading = field("heading", ANGLE, "90 deg", math.inf)
    travel = field("travel", ANGLE, "30 deg", math.inf)
    style = "jump" if verb == "jump" else "move"
    default = GAIT_SPEEDS_M_S.get(verb)
    return Command(style, default if speed is None else speed, turn or 0.0, heading, travel or 0.0)


def _seconds(value: object, where: str) -> float:
    seconds = quantity(value, TIME, where, "3 s")
    if not 0 < seconds <= _LONGEST_S:
        raise InputError(f"{where}: {value!r}, wanted more than 0 s and at most {_LONGEST_S:g} s")
    return seconds


def _scale(entry: Mapping[str, Any], value: object, number: int) -> float:
    scale = entry.get("scale", 1.0)
    good = isinstance(scale, int | float) and not isinstance(scale, bool)
    if not good or not np.isfinite(scale) or scale <= 0:
        raise InputError(f"script {number} scale: {scale!r}, wanted metres per unit, more than 0")
    if "scale" in entry and not isinstance(value, str):
        raise InputError(f"script {number} scale: way points are in metres, scale is for files")
    return float(scale)

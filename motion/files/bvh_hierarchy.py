"""The HIERARCHY part of a BVH file: joints, offsets, channels, with the line of every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from motion.skeleton import Skeleton

_KINDS = {f"{axis}{kind}": axis for kind in ("position", "rotation") for axis in "xyz"}


@dataclass(frozen=True)
class Channel:
    """One column of the motion block: the joint's number, "position" or "rotation", axis 0..2."""

    joint: int
    kind: str
    axis: int


@dataclass(frozen=True)
class Hierarchy:
    """Joints in the file's order; end sites are joints too, named <Parent>Site, without channels.

    Attributes:
        names: J names.
        parents: J numbers, -1 for the root.
        offsets: (J, 3) in the file's own unit.
        sites: J flags.
        channels: one for each column of the motion block.
        motion_line: number of the line that says MOTION, counted from 1.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: NDArray[np.float64]
    sites: tuple[bool, ...]
    channels: tuple[Channel, ...]
    motion_line: int

    def skeleton(self, metres_per_unit: float) -> Skeleton:
        """Return the zero-rotation pose as a rest pose."""
        return Skeleton(
            self.names,
            np.array(self.parents, np.int32),
            self.offsets * metres_per_unit,
            np.array(self.sites, np.bool_),
        )


@dataclass
class _Open:
    """What has been read so far."""

    source: str
    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float] | None] = field(default_factory=list)
    sites: list[bool] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    stack: list[int] = field(default_factory=list)

    def wrong(self, line: int, found: str, wanted: str) -> InputError:
        return InputError(f"bvh: {self.source} line {line}: found {found}, wanted {wanted}")


def read_hierarchy(lines: list[str], source: str) -> Hierarchy:
    """Parse the lines up to MOTION; `source` is the file's name for error messages.

    Raises:
        InputError: naming the line, what was found there and what was wanted.
    """
    state = _Open(source)
    words = _words(lines)
    line, word = next(words, (1, "the end of the file"))
    if word.upper() != "HIERARCHY":
        raise state.wrong(line, repr(word), "HIERARCHY")
    for line, word in words:
        key = word.upper()
        if key == "MOTION":
            return _finished(state, line)
        if key in ("ROOT", "JOINT", "END"):
            _open_joint(state, words, line, key)
        elif key == "OFFSET":
            _top(state, line, word)
            state.offsets[state.stack[-1]] = _numbers(state, words, line)
        elif key == "CHANNELS":
            _top(state, line, word)
            _channels(state, words, line)
        elif key == "}":
            _top(state, line, word)
            if state.offsets[state.stack.pop()] is None:
                raise state.wrong(line, "a joint's end", "its OFFSET first")
        else:
            raise state.wrong(line, repr(word), "JOINT, End Site, OFFSET, CHANNELS, } or MOTION")
    raise state.wrong(len(lines), "the end of the file", "MOTION")


def _words(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        for word in line.split():
            yield number, word


def _top(state: _Open, line: int, word: str) -> None:
    if not state.stack:
        raise state.wrong(line, f"{word!r} outside of any joint", "ROOT first")


def _open_joint(state: _Open, words: Iterator[tuple[int, str]], line: int, key: str) -> None:
    site, parent = key == "END", state.stack[-1] if state.stack else -1
    if (key == "ROOT") != (parent < 0):
        raise state.wrong(line, f"{key} here", "one ROOT with every other joint inside it")
    if key == "ROOT" and state.names:
        raise state.wrong(line, "a second ROOT", "one skeleton in a file")
    parts: list[str] = []
    for _, word in words:
        if word == "{":
            break
        parts.append(word)
        if len(parts) > 8:
            raise state.wrong(line, f"{key} without a brace", "{ after the name")
    name = f"{state.names[parent]}Site" if site else " ".join(parts)
    if not name or name in state.names:
        raise state.wrong(line, f"the name {name!r} again or empty", "a name of its own")
    state.stack.append(len(state.names))
    state.names.append(name)
    state.parents.append(parent)
    state.offsets.append(None)
    state.sites.append(site)


def _numbers(state: _Open, words: Iterator[tuple[int, str]], line: int) -> list[float]:
    texts = [next(words, (line, ""))[1] for _ in range(3)]
    try:
        values = [float(text) for text in texts]
    except ValueError:
        values = []
    if not values or not np.isfinite(values).all():
        raise state.wrong(line, f"OFFSET {' '.join(texts)}", "three finite numbers")
    return values


def _channels(state: _Open, words: Iterator[tuple[int, str]], line: int) -> None:
    text = next(words, (line, ""))[1]
    if not text.isdigit() or not 0 <= int(text) <= 6:
        raise state.wrong(line, f"CHANNELS {text}", "a count from 0 to 6")
    joint = state.stack[-1]
    for _ in range(int(text)):
        word = next(words, (line, ""))[1]
        axis = _KINDS.get(word.lower())
        if axis is None:
            raise state.wrong(
                line, f"the channel {word!r}", "Xposition, Yposition ... Xrotation ... Zrotation"
            )
        channel = Channel(joint, word[1:].lower(), "xyz".index(axis))
        if channel in state.channels:
            raise state.wrong(line, f"the channel {word!r} twice", "each channel once")
        state.channels.append(channel)


def _finished(state: _Open, line: int) -> Hierarchy:
    if state.stack or not state.names:
        missing = f"{len(state.stack)} closing braces" if state.names else "a ROOT"
        raise state.wrong(line, "MOTION", f"{missing} before it")
    offsets = np.array(state.offsets, np.float64)
    return Hierarchy(
        tuple(state.names),
        tuple(state.parents),
        offsets,
        tuple(state.sites),
        tuple(state.channels),
        line,
    )

"""The live simulation: keys become commands, a step of control becomes what a page shows."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from motion.control.command import Command
from motion.control.controller import Controller, Frame
from motion.control.settings import GAIT_SPEEDS_M_S
from motion.skeleton import QUADRUPED, REST_AXES

STEPS_A_SECOND = 60
TURN_RAD_S = np.radians(75.0)
#: A tap on the jump key lasts this long, or the styles would not have moved before it is over.
JUMP_S = 0.5
_STYLE_KEYS = {"jump": "jump", "sit": "sit", "rear": "stand", "lie": "lie"}


@dataclass(frozen=True)
class Keys:
    """What is held down. `ahead` and `left` are -1, 0 or 1; `turn` is 1 for left.

    Attributes:
        ahead, left: the way to go, as the animal looks.
        turn: the way to turn.
        gait: name in GAIT_SPEEDS_M_S.
        style: "" or one of jump, sit, rear, lie.
    """

    ahead: int = 0
    left: int = 0
    turn: int = 0
    gait: str = "walk"
    style: str = ""

    def __post_init__(self) -> None:
        """Check what came over the wire; raises `ValueError`."""
        if not {self.ahead, self.left, self.turn} <= {-1, 0, 1}:
            raise ValueError(f"keys: {self.ahead}, {self.left}, {self.turn}, wanted -1, 0 or 1")
        if self.gait not in GAIT_SPEEDS_M_S:
            raise ValueError(f"gait: {self.gait!r}, wanted {', '.join(GAIT_SPEEDS_M_S)}")
        if self.style not in ("", *_STYLE_KEYS):
            raise ValueError(f"style: {self.style!r}, wanted {', '.join(_STYLE_KEYS)} or nothing")


def command_of(keys: Keys) -> Command:
    """Return the command that the keys stand for."""
    turn = keys.turn * TURN_RAD_S
    if keys.style:
        return Command(_STYLE_KEYS[keys.style])
    if not (keys.ahead or keys.left or keys.turn):
        return Command("idle")
    travel = float(np.arctan2(keys.left, keys.ahead)) if keys.ahead or keys.left else 0.0
    speed = GAIT_SPEEDS_M_S[keys.gait]
    if not (keys.ahead or keys.left):
        speed = min(speed, GAIT_SPEEDS_M_S["walk"])  # turning alone is done at a walk
    # Nobody trots backwards.
    speed = min(speed, GAIT_SPEEDS_M_S["walk"]) if keys.ahead < 0 else speed
    return Command("move", speed, turn, None, travel)


@dataclass(frozen=True)
class Shown:
    """One step as a page shows it.

    Attributes:
        number: of the message from the page that this step obeyed.
        step_ms: what the step took; worst_ms: the longest so far, after the first second.
        frame: the controller's frame.
    """

    number: int
    step_ms: float
    worst_ms: float
    frame: Frame

    def packed(self) -> bytes:
        """Return little-endian float32: 3 numbers, then the parts that `LAYOUT` names."""
        frame = self.frame
        parts = [
            np.array([self.number, self.step_ms, self.worst_ms]),
            *(frame.ground, frame.experts, frame.styles, frame.wanted, frame.trajectory),
            bone_matrices(frame),
        ]
        return np.concatenate([np.ravel(part) for part in parts]).astype("<f4").tobytes()


@dataclass
class Simulation:
    """A controller and the messages it has not obeyed yet: each is in force for at least a step."""

    controller: Controller
    waiting: deque[tuple[int, Keys]] = field(default_factory=deque)
    number: int = 0
    keys: Keys = field(default_factory=Keys)
    worst_ms: float = 0.0
    _steps: int = 0
    _jump_until: int = 0

    def push(self, number: int, keys: Keys) -> None:
        """Queue a message."""
        self.waiting.append((number, keys))

    def step(self) -> Shown:
        """Obey the next message, or the last one again, and advance by 1/60 s."""
        if self.waiting:
            self.number, self.keys = self.waiting.popleft()
        if self.keys.style == "jump":
            self._jump_until = self._steps + round(JUMP_S * STEPS_A_SECOND)
        jumping = self._steps < self._jump_until
        keys = replace(self.keys, style="jump") if jumping else self.keys
        begin = time.perf_counter()
        frame = self.controller.step(command_of(keys))
        step_ms = 1000.0 * (time.perf_counter() - begin)
        self._steps += 1
        if self._steps > STEPS_A_SECOND:
            self.worst_ms = max(self.worst_ms, step_ms)
        return Shown(self.number, step_ms, self.worst_ms, frame)


def bone_matrices(frame: Frame) -> NDArray[np.float64]:
    """Return (27, 3, 4) rows that take the rest pose's mesh to the frame, with constant bones."""
    turns = frame.axes @ REST_AXES.swapaxes(-1, -2)
    turns[QUADRUPED.sites] = turns[QUADRUPED.parents[QUADRUPED.sites]]
    places = np.zeros((len(QUADRUPED), 3))
    places[0] = frame.positions_m[0]
    for joint, parent in enumerate(QUADRUPED.parents[1:], 1):
        places[joint] = places[parent] + turns[parent] @ QUADRUPED.offsets_m[joint]
    shifts = places - np.einsum("jab,jb->ja", turns, QUADRUPED.rest_positions_m)
    return np.concatenate([turns, shifts[..., None]], axis=2)

"""One command to the controller: what the animal is to do from now on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from motion.control.settings import ControlSettings
from motion.features import JUMP, MOVE, STYLES, Array


@dataclass(frozen=True)
class Command:
    """What is wanted in this frame; the controller may be given another one in the next.

    Attributes:
        style: idle, move, jump, sit, stand (rearing on the hind legs) or lie.
        speed_m_s: over ground; None for the style's own speed. Only moving and jumping use it.
        turn_rad_s: steady turn, left positive; with a heading, how fast it is approached (0: as
            fast as the settings allow).
        heading_rad: where to look in the world, None to go on as the animal looks.
        travel_rad: angle from where the animal looks to where it goes: 0 ahead, pi backwards,
            positive to the left.
    """

    style: str = "idle"
    speed_m_s: float | None = None
    turn_rad_s: float = 0.0
    heading_rad: float | None = None
    travel_rad: float = 0.0

    @property
    def style_number(self) -> int:
        """Number of the style in the network's order."""
        return STYLES.index(self.style)

    def speed(self, settings: ControlSettings) -> float:
        """Return the wanted speed in m/s: 0 for every style that stays where it is."""
        if self.style_number not in (MOVE, JUMP):
            return 0.0
        if self.speed_m_s is None:
            return settings.style_speeds_m_s[self.style_number]
        return self.speed_m_s

    def wanted(self, settings: ControlSettings) -> Array:
        """Return (3,) speed m/s, heading rad (nan for none) and turn rate rad/s, for the record."""
        moving = self.style_number in (MOVE, JUMP)
        heading = self.heading_rad if moving and self.heading_rad is not None else np.nan
        turn = self.turn_rad_s if moving and self.heading_rad is None else 0.0
        return np.array([self.speed(settings), heading, turn])

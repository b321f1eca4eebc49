"""Numbers with units as a person writes them: 3 s, 1.5 m/s, 40 deg/s."""

from __future__ import annotations

import math
import re

from assets3d.errors import InputError

#: What each unit is in the unit that is used inside: s, m/s, rad, rad/s.
TIME = {"s": 1.0, "ms": 1e-3, "min": 60.0}
SPEED = {"m/s": 1.0, "km/h": 1 / 3.6, "cm/s": 1e-2}
ANGLE = {"deg": math.pi / 180, "rad": 1.0}
TURN = {"deg/s": math.pi / 180, "rad/s": 1.0}

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*")


def quantity(value: object, units: dict[str, float], where: str, example: str) -> float:
    """Return a number with a unit in the unit used inside.

    Args:
        value: such as "40 deg/s". A number alone is refused: nobody would know its unit.
        units: the units that fit, with their factors.
        where: what the error message begins with.
        example: what the error message shows as wanted.

    Raises:
        InputError: no number, no unit, or a unit that does not fit.
    """
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in units:
        known = ", ".join(units)
        raise InputError(f"{where}: {value!r}, wanted a number with its unit, such as "
                         f"'{example}' (units: {known})")  # fmt: skip
    number = float(match[1]) * units[match[2]]
    if not math.isfinite(number):
        raise InputError(f"{where}: {value!r} is too large")
    return number

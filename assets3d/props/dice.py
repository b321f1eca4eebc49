"""Random choices of family functions: one explicit generator, plain verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from assets3d.props.materials import MATERIALS, PALETTE
from assets3d.props.prop import Rgb

T = TypeVar("T")


class Dice:
    """A generator with the few draws that families need."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def between(self, low: float, high: float) -> float:
        """Return a uniform number."""
        return float(self._rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return int(self._rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return bool(self._rng.random() < probability)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self._rng.integers(len(choices)))]

    def colour_name(self, *, without: Sequence[str] = ()) -> str:
        """Return a palette name that is not among `without`."""
        return self.pick([name for name in PALETTE if name not in without])

    def tint(self, name: str, amount: float = 0.035) -> Rgb:
        """Return the palette colour or a material's natural colour, a little varied."""
        base = PALETTE[name] if name in PALETTE else MATERIALS[name].colour
        if base is None:
            raise ValueError(f"{name} is neither a colour nor a material with one of its own")
        value = 1.0 + self.between(-1.5 * amount, 1.5 * amount)
        r, g, b = (float(np.clip(c * value + self.between(-amount, amount), 0, 1)) for c in base)
        return (r, g, b)

    def wood(self) -> Rgb:
        """Return one of several woods, from pale to dark."""
        base = self.pick([(0.68, 0.47, 0.26), (0.60, 0.39, 0.21), (0.52, 0.33, 0.18)])
        value = self.between(0.94, 1.06)
        return (base[0] * value, base[1] * value, base[2] * value)


def darker(colour: Rgb, factor: float = 0.75) -> Rgb:
    """Return a darker shade of a colour."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def lighter(colour: Rgb, amount: float = 0.3) -> Rgb:
    """Return a colour mixed with white."""
    r, g, b = (c + (1.0 - c) * amount for c in colour)
    return (r, g, b)

"""How much one asset may cost, by the kind of game that it is for.

Published limits differ tenfold (Khronos' guidelines for 3D commerce say 30k to 250k triangles), so
these are three steps to choose from, judged for props of which a scene holds many: `mobile`,
`desktop`, and `hero` for what the camera comes close to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assets3d.errors import InputError


@dataclass(frozen=True)
class Bar:
    """One measure against its limit."""

    name: str
    value: int
    limit: int

    @property
    def over(self) -> bool:
        """Whether it costs more than it may."""
        return self.value > self.limit


@dataclass(frozen=True)
class Budget:
    """The most that one asset may cost.

    Attributes:
        name: what a person calls it.
        triangles: of the first level.
        texture_px: the side of its largest texture.
        materials: draw calls, in effect.
        joints: of a skin.
        file_bytes: of the first level, which an engine loads as it is.
    """

    name: str
    triangles: int
    texture_px: int
    materials: int
    joints: int
    file_bytes: int


BUDGETS: dict[str, Budget] = {
    budget.name: budget
    for budget in (
        Budget("mobile", 5_000, 1024, 1, 64, 4_000_000),
        Budget("desktop", 20_000, 2048, 2, 128, 16_000_000),
        Budget("hero", 100_000, 4096, 4, 256, 64_000_000),
    )
}


def budget_named(name: str) -> Budget:
    """Return the budget called so.

    Raises:
        InputError: when there is none.
    """
    if name not in BUDGETS:
        raise InputError(f"budget: found {name!r}, wanted one of {', '.join(BUDGETS)}")
    return BUDGETS[name]


def checked(costs: Mapping[str, int], budget: Budget) -> list[Bar]:
    """Return a bar for each cost, called as the fields of `Budget`."""
    return [Bar(name, value, getattr(budget, name)) for name, value in costs.items()]


def warnings(bars: Sequence[Bar], budget: Budget) -> list[str]:
    """Return one line for each bar that is over."""
    return [
        f"budget {budget.name}: {bar.name} is {bar.value}, wanted at most {bar.limit}"
        for bar in bars
        if bar.over
    ]

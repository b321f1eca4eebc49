"""The Family record: a kind of prop, its names, and the function that draws one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assets3d.props.dice import Dice
from assets3d.props.prop import Draft


@dataclass(frozen=True)
class Family:
    """A kind of prop.

    Attributes:
        name: its key, one word.
        nouns: what people call it; the first is the plainest.
        height_m: range of sensible real heights.
        draft: draws one, in the author's units (a cube of half size 2 round the origin).
        held_out: kept from training, for honest benchmarks.
        outdoors: stands in the open, so that moss and snow may lie on it.
        grouped: such things also come in twos and threes.
    """

    name: str
    nouns: tuple[str, ...]
    height_m: tuple[float, float]
    draft: Callable[[Dice], Draft]
    held_out: bool = False
    outdoors: bool = False
    grouped: bool = False

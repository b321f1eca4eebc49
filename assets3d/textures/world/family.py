"""The Family record: a kind of material, its names, and the function that paints one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assets3d.textures.world.layers import Layers


@dataclass(frozen=True)
class Family:
    """A kind of material.

    Attributes:
        name: its key, one word.
        paint: paints one at a size in pixels; the layout depends on the generator alone.
        nouns: what people call it; the first is the plainest.
        words: all words that `paint` may give in `Layers.words`; phrases join them by "and".
        tile_m: range of sensible real tile sides, in metres.
        held_out: kept from training, for honest benchmarks.
    """

    name: str
    paint: Callable[[int, np.random.Generator], Layers]
    nouns: tuple[str, ...]
    words: tuple[str, ...]
    tile_m: tuple[float, float]
    held_out: bool = False

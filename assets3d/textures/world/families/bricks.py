"""Bricks: courses in mortar, running, stacked or as a herringbone."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import courses
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import fbm, grid
from assets3d.textures.world.shaping import bevel, colours_per_element, mix, smoothstep


def bricks(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint bricks in mortar."""
    dice = Dice(generator)
    x, y = grid(size_px)
    elements = courses(x, y, 4, 2 * dice.whole(4, 6), generator)
    profile = bevel(elements.edge(0.01) - 0.006, 0.012)
    colours = colours_per_element((0.55, 0.3, 0.22), elements.count, generator)
    colour = mix((0.6, 0.58, 0.54), colours[elements.index], smoothstep(0.0, 0.3, profile))
    height = 0.02 * profile + 0.004 * fbm(x, y, 16, 4, generator)
    return Layers(colour, height, 0.8 + 0.0 * height, 0.0 * height, ("red",))


BRICKS = Family("bricks", bricks, ("brick wall", "bricks"), ("red",), (1.0, 2.0))

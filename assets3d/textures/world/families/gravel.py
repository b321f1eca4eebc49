"""Gravel: pebbles or crushed stones of several sizes, lying on each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid
from assets3d.textures.world.scatter import (
    Pieces,
    Profile,
    Strewn,
    joined,
    pushed_apart,
    scattered_pieces,
    strewn,
)
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.weathering import speckled

_MINERALS: dict[str, tuple[Rgb, ...]] = {
    "grey": ((0.46, 0.46, 0.46), (0.58, 0.57, 0.55), (0.34, 0.35, 0.37), (0.52, 0.50, 0.47)),
    "brown": ((0.50, 0.40, 0.31), (0.60, 0.50, 0.39), (0.38, 0.30, 0.24), (0.55, 0.47, 0.41)),
    "white": ((0.82, 0.80, 0.76), (0.74, 0.72, 0.69), (0.86, 0.85, 0.82), (0.70, 0.66, 0.60)),
    "dark": ((0.20, 0.20, 0.22), (0.27, 0.27, 0.28), (0.16, 0.17, 0.19), (0.33, 0.32, 0.32)),
    "red": ((0.50, 0.29, 0.24), (0.60, 0.37, 0.31), (0.41, 0.25, 0.22), (0.64, 0.47, 0.40)),
    "colourful": ((0.62, 0.50, 0.38), (0.40, 0.42, 0.45), (0.76, 0.72, 0.66), (0.47, 0.30, 0.25)),
}
# Half lengths of the largest stones, in tile sides.
_SIZES = {"fine": (0.021, 0.029), "": (0.038, 0.052), "coarse": (0.064, 0.09)}
_FACETS = 7


def gravel(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint gravel: rounded or crushed, fine or coarse, of one kind of stone or of many."""
    dice = Dice(generator)
    x, y = grid(size_px)
    size, mineral = dice.pick(list(_SIZES)), dice.pick(list(_MINERALS))
    crushed, wet = dice.chance(0.4), dice.chance(0.2)
    largest = dice.between(*_SIZES[size])
    pieces, level = _heap(largest, dice)
    count = len(pieces)
    # Trodden down: less deep than a heap.
    relief = dice.between(0.20, 0.31) * (0.8 if crushed else 1.0)
    shape = _crushed(count, generator) if crushed else _rounded(count, generator)

    def profile(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        return relief * (level[k] + 0.7 * pieces.half_width[k] * shape(u, v, k))

    stones = strewn(size_px, pieces, profile)
    ground = 0.05 * largest * fbm(x, y, 24, 4, generator, gain=0.8)
    height = np.maximum(stones.height, ground)
    bare = smoothstep(0.0, 0.03 * largest, ground - stones.height)
    rough = 0.012 if crushed else 0.005
    height = height + rough * largest * fbm(x, y, 32, 3, generator, gain=0.8)
    colour = _stone_colours(stones, _MINERALS[mineral], count, dice)
    colour = speckled(colour, x, y, dice, dice.between(0.04, 0.14), 64)
    sand = shade(dice, dice.pick(_MINERALS[mineral]), 0.02)
    colour = mix(colour, np.multiply(sand, dice.between(0.55, 1.0)), bare)
    roughness = 0.78 + 0.12 * fbm(x, y, 4, 3, generator) - (0.0 if crushed else 0.12)
    if wet:
        colour, roughness = 0.7 * colour, roughness - 0.4
    words = [size, "wet" if wet else "", mineral, "crushed" if crushed else "rounded"]
    return Layers(colour, height, roughness, 0.0 * height, tuple(word for word in words if word))


def _heap(largest: float, dice: Dice) -> tuple[Pieces, Field]:
    """Return the stones and the level (N,) on which each lies, in tile sides."""
    generator = dice.generator
    # The upper ones lie side by side; between them one sees smaller ones that have fallen deeper.
    upper = scattered_pieces(
        round(dice.between(1.0, 1.25) / largest**2),
        (0.3 * largest, largest),
        (0.65, 0.95),
        generator,
        smaller=1.8,
    )
    lower = scattered_pieces(
        round(1.8 / largest**2),
        (0.25 * largest, 0.8 * largest),
        (0.6, 0.95),
        generator,
        smaller=1.3,
    )
    heights = generator.uniform(0.7, 1.15, len(upper)), generator.uniform(0.0, 0.55, len(lower))
    return joined(pushed_apart(upper), lower), largest * np.concatenate(heights)


def _rounded(count: int, generator: np.random.Generator) -> Profile:
    """Return the profile of pebbles, 0..1: flat ellipsoids, each a little out of shape."""
    bend, pinch = generator.uniform(-0.3, 0.3, (2, count)).astype(np.float32)
    flatness = generator.uniform(0.45, 0.75, count).astype(np.float32)

    def profile(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        lumps = bend[k] * u * v + pinch[k] * u * (u * u - 3.0 * v * v)
        inside = 1.0 - (u * u + v * v) * (1.15 + lumps)
        return np.where(inside > 0.0, np.maximum(inside, 1e-6) ** flatness[k], -np.inf)

    return profile


def _crushed(count: int, generator: np.random.Generator) -> Profile:
    """Return the profile of broken stones, about 0..1: a tilted top cut by random planes."""
    turn = generator.uniform(0.0, 1.0, (_FACETS, count)) * 0.8 + np.arange(_FACETS)[:, None]
    angle = (2 * np.pi / _FACETS * turn).astype(np.float32)
    reach = generator.uniform(0.55, 0.95, (_FACETS, count)).astype(np.float32)
    slope = generator.uniform(0.9, 3.0, (_FACETS, count)).astype(np.float32)
    tilt = generator.uniform(-0.45, 0.45, (2, count)).astype(np.float32)
    normal_x, normal_y = np.cos(angle), np.sin(angle)

    def profile(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        height = 0.75 + tilt[0, k] * u + tilt[1, k] * v
        for facet in range(_FACETS):
            away = normal_x[facet, k] * u + normal_y[facet, k] * v
            np.minimum(height, slope[facet, k] * (reach[facet, k] - away), out=height)
        return np.where(height > 0.0, height, -np.inf)

    return profile


def _stone_colours(stones: Strewn, minerals: tuple[Rgb, ...], count: int, dice: Dice) -> Field:
    """Return (S, S, 3): each stone of one mineral, some with bands."""
    generator = dice.generator
    palette = np.array([shade(dice, mineral, 0.02) for mineral in minerals], np.float32)
    own = palette[generator.integers(len(palette), size=count)]
    own = own * generator.uniform(0.82, 1.18, (count, 1)).astype(np.float32)
    other = palette[generator.integers(len(palette), size=count)]
    bands = generator.uniform(2.0, 7.0, count).astype(np.float32)
    banded = (generator.random(count) < dice.between(0.0, 0.4)).astype(np.float32)
    along = bands[stones.index] * (stones.v + 0.3 * stones.u * stones.u) + 7.0 * bands[stones.index]
    share = 0.6 * banded[stones.index] * smoothstep(0.3, 0.8, np.cos(along))
    return mix(own[stones.index], other[stones.index], share)


GRAVEL = Family(
    "gravel",
    gravel,
    ("gravel", "pebbles", "stones"),
    ("fine", "coarse", "wet", *_MINERALS, "crushed", "rounded"),
    (0.3, 1.0),
)

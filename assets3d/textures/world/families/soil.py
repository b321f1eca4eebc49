"""Soil: crumbly earth with stones and roots, and mud that dried and cracked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, warped
from assets3d.textures.world.scatter import joined, scattered_pieces, strewn
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.weathering import speckled, stained

_SOILS: dict[str, Rgb] = {
    "brown": (0.38, 0.29, 0.22),
    "dark": (0.26, 0.22, 0.19),
    "red": (0.48, 0.28, 0.20),
    "grey": (0.44, 0.41, 0.37),
    "yellow": (0.56, 0.45, 0.30),
}
_MUDS: dict[str, Rgb] = {**_SOILS, "pale": (0.66, 0.60, 0.52)}
del _MUDS["dark"]


def soil(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint earth: clods and crumbs, moist or dry, with stones, leaves or nothing on it."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name, wet = dice.pick(["brown", "dark", *_SOILS]), dice.chance(0.3)
    largest = dice.between(0.03, 0.06)
    clods = joined(
        scattered_pieces(
            round(1.2 / largest**2), (0.2 * largest, largest), (0.6, 1.0), generator, smaller=2.0
        ),
        scattered_pieces(2500, (0.006, 0.014), (0.6, 1.0), generator, smaller=2.0),
    )
    count = len(clods)
    sunk = generator.uniform(0.1, 0.75, count).astype(np.float32)
    half_width = clods.half_width.astype(np.float32)
    bend = generator.uniform(-0.5, 0.5, (2, count)).astype(np.float32)

    def clod(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        lumpy = (u * u + v * v) * (1.2 + bend[0, k] * u * v + bend[1, k] * v * (3 * u * u - v * v))
        return np.where(lumpy < 1.0, half_width[k] * (0.9 * (1.0 - lumpy) - sunk[k]), -np.inf)

    lying = strewn(size_px, clods, clod)
    ground = 0.018 * fbm(x, y, dice.whole(4, 6), 6, generator, gain=0.55)
    # Crumbs lie on the ground where they stick out of it at all.
    loose = np.maximum(np.where(lying.covered, lying.height, -1.0), 0.0)
    crumbs = fbm(x, y, 40, 4, generator, gain=0.8)
    height = ground + dice.between(0.5, 0.8) * loose + dice.between(0.0012, 0.0022) * crumbs
    base = shade(dice, _SOILS[name], 0.03)
    colour = stained(base, x, y, dice, 0.15)
    own = generator.uniform(0.85, 1.15, count).astype(np.float32)
    colour = colour * np.where(loose > 0.0, own[lying.index], 1.0)[..., None]
    colour = speckled(colour, x, y, dice, dice.between(0.08, 0.18), 48)
    roughness = 0.92 + 0.05 * crumbs
    if wet:
        damp = smoothstep(-0.6, 0.5, fbm(x, y, dice.whole(5, 8), 6, generator, gain=0.65))
        colour = colour * mix(1.0, 0.68, damp)[..., None]
        roughness = roughness - 0.35 * damp
    words = ["wet" if wet else "dry", name]
    thing = dice.pick(("", "with stones", "with stones", "with leaves"))
    if thing:
        make = _stones if thing == "with stones" else _leaves
        height, colour = make(size_px, height, colour, dice)
        words.append(thing)
    return Layers(colour, height, roughness, 0.0 * height, tuple(words))


def _stones(size_px: int, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour with small stones half sunk in."""
    generator = dice.generator
    count = dice.whole(40, 160)
    pieces = scattered_pieces(count, (0.008, 0.035), (0.6, 0.95), generator, smaller=3.0)
    half_width = pieces.half_width.astype(np.float32)
    edges = generator.uniform(0.35, 0.8, count).astype(np.float32)

    def dome(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        return half_width[k] * ((1.0 - u * u - v * v) ** edges[k] - 0.1)

    seen = strewn(size_px, pieces, dome)
    raised = np.maximum(np.where(seen.covered, seen.height, 0.0), 0.0)
    kinds = ((0.52, 0.50, 0.47), (0.62, 0.57, 0.50), (0.36, 0.35, 0.34))
    first = shade(dice, dice.pick(kinds), 0.02)
    own = generator.uniform(0.8, 1.2, (count, 1)) * (1.0 + generator.normal(0, 0.02, (count, 3)))
    tint = (np.asarray(first) * own).astype(np.float32)[seen.index]
    share = smoothstep(0.0, 0.002, raised)
    return height + dice.between(0.5, 0.7) * raised, mix(colour, tint, share)


def _leaves(size_px: int, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour with fallen leaves."""
    generator = dice.generator
    count = dice.whole(15, 70)
    leaves = scattered_pieces(count, (0.035, 0.065), (0.4, 0.6), generator)
    level = generator.uniform(0.0, 1.0, count).astype(np.float32)
    curl = generator.uniform(-0.008, 0.016, count).astype(np.float32)

    def leaf(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        # Pointed at both ends, curled, with a rib along the middle and veins to the rim.
        inside = np.abs(v) < (1.0 - u * u) ** 1.2 * (1.0 - 0.25 * u)
        veins = smoothstep(0.25, 0.0, np.abs(((u - 0.6 * np.abs(v)) * 5.0) % 1.0 - 0.5))
        rib = smoothstep(0.14, 0.0, np.abs(v))
        shape = 0.006 * level[k] + curl[k] * (u * u + v * v) + 0.0012 * rib + 0.0007 * veins
        return np.where(inside, 0.004 + shape, -np.inf)

    seen = strewn(size_px, leaves, leaf)
    tints = ((0.52, 0.33, 0.16), (0.60, 0.46, 0.20), (0.42, 0.27, 0.18), (0.55, 0.24, 0.14))
    own = np.array([shade(dice, dice.pick(tints), 0.06) for _ in range(count)], np.float32)
    rib = smoothstep(0.12, 0.02, np.abs(seen.v))[..., None]
    raised = np.where(seen.covered, seen.height, 0.0)
    return height + raised, mix(colour, own[seen.index] * (1.0 + 0.15 * rib), seen.covered)


def mud(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint mud that dried: plates with curled rims between cracks, finer cracks in them."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name = dice.pick(list(_MUDS))
    columns = dice.whole(4, 8)
    rows = columns + columns % 2
    bend = [0.1 / columns * fbm(x, y, 2 * columns, 4, generator, gain=0.45) for _ in range(2)]
    wx, wy = warped(x, y, *bend)
    points = jittered_points(columns, rows, 0.9, generator)
    plates = stones(wx, wy, points, cellular(wx, wy, points), rounding=0.003)
    wide = dice.between(0.003, 0.008) * 6.0 / columns
    inner = smoothstep(0.3 * wide, 1.6 * wide, plates.edge)
    # Rims curl up while they dry; the middle sinks.
    size = 0.5 / columns
    curled = np.clip(plates.edge / size, 0.0, 1.0)
    dish = dice.between(0.0, 0.3) * size * (1.0 - curled) ** 2
    tilt = generator.normal(0.0, 0.06, (2, plates.count)).astype(np.float32)
    level = generator.normal(0.0, 0.08 * size, plates.count).astype(np.float32)[plates.index]
    slope = tilt[0][plates.index] * plates.u + tilt[1][plates.index] * plates.v
    depth = dice.between(0.10, 0.18) * size
    fine = np.abs(fbm(wx, wy, 2 * columns, 3, generator))
    hair = smoothstep(0.045, 0.0, fine) * smoothstep(0.1, 0.5, fbm(x, y, 5, 3, generator) + 0.2)
    skin = fbm(x, y, 24, 5, generator, gain=0.75)
    height = inner * (depth + dish + slope + level - 0.12 * depth * hair)
    height = height + 0.0018 * skin + 0.004 * fbm(x, y, 8, 4, generator)
    base = shade(dice, _MUDS[name], 0.03)
    colour = stained(base, x, y, dice, 0.12)
    own = generator.uniform(0.93, 1.07, plates.count).astype(np.float32)
    colour = colour * own[plates.index][..., None]
    below = np.multiply(base, dice.between(0.7, 1.2))
    colour = mix(below, colour, smoothstep(0.2, 0.9, inner))
    # Salt or silt that the last water left, high and low alike.
    silt = smoothstep(0.1, 0.6, fbm(x, y, dice.whole(3, 5), 6, generator, gain=0.6))
    colour = mix(colour, np.multiply(base, dice.pick((0.8, 1.25))), silt * dice.between(0.2, 0.8))
    colour = speckled(colour, x, y, dice, 0.06, 64)
    return Layers(colour, height, 0.88 + 0.06 * skin, 0.0 * height, ("dry", "cracked", name))


SOIL = Family(
    "soil",
    soil,
    ("soil", "earth", "dirt ground"),
    ("wet", "dry", *_SOILS, "with stones", "with leaves"),
    (0.4, 1.5),
)
MUD = Family("mud", mud, ("mud", "earth", "clay ground"), ("dry", "cracked", *_MUDS), (0.5, 2.0))

"""Moss and grass: tufts, cushions and blades seen from above."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid
from assets3d.textures.world.scatter import Pieces, pushed_apart, scattered_pieces, strewn
from assets3d.textures.world.shaping import mix, smoothstep

_MOSSES: dict[str, tuple[Rgb, Rgb]] = {
    "green": ((0.38, 0.46, 0.17), (0.28, 0.37, 0.14)),
    "yellow-green": ((0.52, 0.52, 0.18), (0.40, 0.43, 0.15)),
    "dark green": ((0.30, 0.38, 0.18), (0.23, 0.30, 0.15)),
    "brown": ((0.42, 0.36, 0.18), (0.30, 0.29, 0.15)),
}
_GRASSES: dict[str, tuple[Rgb, Rgb]] = {
    "green": ((0.36, 0.46, 0.18), (0.27, 0.38, 0.15)),
    "dark green": ((0.27, 0.37, 0.18), (0.22, 0.31, 0.16)),
    "dry": ((0.62, 0.54, 0.32), (0.50, 0.46, 0.25)),
}
_EARTH: Rgb = (0.27, 0.21, 0.16)


def moss(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint a carpet of moss: cushions made of small stars, sometimes with fallen needles."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name = dice.pick(list(_MOSSES))
    cushions = _cushions(size_px, x, y, dice)
    largest = dice.between(0.018, 0.032)
    count = round(2.6 / largest**2)
    tufts = scattered_pieces(count, (0.55 * largest, largest), (0.8, 1.0), generator)
    level = generator.uniform(0.0, 0.55, count).astype(np.float32)
    leaves = generator.integers(5, 9, count).astype(np.float32)
    twist = generator.uniform(-1.5, 1.5, count).astype(np.float32)

    def star(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        radius = np.sqrt(u * u + v * v)
        ray = np.cos(leaves[k] * np.arctan2(v, u) + twist[k] * radius)
        dome = 1.0 - radius * radius
        return np.where(radius < 0.72 + 0.28 * ray, level[k] + dome + 0.22 * radius * ray, -np.inf)

    seen = strewn(size_px, tufts, star)
    top = np.maximum(seen.height, 0.0)
    height = cushions + dice.between(0.14, 0.22) * largest * top
    height = height + 0.0016 * fbm(x, y, 48, 3, generator, gain=0.8)
    colour = _plant_colours(x, y, _MOSSES[name], count, seen.index, dice)
    # Young tips are lighter in one kind of moss, darker in another.
    tip = smoothstep(0.5, 0.0, np.hypot(seen.u, seen.v)) * seen.covered
    colour = colour * (1.0 + dice.between(-0.25, 0.35) * tip)[..., None]
    roughness = 0.9 + 0.06 * fbm(x, y, 8, 3, generator)
    words: tuple[str, ...] = (name,)
    if dice.chance(0.3):
        height, colour = _with_needles(size_px, height, colour, dice)
        words = (*words, "with needles")
    return Layers(colour, height, roughness, 0.0 * height, words)


def _cushions(size_px: int, x: Field, y: Field, dice: Dice) -> Field:
    """Return the height of the cushions that moss grows in, with creases between them."""
    size = dice.between(0.08, 0.17)
    mounds = pushed_apart(
        scattered_pieces(round(1.3 / size**2), (0.7 * size, size), (0.8, 1.0), dice.generator)
    )
    width = mounds.half_width.astype(np.float32)
    seen = strewn(size_px, mounds, lambda u, v, k: width[k] * (1.0 - u * u - v * v))
    domes = np.maximum(seen.height, 0.0)
    return dice.between(0.2, 0.45) * domes + 0.012 * fbm(x, y, 5, 4, dice.generator)


def grass(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint a lawn or a meadow: blades that lie over each other, earth between where it is thin."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name, cut = dice.pick(list(_GRASSES)), dice.chance(0.5)
    longest = dice.between(0.035, 0.05) if cut else dice.between(0.06, 0.09)
    broad = dice.between(0.006, 0.009)
    count = round(dice.pick((1.0, 1.5, 1.5)) / (longest * broad))
    blades = scattered_pieces(count, (0.5 * longest, longest), (0.1, 0.1), generator)
    # Wind and feet have laid them down in one direction, more or less.
    lie = 2 * np.pi * fbm(blades.x, blades.y, 2, 2, generator) + dice.between(0.0, 2 * np.pi)
    spread = dice.between(0.5, 3.0)
    angle = lie + spread * (generator.random(count) - 0.5) * 2.0
    width = broad * generator.uniform(0.7, 1.1, count)
    blades = Pieces(blades.x, blades.y, blades.half_length, width, angle)
    level = generator.uniform(0.0, 1.0, count).astype(np.float32)
    length, depth = blades.half_length.astype(np.float32), dice.between(0.005, 0.009)

    def blade(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        # From the root at u = -1 up, and over; folded along the middle.
        arch = 1.0 - 0.5 * (u - 0.2) ** 2
        return depth * level[k] + 0.08 * length[k] * arch + 0.0015 * (0.5 - np.abs(v))

    seen = strewn(size_px, blades, blade)
    ground = 0.003 * fbm(x, y, 24, 4, generator, gain=0.8)
    height = np.maximum(seen.height, ground) + 0.008 * fbm(x, y, 5, 3, generator)
    colour = _plant_colours(x, y, _GRASSES[name], count, seen.index, dice)
    straw = generator.random(count) < dice.pick((0.02, 0.08, 0.2))
    colour = mix(colour, shade(dice, (0.64, 0.57, 0.36)), straw[seen.index] * 0.8)
    below = level[seen.index] - 0.5  # lower blades have got less light, and are paler or darker
    along = dice.between(-0.1, 0.2) * seen.u + 0.08 * np.sign(seen.v)
    colour = colour * (1.0 + along + dice.between(-0.3, 0.5) * below)[..., None]
    colour = mix(colour, shade(dice, _EARTH), ~seen.covered)
    roughness = 0.72 + 0.2 * ~seen.covered + 0.06 * fbm(x, y, 8, 3, generator)
    return Layers(colour, height, roughness, 0.0 * height, ("short" if cut else "long", name))


def _plant_colours(
    x: Field, y: Field, tones: tuple[Rgb, Rgb], count: int, index: NDArray[np.integer], dice: Dice
) -> Field:
    """Return (S, S, 3): every plant its own shade, whole patches lighter or darker."""
    generator = dice.generator
    first, second = (shade(dice, tone, 0.03) for tone in tones)
    own = generator.uniform(0.8, 1.2, (count, 1)) * (1.0 + generator.normal(0, 0.05, (count, 3)))
    patches = fbm(x, y, dice.whole(4, 7), 5, generator, gain=0.7)
    colour = mix(first, second, smoothstep(-0.8, 0.8, patches))
    return colour * own.astype(np.float32)[index]


def _with_needles(size_px: int, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour with brown needles that fell on the moss."""
    count = dice.whole(40, 150)
    needles = pushed_apart(
        scattered_pieces(count, (0.02, 0.04), (0.06, 0.09), dice.generator), rounds=1
    )
    seen = strewn(size_px, needles, lambda u, v, k: 1.0 - v * v + 0.0 * u)
    tints = np.array([shade(dice, (0.45, 0.30, 0.18), 0.1) for _ in range(8)], np.float32)
    raised = 0.006 * np.where(seen.covered, seen.height, 0.0)
    return height + raised, mix(colour, tints[seen.index % 8], seen.covered)


MOSS = Family("moss", moss, ("moss", "mossy ground"), (*_MOSSES, "with needles"), (0.15, 0.5))
GRASS = Family(
    "grass", grass, ("grass", "lawn", "meadow"), ("short", "long", *_GRASSES), (0.25, 0.7)
)

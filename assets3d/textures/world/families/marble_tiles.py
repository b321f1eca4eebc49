"""Marble tiles: polished slabs with veins, laid in grout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import Elements, courses
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid
from assets3d.textures.world.shaping import bevel, mix, smoothstep


@dataclass(frozen=True)
class _Marble:
    """A kind of marble: its ground, its clouds, its veins."""

    ground: Rgb
    cloud: Rgb
    vein: Rgb


_MARBLES: dict[str, _Marble] = {
    "white": _Marble((0.86, 0.85, 0.83), (0.76, 0.76, 0.77), (0.48, 0.48, 0.50)),
    "black": _Marble((0.17, 0.17, 0.18), (0.22, 0.22, 0.23), (0.72, 0.70, 0.66)),
    "green": _Marble((0.20, 0.30, 0.25), (0.28, 0.40, 0.32), (0.62, 0.68, 0.60)),
    "red": _Marble((0.50, 0.26, 0.22), (0.58, 0.36, 0.30), (0.80, 0.72, 0.66)),
    "beige": _Marble((0.78, 0.70, 0.58), (0.72, 0.62, 0.49), (0.55, 0.42, 0.30)),
    "grey": _Marble((0.50, 0.50, 0.51), (0.58, 0.58, 0.59), (0.78, 0.77, 0.76)),
    "brown": _Marble((0.36, 0.26, 0.20), (0.44, 0.32, 0.24), (0.74, 0.62, 0.48)),
}
_PAIRS = tuple(f"{a} and {b}" for a in _MARBLES for b in _MARBLES if a != b)
_LAYOUTS = ("square", "square", "rectangular", "checkered")


def marble_tiles(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint marble tiles of one kind, or of two as a chequer board; polished or worn."""
    dice = Dice(generator)
    x, y = grid(size_px)
    layout = dice.pick(_LAYOUTS)
    columns, rows = _counts(layout, dice)
    shift = 0.5 if layout == "rectangular" and rows % 2 == 0 else 0.0
    tiles = courses(x, y, columns, rows, generator, shift=shift)
    # Every tile is cut from another place of the block, and may be turned round.
    place = generator.random((2, tiles.count)).astype(np.float32)
    turn = generator.choice([-1.0, 1.0], tiles.count).astype(np.float32)
    own_x = turn[tiles.index] * x + place[0][tiles.index]
    own_y = turn[tiles.index] * y + place[1][tiles.index]
    names = dice.generator.choice(list(_MARBLES), 2, replace=False)
    first = str(names[0])
    stone = _marble(own_x, own_y, first, dice)
    words = [layout, first]
    if layout == "checkered":
        row, column = np.divmod(tiles.index, columns)
        odd = (row + column) % 2 == 1
        stone = mix(stone, _marble(own_x, own_y, str(names[1]), dice), odd)
        words = [layout, f"{first} and {names[1]}"]
    stone = (
        stone
        * generator.uniform(0.94, 1.06, tiles.count).astype(np.float32)[tiles.index][..., None]
    )
    height, grout = _relief(tiles, x, y, dice)
    tone = dice.pick(
        ((0.62, 0.60, 0.56), (0.40, 0.39, 0.37), (0.80, 0.78, 0.74), (0.24, 0.23, 0.22))
    )
    sandy = 1.0 + 0.12 * fbm(x, y, 60, 3, generator, gain=0.8)
    colour = mix(stone, np.multiply(shade(dice, tone, 0.03), sandy[..., None]), grout)
    worn = dice.chance(0.35)
    gloss = dice.between(0.32, 0.5) if worn else dice.between(0.07, 0.2)
    smudges = smoothstep(-0.3, 0.9, fbm(x, y, dice.whole(2, 4), 6, generator, gain=0.6))
    roughness = gloss + dice.between(0.05, 0.3) * smudges
    roughness = mix(roughness, 0.85, grout)
    words = ["worn" if worn else "polished", *words]
    return Layers(colour, height, roughness, 0.0 * height, tuple(words))


def _counts(layout: str, dice: Dice) -> tuple[int, int]:
    if layout == "rectangular":
        return dice.pick(((2, 4), (3, 6), (2, 6), (3, 3)))
    count = dice.pick((2, 4, 4, 6)) if layout == "checkered" else dice.whole(2, 5)
    return count, count


def _relief(tiles: Elements, x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return the height and 0..1 where there is grout."""
    generator = dice.generator
    joint, rim = dice.between(0.003, 0.008), dice.between(0.003, 0.01)
    edge = tiles.edge(0.003) - joint
    grout = smoothstep(0.001, -0.001, edge)
    profile = bevel(np.maximum(edge, 0.0), rim)
    # No floor is laid perfectly: tiles lie a little high, low or tilted.
    level = generator.normal(0.0, 0.0012, tiles.count)[tiles.index]
    tilt = generator.normal(0.0, 0.006, (2, tiles.count))[:, tiles.index]
    slab = 0.7 * rim * profile + level + tilt[0] * tiles.u + tilt[1] * tiles.v
    slab = slab + dice.between(0.0, 0.0025) * fbm(x, y, 6, 4, generator)
    bed = -0.3 * rim + 0.0012 * fbm(x, y, 48, 3, generator, gain=0.8)
    return mix(slab, bed, grout), grout


def _marble(x: Field, y: Field, name: str, dice: Dice) -> Field:
    """Return (S, S, 3): clouds drawn out one way, veins where folded noise crosses zero."""
    generator, kind = dice.generator, _MARBLES[name]
    ground, cloud = shade(dice, kind.ground, 0.015), shade(dice, kind.cloud, 0.015)
    vein = shade(dice, kind.vein, 0.03)
    fold = dice.between(0.08, 0.2)
    bend = fbm(x, y, 2, 5, generator, gain=0.55)
    wx, wy = x + fold * bend, y - 0.7 * fold * bend
    drift = fbm(wx, wy, dice.pick(((2, 4), (4, 2), (3, 3))), 5, generator, gain=0.6)
    colour = mix(ground, cloud, smoothstep(-0.5, 0.7, drift))
    # Broad faint veins, and fine sharp ones that come and go along their way.
    strength = smoothstep(-0.2, 0.6, drift + bend)
    for cells, width, share in ((2, 0.10, 0.5), (4, 0.035, 0.9)):
        line = np.abs(fbm(wx, wy, cells, 5, generator, gain=0.45))
        colour = mix(colour, vein, share * smoothstep(width, 0.0, line) ** 2 * strength)
    return colour


MARBLE_TILES = Family(
    "marble_tiles",
    marble_tiles,
    ("marble tiles", "marble floor", "tiled floor"),
    ("polished", "worn", *_LAYOUTS[1:], *_MARBLES, *_PAIRS),
    (0.8, 2.0),
)

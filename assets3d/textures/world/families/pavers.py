"""Pavers: concrete blocks on a pavement, hexagons, squares, planks or interlocked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import courses, herringbone, jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid
from assets3d.textures.world.shaping import bevel, mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.weathering import moss, moss_cover, speckled, stained

_TONES: dict[str, Rgb] = {
    "grey": (0.55, 0.54, 0.52),
    "dark grey": (0.36, 0.36, 0.36),
    "red": (0.53, 0.33, 0.28),
    "beige": (0.68, 0.61, 0.51),
    "brown": (0.44, 0.36, 0.30),
    "pale": (0.70, 0.68, 0.65),
}
_PAIRS = tuple(f"{a} and {b}" for a in _TONES for b in _TONES if a != b)
_GRANITES: tuple[Rgb, ...] = ((0.30, 0.30, 0.30), (0.74, 0.72, 0.70), (0.58, 0.44, 0.38))


@dataclass(frozen=True)
class _Blocks:
    """Blocks seen per pixel: number, distance inwards from the rim, offset from the centre."""

    index: NDArray[np.integer]
    edge: Field
    u: Field
    v: Field
    count: int


def pavers(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint pavers: of one colour or mixed, new or worn, clean or with moss in the joints."""
    dice = Dice(generator)
    x, y = grid(size_px)
    shape = dice.pick(list(_SHAPES))
    blocks = _SHAPES[shape](x, y, dice)
    joint, rim = dice.between(0.002, 0.006), dice.between(0.004, 0.014)
    worn = dice.chance(0.4)
    chips = fbm(x, y, dice.whole(16, 28), 4, generator, gain=0.65)
    edge = blocks.edge - joint - (0.006 if worn else 0.001) * np.maximum(chips, 0.0)
    top = bevel(np.maximum(edge, 0.0), rim)
    level = generator.normal(0.0, 0.003 if worn else 0.0015, blocks.count)[blocks.index]
    tilt = generator.normal(0.0, 0.025 if worn else 0.01, (2, blocks.count))[:, blocks.index]
    grit = fbm(x, y, 44, 3, generator, gain=0.85)
    face = rim * top + level + tilt[0] * blocks.u + tilt[1] * blocks.v
    face = face + dice.between(0.0007, 0.002) * grit
    sand = dice.between(-0.4, 0.3) * rim + 0.0012 * fbm(x, y, 40, 3, generator, gain=0.8)
    gap = smoothstep(0.001, -0.001, edge)
    height = mix(face, sand, gap) + 0.004 * fbm(x, y, 3, 3, generator)
    names, colour = _block_colours(blocks, dice)
    colour = speckled(colour, x, y, dice, dice.between(0.05, 0.12), 52)
    flecks = smoothstep(0.35, 0.6, fbm(x, y, 60, 2, generator, gain=0.9))
    colour = mix(colour, dice.pick(_GRANITES), flecks * dice.between(0.0, 0.5))
    colour = stained(colour, x, y, dice, dice.between(0.04, 0.14))
    filling = shade(dice, dice.pick(((0.62, 0.55, 0.45), (0.34, 0.31, 0.28), (0.50, 0.48, 0.45))))
    colour = mix(colour, filling, gap)
    roughness = mix(0.75 + 0.1 * grit + dice.between(-0.15, 0.08), 0.92, gap)
    words = ["worn" if worn else "", shape, " and ".join(names)]
    if dice.chance(0.3):
        hollow = smoothstep(0.8 * rim, -0.2 * rim, edge)
        share = moss_cover(x, y, hollow, dice, dice.between(0.25, 0.5))
        green, cushions = moss(x, y, dice)
        colour, height = mix(colour, green, share), height + 0.006 * share * cushions
        words = ["mossy", *words]
    return Layers(colour, height, roughness, 0.0 * height, tuple(word for word in words if word))


def _hexagons(x: Field, y: Field, dice: Dice) -> _Blocks:
    # Nearly regular: rows to columns as 2 to the root of 3.
    columns, rows = dice.pick(((5, 6), (7, 8), (7, 8), (3, 4), (9, 10)))
    points = jittered_points(columns, rows, 0.0, dice.generator)
    if dice.chance(0.5):
        points = points[:, ::-1]
    cells = stones(x, y, points, cellular(x, y, points))
    return _Blocks(cells.index, cells.edge, cells.u, cells.v, cells.count)


def _rectangles(x: Field, y: Field, dice: Dice, counts: tuple[tuple[int, int], ...]) -> _Blocks:
    columns, rows = dice.pick(counts)
    shift = dice.pick((0.0, 0.5)) if rows % 2 == 0 else 0.0
    made = courses(x, y, columns, rows, dice.generator, shift=shift)
    return _Blocks(made.index, made.edge(0.006), made.u, made.v, made.count)


def _squares(x: Field, y: Field, dice: Dice) -> _Blocks:
    return _rectangles(x, y, dice, ((3, 3), (4, 4), (5, 5), (6, 6), (8, 8)))


def _slabs(x: Field, y: Field, dice: Dice) -> _Blocks:
    return _rectangles(x, y, dice, ((2, 4), (3, 6), (4, 8), (2, 8), (3, 4)))


def _herringbone(x: Field, y: Field, dice: Dice) -> _Blocks:
    made = herringbone(x, y, dice.pick((8, 12)))
    return _Blocks(made.index, made.edge(0.004), made.u, made.v, made.count)


def _waves(x: Field, y: Field, dice: Dice) -> _Blocks:
    """Return blocks whose long sides are zigzags that lock into each other."""
    columns, rows = dice.pick(((4, 8), (5, 10), (6, 12)))
    depth = 0.16 / rows
    saw = np.abs(2.0 * ((2 * columns * x) % 1.0) - 1.0) - 0.5
    bend = depth * np.clip(3.0 * saw, -1.0, 1.0)
    made = courses(x, (y + bend) % 1.0, columns, rows, dice.generator, shift=0.5)
    return _Blocks(made.index, made.edge(0.003), made.u, made.v, made.count)


_SHAPES: dict[str, Callable[[Field, Field, Dice], _Blocks]] = {
    "hexagonal": _hexagons,
    "square": _squares,
    "rectangular": _slabs,
    "herringbone": _herringbone,
    "interlocking": _waves,
}


def _block_colours(blocks: _Blocks, dice: Dice) -> tuple[list[str], Field]:
    """Return the colours' names, and (S, S, 3): every block of one of them, its own shade."""
    generator = dice.generator
    names = [str(n) for n in generator.choice(list(_TONES), dice.pick((1, 1, 2)), replace=False)]
    palette = np.array([shade(dice, _TONES[name], 0.03) for name in names])
    own = palette[generator.integers(len(palette), size=blocks.count)]
    own = own * (1.0 + dice.between(0.02, 0.1) * generator.standard_normal((blocks.count, 1)))
    return names, own.astype(np.float32)[blocks.index]


PAVERS = Family(
    "pavers",
    pavers,
    ("pavers", "paving stones", "pavement"),
    ("mossy", "worn", *_SHAPES, *_TONES, *_PAIRS),
    (0.8, 2.0),
)

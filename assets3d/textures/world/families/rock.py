"""Rock: jagged cliffs, layered beds, weathered granite."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import courses, jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, ridged, warped
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.weathering import moss, moss_cover, speckled, stained

_ROCKS: dict[str, tuple[Rgb, ...]] = {
    "grey": ((0.49, 0.48, 0.46), (0.41, 0.41, 0.41), (0.55, 0.52, 0.48)),
    "dark": ((0.31, 0.31, 0.32), (0.25, 0.25, 0.27), (0.38, 0.36, 0.35)),
    "brown": ((0.47, 0.39, 0.31), (0.40, 0.33, 0.27), (0.54, 0.46, 0.37)),
    "red": ((0.54, 0.36, 0.28), (0.47, 0.30, 0.24), (0.61, 0.44, 0.34)),
    "yellow": ((0.67, 0.56, 0.40), (0.59, 0.47, 0.33), (0.72, 0.63, 0.48)),
    "pale": ((0.70, 0.68, 0.63), (0.63, 0.61, 0.57), (0.76, 0.73, 0.67)),
}
_LICHENS = ((0.66, 0.67, 0.60), (0.60, 0.62, 0.46), (0.66, 0.52, 0.26), (0.30, 0.30, 0.28))


def rock(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint rock: jagged, layered or weathered, bare or grown over."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name = dice.pick(list(_ROCKS))
    kind = dice.pick(("jagged", "layered", "weathered"))
    make = {"jagged": _jagged, "layered": _layered, "weathered": _weathered}[kind]
    height, pattern = make(x, y, dice)
    height = dice.between(0.65, 0.9) * height
    grain = fbm(x, y, 24, 5, generator, gain=0.75)
    height = height + 0.0016 * grain
    colour = _rock_colour(x, y, _ROCKS[name], pattern, dice)
    words = [kind, name]
    growth = dice.pick(("", "", "with lichen", "mossy"))
    if growth == "with lichen":
        colour = _lichened(x, y, colour, dice)
        words = [*words, growth]
    elif growth == "mossy":
        top, bottom = np.quantile(height, (0.9, 0.1))
        low = smoothstep(float(top), float(bottom), height)
        share = moss_cover(x, y, low, dice, dice.between(0.3, 0.6))
        green, cushions = moss(x, y, dice)
        colour = mix(colour, green, share)
        height = height + 0.008 * share * cushions
        words = [growth, *words]
    roughness = 0.82 + 0.08 * grain + dice.between(-0.1, 0.08)
    return Layers(colour, height, roughness, 0.0 * height, tuple(words))


def _jagged(x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return the height of broken rock, facets within facets, and a pattern for its colour."""
    generator = dice.generator
    bend = [0.03 * fbm(x, y, 5, 4, generator, gain=0.6) for _ in range(2)]
    wx, wy = warped(x, y, *bend)
    height = 0.03 * fbm(x, y, 3, 3, generator)
    # One common dip: facets of one rock break along the same planes.
    dip = generator.normal(0.0, 0.25, 2)
    count, pattern = dice.whole(4, 6), np.zeros_like(height)
    for _ in range(2):
        points = jittered_points(count, count + count % 2, 1.0, generator)
        cells = cellular(wx, wy, points)
        facets = len(points)
        tilt = (dip + generator.normal(0.0, 0.3, (facets, 2))).astype(np.float32)
        level = generator.normal(0.0, 0.3, facets).astype(np.float32)
        u, v = (w - p[cells.index] for w, p in zip((wx, wy), points.T, strict=True))
        slope = tilt[cells.index]
        u, v = u - np.round(u), v - np.round(v)
        height = height + 0.3 * (slope[..., 0] * u + slope[..., 1] * v)
        height = height + 0.05 / count * level[cells.index]
        pattern = pattern + level[cells.index]
        count *= 3
    return height + 0.007 * ridged(x, y, 8, 5, generator), pattern


def _layered(x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return the height of beds that broke into blocks, and a pattern that follows the beds."""
    generator = dice.generator
    rows, columns = dice.whole(10, 18), dice.whole(1, 2)
    wander = 0.045 * fbm(x, y, (2, 3), 5, generator, 0.5)
    fray = 0.009 * fbm(x, y, (12, 20), 5, generator, 0.65)
    wx, wy = warped(x, y, 0.05 * fbm(x, y, (4, 8), 4, generator), wander + fray)
    blocks = courses(
        wx,
        wy,
        columns,
        rows,
        generator,
        shift=generator.random(rows),
        column_jitter=0.7,
        row_jitter=0.75,
    )
    own = generator.normal(0.0, 0.5, blocks.count)
    row_level = np.repeat(generator.normal(0.0, 0.8, rows), columns)
    level = (own + row_level).astype(np.float32)[blocks.index]
    tilt = generator.normal(0.0, 0.12, (2, blocks.count)).astype(np.float32)
    edge = blocks.edge(0.008)
    worn = dice.between(0.006, 0.016)
    bulge = np.sqrt(np.clip(edge / worn, 0.0, 1.0))
    height = dice.between(0.006, 0.010) * level + 0.010 * bulge
    height = height + tilt[0][blocks.index] * blocks.u + tilt[1][blocks.index] * blocks.v
    # Thin laminae show in every bed.
    laminae = fbm(wx, wy, (3, 48), 3, generator, gain=0.7)
    height = height + 0.002 * laminae + 0.006 * fbm(x, y, 9, 5, generator, 0.6)
    return height, 0.6 * np.repeat(generator.normal(0, 1, rows), columns)[blocks.index] + laminae


def _weathered(x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return the height of rounded old rock with a few cracks, and a pattern of its minerals."""
    generator = dice.generator
    lumps = fbm(x, y, dice.whole(3, 5), 6, generator, gain=0.55)
    pits = ridged(x, y, dice.whole(7, 10), 5, generator, gain=0.6)
    wx, wy = warped(
        x, y, 0.05 * fbm(x, y, 4, 6, generator, 0.6), 0.05 * fbm(x, y, 4, 6, generator, 0.6)
    )
    points = jittered_points(3, 2 * dice.whole(1, 2), 1.0, generator)
    blocks = stones(wx, wy, points, cellular(wx, wy, points))
    open_here = smoothstep(-0.3, 0.3, fbm(x, y, 3, 3, generator))
    crack = smoothstep(0.012, 0.0, blocks.edge) * open_here
    level = generator.normal(0.0, 0.012, blocks.count).astype(np.float32)[blocks.index]
    height = 0.03 * lumps - 0.007 * pits + 0.6 * level - 0.014 * crack
    return height, fbm(x, y, 6, 4, generator)


def _rock_colour(x: Field, y: Field, tones: tuple[Rgb, ...], pattern: Field, dice: Dice) -> Field:
    """Return (S, S, 3): minerals after the pattern, streaks of water, stains of iron."""
    generator = dice.generator
    first, second, third = (shade(dice, tone, 0.02) for tone in tones)
    colour = mix(first, second, smoothstep(-1.0, 1.0, pattern))
    colour = mix(colour, third, smoothstep(0.0, 0.7, fbm(x, y, 5, 6, generator, 0.65)))
    colour = stained(colour, x, y, dice, dice.between(0.06, 0.2))
    if dice.chance(0.35):
        iron = smoothstep(0.1, 0.8, fbm(x, y, (7, 3), 6, generator, 0.6))
        colour = mix(colour, shade(dice, (0.48, 0.31, 0.18)), dice.between(0.2, 0.5) * iron)
    return speckled(colour, x, y, dice, dice.between(0.05, 0.16), 48)


def _lichened(x: Field, y: Field, colour: Field, dice: Dice) -> Field:
    for _ in range(dice.whole(1, 2)):
        spots = fbm(x, y, dice.whole(5, 9), 6, dice.generator, gain=0.7)
        share = smoothstep(0.28, 0.48, spots) * dice.between(0.4, 0.85)
        colour = mix(colour, shade(dice, dice.pick(_LICHENS), 0.03), share)
    return colour


ROCK = Family(
    "rock",
    rock,
    ("rock", "rock face", "stone cliff"),
    ("jagged", "layered", "weathered", *_ROCKS, "mossy", "with lichen"),
    (1.0, 4.0),
)

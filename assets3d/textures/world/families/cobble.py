"""Cobble: rounded stones or hewn setts, bedded in sand, soil or mortar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import courses, jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, ridged, warped
from assets3d.textures.world.shaping import bevel, colours_per_element, mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.weathering import dusted, moss, moss_cover, speckled, stained

ROCKS: dict[str, tuple[Rgb, ...]] = {
    "grey": ((0.53, 0.53, 0.52), (0.45, 0.45, 0.46), (0.60, 0.59, 0.57)),
    "dark": ((0.32, 0.32, 0.34), (0.28, 0.28, 0.28)),
    "beige": ((0.70, 0.63, 0.51), (0.66, 0.57, 0.44)),
    "brown": ((0.47, 0.37, 0.29), (0.41, 0.32, 0.25)),
    "red": ((0.48, 0.33, 0.29), (0.53, 0.38, 0.33)),
    "blue": ((0.40, 0.44, 0.49), (0.47, 0.50, 0.54)),
}
BEDS: tuple[Rgb, ...] = (
    (0.62, 0.55, 0.43),
    (0.33, 0.26, 0.20),
    (0.24, 0.22, 0.20),
    (0.68, 0.66, 0.62),
    (0.46, 0.43, 0.39),
)


@dataclass(frozen=True)
class _Paving:
    """Stones per pixel; `reach` is about half a stone's side, in tile sides."""

    index: NDArray[np.integer]
    u: Field
    v: Field
    edge: Field
    count: int
    reach: float


def cobble(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint cobbles: round or square, wet or dry, clean or mossy."""
    dice = Dice(generator)
    x, y = grid(size_px)
    square = dice.chance(0.4)
    paving = _setts(x, y, dice) if square else _round(x, y, dice)
    words = ["square"] if square else []

    # Relief: domes over a bed that fills the joints to a varying level.
    gap = paving.reach * dice.between(0.02, 0.1)
    chips = np.maximum(fbm(x, y, 14, 4, generator, gain=0.6) - 0.1, 0.0)
    edge = paving.edge - gap - paving.reach * dice.between(0.04, 0.16) * chips
    shoulder = bevel(edge, paving.reach * dice.between(0.35, 0.7))
    crown = smoothstep(0.0, 1.0, edge / paving.reach)
    depth = paving.reach * dice.between(0.35, 0.6)
    lift = generator.normal(0.0, 0.1, paving.count) * depth
    tilt = generator.normal(0.0, dice.between(0.03, 0.1), (2, paving.count))
    lean = tilt[0][paving.index] * paving.u + tilt[1][paving.index] * paving.v
    # Every stone has its own piece of the noise, so that none runs on across a joint.
    own = generator.random((2, paving.count))
    x_own, y_own = warped(x, y, own[0][paving.index], own[1][paving.index])
    hewn = fbm(x_own, y_own, 9, 5, generator, gain=0.55)
    pits = smoothstep(0.4, 0.75, fbm(x, y, 44, 2, generator))
    texture = depth * dice.between(0.06, 0.16) * (hewn - 0.35 * pits)
    stone = depth * (0.78 * shoulder + 0.22 * crown) + shoulder * (
        lift[paving.index] + lean + texture
    )
    grit = fbm(x, y, 70, 3, generator, gain=0.85)
    fill = depth * (dice.between(0.12, 0.4) + 0.06 * fbm(x, y, 6, 3, generator) + 0.035 * grit)
    buried = smoothstep(-0.06 * depth, 0.06 * depth, fill - stone)
    height = mix(stone, fill, buried)

    # Colour
    name = dice.pick(list(ROCKS))
    base = shade(dice, dice.pick(ROCKS[name]))
    tones = colours_per_element(
        base,
        paving.count,
        generator,
        value=dice.between(0.12, 0.35),
        hue=dice.between(0.005, 0.022),
    )
    if dice.chance(0.3):
        other = shade(dice, dice.pick(ROCKS[dice.pick(list(ROCKS))]))
        tones[generator.random(paving.count) < 0.4] = other
        words.append("mixed")
    else:
        words.append(name)
    colour = speckled(tones[paving.index], x, y, dice, dice.between(0.05, 0.22), 60)
    clouds = fbm(x_own, y_own, 5, 4, generator)
    colour = colour * (1.0 + dice.between(0.05, 0.2) * clouds[..., None])
    if dice.chance(0.4):  # veins of quartz
        veins = smoothstep(0.75, 0.97, ridged(x_own, y_own, 3, 3, generator))
        colour = mix(colour, (0.78, 0.76, 0.72), 0.5 * veins)
    colour = stained(colour, x, y, dice, dice.between(0.03, 0.12))
    bed = shade(dice, dice.pick(BEDS))
    colour = mix(colour, speckled(bed, x, y, dice, 0.16, 80), buried)
    film = smoothstep(0.9, 0.2, shoulder) * (0.5 + fbm(x, y, 8, 4, generator))
    colour = dusted(colour, bed, dice.between(0.0, 0.6) * film)
    polish = dice.between(0.35, 0.8)
    roughness = mix(polish + 0.12 * hewn, 0.92, buried)

    weather = generator.random()
    if weather < 0.25:
        cover = moss_cover(x, y, 1.0 - shoulder, dice, dice.between(0.3, 0.55))
        green, cushions = moss(x, y, dice)
        colour = mix(colour, green, cover)
        height = height + cover * depth * (0.06 + 0.22 * cushions)
        roughness = mix(roughness, 0.95, cover)
        words.insert(0, "mossy")
    elif weather < 0.38:
        colour = colour * 0.72
        roughness = roughness * 0.45
        words.insert(0, "wet")
    return Layers(colour, height, roughness, np.zeros_like(height), tuple(words))


def _round(x: Field, y: Field, dice: Dice) -> _Paving:
    """Return rounded stones of unlike size and shape."""
    columns = dice.whole(4, 8)
    rows = 2 * max(2, round(columns * dice.between(0.45, 0.6)))
    points = jittered_points(columns, rows, dice.between(0.35, 0.8), dice.generator)
    bend = 0.12 / columns
    x, y = warped(
        x, y, bend * fbm(x, y, 8, 2, dice.generator), bend * fbm(x, y, 8, 2, dice.generator)
    )
    reach = 0.5 / max(columns, rows)
    found = stones(x, y, points, cellular(x, y, points), rounding=reach * dice.between(0.1, 0.22))
    return _Paving(found.index, found.u, found.v, found.edge, found.count, reach)


def _setts(x: Field, y: Field, dice: Dice) -> _Paving:
    """Return hewn blocks in courses."""
    columns = dice.whole(4, 8)
    rows = 2 * max(2, round(columns * dice.between(0.5, 0.75)))
    bend = 0.06 / rows
    x, y = warped(
        x, y, bend * fbm(x, y, 7, 3, dice.generator), bend * fbm(x, y, 7, 3, dice.generator)
    )
    found = courses(
        x,
        y,
        columns,
        rows,
        dice.generator,
        shift=dice.generator.uniform(0.3, 0.7, rows) + 0.5 * np.arange(rows),
        column_jitter=dice.between(0.1, 0.35),
        row_jitter=dice.between(0.05, 0.2),
    )
    reach = 0.5 / max(columns, rows)
    edge = found.edge(reach * dice.between(0.35, 0.7))
    return _Paving(found.index, found.u, found.v, edge, found.count, reach)


COBBLE = Family(
    name="cobble",
    paint=cobble,
    nouns=("cobblestone", "cobbles", "stone pavement"),
    words=("square", "mixed", "mossy", "wet", *ROCKS),
    tile_m=(0.8, 2.0),
)

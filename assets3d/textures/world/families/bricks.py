"""Bricks: courses in mortar, running, stacked or as a herringbone."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import PAINTS, Rgb, paint, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import Elements, courses, herringbone
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid, warped
from assets3d.textures.world.shaping import bevel, colours_per_element, mix, smoothstep
from assets3d.textures.world.weathering import (
    moss,
    moss_cover,
    painted_pattern,
    speckled,
    stained,
    worn_paint,
)

CLAYS: dict[str, tuple[Rgb, ...]] = {
    "red": ((0.56, 0.25, 0.18), (0.62, 0.31, 0.22), (0.50, 0.22, 0.17)),
    "brown": ((0.42, 0.28, 0.20), (0.36, 0.25, 0.19), (0.47, 0.33, 0.24)),
    "yellow": ((0.76, 0.64, 0.42), (0.70, 0.58, 0.38)),
    "orange": ((0.68, 0.41, 0.27), (0.70, 0.46, 0.33)),
    "grey": ((0.50, 0.49, 0.48), (0.40, 0.40, 0.41), (0.60, 0.59, 0.57)),
    "black": ((0.25, 0.24, 0.24), (0.22, 0.22, 0.23)),
    "white": ((0.82, 0.81, 0.78), (0.76, 0.75, 0.73)),
}
PAINTED = ("white", "blue", "green", "yellow", "black", "grey", "red")


def bricks(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint bricks in mortar: plain or painted, new or chipped, clean or mossy."""
    dice = Dice(generator)
    words: list[str] = []
    age = dice.between(0.0, 1.0)
    x, y = grid(size_px)
    wobble = dice.between(0.0006, 0.0025) * (0.5 + age)
    x_bent, y_bent = warped(
        x, y, wobble * fbm(x, y, 9, 3, generator), wobble * fbm(x, y, 9, 3, generator)
    )
    elements, brick_height, bond = _bond(x_bent, y_bent, dice)

    # Relief: bricks stand before the mortar; age rounds and chips their edges.
    joint = brick_height * dice.between(0.05, 0.09)
    raw_edge = elements.edge(brick_height * dice.between(0.05, 0.16)) - joint
    chips = np.maximum(fbm(x, y, 20, 4, generator, gain=0.6) - 0.15, 0.0)
    edge = raw_edge - brick_height * (0.08 + 0.35 * age) * chips
    rim = brick_height * dice.between(0.07, 0.18)
    body = bevel(edge, rim)
    depth = brick_height * dice.between(0.09, 0.18)
    tilt = generator.normal(0.0, 0.02 + 0.02 * age, (2, elements.count))
    lift = generator.normal(0.0, 0.12 * depth, elements.count)
    slope = tilt[0][elements.index] * elements.u + tilt[1][elements.index] * elements.v
    grain = fbm(x, y, 24, 4, generator, gain=0.65)
    pores = smoothstep(0.35, 0.7, fbm(x, y, 52, 2, generator))
    sand = fbm(x, y, 90, 2, generator, gain=0.9)
    rough = depth * dice.between(0.05, 0.16)
    brick_surface = lift[elements.index] + slope + rough * (grain - 1.2 * pores)
    height = mix(rough * (0.6 * grain + 0.8 * sand), depth + brick_surface, body)

    # Colour: every brick its own, mortar lighter or darker than they are.
    clay_name = dice.pick(list(CLAYS))
    clay = shade(dice, dice.pick(CLAYS[clay_name]))
    spread = dice.between(0.06, 0.2)
    tones = colours_per_element(clay, elements.count, generator, value=spread, hue=0.02)
    if dice.chance(0.35):
        burnt = generator.random(elements.count) < dice.between(0.08, 0.3)
        tones[burnt] *= dice.between(0.55, 0.75)
    colour = speckled(tones[elements.index], x, y, dice, dice.between(0.03, 0.12), 48)
    colour = stained(colour, x, y, dice, dice.between(0.03, 0.15))
    body_share = smoothstep(0.0, 0.35, body)
    words.append(clay_name)
    coat: Field | None = None
    if dice.chance(0.22):
        colour, words, coat = _paint(colour, x, y, body, dice, age)
    mortar = shade(
        dice,
        dice.pick(
            (
                (0.72, 0.70, 0.65),
                (0.58, 0.56, 0.53),
                (0.42, 0.40, 0.38),
                (0.27, 0.26, 0.25),
                (0.66, 0.58, 0.47),
            )
        ),
    )
    mortar_colour = speckled(mortar, x, y, dice, 0.12, 64)
    colour = mix(
        mortar_colour, colour, body_share if coat is None else np.maximum(body_share, coat)
    )
    # Lime and soot smear over bricks and joints alike.
    smear = smoothstep(0.15, 0.6, fbm(x, y, 5, 6, generator, gain=0.65)) * dice.between(0.0, 0.45)
    colour = mix(
        colour, shade(dice, dice.pick(((0.75, 0.73, 0.69), (0.22, 0.2, 0.18)))), smear * age
    )
    roughness = 0.78 + 0.08 * grain + 0.1 * (1.0 - body_share)
    if coat is not None:
        roughness = mix(roughness, dice.between(0.35, 0.6), coat)

    if dice.chance(0.2):
        cover = moss_cover(x, y, 1.0 - body, dice, dice.between(0.3, 0.6))
        green, cushions = moss(x, y, dice)
        colour = mix(colour, green, cover)
        height = height + cover * depth * (0.25 + 0.5 * cushions)
        roughness = mix(roughness, 0.95, cover)
        words.insert(0, "mossy")
    elif age > 0.6:
        words.insert(0, dice.pick(("old", "weathered")))
    return Layers(colour, height, roughness, np.zeros_like(height), (*words, *bond))


def _bond(x: Field, y: Field, dice: Dice) -> tuple[Elements, float, tuple[str, ...]]:
    """Return the bricks, their height in tile sides, and the word of their bond."""
    kind = dice.generator.random()
    if kind < 0.16:
        units = 4 * dice.whole(2, 3)
        return herringbone(x, y, units), 1.0 / units, ("herringbone",)
    columns = dice.whole(2, 5)
    aspect = dice.between(2.2, 3.4)
    rows = 2 * max(2, round(columns * aspect / 2))
    if kind < 0.3:
        return courses(x, y, columns, rows, dice.generator, shift=0.0), 1.0 / rows, ("stacked",)
    shift = dice.pick((0.5, 0.5, 0.5, 0.25))
    if shift == 0.25:
        rows = 4 * max(1, round(rows / 4))
    elements = courses(
        x,
        y,
        columns,
        rows,
        dice.generator,
        shift=shift,
        column_jitter=dice.between(0.0, 0.08),
        row_jitter=dice.between(0.0, 0.06),
    )
    return elements, 1.0 / rows, ()


def _paint(
    colour: Field, x: Field, y: Field, body: Field, dice: Dice, age: float
) -> tuple[Field, list[str], Field]:
    """Return the colour under a coat of paint, the words, and where the coat still holds."""
    coat = worn_paint(x, y, 0.25 * (1.0 - body), dice, dice.between(0.55, 1.1) - 0.25 * age)
    if dice.chance(0.35):
        pattern, names, word = painted_pattern(x, y, dice)
        return mix(colour, pattern, coat), [word, f"{names[0]} and {names[1]}"], coat
    name = dice.pick(PAINTED)
    tone = speckled(paint(dice, name), x, y, dice, 0.03, 20)
    return mix(colour, tone, coat), ["painted", name], coat


BRICKS = Family(
    name="bricks",
    paint=bricks,
    nouns=("brick wall", "bricks", "brickwork"),
    words=(
        "old",
        "weathered",
        "mossy",
        "painted",
        "striped",
        "checked",
        "spotted",
        "herringbone",
        "stacked",
        *sorted({*CLAYS, *PAINTS}),
    ),
    tile_m=(0.8, 1.6),
)

"""Planks: boards side by side, bare or painted, with grain, knots, nails and gaps."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import PAINTS, Rgb, paint, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import Elements, courses
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid, ridged, warped
from assets3d.textures.world.shaping import bevel, colours_per_element, mix, smoothstep
from assets3d.textures.world.weathering import (
    moss,
    moss_cover,
    painted_pattern,
    speckled,
    stained,
    worn_paint,
)

WOODS: dict[str, tuple[Rgb, ...]] = {
    "brown": ((0.50, 0.34, 0.22), (0.56, 0.39, 0.26)),
    "light": ((0.76, 0.60, 0.42), (0.80, 0.66, 0.49)),
    "dark": ((0.33, 0.23, 0.17), (0.28, 0.21, 0.17)),
    "red": ((0.53, 0.29, 0.20), (0.48, 0.25, 0.18)),
    "grey": ((0.55, 0.53, 0.50), (0.47, 0.46, 0.45), (0.62, 0.60, 0.57)),
    "honey": ((0.72, 0.49, 0.27), (0.68, 0.45, 0.25)),
}
FILLINGS: tuple[Rgb, ...] = (
    (0.20, 0.17, 0.15),
    (0.30, 0.26, 0.22),
    (0.60, 0.54, 0.45),
    (0.72, 0.68, 0.61),
    (0.80, 0.78, 0.74),
)
PAINTED = ("white", "blue", "green", "red", "turquoise", "grey", "yellow", "beige")


def planks(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint boards that run across or down the tile: new or old, bare or painted."""
    dice = Dice(generator)
    words: list[str] = []
    age = dice.between(0.0, 1.0)
    # Everything is painted with boards along x; half of the tiles are turned at the end.
    upright = dice.chance(0.5)
    x, y = grid(size_px)
    rows = dice.whole(4, 9)
    wobble = dice.between(0.0, 0.05) / rows
    y_bent = (y + wobble * fbm(x, y, 3, 2, generator)) % 1.0
    boards = courses(
        x,
        y_bent,
        2 if rows > 6 and dice.chance(0.4) else 1,
        rows,
        generator,
        shift=generator.random(rows) * 2.0,
        row_jitter=dice.between(0.0, 0.25),
        column_jitter=0.3,
    )
    half = 0.5 / rows
    rings, knot = _rings(boards, x, y, half, dice)
    early = 0.5 + 0.5 * np.sin(2 * np.pi * rings)  # 1 in the soft, pale part of a ring
    fibres = fbm(x, y, (4, 80), 3, generator, gain=0.8)
    cracks = smoothstep(0.8, 0.98, ridged(x, y, (3, 30), 2, generator)) * smoothstep(
        0.0, 0.4, fbm(x, y, (5, 9), 3, generator) + 0.5 * age - 0.35
    )

    # Relief: boards with round edges, cupped and lifted; age washes out the soft wood.
    gap = half * dice.between(0.015, 0.07)
    nibble = np.maximum(fbm(x, y, (10, 30), 3, generator) - 0.1, 0.0)
    edge = boards.edge(half * 0.06) - gap - half * 0.12 * age * nibble
    body = bevel(edge, half * dice.between(0.08, 0.3))
    depth = half * dice.between(0.2, 0.4)
    lift = generator.normal(0.0, 0.12 * depth, boards.count)
    tilt = generator.normal(0.0, 0.03 + 0.04 * age, boards.count)
    cup = generator.normal(0.0, 0.25, boards.count) * depth
    across = boards.v / boards.half_height
    shape = lift[boards.index] + tilt[boards.index] * boards.v + cup[boards.index] * across**2
    carved = half * dice.between(0.004, 0.012) * (0.5 + 1.5 * age)
    grain = carved * (1.1 * fibres - 0.9 * early) - 4.0 * carved * cracks
    nail_head, nail_rust = _nails(boards, half, dice)
    height = depth * body + body * (shape + grain + half * 0.02 * knot) + half * 0.035 * nail_head

    # Colour: rings and fibres, each board its own tone.
    wood_name = dice.pick(("grey", "brown")) if age > 0.75 else dice.pick(list(WOODS))
    wood = shade(dice, dice.pick(WOODS[wood_name]))
    tones = colours_per_element(
        wood, boards.count, generator, value=dice.between(0.08, 0.3), hue=0.02
    )
    colour = tones[boards.index]
    contrast = dice.between(0.06, 0.22)
    late = (1.0 - early) ** 2
    streaks = fbm(x, y, (2, 24), 4, generator, gain=0.6)
    colour = colour * (1.0 - contrast * late + 0.08 * fibres + 0.1 * streaks)[..., None]
    colour = mix(
        colour,
        np.multiply(wood, (0.52, 0.45, 0.40)),
        smoothstep(0.1, 0.9, knot) * (0.55 + 0.4 * late),
    )
    colour = stained(colour, x, y, dice, dice.between(0.03, 0.12))
    colour = mix(colour, np.multiply(wood, 0.45), 0.7 * cracks)
    roughness = 0.62 + 0.1 * age + 0.08 * fibres + 0.1 * cracks
    words.append(wood_name)
    if dice.chance(0.3):
        kept = dice.between(0.65, 1.15) - 0.2 * age
        coat = _coat(x, y, body, cracks, late, dice, kept)
        if dice.chance(0.2):
            pattern, names, word = painted_pattern(x, y, dice)
            words = [word, f"{names[0]} and {names[1]}"]
        else:
            name = dice.pick(PAINTED)
            pattern, words = speckled(paint(dice, name), x, y, dice, 0.03, 24), ["painted", name]
        pattern = pattern * (1.0 + 0.05 * fibres)[..., None]
        colour = mix(colour, pattern, coat)
        height = height + half * 0.008 * coat
        roughness = mix(roughness, dice.between(0.3, 0.6), coat)
    # What shows between boards: shade, dust or sand, now darker, now lighter than they.
    dirt = shade(dice, dice.pick(FILLINGS))
    colour = mix(dirt, colour, smoothstep(-0.02 * half, 0.06 * half, edge))
    colour = mix(colour, (0.3, 0.27, 0.26), nail_head)
    colour = mix(colour, (0.33, 0.2, 0.13), 0.6 * age * nail_rust)
    metallic = 0.8 * nail_head
    roughness = mix(roughness, 0.55, nail_head)

    if dice.chance(0.12):
        cover = moss_cover(x, y, 1.0 - body, dice, dice.between(0.3, 0.5))
        green, cushions = moss(x, y, dice)
        colour, roughness = mix(colour, green, cover), mix(roughness, 0.95, cover)
        height = height + cover * half * (0.04 + 0.1 * cushions)
        metallic = metallic * (1.0 - cover)
        words.insert(0, "mossy")
    elif age > 0.6:
        words.insert(0, dice.pick(("old", "weathered")))
    words.append("wooden")
    if upright:
        colour = colour.transpose(1, 0, 2)
        height, roughness, metallic = height.T, roughness.T, metallic.T
    return Layers(colour, height, roughness, metallic, tuple(words))


def _rings(boards: Elements, x: Field, y: Field, half: float, dice: Dice) -> tuple[Field, Field]:
    """Return the growth rings' phase, in rings, and 0..1 in knots.

    A flat-sawn board cuts the trunk's cones: rings are distances to an axis outside or inside the
    board, stretched along it; a knot pushes them aside.
    """
    generator, index = dice.generator, boards.index
    centre_v = generator.uniform(-2.0, 2.0, boards.count) * half
    centre_u = generator.uniform(-0.5, 0.5, boards.count)
    stretch = generator.uniform(0.02, 0.07, boards.count)
    own = generator.random((2, boards.count))
    x_own, y_own = warped(x, y, own[0][index], own[1][index])
    bend = half * 0.35 * fbm(x_own, y_own, (2, 5), 3, generator)
    knot_v = generator.uniform(-0.6, 0.6, boards.count) * half
    knot_u = generator.uniform(-0.4, 0.4, boards.count)
    size = half * generator.uniform(0.12, 0.3, boards.count)
    size[generator.random(boards.count) < 0.45] = 1e-6  # no knot
    away_u, away_v = boards.u - knot_u[index], boards.v - knot_v[index]
    distance = np.hypot(0.7 * away_u, away_v) / size[index]
    push = np.exp(-0.18 * distance * distance) * size[index] * 1.3
    v = boards.v + np.where(away_v > 0, -push, push) * np.tanh(np.abs(away_v) / size[index])
    radius = np.hypot((boards.u - centre_u[index]) * stretch[index], v - centre_v[index]) + bend
    per_half = dice.between(5.0, 11.0)
    rings = radius * per_half / half
    heart = smoothstep(1.25, 0.75, distance)
    return rings + heart * (1.6 * distance - rings % 1.0), heart


def _nails(boards: Elements, half: float, dice: Dice) -> tuple[Field, Field]:
    """Return 0..1 on nail heads, two at both ends of each board, and on the rust round them."""
    if dice.chance(0.35):
        nothing = np.zeros_like(boards.u)
        return nothing, nothing
    inset, radius = half * dice.between(0.25, 0.5), half * dice.between(0.05, 0.085)
    along = np.abs(boards.u) - (boards.half_width - inset)
    aside = np.abs(boards.v) - 0.55 * boards.half_height
    distance = np.hypot(along, aside)
    return smoothstep(1.1, 0.8, distance / radius), smoothstep(4.0, 0.8, distance / radius)


def _coat(
    x: Field, y: Field, body: Field, cracks: Field, late: Field, dice: Dice, kept: float
) -> Field:
    """Return where paint holds: it flakes along the fibres, first at edges and cracks."""
    along = worn_paint(x, y, 0.35 * (1.0 - body) + 0.3 * cracks, dice, kept)
    flakes = fbm(x, y, (5, 36), 4, dice.generator, gain=0.65)
    return along * smoothstep(-0.05, 0.05, flakes + 1.5 * kept - 0.55 - 0.1 * late)


PLANKS = Family(
    name="planks",
    paint=planks,
    nouns=("planks", "wooden boards", "wood planks", "plank floor"),
    words=(
        "old",
        "weathered",
        "mossy",
        "painted",
        "striped",
        "checked",
        "spotted",
        "wooden",
        *sorted({*WOODS, *PAINTS}),
    ),
    tile_m=(0.6, 1.5),
)

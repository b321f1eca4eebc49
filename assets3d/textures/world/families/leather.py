"""Leather: pebbled grain, creases, quilting and stitches. Held out of training."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, ridged, warped
from assets3d.textures.world.shaping import bevel, mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.weathering import stained

HIDES: dict[str, tuple[Rgb, ...]] = {
    "brown": ((0.40, 0.25, 0.17), (0.46, 0.30, 0.20)),
    "tan": ((0.66, 0.45, 0.28), (0.72, 0.52, 0.35)),
    "black": ((0.22, 0.21, 0.21), (0.25, 0.24, 0.24)),
    "red": ((0.50, 0.17, 0.15), (0.44, 0.15, 0.14)),
    "white": ((0.80, 0.78, 0.74), (0.76, 0.74, 0.70)),
    "green": ((0.22, 0.33, 0.26), (0.28, 0.38, 0.29)),
    "blue": ((0.22, 0.29, 0.42), (0.28, 0.36, 0.48)),
    "grey": ((0.45, 0.44, 0.43), (0.52, 0.51, 0.50)),
}


def leather(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint leather: fine or coarse grain, smooth or worn, plain or quilted."""
    dice = Dice(generator)
    words: list[str] = []
    x, y = grid(size_px)
    quilted = dice.chance(0.35)
    cells = 2 * (dice.whole(17, 21) if quilted else dice.whole(11, 19))
    pebble = 0.5 / cells
    points = jittered_points(cells, cells, dice.between(0.6, 0.95), generator)
    bend = 0.35 / cells
    x_bent, y_bent = warped(
        x, y, bend * fbm(x, y, cells // 2, 2, generator), bend * fbm(x, y, cells // 2, 2, generator)
    )
    grain = stones(x_bent, y_bent, points, cellular(x_bent, y_bent, points), rounding=0.3 * pebble)
    furrow = bevel(grain.edge + 0.05 * pebble, pebble * dice.between(0.7, 1.1))
    lift = generator.normal(0.0, 0.16, grain.count)
    fine = fbm(x, y, 64, 3, generator, gain=0.8)
    pores = smoothstep(0.5, 0.8, fbm(x, y, 56, 2, generator))
    swell = fbm(x, y, 4, 3, generator)
    creases = smoothstep(0.6, 0.95, ridged(x_bent, y_bent, dice.whole(2, 3), 3, generator, 0.4))
    creases = creases * smoothstep(0.0, 0.5, swell + 0.2)
    worn = dice.between(0.0, 1.0)
    depth = pebble * dice.between(0.25, 0.45)
    height = depth * (furrow + furrow * lift[grain.index] + 0.06 * fine - 0.12 * pores)
    height = height + 0.02 * swell - depth * (0.6 + worn) * creases

    name = dice.pick(list(HIDES))
    hide = shade(dice, dice.pick(HIDES[name]))
    words.append(name)
    tones = 1.0 + dice.between(0.0, 0.05) * generator.normal(0.0, 1.0, grain.count)
    colour = np.multiply(hide, tones[grain.index][..., None])
    colour = stained(colour, x, y, dice, dice.between(0.02, 0.1))
    # Dye gathers in furrows, or polish leaves dust there: darker or lighter than the grain.
    settled = np.multiply(hide, dice.between(0.55, 0.8)) if dice.chance(0.6) else (0.7, 0.64, 0.56)
    colour = mix(colour, settled, dice.between(0.0, 0.45) * (1.0 - furrow))
    rubbed = smoothstep(0.0, 0.9, fbm(x, y, 4, 6, generator, gain=0.65) + worn - 0.7)
    pale = np.minimum(np.multiply(hide, 1.25) + 0.08, 0.9)
    colour = mix(colour, pale, dice.between(0.1, 0.4) * rubbed * (0.5 + 0.5 * furrow))
    roughness = dice.between(0.3, 0.6) + 0.2 * (1.0 - furrow) + 0.15 * rubbed
    if worn > 0.65:
        words.insert(0, "worn")

    if quilted:
        cushion, seam, thread, button = _quilt(x, y, dice)
        height = height + cushion + thread * 0.0035
        thread_name = dice.pick(("white", "black", "tan", "red"))
        thread_colour = shade(dice, HIDES[thread_name][0])
        colour = mix(colour * (1.0 - 0.35 * seam)[..., None], thread_colour, thread)
        colour = mix(colour, np.multiply(hide, 0.85), button)
        roughness = mix(roughness, 0.75, thread)
        words.append("quilted")
    return Layers(colour, height, roughness, np.zeros_like(height), tuple(words))


def _quilt(x: Field, y: Field, dice: Dice) -> tuple[Field, Field, Field, Field]:
    """Return padding (a height in tile sides) and 0..1 in seams, on stitches and on buttons."""
    count = dice.whole(2, 4)
    diamond = dice.chance(0.7)
    a, b = ((x + y) * count, (x - y) * count) if diamond else (x * count, y * count)
    fold = 1.0 / (count * (np.sqrt(2.0) if diamond else 1.0))  # distance between seams
    to_a, to_b = np.abs(a - np.round(a)) * fold, np.abs(b - np.round(b)) * fold
    to_seam = np.minimum(to_a, to_b)
    half = 0.5 * fold
    swell = np.sqrt(np.sin(0.5 * np.pi * to_a / half) * np.sin(0.5 * np.pi * to_b / half))
    cushion = fold * dice.between(0.14, 0.26) * (swell + 0.2 * bevel(to_seam, 0.15 * half))
    seam = smoothstep(0.06 * half, 0.0, to_seam)
    nothing = np.zeros_like(swell)
    if dice.chance(0.5):
        radius = 0.22 * half
        from_corner = np.hypot(to_a, to_b)
        dome = np.sqrt(np.clip(1.0 - (from_corner / radius) ** 2, 0.0, 1.0))
        button = smoothstep(1.05, 0.95, from_corner / radius)
        return cushion + 1.2 * radius * dome, seam, nothing, button
    stitches = 4 * dice.whole(3, 5)  # per seam between two crossings
    along = np.where(to_a < to_b, b, a) * stitches
    dash = smoothstep(0.42, 0.3, np.abs(along - np.round(along)))
    beside = np.abs(to_seam - 0.13 * half)
    return cushion, seam, dash * smoothstep(0.05 * half, 0.03 * half, beside), nothing


LEATHER = Family(
    name="leather",
    paint=leather,
    nouns=("leather",),
    words=("worn", "quilted", *HIDES),
    tile_m=(0.1, 0.4),
    held_out=True,
)

"""Bark of trees: furrowed as an oak's, scaly as a pine's, or a birch's smooth white."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, warped
from assets3d.textures.world.scatter import Pieces, strewn
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.waves import crest_phase, wave_field
from assets3d.textures.world.weathering import moss, moss_cover

# Weathered outside and fresher inside.
_BARKS: dict[str, tuple[Rgb, Rgb]] = {
    "brown": ((0.44, 0.37, 0.30), (0.33, 0.26, 0.20)),
    "grey": ((0.51, 0.49, 0.46), (0.37, 0.34, 0.31)),
    "reddish": ((0.47, 0.35, 0.29), (0.40, 0.27, 0.20)),
    "dark": ((0.32, 0.29, 0.26), (0.24, 0.20, 0.18)),
}
_LICHENS = ((0.62, 0.65, 0.56), (0.55, 0.60, 0.50), (0.62, 0.58, 0.38))


def bark(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint bark, bare or grown over with moss or lichen."""
    dice = Dice(generator)
    x, y = grid(size_px)
    kind = dice.pick(("furrowed", "furrowed", "scaly", "smooth white"))
    if kind == "smooth white":
        return _birch(size_px, x, y, dice)
    name = dice.pick(list(_BARKS))
    plates, height = (_ridges if kind == "furrowed" else _scales)(size_px, x, y, dice)
    fibres = fbm(x, y, (48, 8), 4, generator, gain=0.7)
    height = height + 0.0018 * fibres + 0.003 * plates * fbm(x, y, (20, 12), 4, generator, gain=0.7)
    colour = _bark_colour(x, y, _BARKS[name], plates, fibres, dice)
    layers = Layers(colour, height, 0.9 + 0.05 * fibres, 0.0 * height, (kind, name))
    return _grown_over(x, y, layers, plates, dice)


def _ridges(size_px: int, x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return 0..1, where ridges that run up the trunk, fork and are cracked across, and heights."""
    ridges, generator = dice.between(6.0, 11.0), dice.generator
    spread = dice.between(0.9, 1.8), dice.between(1.6, 3.0)
    field = wave_field(size_px, (ridges, 0.0), spread, generator, 40)
    phase = crest_phase(field, 0.14 * fbm(x, y, (12, 6), 5, generator, gain=0.65))
    across = 1.0 - np.abs(2.0 * phase - 1.0)
    plates = smoothstep(0.0, dice.between(0.6, 0.85), across)
    # Plates break across where the trunk has grown: short cracks, one above another.
    cracks = np.abs(fbm(x, y, (round(0.9 * ridges), 18), 3, generator, gain=0.4))
    depth = dice.between(0.15, 0.4) * smoothstep(-0.3, 0.3, fbm(x, y, 4, 2, generator))
    plates = plates * (1.0 - depth * smoothstep(0.14, 0.0, cracks))
    return plates, dice.between(0.15, 0.22) / ridges * plates


def _scales(size_px: int, x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return 0..1, where long plates are, and their heights: flakes in layers, as a pine's."""
    columns, rows, generator = dice.whole(6, 9), 2 * dice.whole(1, 2), dice.generator
    points = jittered_points(columns, rows, 1.0, generator)
    wide, fine = dice.between(0.02, 0.035), (dice.whole(9, 14), dice.whole(5, 7))
    wx, wy = warped(
        x, y, wide * fbm(x, y, fine, 5, generator, 0.6), 2 * wide * fbm(x, y, fine, 4, generator)
    )
    plate = stones(wx, wy, points, cellular(wx, wy, points))
    # Flakes have come off in layers, with ragged edges that follow the plate's here and there.
    depth = plate.edge / dice.between(0.022, 0.034) + 1.1 * fbm(x, y, (9, 5), 6, generator, 0.6)
    depth = np.clip(depth, 0.0, 3.0)
    step = np.floor(depth) + smoothstep(0.0, 0.2, depth % 1.0)
    level = generator.uniform(0.0, 1.2, plate.count).astype(np.float32)[plate.index]
    gap = smoothstep(0.001, dice.between(0.012, 0.02), plate.edge)
    height = dice.between(0.005, 0.008) * (0.8 * step + gap * (1.5 + level))
    return gap * (0.4 + 0.15 * step), height


def _bark_colour(
    x: Field, y: Field, tones: tuple[Rgb, Rgb], plates: Field, fibres: Field, dice: Dice
) -> Field:
    """Return (S, S, 3): outside and inside, mixed by age more than by depth."""
    generator = dice.generator
    outer, inner = (shade(dice, tone, 0.02) for tone in tones)
    if dice.chance(0.4):  # old ridges worn to darker than the furrows
        outer, inner = inner, outer
    age = fbm(x, y, (8, 3), 5, generator, gain=0.65)
    share = smoothstep(-0.5, 0.9, 0.9 * age + dice.between(0.1, 0.6) * (0.8 - 1.2 * plates))
    colour = mix(outer, inner, share)
    return colour * (1.0 + 0.14 * fibres + 0.08 * fbm(x, y, 64, 2, generator))[..., None]


def _grown_over(x: Field, y: Field, layers: Layers, plates: Field, dice: Dice) -> Layers:
    """Return the layers with lichen, which has hardly any relief, or with moss, or as they are."""
    colour, height, words = layers.base_colour, layers.height, layers.words
    growth = dice.pick(("", "", "with lichen", "mossy"))
    if growth == "with lichen":
        spots = fbm(x, y, dice.whole(6, 10), 6, dice.generator, gain=0.7)
        share = smoothstep(0.25, 0.45, spots) * dice.between(0.4, 0.8)
        colour = mix(colour, shade(dice, dice.pick(_LICHENS), 0.02), share)
        height, words = height + 0.001 * share, (*words, growth)
    elif growth == "mossy":
        share = moss_cover(x, y, 1.0 - plates, dice, dice.between(0.3, 0.6))
        green, cushions = moss(x, y, dice)
        colour = mix(colour, green, share)
        height, words = height + 0.009 * share * cushions, (growth, *words)
    return Layers(colour, height, layers.roughness, layers.metallic, words)


def _birch(size_px: int, x: Field, y: Field, dice: Dice) -> Layers:
    """Paint a birch: white skin that peels in bands, dark cork lines across, torn black places."""
    generator = dice.generator
    count = dice.whole(90, 200)
    length = generator.uniform(0.01, 0.075, count)
    lines = Pieces(
        generator.random(count),
        generator.random(count),
        length,
        0.0025 + 0.05 * length,
        generator.normal(0.0, 0.04, count),
    )
    seen = strewn(size_px, lines, lambda u, v, k: 1.0 - u * u - v * v)
    cork = np.where(seen.covered, smoothstep(0.0, 0.5, np.maximum(seen.height, 0.0)), 0.0)
    bands = fbm(x, y, (3, 14), 6, generator, gain=0.6)
    skin = mix(
        shade(dice, (0.82, 0.80, 0.75), 0.02),
        shade(dice, (0.74, 0.64, 0.54), 0.03),
        smoothstep(-0.2, 0.8, bands),
    )
    skin = skin * (1.0 + 0.07 * fbm(x, y, (24, 96), 3, generator, gain=0.8))[..., None]
    torn_field = fbm(x, y, (dice.whole(2, 3), dice.whole(3, 5)), 7, generator, gain=0.62)
    torn = smoothstep(dice.between(0.3, 0.5), 0.62, torn_field)
    rough = fbm(x, y, (24, 16), 5, generator, gain=0.75)
    dark = np.multiply(shade(dice, (0.21, 0.19, 0.18), 0.01), 1.0 + 0.2 * rough[..., None])
    colour = mix(mix(skin, (0.30, 0.25, 0.22), 0.85 * cork), dark, torn)
    peel = np.floor(4.0 * bands) + smoothstep(0.0, 0.35, (4.0 * bands) % 1.0)
    height = 0.0018 * peel + 0.004 * cork + torn * (dice.between(-0.014, 0.012) + 0.011 * rough)
    height = height + 0.0009 * fbm(x, y, (32, 64), 3, generator, gain=0.8)
    roughness = 0.6 + 0.3 * np.maximum(cork, torn) + 0.05 * bands
    return Layers(colour, height, roughness, 0.0 * height, ("smooth", "white"))


BARK = Family(
    "bark",
    bark,
    ("tree bark", "bark"),
    ("furrowed", "scaly", "smooth", "white", *_BARKS, "mossy", "with lichen"),
    (0.4, 1.0),
)

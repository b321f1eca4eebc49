"""Corrugated metal: sheets in waves or folds, bare, painted or rusty."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import PAINTS, paint, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.weathering import worn_paint

_RUSTS = ((0.44, 0.25, 0.15), (0.36, 0.22, 0.16), (0.54, 0.33, 0.18))
_COATS = tuple(name for name in PAINTS if name not in ("purple", "pink", "orange"))


def corrugated(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint corrugated sheets, waves running down or across."""
    dice = Dice(generator)
    x, y = grid(size_px)
    upright = dice.chance(0.75)
    across, along = (x, y) if upright else (y, x)
    folded = dice.chance(0.4)
    waves = 2 * dice.whole(3, 7)
    profile, amplitude = _profile(across, waves, folded, dice)
    dents = fbm(x, y, dice.whole(3, 5), 4, generator)
    depth = amplitude / waves
    height = depth * profile * (1.0 + 0.12 * dents) + dice.between(0.002, 0.008) * dents
    height, screw, seam = _sheets(across, along, waves, depth, height, dice)
    steel = np.array(shade(dice, dice.pick(((0.66, 0.67, 0.68), (0.58, 0.59, 0.60))), 0.02))
    spangle = _spangle(x, y, dice)
    colour: Field = steel * (1.0 + 0.06 * spangle)[..., None]
    roughness = dice.between(0.28, 0.42) + 0.06 * spangle
    metallic = np.ones_like(height)
    words = []
    if dice.chance(0.5):
        name = dice.pick(_COATS)
        kept = worn_paint(x, y, 0.3 * screw + 0.3 * seam, dice, dice.between(0.75, 1.3))
        fade = 1.0 + 0.08 * fbm(x, y, (6, 2) if upright else (2, 6), 5, generator)
        colour = mix(colour, np.multiply(paint(dice, name), fade[..., None]), kept)
        roughness = mix(roughness, dice.between(0.35, 0.6), kept)
        metallic, height = metallic * (1.0 - kept), height + 0.0007 * kept
        words = ["painted", name]
    else:
        words = ["bare"]
    # Dust and soot stay in the valleys, or rain has washed only these clean.
    colour = colour * (1.0 + dice.between(-0.2, 0.2) * profile)[..., None]
    if dice.chance(0.6):
        rust, depth_of_rust = _rust(x, y, screw, seam, dice)
        grain = fbm(x, y, 32, 4, generator, gain=0.8)
        first, second = shade(dice, dice.pick(_RUSTS), 0.03), shade(dice, dice.pick(_RUSTS), 0.03)
        scale = mix(first, second, smoothstep(-0.4, 0.4, fbm(x, y, 10, 4, generator)))
        colour = mix(colour, scale * (1.0 + 0.2 * grain)[..., None], rust)
        roughness = mix(roughness, 0.85 + 0.08 * grain, rust)
        metallic = metallic * (1.0 - rust)
        height = height + depth_of_rust * rust * (0.5 + grain)
        words = ["rusty", *words]
    words.append("folded" if folded else "wavy")
    return Layers(colour, height, roughness, metallic, tuple(words))


def _profile(across: Field, waves: int, folded: bool, dice: Dice) -> tuple[Field, float]:
    """Return the profile, -1..1, and its amplitude in wave lengths."""
    phase = (across * waves + dice.between(0.0, 1.0)) % 1.0
    if not folded:
        return np.cos(2 * np.pi * phase), dice.between(0.065, 0.10)
    # Trapezoids: a ridge, two flanks, and a wide valley with a shallow bead.
    ridge = dice.between(0.10, 0.18)
    flank = dice.between(0.06, 0.10)
    from_middle = np.abs(phase - 0.5)
    flat = smoothstep(ridge + flank, ridge, from_middle) * 2.0 - 1.0
    bead = dice.between(0.0, 0.25) * smoothstep(0.04, 0.0, np.abs(from_middle - 0.44))
    return flat + bead, dice.between(0.035, 0.055)


def _sheets(
    across: Field, along: Field, waves: int, depth: float, height: Field, dice: Dice
) -> tuple[Field, Field, Field]:
    """Return the height with overlapping sheets and screws, 0..1 near screws and laps."""
    sheets = dice.whole(1, 2)
    start = dice.between(0.0, 1.0)
    place = ((along + start) * sheets) % 1.0 / sheets
    # Each sheet's lower end lies on the next; it rises slowly towards it.
    lap = smoothstep(0.003, 0.0, place)
    height = height + 0.010 * place * sheets
    rows = sheets * dice.pick((1, 2, 3))
    spacing = dice.pick((1, 2)) / waves
    phase = dice.between(0.0, 1.0)
    offset_across = (across - phase / waves + 0.5 * spacing) % spacing - 0.5 * spacing
    offset_along = (along + start - 0.04) % (1.0 / rows)
    offset_along = np.minimum(offset_along, 1.0 / rows - offset_along)
    distance = np.hypot(offset_across, offset_along)
    head = smoothstep(0.0095, 0.0075, distance)
    washer = smoothstep(0.0145, 0.013, distance)
    height = height + 0.35 * depth * 0.2 * washer + 0.006 * head
    return height, smoothstep(0.06, 0.01, distance), lap


def _spangle(x: Field, y: Field, dice: Dice) -> Field:
    """Return -1..1: the crystals of zinc, each of its own grey."""
    count = dice.whole(22, 34)
    points = jittered_points(count, count + count % 2, 1.0, dice.generator)
    own = dice.generator.uniform(-1.0, 1.0, len(points)).astype(np.float32)
    return own[cellular(x, y, points).index]


def _rust(x: Field, y: Field, screw: Field, seam: Field, dice: Dice) -> tuple[Field, float]:
    """Return 0..1 where rust is, and how thick its scale is; water draws it downwards."""
    generator = dice.generator
    patches = fbm(x, y, (dice.whole(3, 5), dice.whole(2, 3)), 7, generator, gain=0.65)
    streaks = fbm(x, y, (dice.whole(14, 24), 2), 4, generator, gain=0.6)
    amount = dice.between(-0.45, 0.25)
    share = smoothstep(-0.08, 0.22, patches + 0.45 * streaks + amount + 0.25 * screw + 0.2 * seam)
    return share, dice.between(0.0008, 0.002)


CORRUGATED = Family(
    "corrugated_metal",
    corrugated,
    ("corrugated metal", "corrugated iron", "metal sheet"),
    ("rusty", "painted", "bare", *_COATS, "folded", "wavy"),
    (1.0, 2.5),
)

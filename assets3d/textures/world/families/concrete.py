"""Concrete: cast against boards or smooth panels, worn, cracked, stained."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import courses, jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, warped
from assets3d.textures.world.scatter import scattered_pieces, strewn
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.weathering import speckled, stained

_TONES: dict[str, Rgb] = {
    "grey": (0.58, 0.57, 0.55),
    "light grey": (0.71, 0.70, 0.67),
    "dark grey": (0.42, 0.42, 0.41),
    "beige": (0.66, 0.61, 0.53),
}


def concrete(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint concrete: smooth, rough, or with the marks of boards or panels."""
    dice = Dice(generator)
    x, y = grid(size_px)
    kind = dice.pick(("smooth", "rough", "with board marks", "with panel joints"))
    # Beige with the grain of boards is taken for wood.
    name = dice.pick([tone for tone in _TONES if tone != "beige" or kind != "with board marks"])
    base = shade(dice, _TONES[name], 0.02)
    colour = np.broadcast_to(np.asarray(base, np.float32), (size_px, size_px, 3))
    colour = stained(colour, x, y, dice, dice.between(0.05, 0.12))
    colour = speckled(colour, x, y, dice, dice.between(0.03, 0.08), 56)
    skin = fbm(x, y, 20, 5, generator, gain=0.8)
    height = 0.0009 * skin + 0.006 * fbm(x, y, 4, 4, generator)
    if kind == "rough":
        height, colour = _worn(x, y, height, colour, dice)
    elif kind == "with board marks":
        height, colour = _boards(x, y, height, colour, dice)
    elif kind == "with panel joints":
        height, colour = _panels(size_px, x, y, height, colour, dice)
    height, colour = _pores(size_px, height, colour, dice)
    roughness = 0.8 + 0.08 * skin + dice.between(-0.15, 0.08)
    words = [kind, name]
    if dice.chance(0.4):
        height, colour = _cracked(x, y, height, colour, dice)
        words = ["cracked", *words]
    if dice.chance(0.5):
        colour, roughness = _run_down(x, y, colour, roughness, dice)
        words = ["stained", *words]
    words.sort(key=lambda word: word.startswith("with "))
    return Layers(colour, height, roughness, 0.0 * height, tuple(words))


def _worn(x: Field, y: Field, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour of a face whose skin has come off in places: grit shows."""
    generator = dice.generator
    grit = fbm(x, y, dice.whole(28, 40), 4, generator, gain=0.7)
    patches = fbm(x, y, dice.whole(4, 6), 6, generator, gain=0.65)
    off = smoothstep(-0.15, 0.1, patches + dice.between(-0.3, 0.3))
    height = height - 0.006 * off + off * dice.between(0.004, 0.007) * grit
    height = height + 0.004 * fbm(x, y, 12, 5, generator, gain=0.7)
    tint = np.multiply(colour, shade(dice, (0.95, 0.93, 0.90), 0.03))
    aggregate = 1.0 + 0.25 * fbm(x, y, 44, 2, generator)
    return height, mix(colour, tint * aggregate[..., None], off)


def _boards(x: Field, y: Field, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour with the print of rough boards: grain, steps, fins in the joints."""
    generator = dice.generator
    if dice.chance(0.5):
        x, y = y, x
    rows = dice.whole(5, 9)
    boards = courses(x, y, 1, rows, generator, shift=generator.random(rows), row_jitter=0.2)
    shift = generator.random((2, rows))
    grain_x, grain_y = x + shift[0][boards.index], y + shift[1][boards.index]
    bow = 0.02 * fbm(grain_x, grain_y, (2, rows), 2, generator)
    grain = fbm(grain_x, grain_y + bow, (3, 64), 3, generator, gain=0.7)
    # Hard year rings stood out of the wood and left grooves.
    level = generator.normal(0.0, 0.003, rows)[boards.index]
    joint = boards.half_height - np.abs(boards.v)
    fin = smoothstep(0.005, 0.0, joint) * smoothstep(-0.3, 0.5, fbm(x, y, (8, 4), 4, generator))
    height = height + level + dice.between(0.0025, 0.004) * grain + 0.006 * fin
    own = generator.uniform(0.9, 1.1, rows).astype(np.float32)[boards.index]
    return height, colour * (own + 0.04 * grain)[..., None]


def _panels(
    size_px: int, x: Field, y: Field, height: Field, colour: Field, dice: Dice
) -> tuple[Field, Field]:
    """Return height and colour of large smooth panels with grooves and the holes of their ties."""
    generator = dice.generator
    columns, rows = dice.pick(((1, 1), (1, 2), (2, 2), (2, 2)))
    panels = courses(x, y, columns, rows, generator, shift=dice.pick((0.0, 0.0, 0.5)) * (rows > 1))
    edge = panels.edge()
    groove = smoothstep(0.007, 0.003, edge)
    level = generator.normal(0.0, 0.003, panels.count)[panels.index]
    tilt = generator.normal(0.0, 0.006, (2, panels.count))[:, panels.index]
    height = height + level + tilt[0] * panels.u + tilt[1] * panels.v - 0.012 * groove
    # Four ties per panel, at the same places in all of them.
    inset = 0.5 * dice.between(0.45, 0.7)
    hole = smoothstep(
        0.016,
        0.012,
        np.hypot(
            np.abs(panels.u) - inset * 2 * panels.half_width,
            np.abs(panels.v) - inset * 2 * panels.half_height,
        ),
    )
    own = generator.uniform(0.92, 1.08, panels.count).astype(np.float32)[panels.index]
    dirt = dice.between(-0.15, 0.3)  # grooves are dirty, or pale with lime
    colour = colour * (own * (1.0 - 0.25 * hole) * (1.0 - dirt * groove))[..., None]
    return height - 0.02 * hole, colour


def _pores(size_px: int, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour with bubbles that air left at the form: many small, a few large."""
    generator = dice.generator
    count = dice.pick((60, 250, 250, 600))
    pores = scattered_pieces(count, (0.0022, 0.011), (0.7, 1.0), generator, smaller=4.0)
    half_width = pores.half_width.astype(np.float32)
    seen = strewn(size_px, pores, lambda u, v, k: half_width[k] * np.sqrt(1.0 - u * u - v * v))
    depth = np.where(seen.covered, seen.height, 0.0)
    dark = smoothstep(0.0, 0.004, depth) * dice.between(0.0, 0.3)
    return height - dice.between(0.5, 0.9) * depth, colour * (1.0 - dark)[..., None]


def _cracked(x: Field, y: Field, height: Field, colour: Field, dice: Dice) -> tuple[Field, Field]:
    """Return height and colour with thin cracks that wander, branch and end."""
    generator = dice.generator
    bend = [0.06 * fbm(x, y, 4, 6, generator, gain=0.6) for _ in range(2)]
    wx, wy = warped(x, y, *bend)
    points = jittered_points(dice.whole(2, 3), 2, 1.0, generator)
    edge = stones(wx, wy, points, cellular(wx, wy, points)).edge
    lasting = smoothstep(-0.25, 0.15, fbm(x, y, 3, 3, generator) + dice.between(-0.1, 0.3))
    width = dice.between(0.003, 0.006)
    crack = smoothstep(width, 0.2 * width, edge) * lasting
    chipped = smoothstep(4.0 * width, 0.0, edge + 0.02 * fbm(x, y, 24, 4, generator)) * lasting
    height = height - 0.011 * crack - 0.003 * chipped
    return height, colour * (1.0 - dice.between(0.25, 0.55) * crack)[..., None]


def _run_down(
    x: Field, y: Field, colour: Field, roughness: Field, dice: Dice
) -> tuple[Field, Field]:
    """Return colour and roughness with streaks of water, soot, rust or lime: no relief at all."""
    generator = dice.generator
    tint, wet = dice.pick(
        (
            ((0.26, 0.25, 0.23), 0.0),
            ((0.50, 0.34, 0.22), 0.0),
            ((0.82, 0.81, 0.78), 0.0),
            ((0.33, 0.33, 0.32), 0.25),
        )
    )
    streaks = fbm(x, y, (dice.whole(9, 14), 2), 5, generator, gain=0.6)
    clouds = fbm(x, y, dice.whole(2, 4), 6, generator, gain=0.6)
    share = smoothstep(0.0, 0.7, 0.6 * streaks + clouds) * dice.between(0.3, 0.7)
    return mix(colour, shade(dice, tint, 0.03), share), roughness - wet * share


CONCRETE = Family(
    "concrete",
    concrete,
    ("concrete", "concrete wall", "cement"),
    ("smooth", "rough", "with board marks", "with panel joints", *_TONES, "cracked", "stained"),
    (1.0, 3.0),
)

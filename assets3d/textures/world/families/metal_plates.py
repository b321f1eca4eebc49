"""Metal plates: riveted panels, tread plate and corrugated sheet; bare, painted or rusty."""

from __future__ import annotations

import numpy as np

from assets3d.textures.world.colours import PAINTS, Rgb, paint, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import Elements, courses
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid, ridged
from assets3d.textures.world.shaping import bevel, colours_per_element, mix, smoothstep
from assets3d.textures.world.weathering import painted_pattern, speckled, stained, worn_paint

METALS: dict[str, tuple[Rgb, ...]] = {
    "steel": ((0.66, 0.66, 0.67), (0.60, 0.61, 0.63)),
    "iron": ((0.46, 0.46, 0.47), (0.40, 0.40, 0.42)),
    "copper": ((0.74, 0.51, 0.41), (0.68, 0.46, 0.37)),
    "brass": ((0.76, 0.66, 0.40), (0.72, 0.60, 0.36)),
}
RUSTS: tuple[Rgb, ...] = ((0.42, 0.22, 0.12), (0.50, 0.29, 0.16), (0.33, 0.19, 0.13))
PATINAS: tuple[Rgb, ...] = ((0.36, 0.58, 0.52), (0.42, 0.62, 0.50))


def metal_plates(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint metal: panels with rivets, tread plate or corrugated sheet."""
    dice = Dice(generator)
    words: list[str] = []
    x, y = grid(size_px)
    kind = dice.pick(("panels", "panels", "panels", "tread", "corrugated"))
    age = dice.between(0.0, 1.0)
    if kind == "panels":
        relief, exposed, index, count = _panels(x, y, dice)
        words.append("riveted")
    elif kind == "tread":
        relief, exposed = _tread(x, y, dice)
        index, count = np.zeros(relief.shape, np.int64), 1
        words.append("tread")
    else:
        relief, exposed, index, count = _corrugated(x, y, dice)
        words.append("corrugated")
    dents = fbm(x, y, dice.whole(3, 5), 3, generator, gain=0.45)
    hammered = fbm(x, y, 14, 3, generator)
    fine = fbm(x, y, 60, 3, generator, gain=0.8)
    height = relief + dice.between(0.002, 0.008) * dents + dice.between(0.0002, 0.0016) * hammered

    # Bare metal: brushed, each plate a little different; scratches are in colour and gloss.
    metal_name = dice.pick(list(METALS))
    metal = shade(dice, dice.pick(METALS[metal_name]), 0.03)
    colour = colours_per_element(metal, count, generator, value=0.12, hue=0.01)[index]
    brushed = fbm(x, y, dice.pick(((3, 110), (110, 3), (50, 50))), 2, generator, gain=0.9)
    scratches = _scratches(x, y, dice)
    colour = colour * (1.0 + 0.05 * brushed + 0.22 * scratches)[..., None]
    colour = stained(colour, x, y, dice, dice.between(0.03, 0.15))
    roughness = dice.between(0.25, 0.5) + 0.07 * brushed + 0.1 * dents + 0.15 * scratches
    height = height - 0.0006 * scratches
    metallic = np.ones_like(height)
    words.append(metal_name)

    if dice.chance(0.45):
        coat = worn_paint(x, y, 0.55 * exposed, dice, dice.between(0.8, 1.15) - 0.25 * age)
        coat = coat * (1.0 - smoothstep(0.3, 0.8, scratches))
        if dice.chance(0.2):
            pattern, names, word = painted_pattern(x, y, dice)
            words = [*words[:-1], word, f"{names[0]} and {names[1]}"]
        else:
            name = dice.pick(list(PAINTS))
            pattern = speckled(paint(dice, name), x, y, dice, 0.02, 40)
            words = [*words[:-1], "painted", name]
        pattern = stained(pattern, x, y, dice, 0.06)
        colour = mix(colour, pattern, coat)
        height = height + 0.0009 * coat
        roughness = mix(roughness, dice.between(0.3, 0.6) + 0.04 * fine, coat)
        metallic = metallic * (1.0 - coat)
    if age > 0.45:
        patina = metal_name in ("copper", "brass")
        colour, height, roughness, metallic = _corroded(
            (colour, height, roughness, metallic), x, y, exposed, age, patina, dice
        )
        words.insert(0, "tarnished" if patina else "rusty")
    # Grime keeps to joints, or dust does: darker or lighter than the plates.
    grime = shade(dice, dice.pick(((0.2, 0.18, 0.16), (0.26, 0.24, 0.22), (0.62, 0.58, 0.52))))
    low = smoothstep(0.2, 0.9, exposed + 0.25 * fbm(x, y, 8, 4, generator) - 0.15)
    colour = mix(colour, grime, dice.between(0.1, 0.6) * low)
    metallic = metallic * (1.0 - 0.6 * low)
    return Layers(colour, height, roughness, metallic, tuple(words))


def _panels(x: Field, y: Field, dice: Dice) -> tuple[Field, Field, Field, int]:
    """Return relief, 0..1 at seams and edges, and the panel of each pixel."""
    columns, rows = dice.whole(1, 3), dice.whole(2, 3)
    brickwise = rows % 2 == 0 and dice.chance(0.4)
    panels = courses(x, y, columns, rows, dice.generator, shift=0.5 if brickwise else 0.0)
    side = 1.0 / max(columns, rows)
    groove = side * dice.between(0.008, 0.02)
    edge = panels.edge(side * dice.between(0.0, 0.12)) - groove
    body = bevel(edge, side * dice.between(0.02, 0.07))
    depth = side * dice.between(0.03, 0.06)
    lift = dice.generator.normal(0.0, 0.3 * depth, panels.count)
    tilt = dice.generator.normal(0.0, 0.025, (2, panels.count))
    swell = dice.between(-0.35, 0.5) * depth * smoothstep(0.0, 0.35 * side, edge)
    relief = depth * body + body * (
        lift[panels.index]
        + tilt[0][panels.index] * panels.u
        + tilt[1][panels.index] * panels.v
        + swell
    )
    if dice.chance(0.4):  # a pressed frame inside each panel
        inset = side * dice.between(0.14, 0.2)
        pressed = smoothstep(inset, inset + 0.05 * side, edge)
        relief = relief + dice.pick((-1.0, 1.0)) * dice.between(0.3, 0.7) * depth * pressed
    rivet, rim = _rivets(panels, side, groove, dice)
    relief = relief + rivet
    return relief, np.maximum(1.0 - body, 0.7 * rim), panels.index, panels.count


def _rivets(panels: Elements, side: float, groove: float, dice: Dice) -> tuple[Field, Field]:
    """Return domes in a row inside every panel's edge, and 0..1 around their feet."""
    radius = side * dice.between(0.022, 0.042)
    inset = groove + radius * dice.between(1.8, 3.0)
    spacing = dice.between(4.5, 8.0) * radius
    steps = max(2, round(side / spacing))
    at_u = _to_nearest(panels.u, panels.half_width - inset, steps)
    at_v = _to_nearest(panels.v, panels.half_height - inset, steps)
    to_side = np.abs(panels.half_width - inset - np.abs(panels.u))
    to_end = np.abs(panels.half_height - inset - np.abs(panels.v))
    distance = np.minimum(np.hypot(to_side, at_v), np.hypot(at_u, to_end)) / radius
    dome = np.sqrt(np.clip(1.0 - distance**2, 0.0, 1.0))
    return 0.75 * radius * dome, smoothstep(1.7, 1.0, distance) * smoothstep(0.8, 1.0, distance)


def _to_nearest(offset: Field, reach: Field, steps: int) -> Field:
    """Return the distance along one axis to the nearest of steps + 1 even marks in ±reach."""
    pitch = 2.0 * reach / steps
    mark = np.clip(np.round((offset + reach) / pitch), 0, steps)
    return np.abs(offset + reach - mark * pitch)


def _tread(x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return tread plate: raised lozenges that lie crosswise in turn; and 0..1 beside them."""
    count = 2 * dice.whole(3, 6)
    # Cells of a lattice turned by 45 degrees; (x + y) and (x - y) both close on the torus.
    a, b = (x + y) * count / 2, (x - y) * count / 2
    i, j = np.floor(a), np.floor(b)
    s, t = 2.0 * (a - i) - 1.0, 2.0 * (b - j) - 1.0
    turned = (i + j) % 2 > 0
    long, short = np.where(turned, t, s), np.where(turned, s, t)
    slim = dice.between(0.2, 0.3)
    shape = 1.0 - (long / 0.8) ** 2 - np.abs(short) / slim
    bump = np.sqrt(np.clip(shape * 1.6, 0.0, 1.0))
    height = dice.between(0.1, 0.16) / count
    return height * bump, smoothstep(-0.5, 0.0, shape) * (1.0 - bump)


def _corrugated(x: Field, y: Field, dice: Dice) -> tuple[Field, Field, Field, int]:
    """Return waves with overlapping sheets; 0..1 in valleys and laps; the sheet of each pixel."""
    waves, sheets = dice.whole(5, 10), dice.whole(1, 2)
    upright = dice.chance(0.5)
    across, along = (x, y) if upright else (y, x)
    wave = np.cos(2 * np.pi * waves * across)
    if dice.chance(0.4):
        wave = np.clip(1.6 * wave, -1.0, 1.0)  # trapezoid sheet
        wave = wave * (1.5 - 0.5 * wave * wave)
    height = dice.between(0.1, 0.18) / waves * wave
    index = np.floor(along % 1.0 * sheets).astype(np.int64)
    along = along * sheets % 1.0
    lap = smoothstep(0.0, 0.012, along) * (1.0 - along)
    screws = np.hypot(
        (across * waves - np.round(across * waves)) / waves, (np.abs(along - 0.06)) / sheets
    )
    radius = 0.13 / waves
    dome = np.sqrt(np.clip(1.0 - (screws / radius) ** 2, 0.0, 1.0))
    height = height + 0.012 * lap + 0.7 * radius * dome
    exposed = 0.5 * smoothstep(-0.4, -1.0, wave) + smoothstep(0.06, 0.0, along)
    return height, np.clip(exposed, 0.0, 1.0), index, sheets


def _scratches(x: Field, y: Field, dice: Dice) -> Field:
    """Return 0..1 on long fine scratches in a few directions."""
    total = np.zeros(np.shape(x), np.float32)
    for p, q in ((1, 2), (2, -1), (1, 1)):
        # Whole-numbered turns of the torus close on themselves.
        lines = ridged(p * x + q * y, p * y - q * x, (2, 34), 1, dice.generator)
        places = fbm(x, y, 6, 2, dice.generator)
        total = np.maximum(total, smoothstep(0.9, 0.99, lines) * smoothstep(0.1, 0.5, places))
    return dice.between(0.2, 1.0) * total


def _corroded(
    maps: tuple[Field, Field, Field, Field],
    x: Field,
    y: Field,
    exposed: Field,
    age: float,
    patina: bool,
    dice: Dice,
) -> tuple[Field, Field, Field, Field]:
    """Return colour, height, roughness and metallic under rust or patina that starts at seams."""
    colour, height, roughness, metallic = maps
    patches = fbm(x, y, dice.whole(3, 5), 6, dice.generator, gain=0.65)
    share = smoothstep(0.0, 0.3, patches + 0.35 * exposed + 1.1 * age - 1.1)
    flakes = fbm(x, y, 40, 4, dice.generator, gain=0.75)
    choices = PATINAS if patina else RUSTS
    tint = mix(dice.pick(choices), dice.pick(choices), smoothstep(-0.4, 0.4, flakes))
    tint = tint * (1.0 + 0.2 * fbm(x, y, 10, 4, dice.generator))[..., None]
    height = height + share * (0.0012 * flakes + 0.0008)
    return (
        mix(colour, tint, share),
        height,
        mix(roughness, 0.85 + 0.08 * flakes, share),
        metallic * (1.0 - share),
    )


METAL_PLATES = Family(
    name="metal_plates",
    paint=metal_plates,
    nouns=("metal plates", "metal", "sheet metal"),
    words=(
        "riveted",
        "tread",
        "corrugated",
        "painted",
        "striped",
        "checked",
        "spotted",
        "rusty",
        "tarnished",
        *METALS,
        *PAINTS,
    ),
    tile_m=(0.5, 2.0),
)

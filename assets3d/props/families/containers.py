"""Wooden things that hold things: barrel, crate, chest."""

from __future__ import annotations

import math

from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
    mirror_x,
    mirror_y,
    repeat_around,
    rotate_z,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    circle,
    cylinder,
    extrude,
    half_space,
    revolve,
    tube,
)


def barrel(dice: Dice) -> Draft:
    """Return a barrel of staves with metal hoops."""
    radius, height = dice.between(0.48, 0.6), dice.between(0.62, 0.8)
    belly = radius * dice.between(1.14, 1.28)
    bend = (height**2 + (belly - radius) ** 2) / (2.0 * (belly - radius))
    staves = barrel_body(bend, belly, height)
    lid = mirror_y(translate(cylinder(radius - 0.07, 0.2), 0.0, height))
    body = subtract(staves, lid)
    painted = dice.chance(0.3)
    name = dice.colour_name(without=("brown", "black", "white", "orange")) if painted else ""
    wood = dice.tint(name) if painted else dice.wood()
    gaps = repeat_around(translate(box(0.016, 2.0, 0.5), 0.0, 0.0, 0.75), 14)
    metal = dice.pick(["iron", "iron", "gold"])
    hoops = []
    for level in (0.86, 0.42):
        y = level * height
        at = belly - bend + math.sqrt(bend**2 - y**2)
        hoops.append(mirror_y(translate(tube(at, 0.07, 0.075, 0.02), 0.0, y)))
    parts = (
        Part(body, wood, "wood", (Paint(gaps, darker(wood, 0.62)),)),
        Part(union(*hoops), dice.tint(metal), metal),
    )
    shape = ("tall",) if height > 0.74 else ("round",) if belly > 0.7 else ()
    return Draft(parts, Words(name, "wood", shape, (f"{_metal_word(metal)} bands",)))


def barrel_body(bend: float, belly: float, height: float) -> Field:
    """Return the body of a barrel: an arc spun round the axis, cut flat at both ends."""
    arc = revolve(lambda u, v: circle(bend)(u + (bend - belly), v))
    return intersect(arc, box(2.0, height, 2.0))


def _metal_word(metal: str) -> str:
    return {"iron": "iron", "gold": "golden"}[metal]


def crate(dice: Dice) -> Draft:
    """Return a crate of planks with a frame; a diagonal brace, iron corners or a painted mark."""
    width = 0.6
    height = width * dice.pick([1.0, 1.0, 0.72, 1.25])
    painted = dice.chance(0.3)
    name = dice.colour_name(without=("brown", "black", "white", "orange")) if painted else ""
    wood = dice.tint(name) if painted else dice.wood()
    inner = box(width - 0.05, height - 0.05, width - 0.05)
    beam = 0.085
    post = translate(box(beam, height, beam, 0.015), width - beam, 0.0, width - beam)
    rail_y = height - beam
    rail_x = translate(box(width, beam, beam, 0.015), 0.0, rail_y, width - beam)
    rail_z = translate(box(beam, beam, width, 0.015), width - beam, rail_y)

    def four(p):
        q = (p[0].abs(), p[1].abs(), p[2].abs())
        return union(post, rail_x, rail_z)(q)

    frame: Field = four
    words: list[str] = []
    if dice.chance(0.55):
        angle = math.degrees(math.atan2(height, width))
        brace = box(math.hypot(width, height) - 0.12, 0.075, 0.035, 0.01)
        frame = union(frame, _on_four_sides(brace, angle, width - 0.04, height, width))
    lines = dice.whole(3, 5)
    step = 2.0 * (width - 0.05) / lines
    seams = union(*[_seam(-width + 0.05 + step * k) for k in range(1, lines)])
    inner_part = Part(inner, darker(wood, 0.86), "wood", (Paint(seams, darker(wood, 0.5)),))
    parts = [inner_part, Part(frame, lighter(wood, 0.08), "wood", grain="x")]
    metal = dice.pick(["", "iron", "iron", "gold"])
    if metal:
        corner = translate(
            box(0.16, 0.16, 0.16, 0.02), width - 0.135, height - 0.135, width - 0.135
        )
        parts.append(
            Part(lambda p: corner((p[0].abs(), p[1].abs(), p[2].abs())), dice.tint(metal), metal)
        )
        words.append(f"{_metal_word(metal)} corners")
    shape = {1.0: "", 0.72: "low", 1.25: "tall"}[round(height / width, 2)]
    return Draft(tuple(parts), Words(name, "wood", (shape,) if shape else (), tuple(words)))


def _seam(x: float) -> Field:
    return translate(box(0.016, 3.0, 3.0), x)


def _on_four_sides(brace: Field, angle: float, out: float, height: float, width: float) -> Field:
    leaning = rotate_z(brace, angle)
    window = box(width - 0.02, height - 0.02, width + 0.1)
    front = translate(leaning, 0.0, 0.0, out)
    return intersect(repeat_around(front, 4), window)


def chest(dice: Dice) -> Draft:
    """Return a treasure chest with a curved lid, metal bands and a lock."""
    width, depth = dice.between(0.62, 0.78), dice.between(0.38, 0.48)
    height = dice.between(0.24, 0.34)
    painted = dice.chance(0.4)
    name = (
        dice.colour_name(without=("brown", "black", "white", "orange", "yellow")) if painted else ""
    )
    wood = dice.tint(name) if painted else dice.wood()
    metal = dice.pick(["iron", "gold", "gold"])
    rise = dice.between(0.55, 0.95)
    base = translate(box(width, height, depth, 0.03), 0.0, -height)

    def dome(grow: float, half: float) -> Field:
        arch = extrude(lambda u, v: _ellipse(u, v, depth + grow, depth * rise + grow), half, 0.02)
        flat = half_space((0, -1, 0), 0.0)
        return intersect(lambda p: arch((p[2], p[1], p[0])), flat)

    lid = dome(0.0, width)
    bands = []
    for x in (width - 0.09, *((0.0,) if dice.chance(0.4) else (width * 0.33,))):
        strip = union(
            translate(box(0.07, height + 0.015, depth + 0.025, 0.02), 0.0, -height),
            dome(0.03, 0.07),
        )
        bands.append(mirror_x(translate(strip, x)))
    rim = translate(box(width + 0.02, 0.045, depth + 0.02, 0.015), 0.0, -0.03)
    plate = translate(box(0.11, 0.13, 0.05, 0.03), 0.0, -0.06, depth + 0.02)
    hole = translate(
        union(lying(cylinder(0.03, 0.1)), translate(box(0.012, 0.04, 0.1), 0, -0.04)),
        0,
        -0.05,
        depth + 0.08,
    )
    colour = dice.tint(metal)
    seams = union(*[translate(box(3.0, 0.012, 3.0), 0.0, -height * k / 1.5) for k in (1, 2)])
    parts = (
        Part(union(base, lid), wood, "wood", (Paint(seams, darker(wood, 0.55)),), grain="x"),
        Part(union(*bands, rim), colour, metal),
        Part(plate, lighter(colour, 0.15), metal, (Paint(hole, (0.1, 0.08, 0.08)),)),
    )
    shape = ("wide",) if width > 0.72 else ("narrow",) if width < 0.66 else ()
    return Draft(parts, Words(name, "wood", shape, (f"{_metal_word(metal)} bands", "a lock")))


def _ellipse(u, v, ru: float, rv: float):
    scale = min(ru, rv)
    return (circle(1.0)(u / ru, v / rv)) * scale


FAMILIES = (
    Family("barrel", ("barrel", "cask", "keg"), (0.8, 1.1), barrel, outdoors=True, grouped=True),
    Family("crate", ("crate", "box"), (0.5, 1.0), crate, outdoors=True, grouped=True),
    Family("chest", ("chest", "treasure chest"), (0.4, 0.7), chest, outdoors=True, grouped=True),
)

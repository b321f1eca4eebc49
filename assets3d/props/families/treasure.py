"""Precious things: coin, crown, key, ring, gem."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    lying,
    repeat_around,
    squash,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    circle,
    convex,
    cylinder,
    extrude,
    half_space,
    polygon,
    sphere,
    star,
    torus,
)


def coin(dice: Dice) -> Draft:
    """Return an upright coin with a raised rim and a sign on both faces."""
    word = dice.pick(["gold", "gold", "silver", "copper"])
    colour, material = dice.tint(word), word
    thick = dice.between(0.07, 0.13)
    disc = lying(cylinder(0.7, thick, 0.03))
    dent = translate(lying(cylinder(0.58, 0.05, 0.02)), 0, 0, thick + 0.01)
    dents = lambda p: dent((p[0], p[1], p[2].abs()))  # noqa: E731
    kind = dice.pick(["star", "diamond", "cross", "ring", "crown"])
    signs = {
        "star": star(5, 0.4, 0.18),
        "diamond": polygon([(0, 0.4), (0.28, 0), (0, -0.4), (-0.28, 0)]),
        "cross": lambda u, v: union(box(0.09, 0.36, 1), box(0.36, 0.09, 1))((u, v, u * 0.0)),
        "ring": lambda u, v: (circle(0.28)(u, v)).abs() - 0.08,
        "crown": polygon(
            [
                (-0.36, -0.26),
                (0.36, -0.26),
                (0.4, 0.26),
                (0.18, 0.02),
                (0, 0.34),
                (-0.18, 0.02),
                (-0.4, 0.26),
            ]
        ),
    }
    sign = extrude(signs[kind], thick, 0.0)
    parts = (
        Part(subtract(disc, dents), colour, material),
        Part(sign, lighter(colour, 0.22), material),
    )
    shape = ("thick",) if thick > 0.11 else ("thin",) if thick < 0.085 else ()
    return Draft(parts, Words("", word, shape, (f"a {kind}",)))


def crown(dice: Dice) -> Draft:
    """Return a crown with spikes, balls and stones."""
    name = dice.colour_name(without=("black", "grey", "brown", "yellow", "orange"))
    gem = dice.tint(name)
    metal = dice.pick(["gold", "gold", "silver"])
    colour, material = dice.tint(metal), metal
    spikes = dice.pick([5, 6, 8])
    low, tip = dice.between(-0.3, -0.1), dice.between(0.35, 0.6)
    flare = dice.between(0.0, 0.18)

    def wall(p):
        from assets3d.props.sdf import length2

        rho = length2(p[0], p[2])
        return ((rho - 0.6 - flare * (p[1] + 0.4)).abs() - 0.045) * 0.95

    spike = repeat_around(
        intersect(
            convex([(1, 0.55, 0), (-1, 0.55, 0)], [0.55 * tip / math.hypot(1.0, 0.55)] * 2),
            half_space((0, 0, -1), 0.0),
        ),
        spikes,
    )
    base = union(
        intersect(half_space((0, 1, 0), low + 0.1), half_space((0, -1, 0), 0.5)),
        intersect(spike, half_space((0, -1, 0), -low)),
    )
    body = intersect(wall, base)
    radius_top = 0.6 + flare * (tip + 0.4)
    balls = repeat_around(translate(sphere(0.085), 0, tip, radius_top), spikes)
    band = union(
        translate(torus(0.6 + flare * -0.05, 0.06), 0, -0.45),
        translate(torus(0.6 + flare * 0.3, 0.045), 0, low + 0.05),
    )
    stones = repeat_around(
        translate(
            squash(sphere(0.1), 0.9, 1, 0.7), 0, (low - 0.45) / 2 + 0.02, 0.62 + flare * 0.15
        ),
        spikes,
    )
    parts = (
        Part(body, colour, material),
        Part(union(band), lighter(colour, 0.2), material),
        Part(union(stones, balls), gem, "glass"),
    )
    return Draft(parts, Words("", metal, ("tall",) if tip > 0.52 else (), (f"{name} gems",)))


def key(dice: Dice) -> Draft:
    """Return an upright key: a ring or heart-shaped bow, a stem, a bit with teeth."""
    kind = dice.pick(["gold", "gold", "iron", "paint"])
    name = dice.colour_name(without=("brown", "black", "grey", "white")) if kind == "paint" else ""
    colour = dice.tint(name or kind)
    material = "iron" if kind == "paint" else kind
    bow_kind = dice.pick(["ring", "square", "clover"])
    size = dice.between(0.28, 0.36)
    if bow_kind == "ring":
        bow: Field = lying(torus(size, 0.09))
    elif bow_kind == "square":
        outer = extrude(lambda u, v: (u.abs() + v.abs()) * 0.7071 - size, 0.09, 0.03)
        bow = subtract(outer, extrude(lambda u, v: (u.abs() + v.abs()) * 0.7071 - size * 0.5, 1.0))
    else:
        bow = union(
            *[
                translate(
                    lying(torus(size * 0.55, 0.08)),
                    size * 0.62 * math.sin(a),
                    size * 0.62 * math.cos(a),
                )
                for a in (0.0, 2.1, -2.1)
            ]
        )
    bow = translate(bow, 0, 0.62)
    stem = translate(cylinder(0.075, 0.62, 0.02), 0, -0.3)
    collar = union(*[translate(cylinder(0.13, 0.04, 0.02), 0, y) for y in (0.24, 0.12)])
    teeth = [
        translate(box(0.14, 0.05, 0.05, 0.01), 0.18, -0.85),
        translate(box(dice.between(0.08, 0.13), 0.05, 0.05, 0.01), 0.16, -0.68),
    ]
    if dice.chance(0.6):
        teeth.append(translate(box(0.14, 0.05, 0.05, 0.01), 0.18, -0.52))
    parts = [
        Part(union(bow, stem, *teeth), colour, material),
        Part(collar, darker(colour, 0.8), material),
    ]
    details: tuple[str, ...] = ()
    if bow_kind == "ring" and dice.chance(0.6):
        gem = dice.pick(["red", "blue", "green", "purple"])
        parts.append(
            Part(
                translate(squash(sphere(size * 0.75), 1, 1, 0.35), 0, 0.62), dice.tint(gem), "glass"
            )
        )
        details = (with_article(f"{gem} gem"),)
    return Draft(tuple(parts), Words(name, "" if name else kind, (), details))


def ring(dice: Dice) -> Draft:
    """Return a finger ring with a cut stone on top."""
    name = dice.colour_name(without=("black", "grey", "brown", "orange", "yellow"))
    metal = dice.pick(["gold", "gold", "silver"])
    colour, material = dice.tint(metal), metal
    band = lying(torus(0.55, dice.between(0.08, 0.12)))
    size = dice.between(0.2, 0.3)
    stone = translate(_cut_stone(size), 0, 0.62 + size * 0.7)
    claw = translate(box(0.03, 0.14, 0.03, 0.01), 0, 0.6)
    claws = translate(repeat_around(translate(claw, 0, 0, size * 0.9), 4, 45), 0, 0.1)
    seat = translate(cylinder(size * 0.75, 0.06, 0.02), 0, 0.62)
    parts = (
        Part(union(band, seat, claws), colour, material),
        Part(stone, dice.tint(name), "glass"),
    )
    return Draft(parts, Words("", metal, (), (with_article(f"{name} gem"),)))


def _cut_stone(size: float) -> Field:
    angles = [2 * math.pi * (k + 0.5) / 8 for k in range(8)]
    normals = [(math.sin(a), 0.9, math.cos(a)) for a in angles]
    normals += [(math.sin(a), -0.75, math.cos(a)) for a in angles]
    offsets = [size * 0.9 / math.hypot(1, 0.9) * 1.05] * 8 + [size * 0.98 / math.hypot(1, 0.75)] * 8
    return intersect(convex([*normals, (0, 1, 0)], [*offsets, size * 0.42]))


def gem(dice: Dice) -> Draft:
    """Return one large cut gem: a brilliant, a double point or an emerald cut."""
    name = dice.colour_name(without=("black", "grey", "brown"))
    colour = dice.tint(name)
    sides = dice.pick([6, 8])
    angles = [2 * math.pi * (k + 0.5) / sides for k in range(sides)]
    kind = dice.pick(["brilliant", "double", "emerald"])
    # Slopes of the facets above and below the girdle, and how high the flat top lies.
    up, down, table = {
        "brilliant": (1.1, -0.95, dice.between(0.2, 0.28)),
        "double": (0.62, -0.62, 2.0),
        "emerald": (0.75, -0.75, 0.46),
    }[kind]
    normals = [(math.sin(a), up, math.cos(a)) for a in angles]
    normals += [(math.sin(a), down, math.cos(a)) for a in angles]
    offsets = [0.62 / math.hypot(1, up)] * sides + [0.62 / math.hypot(1, down)] * sides
    normals += [(0, 1, 0), (0, -1, 0)]
    offsets += [table, 0.46 if kind == "emerald" else 2.0]
    body = inflate(convex(normals, offsets), 0.015)
    top = Paint(half_space((0, -1, 0), -min(table, 0.8)), lighter(colour, 0.42))
    crown_facets = Paint(half_space((0, -1, 0), 0.0), lighter(colour, 0.14))
    below = Paint(half_space((0, 1, 0), -0.28), darker(colour, 0.9))
    parts = (Part(body, colour, "glass", (crown_facets, below, top)),)
    shape = ("pointed",) if kind == "double" else ("cut",) if kind == "brilliant" else ()
    return Draft(parts, Words(name, "", shape))


FAMILIES = (
    Family("coin", ("coin",), (0.03, 0.2), coin, grouped=True),
    Family("crown", ("crown",), (0.12, 0.2), crown, grouped=True),
    Family("key", ("key",), (0.08, 0.25), key, grouped=True),
    Family("ring", ("ring",), (0.03, 0.1), ring, grouped=True),
    Family("gem", ("gem", "jewel", "gemstone"), (0.05, 0.3), gem, grouped=True),
)

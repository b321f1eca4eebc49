"""Heads on wooden handles: hammer, axe."""

from __future__ import annotations

import math

from assets3d.props.dice import Dice, lighter
from assets3d.props.families.weapons import STEEL
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
    mirror_x,
    sideways,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    convex,
    cylinder,
    extrude,
    half_space,
    polygon,
    tapered_capsule,
)


def _handle(dice: Dice, low: float, high: float, radius: float) -> Part:
    wood = dice.wood()
    rod = tapered_capsule((0, low, 0), (0, high, 0), radius * 1.15, radius)
    return Part(rod, wood, "wood")


def hammer(dice: Dice) -> Draft:
    """Return a war hammer or mallet: a heavy head across a wooden handle."""
    kind = dice.pick(["iron", "stone", "gold", "paint"])
    name = (
        dice.colour_name(without=("brown", "black", "grey", "white", "orange"))
        if kind == "paint"
        else ""
    )
    material = "iron" if kind == "paint" else kind
    colour = dice.tint(name or kind)
    long, tall = dice.between(0.38, 0.55), dice.between(0.2, 0.28)
    if dice.chance(0.5):
        block: Field = box(long, tall, tall, 0.05)
        caps = mirror_x(translate(box(0.07, tall + 0.04, tall + 0.04, 0.03), long - 0.07))
    else:
        block = sideways(cylinder(tall, long, 0.04))
        caps = mirror_x(translate(sideways(cylinder(tall + 0.05, 0.07, 0.03)), long - 0.07))
    head = translate(block, 0, 0.62)
    metal = "iron" if kind in ("gold", "stone") else "gold"
    parts = [
        Part(head, colour, material),
        Part(translate(caps, 0, 0.62), dice.tint(metal), metal),
        _handle(dice, -0.9, 0.85, 0.075),
        Part(
            union(*[translate(cylinder(0.1, 0.04, 0.02), 0, -0.85 + 0.1 * k) for k in range(3)]),
            dice.tint("leather"),
            "leather",
        ),
    ]
    shape = ("wide",) if long > 0.5 else ("narrow",) if long < 0.42 else ()
    return Draft(tuple(parts), Words(name, "" if name else kind, shape, ("a wooden handle",)))


def axe(dice: Dice) -> Draft:
    """Return an axe: one or two curved blades on a wooden handle."""
    kind = dice.pick(["iron", "iron", "gold", "paint"])
    name = (
        dice.colour_name(without=("brown", "black", "grey", "white", "orange"))
        if kind == "paint"
        else ""
    )
    colour = dice.tint(name) if name else STEEL if kind == "iron" else dice.tint("gold")
    reach, tall = dice.between(0.46, 0.62), dice.between(0.36, 0.5)
    outline = polygon(
        [
            (0.0, 0.14),
            (reach * 0.45, 0.18),
            (reach, tall),
            (reach, -tall),
            (reach * 0.45, -0.18),
            (0.0, -0.14),
        ]
    )
    bow = translate(cylinder(math.hypot(reach * 0.8, tall) * 1.02, 1), 0, 0)
    blade = extrude(outline, 0.07)
    taper = convex([(0.12, 0, 1), (0.12, 0, -1)], [0.075, 0.075])
    blade = intersect(blade, taper, translate(lying(bow), reach * 0.14, 0))
    double = dice.chance(0.4)
    blade = translate(
        mirror_x(blade) if double else intersect(blade, half_space((-1, 0, 0), 0.02)), 0, 0.55
    )
    sharp = subtract(box(2, 2, 2), translate(lying(cylinder(reach * 0.86, 3)), 0, 0.55))
    socket = translate(box(0.12, 0.2, 0.11, 0.03), 0, 0.55)
    metal = "gold" if kind != "gold" else "iron"
    if not double:
        socket = union(socket, translate(box(0.09, 0.1, 0.09, 0.02), -0.16, 0.55))
    parts = (
        Part(
            blade,
            colour,
            "iron" if kind != "gold" else "gold",
            (Paint(sharp, lighter(colour, 0.45)),),
        ),
        Part(socket, dice.tint(metal), metal),
        _handle(dice, -0.95, 0.85, 0.065),
        Part(
            union(*[translate(cylinder(0.09, 0.035, 0.02), 0, -0.9 + 0.09 * k) for k in range(4)]),
            dice.tint("leather"),
            "leather",
        ),
    )
    return Draft(
        parts,
        Words(name, "" if name else kind, ("double",) if double else (), ("a wooden handle",)),
    )


FAMILIES = (
    Family("hammer", ("hammer", "war hammer", "mallet"), (0.4, 1.0), hammer),
    Family("axe", ("axe", "battle axe"), (0.5, 1.0), axe),
)

"""Found things: rock, crystal."""

from __future__ import annotations

import math

from assets3d.props.dice import Dice, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    rotate_x,
    rotate_y,
    squash,
    translate,
    union,
    wavy,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    convex,
    ellipsoid,
    half_space,
)


def rock(dice: Dice) -> Draft:
    """Return a rock: a ball cut by random planes; sometimes mossy, sometimes two."""
    name = dice.pick(["", "", "brown", "grey", "black", "white"])
    colour = dice.tint(name or "stone")

    def boulder(size: float) -> Field:
        count = dice.whole(9, 13)
        normals, offsets = [], []
        for k in range(count):
            y = 1.0 - 2.0 * (k + 0.5) / count
            angle = 2.39996 * k + dice.between(-0.35, 0.35)
            rho = math.sqrt(1.0 - y * y)
            normals.append(
                (rho * math.cos(angle), y + dice.between(-0.2, 0.2), rho * math.sin(angle))
            )
            offsets.append(size * dice.between(0.72, 1.0))
        return inflate(convex(normals, offsets), 0.03)

    flat = dice.between(0.6, 0.95)
    body = squash(boulder(0.7), 1.0, flat, dice.between(0.8, 1.0))
    if dice.chance(0.5):
        side = dice.pick([-1.0, 1.0])
        small = translate(squash(boulder(0.38), 1.0, 0.85, 1.0), side * 0.62, -0.25 * flat, 0.3)
        body = union(body, small)
    body = intersect(body, half_space((0, -1, 0), 0.5 * flat))
    paint: tuple[Paint, ...] = ()
    details: tuple[str, ...] = ()
    if dice.chance(0.35):
        moss = wavy(half_space((0, -1, 0), -0.3 * flat), 0.12, 7.0, dice.between(0, 6))
        paint = (Paint(moss, dice.tint("leaf"), "leaf"),)
        details = ("moss",)
    shape = ("flat",) if flat < 0.7 else ()
    return Draft(
        (Part(body, colour, "stone", paint),), Words(name, "" if name else "stone", shape, details)
    )


def crystal(dice: Dice) -> Draft:
    """Return a cluster of pointed crystals, often on a stone foot."""
    name = dice.colour_name(without=("brown", "black", "grey", "orange"))
    colour = dice.tint(name)
    sides = dice.pick([5, 6])

    def prism(radius: float, length: float, tip: float) -> Field:
        angles = [2 * math.pi * (k + 0.5) / sides for k in range(sides)]
        normals = [(math.sin(a), 0.0, math.cos(a)) for a in angles]
        normals += [(math.sin(a), tip, math.cos(a)) for a in angles]
        size = math.hypot(1.0, tip)
        offsets = [radius] * sides + [(radius + tip * (length - radius * 1.5)) / size] * sides
        return intersect(convex(normals, offsets), half_space((0, -1, 0), 0.3))

    parts_fields = [prism(dice.between(0.22, 0.32), dice.between(1.1, 1.4), dice.between(0.5, 0.8))]
    count = dice.whole(3, 5)
    for k in range(count):
        spike = prism(dice.between(0.12, 0.2), dice.between(0.5, 0.95), dice.between(0.5, 0.9))
        spike = rotate_x(spike, dice.between(22, 45))
        spike = rotate_y(translate(spike, 0, 0, 0.12), 360 * k / count + dice.between(-20, 20))
        parts_fields.append(spike)
    flat = half_space((0, -1, 0), 0.12)
    cluster = intersect(union(*parts_fields), flat)
    pale = half_space((0, -1, 0), -0.85)
    parts = [Part(cluster, colour, "glass", (Paint(pale, lighter(colour, 0.25)),))]
    details: tuple[str, ...] = ()
    if dice.chance(0.5):
        foot = wavy(translate(ellipsoid(0.55, 0.22, 0.55), 0, -0.06), 0.03, 9.0, dice.between(0, 6))
        parts.append(
            Part(intersect(foot, half_space((0, -1, 0), 0.2)), dice.tint("stone"), "stone")
        )
        details = ("a stone base",)
    return Draft(tuple(parts), Words(name, "", ("pointed",), details))


FAMILIES = (
    Family("rock", ("rock", "boulder"), (0.4, 1.5), rock, outdoors=True, grouped=True),
    Family(
        "crystal", ("crystal", "crystal cluster", "gem cluster"), (0.3, 1.0), crystal, grouped=True
    ),
)

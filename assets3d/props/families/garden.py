"""Small plants: flower, bush, carrot."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    flip_x,
    intersect,
    lying,
    repeat_around,
    rotate_x,
    rotate_z,
    smooth_union,
    squash,
    subtract,
    translate,
    union,
    wavy,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    cone,
    cylinder,
    ellipsoid,
    half_space,
    sphere,
    tapered_capsule,
)


def flower(dice: Dice) -> Draft:
    """Return a flower that looks to the front: a daisy, a sunflower or a tulip, often in a pot."""
    kind = dice.pick(["daisy", "daisy", "sunflower", "tulip"])
    name = dice.colour_name(without=("brown", "black", "green", "grey"))
    if kind == "sunflower":
        name = dice.pick(["yellow", "yellow", "orange", "red"])
    colour = dice.tint(name)
    top = dice.between(0.3, 0.6)
    heart = (0.36, 0.22, 0.10) if kind == "sunflower" else (0.96, 0.80, 0.22)
    if name == "yellow" and kind != "sunflower":
        heart = (0.80, 0.42, 0.12)
    if kind == "tulip":
        cup = smooth_union(
            0.05, ellipsoid(0.27, 0.34, 0.27), translate(cone(0.2, 0.3, 0.2), 0, 0.14)
        )
        notch = repeat_around(translate(sphere(0.17), 0, 0.46, 0.28), 3, 60.0)
        bloom: Field = translate(
            subtract(cup, notch, translate(sphere(0.22), 0, 0.42)), 0, top + 0.2
        )
        parts = [Part(bloom, colour, "plain")]
    else:
        count = dice.whole(5, 8) if kind == "daisy" else 14
        long = dice.between(0.24, 0.32)
        wide = {5: 0.2, 6: 0.17, 7: 0.15, 8: 0.13}.get(count, 0.075)
        petal = translate(ellipsoid(wide, 0.045, long), 0, 0, long + (0.06 if count < 9 else 0.2))
        face = lying(repeat_around(petal, count))
        middle = squash(sphere(0.15 if count < 9 else 0.27), 1, 1, 0.55)
        tilt = dice.between(0.0, 18.0)

        def placed(field: Field) -> Field:
            return translate(rotate_x(field, -tilt), 0, top + 0.25, 0.1)

        parts = [
            Part(placed(face), colour, "plain"),
            Part(placed(translate(middle, 0, 0, 0.04)), heart, "plain"),
        ]
    bend = dice.between(-0.12, 0.12)
    stem = union(
        tapered_capsule((0, -0.95, 0), (bend, -0.2, 0), 0.05, 0.045),
        tapered_capsule((bend, -0.2, 0), (0, top + 0.15, 0), 0.045, 0.04),
    )
    leaves: list[Field] = []
    for side, y in ((1, -0.45), (-1, -0.3)):
        leaf = rotate_z(translate(ellipsoid(0.25, 0.035, 0.11), 0.24, 0), dice.between(20, 50))
        if side < 0:
            leaves.append(translate(flip_x(leaf), bend, y))
        else:
            leaves.append(translate(leaf, bend, y))
    green = dice.tint("leaf")
    parts.append(Part(union(stem, *leaves), green, "leaf"))
    details: tuple[str, ...] = ()
    base = dice.pick(["", "pot", "pot", "grass"])
    if base == "pot":
        clay = dice.chance(0.5)
        pot_name = "clay" if clay else dice.pick(["white", "blue", "purple", "turquoise"])
        pot = union(
            translate(cone(0.26, 0.36, 0.2), 0, -1.05),
            translate(cylinder(0.4, 0.06, 0.02), 0, -0.85),
        )
        parts.append(Part(pot, dice.tint(pot_name), "clay" if clay else "ceramic"))
        details = (with_article(f"{pot_name} pot"),)
    elif base == "grass":
        mound = intersect(ellipsoid(0.4, 0.16, 0.4), half_space((0, -1, 0), 0.02))
        parts.append(Part(translate(mound, 0, -0.96), darker(green, 0.9), "leaf"))
    shape = ("tall",) if top > 0.52 else ("short",) if top < 0.36 else ()
    return Draft(tuple(parts), Words(name, "", shape, details))


def bush(dice: Dice) -> Draft:
    """Return a leafy bush, with berries or blossoms or trimmed to a ball in a tub."""
    name = dice.pick(["green", "green", "green", "green", "red"])
    colour = dice.tint(name, 0.045)
    radius = dice.between(0.44, 0.54)
    flat = dice.between(0.72, 1.0)
    blobs: list[Field] = [sphere(radius)]
    for count, level, out in ((6, -0.25, 0.8), (4, 0.5, 0.62)):
        start = dice.between(0, 6)
        for k in range(count):
            angle = start + 2 * math.pi * (k + dice.between(-0.2, 0.2)) / count
            x, z = radius * out * math.sin(angle), radius * out * math.cos(angle)
            size = radius * dice.between(0.46, 0.64)
            blobs.append(translate(sphere(size), x, (level + dice.between(-0.1, 0.1)) * radius, z))
    crown = wavy(smooth_union(0.05, *blobs), 0.03, 24.0, dice.between(0, 6))
    crown = squash(intersect(crown, half_space((0, -1, 0), radius * 0.62)), 1.0, flat, 1.0)
    parts = [Part(crown, colour, "foliage")]
    details: tuple[str, ...] = ()
    kind = dice.pick(["", "berries", "flowers", "flowers"])
    if kind:
        second = dice.pick(
            [c for c in ("red", "blue", "purple", "white", "pink", "yellow") if c != name]
        )
        spots = []
        for k in range(14):
            # Golden-angle places on the upper half, on the bush's own surface.
            height, angle = 0.95 - 1.15 * (k + 0.5) / 14, 2.39996 * k + 0.7
            rho = math.sqrt(1.0 - height * height)
            spots.append((rho * math.sin(angle), height, rho * math.cos(angle)))
        size = 0.06 if kind == "berries" else 0.085
        reach = radius * 1.22
        dots = union(
            *(translate(sphere(size), reach * x, reach * y * flat, reach * z) for x, y, z in spots)
        )
        shell = intersect(dots, lambda p: crown(p) - 0.05)
        parts[0] = Part(crown, colour, "foliage", (Paint(dots, dice.tint(second), "plain"),))
        parts.append(Part(shell, dice.tint(second), "plain"))
        details = (f"{second} {kind}",)
    shape = ("flat",) if flat < 0.8 else ("round",) if flat > 0.9 else ()
    return Draft(tuple(parts), Words(name, "", shape, details))


def carrot(dice: Dice) -> Draft:
    """Return an upright carrot with leaves, fat or long."""
    name = dice.pick(["orange", "orange", "orange", "purple", "yellow", "red"])
    colour = dice.tint(name)
    thick, long = dice.between(0.2, 0.32), dice.between(0.8, 1.1)
    bend = dice.between(-0.1, 0.1)
    root = smooth_union(
        0.1,
        tapered_capsule((0, 0.3, 0), (bend * 0.5, 0.3 - 0.55 * long, 0), thick, thick * 0.62),
        tapered_capsule(
            (bend * 0.5, 0.3 - 0.55 * long, 0), (bend, 0.3 - long - 0.25, 0), thick * 0.62, 0.02
        ),
    )
    rings = [
        translate(box(0.22, 0.018, 1), dice.pick([-1, 1]) * thick * 0.7, 0.25 - 0.17 * k)
        for k in range(6)
    ]
    count = dice.whole(5, 7)
    frond = union(
        tapered_capsule((0, 0.5, 0.02), (0, 0.85, 0.16), 0.04, 0.06),
        tapered_capsule((0, 0.85, 0.16), (0, 1.1, 0.34), 0.06, 0.025),
    )
    top = union(repeat_around(frond, count), tapered_capsule((0, 0.5, 0), (0, 1.2, 0), 0.05, 0.035))
    parts = (
        Part(root, colour, "plain", (Paint(union(*rings), darker(colour, 0.78)),)),
        Part(top, lighter(dice.tint("leaf"), 0.05), "leaf"),
    )
    shape = ("fat",) if thick > 0.29 else ("long",) if long > 1.02 else ()
    return Draft(parts, Words(name, "", shape, ("green leaves",)))


FAMILIES = (
    Family("flower", ("flower", "blossom"), (0.2, 0.7), flower, grouped=True),
    Family("bush", ("bush", "shrub"), (0.5, 1.4), bush, outdoors=True),
    Family("carrot", ("carrot",), (0.15, 0.3), carrot, grouped=True),
)

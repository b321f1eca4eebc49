"""Soft containers: basket, sack."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
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
    ellipsoid,
    extrude,
    half_space,
    sphere,
    star,
    torus,
)


def basket(dice: Dice) -> Draft:
    """Return a wicker basket with a handle, empty or full of fruit, eggs or bread."""
    colour = dice.tint("wicker", 0.05)
    low, top, half = dice.between(0.4, 0.5), dice.between(0.56, 0.68), dice.between(0.28, 0.42)
    oval = dice.between(0.75, 1.0)
    wall = subtract(cone(low, top, half), translate(cone(low - 0.07, top - 0.07, half), 0.0, 0.1))
    rim = union(
        translate(torus(top - 0.02, 0.06), 0, half), translate(torus(low, 0.05), 0, -half + 0.03)
    )
    parts = [
        Part(squash(wall, 1.0, 1.0, oval), colour, "wicker"),
        Part(squash(rim, 1.0, 1.0, oval), darker(colour, 0.78), "straw", grain="x"),
    ]
    details: list[str] = []
    if dice.chance(0.75):
        arch = translate(lying(torus(top - 0.03, 0.05)), 0, half)
        arch = intersect(arch, half_space((0, -1, 0), -half + 0.02))
        parts.append(
            Part(squash(arch, 1, dice.between(0.8, 1.15), 1), darker(colour, 0.85), "straw")
        )
        details.append("a handle")
    load = dice.pick(["", "red apples", "green apples", "eggs", "bread"])
    if load:
        size = {"eggs": 0.15, "bread": 0.2}.get(load, 0.19)
        things: list[Field] = []
        for ring, count in ((0.0, 1), (0.3, 5)):
            for k in range(count):
                angle = 2 * math.pi * (k + 0.3 * dice.between(0, 1)) / count
                x, z = ring * math.sin(angle), ring * math.cos(angle) * oval
                y = half + 0.12 - 0.25 * ring
                thing = (
                    ellipsoid(size * 1.5, size * 0.8, size * 0.8)
                    if load == "bread"
                    else sphere(size)
                )
                things.append(translate(thing, x, y, z))
        shade = {
            "red apples": dice.tint("red"),
            "green apples": dice.tint("green"),
            "eggs": (0.95, 0.90, 0.80),
            "bread": (0.80, 0.54, 0.26),
        }[load]
        parts.append(Part(union(*things), shade, "plain"))
        details.insert(0, load)
    shape = ("wide",) if top > 0.64 else ("deep",) if half > 0.38 else ()
    return Draft(tuple(parts), Words("", "wicker", shape, tuple(details)))


def sack(dice: Dice) -> Draft:
    """Return a cloth sack, tied at its neck or open and full; often with a patch or a sign."""
    bare = dice.chance(0.55)
    name = "" if bare else dice.colour_name(without=("black", "white"))
    colour = dice.tint("straw", 0.05) if bare else dice.tint(name)
    if bare:
        colour = darker(colour, 0.9)
    wide, tall = dice.between(0.5, 0.62), dice.between(0.5, 0.66)
    body = intersect(
        smooth_union(
            0.2, ellipsoid(wide, tall, wide * 0.92), translate(sphere(wide * 0.8), 0, -0.18)
        ),
        half_space((0, -1, 0), tall * 0.78),
    )
    details: list[str] = []
    if dice.chance(0.6):
        neck = translate(cone(0.14, 0.26, 0.14), 0, tall + 0.12)
        bag = wavy(smooth_union(0.12, body, neck), 0.02, 10.0, dice.between(0, 6))
        rope_name = dice.pick(["brown", "red", "white"])
        rope = translate(torus(0.17, 0.055), 0, tall + 0.02)
        parts = [Part(bag, colour, "cloth"), Part(rope, dice.tint(rope_name), "leather")]
        details.append(with_article(f"{rope_name} string"))
    else:
        lip = translate(torus(0.34, 0.1), 0, tall * 0.72)
        mouth = intersect(body, half_space((0, 1, 0), tall * 0.72))
        bag = wavy(smooth_union(0.08, mouth, lip), 0.02, 9.0, dice.between(0, 6))
        load = dice.pick(["gold coins", "flour", "potatoes"])
        shade = {
            "gold coins": dice.tint("gold"),
            "flour": (0.95, 0.93, 0.88),
            "potatoes": (0.62, 0.44, 0.26),
        }[load]
        heap: Field = translate(ellipsoid(0.33, 0.2, 0.33), 0, tall * 0.74)
        if load != "flour":
            lumps = [
                translate(sphere(0.12), 0.2 * math.sin(a), tall * 0.74 + 0.13, 0.2 * math.cos(a))
                for a in (0.2, 1.8, 3.2, 4.8)
            ]
            heap = union(heap, *lumps)
        parts = [
            Part(bag, colour, "cloth"),
            Part(heap, shade, "gold" if load == "gold coins" else "plain"),
        ]
        details.append(load)
    sign = dice.pick(["", "patch", "star"])
    if sign:
        second = dice.colour_name(without=(name, "yellow", "black"))
        half: Field = box(0.17, 0.15, 2.0) if sign == "patch" else extrude(star(5, 0.26, 0.12), 2.0)
        region = intersect(translate(half, 0.0, -0.05), half_space((0, 0, -1), 0.0))
        parts[0] = Part(bag, colour, "cloth", (Paint(region, dice.tint(second)),))
        details.append(with_article(f"{second} {sign}"))
    shape = ("fat",) if wide > 0.59 else ("tall",) if tall > 0.62 else ()
    return Draft(tuple(parts), Words(name, "" if name else "cloth", shape, tuple(details)))


FAMILIES = (
    Family("basket", ("basket",), (0.25, 0.5), basket, grouped=True),
    Family("sack", ("sack", "bag"), (0.4, 0.9), sack, grouped=True),
)

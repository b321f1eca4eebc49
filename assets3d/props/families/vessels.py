"""Things that hold drinks and water: mug, potion, vase, bucket."""

from __future__ import annotations

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    lying,
    mirror_x,
    repeat_around,
    rotate_x,
    smooth_union,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    cone,
    cylinder,
    half_space,
    polygon,
    revolve,
    smooth_outline,
    sphere,
    torus,
    tube,
)


def mug(dice: Dice) -> Draft:
    """Return a mug with a handle at its right, sometimes with a band of a second colour."""
    name = dice.colour_name(without=("black",))
    colour = dice.tint(name)
    radius, height = dice.between(0.42, 0.58), dice.between(0.44, 0.68)
    top = radius * dice.between(0.95, 1.15)
    wall = inflate(cone(radius - 0.04, top - 0.04, height - 0.04), 0.04)
    hollow = translate(cone(radius - 0.1, top - 0.1, height), 0.0, 0.12)
    ring = lying(torus(height * 0.52, 0.075))
    ring = translate(ring, (radius + top) / 2.0 + height * 0.18)
    inside = translate(cone(radius - 0.03, top - 0.03, height), 0.0, 0.08)
    handle = subtract(ring, translate(cone(radius - 0.06, top - 0.06, height), 0.0, 0.02))
    body = subtract(smooth_union(0.06, wall, handle), hollow)
    second = dice.colour_name(without=(name, "black"))
    paint = [Paint(intersect(inside, half_space((0, -1, 0), height - 0.14)), lighter(colour, 0.55))]
    details: tuple[str, ...] = ()
    if dice.chance(0.5):
        low = dice.between(-0.5, 0.1) * height
        band = translate(box(2.0, dice.between(0.08, 0.16), 2.0), 0.0, low)
        outside = subtract(band, translate(cylinder(0.5, 2.0), radius + 0.52))
        paint.insert(0, Paint(outside, dice.tint(second)))
        details = (with_article(f"{second} stripe"),)
    parts = [Part(body, colour, "ceramic", tuple(paint))]
    if dice.chance(0.5):
        drink = translate(cylinder(min(radius, top) - 0.05, 0.02), 0.0, height - 0.16)
        parts.append(Part(drink, (0.30, 0.17, 0.09), "plain"))
    shape = "tall" if height > 0.6 else "wide" if radius > 0.53 else ""
    return Draft(tuple(parts), Words(name, "", (shape,) if shape else (), details))


def potion(dice: Dice) -> Draft:
    """Return a potion: a glass bottle of coloured liquid with a cork."""
    name = dice.colour_name(without=("white", "black", "brown", "grey"))
    liquid = dice.tint(name)
    kind = dice.pick(["round", "tall", "cone", "square"])
    neck = dice.between(0.13, 0.18)
    if kind == "round":
        radius, top = dice.between(0.5, 0.62), 0.5
        belly: Field = translate(sphere(radius), 0.0, -0.2)
    elif kind == "tall":
        radius, top = dice.between(0.32, 0.4), 0.4
        belly = translate(inflate(cylinder(radius - 0.1, 0.5), 0.1), 0.0, -0.15)
    elif kind == "cone":
        radius, top = dice.between(0.48, 0.6), 0.4
        belly = translate(inflate(cone(radius - 0.08, neck, 0.5), 0.08), 0.0, -0.2)
    else:
        radius, top = dice.between(0.4, 0.48), 0.35
        belly = translate(box(radius, radius, radius, 0.1), 0.0, -0.15)
    pipe = translate(cylinder(neck, 0.35), 0.0, top)
    flat = half_space((0, -1, 0), 0.68)
    bottle = intersect(smooth_union(0.16, belly, pipe), flat)
    lip = translate(torus(neck, 0.055), 0.0, top + 0.33)
    cork = translate(inflate(cone(neck - 0.05, neck - 0.01, 0.12), 0.03), 0.0, top + 0.46)
    glass = lighter(liquid, 0.72)
    level = dice.between(0.0, 0.16)
    air = half_space((0, -1, 0), -level)
    parts = [
        Part(bottle, liquid, "glass", (Paint(air, glass),)),
        Part(lip, darker(glass, 0.93), "glass"),
        Part(cork, (0.66, 0.46, 0.28), "leather"),
    ]
    details = []
    if dice.chance(0.35):
        label = translate(box(0.22, 0.16, 1.0), 0.0, -0.25, 1.0)
        parts[0] = Part(
            bottle, liquid, "glass", (Paint(air, glass), Paint(label, (0.93, 0.87, 0.7), "cloth"))
        )
        details.append("a label")
    elif dice.chance(0.5):
        parts.append(
            Part(translate(torus(neck + 0.02, 0.04), 0, top - 0.02), dice.tint("gold"), "gold")
        )
        details.append("a golden ring")
    adjective = {"round": "round", "tall": "tall", "cone": "pointed", "square": "square"}[kind]
    return Draft(tuple(parts), Words(name, "", (adjective,), tuple(details)))


def vase(dice: Dice) -> Draft:
    """Return a vase spun from a smooth outline, with painted stripes."""
    name = dice.colour_name(without=("black",))
    second = dice.colour_name(without=(name,))
    colour = dice.tint(name)
    foot, belly = dice.between(0.24, 0.34), dice.between(0.42, 0.62)
    neck, lip = dice.between(0.14, 0.24), dice.between(0.24, 0.34)
    low = dice.between(-0.3, 0.1)
    controls = [
        (foot, -0.8),
        (foot * 0.92, -0.72),
        (belly, low),
        (neck, 0.5),
        (neck, 0.62),
        (lip, 0.8),
    ]
    outline = smooth_outline(controls)
    corners = [(0.0, -0.8), *outline, (lip - 0.06, 0.8), (neck - 0.05, 0.6), (0.0, 0.6)]
    body = inflate(revolve(polygon(corners)), 0.02)
    stripes = [dice.between(-0.5, 0.2)]
    if dice.chance(0.5):
        stripes.append(stripes[0] + dice.between(0.2, 0.3))
    bands = union(*[translate(box(2, dice.between(0.04, 0.09), 2), 0.0, y) for y in stripes])
    parts = [Part(body, colour, "ceramic", (Paint(bands, dice.tint(second)),))]
    details = [f"{second} stripes" if len(stripes) > 1 else with_article(f"{second} stripe")]
    if dice.chance(0.4):
        ear = translate(lying(torus(0.2, 0.05)), neck + 0.14, 0.38)
        parts.append(Part(mirror_x(ear), darker(colour, 0.85), "ceramic"))
        details.append("two handles")
    shape = ("slim",) if belly < 0.47 else ("round",) if belly > 0.55 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def bucket(dice: Dice) -> Draft:
    """Return a bucket with hoops and a handle."""
    kind = dice.pick(["wood", "iron", "paint"])
    name = dice.colour_name(without=("brown", "black", "grey")) if kind == "paint" else ""
    colour = dice.tint(name) if name else dice.wood() if kind == "wood" else dice.tint("iron")
    bottom, top, height = dice.between(0.36, 0.44), dice.between(0.5, 0.6), dice.between(0.45, 0.56)
    outer = cone(bottom, top, height)
    hollow = translate(cone(bottom - 0.06, top - 0.06, height), 0.0, 0.08)
    material = {"wood": "wood", "iron": "iron", "paint": "plain"}[kind]
    gaps = repeat_around(translate(box(0.016, 2.0, 0.5), 0.0, 0.0, 0.7), 12)
    paint = (Paint(gaps, darker(colour, 0.6)),) if kind == "wood" else ()
    parts = [Part(subtract(outer, hollow), colour, material, paint)]
    ring = "iron" if kind != "iron" else "gold"
    at = [bottom + (top - bottom) * k for k in (0.2, 0.85)]
    hoops = union(
        *[
            translate(tube(r, 0.07, 0.06, 0.02), 0, height * (2 * k - 1))
            for r, k in zip(at, (0.2, 0.85), strict=True)
        ]
    )
    parts.append(Part(hoops, dice.tint(ring), ring))
    bow = translate(rotate_x(lying(torus(top, 0.035)), dice.between(-20, 0)), 0.0, height)
    parts.append(
        Part(intersect(bow, half_space((0, -1, 0), -height + 0.05)), dice.tint("iron"), "iron")
    )
    details = ["a handle"]
    if dice.chance(0.4):
        water = translate(cylinder((bottom + top) / 2, 0.02), 0.0, height * 0.55)
        parts.append(Part(water, (0.30, 0.60, 0.85), "glass"))
        details.append("water")
    return Draft(tuple(parts), Words(name, "" if kind == "paint" else kind, (), tuple(details)))


FAMILIES = (
    Family("mug", ("mug", "cup", "coffee mug"), (0.09, 0.13), mug, grouped=True),
    Family("potion", ("potion", "potion bottle", "flask"), (0.12, 0.25), potion, grouped=True),
    Family("vase", ("vase", "urn"), (0.25, 0.5), vase, grouped=True),
    Family("bucket", ("bucket", "pail"), (0.28, 0.4), bucket, outdoors=True, grouped=True),
)

"""Buildings: house, tower, tent, well, windmill. Doors and openings face the front."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    lying,
    mirror_x,
    mirror_xz,
    repeat_around,
    rotate_y,
    rotate_z,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Rgb, Words
from assets3d.props.sdf import (
    Field,
    box,
    capsule,
    cone,
    convex,
    cylinder,
    extrude,
    half_space,
    polygon,
    sphere,
    tube,
)

_LIT: Rgb = (0.98, 0.86, 0.50)
_ROOFS = ("red", "blue", "brown", "green", "purple", "grey", "orange")


def _walls(dice: Dice) -> tuple[str, str, Rgb]:
    """Return the palette name ("" where the material says it), the material and its colour."""
    kind = dice.pick(["brick", "stone", "wood", "paint", "paint"])
    if kind == "paint":
        name = dice.pick(["white", "yellow", "white", "pink", "blue", "green"])
        return name, "plain", lighter(dice.tint(name), 0.08)
    return "", kind, dice.wood() if kind == "wood" else dice.tint(kind)


def _gable(half: float, rise: float, deep: float, thick: float) -> Field:
    """Return two roof slabs that meet over x = 0 and rise from y = 0 at x = half, along z."""
    run = math.hypot(half, rise)
    slab = translate(box(run / 2 + 0.09, thick, deep, 0.02), -run / 2 + 0.05, thick)
    slope = math.degrees(math.atan2(rise, half))
    return mirror_x(translate(rotate_z(slab, -slope), half, 0.0))


def house(dice: Dice) -> Draft:
    """Return a house or hut: walls, a gable roof, a door, windows, often a chimney."""
    name, material, wall = _walls(dice)
    wide, deep, high = dice.between(0.6, 0.78), dice.between(0.5, 0.7), dice.between(0.34, 0.5)
    rise = dice.between(0.42, 0.66)
    roof_name = dice.pick([c for c in _ROOFS if c != name])
    thatch = dice.chance(0.25)
    roof_colour = dice.tint("straw") if thatch else dice.tint(roof_name)
    front_gable = dice.chance(0.5)
    side, along = (wide, deep) if front_gable else (deep, wide)
    gable = extrude(polygon([(-side, 0), (side, 0), (0, rise)]), along)
    roof = translate(_gable(side + 0.1, rise * (side + 0.1) / side, along + 0.1, 0.05), 0, 0.0)
    roof = translate(roof, 0, -rise * 0.1 / side)
    if not front_gable:
        gable, roof = rotate_y(gable, 90), rotate_y(roof, 90)
    body = union(box(wide, high, deep), translate(gable, 0, high))
    door_x = dice.pick([0.0, -wide * 0.42, wide * 0.42])
    door = translate(box(0.15, 0.26, 0.04, 0.01), door_x, -high + 0.26, deep)
    frame = translate(box(0.19, 0.3, 0.03, 0.01), door_x, -high + 0.3, deep)
    spots = [x for x in (0.0, -wide * 0.52, wide * 0.52) if abs(x - door_x) > 0.3]
    panes, rims = [], []
    for x in spots:
        panes.append(translate(box(0.12, 0.12, 0.03), x, 0.04, deep))
        rims.append(translate(box(0.155, 0.155, 0.022), x, 0.04, deep))
    if front_gable and dice.chance(0.6):
        panes.append(translate(lying(cylinder(0.09, 0.03)), 0, high + rise * 0.36, deep))
        rims.append(translate(lying(cylinder(0.125, 0.022)), 0, high + rise * 0.36, deep))
    side_pane = mirror_x(translate(box(0.02, 0.12, 0.13), wide, 0.04))
    lit = dice.chance(0.5)
    glass = _LIT if lit else (0.50, 0.68, 0.80)
    bars = union(
        *(
            union(
                translate(box(0.012, 0.13, 0.1), x, 0.04, deep),
                translate(box(0.13, 0.012, 0.1), x, 0.04, deep),
            )
            for x in spots
        )
    )
    beam = darker(dice.wood(), 0.6)
    paint: tuple[Paint, ...] = ()
    details: list[str] = []
    if material == "plain" and dice.chance(0.5):
        post = mirror_xz(translate(box(0.05, high, 0.05), wide, 0, deep))
        sill = union(
            translate(box(3, 0.04, 3), 0, high - 0.03), translate(box(3, 0.04, 3), 0, -high)
        )
        paint = (Paint(union(post, sill), beam, "wood"),)
        details.append("timber beams")
    door_name = dice.pick(["brown", "red", "green", "blue"])
    parts = [
        Part(body, wall, material, paint, grain="x"),
        Part(translate(roof, 0, high), roof_colour, "straw" if thatch else "tiles"),
        Part(union(*panes, side_pane), glass, "glass", (Paint(bars, beam),)),
        Part(union(frame, *rims), beam, "wood"),
        Part(door, dice.tint(door_name), "wood"),
    ]
    if dice.chance(0.6):
        x = dice.pick([-1, 1]) * side * 0.5
        z = dice.between(-0.4, 0.2) * along
        stack = box(0.1, 0.26, 0.1, 0.01)
        at = (x, z) if front_gable else (z, -abs(x))
        stack = translate(stack, at[0], high + rise * 0.5 + 0.2, at[1])
        parts.append(Part(stack, dice.tint("brick"), "brick"))
        details.append("a chimney")
    details.insert(0, "a straw roof" if thatch else with_article(f"{roof_name} roof"))
    shape = ("tall",) if rise + high > 1.05 else ("low",) if rise + high < 0.86 else ()
    word = "" if material == "plain" else material
    return Draft(tuple(parts), Words(name, word, shape, tuple(details)))


def tower(dice: Dice) -> Draft:
    """Return a round or square tower with battlements or a pointed roof, a door and slits."""
    material = dice.pick(["stone", "brick", "brick"])
    wall = dice.tint(material) if dice.chance(0.5) or material == "stone" else (0.58, 0.57, 0.55)
    grey = material == "brick" and wall[0] < 0.6
    square = dice.chance(0.4)
    radius, high = dice.between(0.36, 0.46), dice.between(0.8, 1.0)
    if square:
        body: Field = box(radius, high, radius)
        ledge = box(radius + 0.08, 0.1, radius + 0.08, 0.015)
    else:
        body = cone(radius * 1.12, radius, high)
        ledge = cylinder(radius + 0.09, 0.1, 0.015)
    details: list[str] = []
    door = translate(
        union(box(0.13, 0.17, 0.12), translate(lying(cylinder(0.13, 0.12)), 0, 0.17)),
        0,
        -high + 0.17,
        radius * (1.0 if square else 1.1),
    )
    slit = translate(box(0.045, 0.12, 0.1), 0, 0.0, radius)
    slits = union(translate(slit, 0, 0.22), translate(slit, 0, -0.22 * high))
    slits = repeat_around(slits, 4)
    dark = (0.14, 0.12, 0.12)
    parts = [
        Part(body, wall, material, (Paint(slits, dark),)),
        Part(door, dice.tint("brown"), "wood"),
        Part(translate(ledge, 0, high), darker(wall, 0.85), "stone"),
    ]
    if dice.chance(0.5):
        reach = radius + 0.03
        if square:
            tooth = union(
                translate(box(0.1, 0.13, 0.055), 0, 0, reach),
                translate(box(0.09, 0.13, 0.055), reach - 0.03, 0, reach),
            )
            teeth = repeat_around(lambda p: tooth((p[0].abs(), p[1], p[2])), 4)
        else:
            teeth = repeat_around(translate(box(0.09, 0.13, 0.055), 0, 0, reach), 8)
        parts.append(Part(translate(teeth, 0, high + 0.2), wall, "stone"))
        details.append("battlements")
    else:
        roof_name = dice.pick(["red", "blue", "green", "purple"])
        spike = dice.between(0.32, 0.46)
        if square:
            reach = radius + 0.14
            lean = reach / (2 * spike)
            normals = [(1, lean, 0), (-1, lean, 0), (0, lean, 1), (0, lean, -1), (0, -1, 0)]
            offset = (reach - lean * spike) / math.hypot(1, lean)
            roof: Field = convex(normals, [offset] * 4 + [spike])
        else:
            roof = cone(radius + 0.17, 0.0, spike)
        parts.append(Part(translate(roof, 0, high + 0.08 + spike), dice.tint(roof_name), "tiles"))
        details.append(with_article(f"{roof_name} roof"))
        if dice.chance(0.6):
            flag_name = dice.pick([c for c in ("red", "yellow", "blue", "white") if c != roof_name])
            top = high + 0.08 + 2 * spike
            pole = capsule((0, top - 0.1, 0), (0, top + 0.34, 0), 0.025)
            flag = translate(
                extrude(polygon([(0, 0.11), (0.32, 0), (0, -0.11)]), 0.02), 0, top + 0.22
            )
            parts.append(Part(pole, dice.tint("iron"), "iron"))
            parts.append(Part(flag, dice.tint(flag_name), "cloth"))
            details.append(with_article(f"{flag_name} flag"))
    shape = ("square",) if square else ("round",)
    name = "grey" if grey else ""
    return Draft(tuple(parts), Words(name, material, shape, tuple(details)))


def tent(dice: Dice) -> Draft:
    """Return a tent of cloth, open at the front: a ridge tent, a tipi or a round pavilion."""
    name = dice.colour_name(without=("black",))
    colour = dice.tint(name)
    second = dice.colour_name(without=(name, "black", "brown"))
    kind = dice.pick(["ridge", "cone", "round"])
    striped = dice.chance(0.5)
    paint: list[Paint] = []
    parts: list[Part] = []
    dark = (0.16, 0.13, 0.12)
    if kind == "ridge":
        wide, deep, high = (
            dice.between(0.62, 0.78),
            dice.between(0.6, 0.85),
            dice.between(0.75, 0.95),
        )
        body: Field = extrude(polygon([(-wide, 0), (wide, 0), (0, high)]), deep)
        mouth = extrude(polygon([(-wide * 0.5, -0.1), (wide * 0.5, -0.1), (0, high * 0.72)]), 0.3)
        if striped:
            stripe = lambda p: (p[2] * 9.0).sin() * 0.1  # noqa: E731
            paint.append(Paint(stripe, dice.tint(second)))
        pole = translate(
            union(
                capsule((0, high - 0.2, deep), (0, high + 0.12, deep), 0.035),
                capsule((0, high - 0.2, -deep), (0, high + 0.12, -deep), 0.035),
            )
        )
        front = deep
    elif kind == "cone":
        wide, high = dice.between(0.68, 0.82), dice.between(1.1, 1.4)
        body = translate(cone(wide, 0.05, high / 2), 0, high / 2)
        mouth = extrude(polygon([(-0.26, -0.1), (0.26, -0.1), (0, high * 0.5)]), 0.9)
        if striped:
            band = union(translate(box(2, 0.07, 2), 0, 0.2), translate(box(2, 0.06, 2), 0, 0.42))
            paint.append(Paint(band, dice.tint(second)))
        poles = [
            capsule((0.03 * s, high - 0.1, 0.03 * t), (0.16 * s, high + 0.24, 0.14 * t), 0.028)
            for s, t in ((1, 1), (-1, 0.4), (0.3, -1))
        ]
        pole = union(*poles)
        front = wide
    else:
        wide, high = dice.between(0.62, 0.75), dice.between(0.4, 0.52)
        rise = dice.between(0.26, 0.36)
        body = union(
            translate(cone(wide * 1.02, wide * 0.94, high / 2), 0, high / 2),
            translate(cone(wide + 0.06, 0.04, rise), 0, high + rise),
        )
        mouth = extrude(polygon([(-0.24, -0.1), (0.24, -0.1), (0, high * 1.05)]), 0.9)
        if striped:
            wedge = lambda p: (p[0].atan2(p[2]) * 6.0).cos() * 0.1  # noqa: E731
            paint.append(Paint(wedge, dice.tint(second)))
        top = high + 2 * rise
        pole = capsule((0, top - 0.1, 0), (0, top + 0.3, 0), 0.03)
        flag = translate(extrude(polygon([(0, 0.1), (0.3, 0), (0, -0.1)]), 0.02), 0, top + 0.2)
        parts.append(Part(flag, dice.tint(second), "cloth"))
        front = wide
    gap = translate(mouth, 0, 0, front)
    inner = inflate(gap, 0.0)
    paint.append(Paint(intersect(inner, half_space((0, 0, -1), 0.0)), dark))
    hollow = intersect(gap, lambda p: body((p[0], p[1], p[2] - 0.1)))
    parts = [
        Part(subtract(body, hollow), colour, "cloth", tuple(paint), grain="x"),
        Part(pole, dice.tint("brown"), "wood"),
        *parts,
    ]
    details = [f"{second} stripes"] if striped else []
    if kind == "round":
        details.append(with_article(f"{second} flag"))
    shape = {"ridge": "long", "cone": "pointed", "round": "round"}[kind]
    return Draft(tuple(parts), Words(name, "", (shape,), tuple(details)))


def well(dice: Dice) -> Draft:
    """Return a well: a ring of stones or bricks, posts, a small roof and a bucket on a rope."""
    material = dice.pick(["stone", "brick"])
    wall = dice.tint(material)
    radius, high = dice.between(0.48, 0.58), dice.between(0.24, 0.34)
    ring = tube(radius - 0.08, 0.17, high, 0.02)
    rim = translate(tube(radius - 0.07, 0.24, 0.05, 0.02), 0, high)
    wood = dice.wood()
    top = high + dice.between(0.6, 0.75)
    post = mirror_x(
        translate(box(0.055, (top - high) / 2 + 0.1, 0.055), radius - 0.06, (top + high) / 2)
    )
    beam = translate(box(radius, 0.045, 0.045), 0, top - 0.14)
    roof_name = dice.pick(["red", "brown", "blue", "green", "purple"])
    roof = translate(rotate_y(_gable(0.42, 0.34, radius + 0.14, 0.045), 90), 0, top - 0.02)
    water = translate(cylinder(radius - 0.1, 0.02), 0, high * 0.4)
    parts = [
        Part(union(ring), wall, material),
        Part(rim, darker(dice.tint("stone"), 0.9), "stone"),
        Part(union(post, beam), wood, "wood"),
        Part(roof, dice.tint(roof_name), "tiles"),
        Part(water, (0.20, 0.45, 0.75), "glass"),
    ]
    details = [with_article(f"{roof_name} roof")]
    if dice.chance(0.7):
        y = high + 0.16
        pail = translate(cone(0.09, 0.12, 0.1), 0, y)
        rope = capsule((0, y + 0.1, 0), (0, top - 0.14, 0), 0.018)
        parts.append(Part(pail, darker(wood, 0.75), "wood"))
        parts.append(Part(rope, (0.80, 0.70, 0.50), "cloth"))
        details.append("a bucket")
    shape = ("wide",) if radius > 0.55 else ("tall",) if top > 1.02 else ()
    return Draft(tuple(parts), Words("", material, shape, tuple(details)))


def windmill(dice: Dice) -> Draft:
    """Return a windmill: a tower that narrows upwards, a cap, four sails facing the front."""
    name, material, wall = _walls(dice)
    bottom, top, high = dice.between(0.42, 0.5), dice.between(0.26, 0.32), dice.between(0.7, 0.85)
    body = cone(bottom, top, high)
    cap_name = dice.pick([c for c in ("red", "blue", "brown", "green") if c != name])
    pointed = dice.chance(0.5)
    cap: Field = (
        cone(top + 0.09, 0.0, 0.2)
        if pointed
        else intersect(sphere(top + 0.07), half_space((0, -1, 0), 0.03))
    )
    cap = translate(cap, 0, high + (0.2 if pointed else 0.0))
    hub_y, hub_z = high - 0.06, top + 0.12
    axle = translate(lying(cylinder(0.09, 0.14, 0.02)), 0, hub_y, top + 0.06)
    long = dice.between(0.78, 0.95)
    arm = box(0.03, long / 2, 0.025)
    arm = translate(arm, 0, long / 2)
    sail_name = dice.pick([c for c in ("white", "red", "yellow") if c not in (name, cap_name)])
    sail = translate(box(0.12, long * 0.36, 0.012), 0.14, long * 0.6, 0.0)
    bars = lambda p: (p[1] * 34.0).sin() * 0.01 + 0.0075  # noqa: E731

    angle = dice.between(10.0, 80.0)

    def four(field: Field) -> Field:
        """Repeat what lies above the axle round it (the axis is z, so y and z change places)."""
        around = repeat_around(lambda q: field((q[0], q[2], q[1])), 4, angle)
        return translate(lambda p: around((p[0], p[2], p[1])), 0, hub_y, hub_z)

    wood = darker(dice.wood(), 0.7)
    door = translate(box(0.13, 0.2, 0.06, 0.01), 0, -high + 0.2, bottom - 0.02)
    windows = translate(box(0.07, 0.09, 0.3), 0, -0.15, (bottom + top) / 2)
    sail_colour = dice.tint(sail_name)
    parts = (
        Part(body, wall, material, (Paint(windows, (0.18, 0.16, 0.18)),), grain="y"),
        Part(cap, dice.tint(cap_name), "tiles"),
        Part(union(four(arm), axle), wood, "wood"),
        Part(four(sail), sail_colour, "cloth", (Paint(four(bars), darker(sail_colour, 0.6)),)),
        Part(door, dice.tint("brown"), "wood"),
    )
    details = (with_article(f"{cap_name} cap"), f"{sail_name} sails")
    word = "" if material == "plain" else material
    shape = ("tall",) if high > 0.8 else ("wide",) if bottom > 0.48 else ()
    return Draft(parts, Words(name, word, shape, details))


FAMILIES = (
    Family("house", ("house", "hut", "cottage"), (3.0, 7.0), house, outdoors=True),
    Family("tower", ("tower", "watchtower"), (6.0, 15.0), tower, outdoors=True),
    Family("tent", ("tent",), (1.5, 3.0), tent, outdoors=True),
    Family("well", ("well", "water well"), (1.8, 2.8), well, outdoors=True),
    Family("windmill", ("windmill", "mill"), (7.0, 14.0), windmill, outdoors=True),
)

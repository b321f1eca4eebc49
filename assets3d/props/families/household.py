"""Things in a room: lantern, book, candle, stool, signpost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    lying,
    mirror_xz,
    repeat_around,
    rotate_z,
    smooth_union,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    capsule,
    cone,
    convex,
    cylinder,
    ellipsoid,
    extrude,
    half_space,
    polygon,
    sphere,
    star,
    tapered_capsule,
    torus,
)


def lantern(dice: Dice) -> Draft:
    """Return a lantern: a glowing glass body in a metal cage with a roof and a ring."""
    kind = dice.pick(["iron", "iron", "gold", "paint"])
    name = (
        dice.colour_name(without=("brown", "white", "yellow", "orange")) if kind == "paint" else ""
    )
    colour = dice.tint(name or kind)
    material = "plain" if kind == "paint" else kind
    glow_name = dice.pick(["yellow", "yellow", "orange", "turquoise", "pink"])
    glow = lighter(dice.tint(glow_name), 0.2)
    radius, height = dice.between(0.3, 0.4), dice.between(0.36, 0.5)
    square = dice.chance(0.5)
    if square:
        glass: Field = box(radius - 0.05, height, radius - 0.05, 0.02)
        post = mirror_xz(
            translate(box(0.045, height, 0.045, 0.01), radius - 0.04, 0, radius - 0.04)
        )
        base = translate(box(radius + 0.08, 0.08, radius + 0.08, 0.03), 0, -height - 0.04)
        top = translate(box(radius + 0.08, 0.05, radius + 0.08, 0.02), 0, height)
        sides = [(0, 0.75, 1), (0, 0.75, -1), (1, 0.75, 0), (-1, 0.75, 0), (0, -1, 0), (0, 1, 0)]
        reach = (radius + 0.06) / math.hypot(1, 0.75)
        roof = translate(_roof(sides, reach), 0, height + 0.05)
    else:
        glass = cylinder(radius - 0.03, height, 0.03)
        post = repeat_around(translate(box(0.04, height, 0.035, 0.01), 0, 0, radius), 6)
        base = translate(cylinder(radius + 0.08, 0.08, 0.03), 0, -height - 0.04)
        top = translate(cylinder(radius + 0.06, 0.05, 0.02), 0, height)
        roof = translate(inflate(cone(radius + 0.04, 0.1, 0.14), 0.02), 0, height + 0.18)
    knob = translate(cylinder(0.09, 0.06, 0.02), 0, height + 0.36)
    bail = translate(lying(torus(0.15, 0.035)), 0, height + 0.56)
    flame = translate(sphere(radius * 0.9), 0, -height * 0.25)
    parts = (
        Part(union(post, base, top, roof, knob, bail), colour, material),
        Part(glass, glow, "glass", (Paint(inflate(flame, 0.06), lighter(glow, 0.45)),)),
    )
    shape = ("square",) if square else ("round",)
    return Draft(
        parts, Words(name, "" if name else kind, shape, (with_article(f"{glow_name} light"),))
    )


def _roof(normals: Sequence[tuple[float, float, float]], reach: float) -> Field:
    """Return a four-sided roof that stands on y = 0, its point cut off."""
    return convex(normals, [reach] * 4 + [0.0, 0.3])


def book(dice: Dice) -> Draft:
    """Return an upright book facing the front: cover, pages, metal corners, a sign."""
    name = dice.colour_name(without=("white", "grey"))
    second = dice.pick(["gold", "gold", "iron"])
    colour, metal = dice.tint(name), dice.tint(second)
    width, height = dice.between(0.46, 0.56), dice.between(0.62, 0.76)
    thick = dice.between(0.11, 0.19)
    boards = translate(box(width, height, 0.035, 0.015), 0, 0, thick)
    cover = union(
        lambda p: boards((p[0], p[1], p[2].abs())),
        translate(box(0.05, height, thick + 0.03, 0.03), -width + 0.03),
    )
    pages = translate(box(width - 0.06, height - 0.05, thick - 0.02), -0.02)
    lines = lambda p: (p[2] * 60.0).sin() * 0.01 + 0.003  # noqa: E731
    corner = translate(box(0.1, 0.1, 0.05, 0.02), width - 0.075, height - 0.075, thick)
    bands = union(
        *[
            translate(box(0.065, 0.03, thick + 0.045, 0.02), -width + 0.035, y * height)
            for y in (-0.6, 0.0, 0.6)
        ]
    )
    kind = dice.pick(["star", "gem", "diamond", "none"])
    signs: dict[str, Field] = {
        "star": extrude(star(5, 0.24, 0.11), thick + 0.055, 0.01),
        "diamond": extrude(
            polygon([(0, 0.28), (0.18, 0), (0, -0.28), (-0.18, 0)]), thick + 0.055, 0.01
        ),
        "gem": translate(sphere(0.13), 0, 0, thick),
        "none": translate(box(0.05, 0.05, 0.02), 0, 0, 0),
    }
    front = half_space((0, 0, -1), 0.0)
    parts = [
        Part(cover, colour, "leather"),
        Part(pages, (0.94, 0.90, 0.78), "cloth", (Paint(lines, (0.80, 0.74, 0.60)),)),
        Part(union(lambda p: corner((p[0].abs(), p[1].abs(), p[2].abs())), bands), metal, second),
    ]
    details = ["golden corners" if second == "gold" else "iron corners"]
    if kind != "none":
        gem_name = dice.pick(["red", "blue", "green", "purple"])
        sign_colour = dice.tint(gem_name) if kind == "gem" else metal
        parts.append(
            Part(intersect(signs[kind], front), sign_colour, "glass" if kind == "gem" else second)
        )
        details.insert(
            0,
            with_article(f"{gem_name} gem")
            if kind == "gem"
            else f"a {'golden ' if second == 'gold' else ''}{kind}",
        )
    shape = ("thick",) if thick > 0.16 else ("thin",) if thick < 0.13 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def signpost(dice: Dice) -> Draft:
    """Return a wooden signpost with one or two arrow boards."""
    wood = dice.wood()
    post = union(translate(box(0.08, 0.95, 0.08, 0.02), 0, -0.05))
    boards = []
    count = dice.whole(1, 2)
    colour_name = (
        dice.colour_name(without=("brown", "black", "white", "orange")) if dice.chance(0.4) else ""
    )
    colour = dice.tint(colour_name) if colour_name else lighter(wood, 0.12)
    side = dice.pick([-1, 1])
    for k in range(count):
        long, tall = dice.between(0.5, 0.6), dice.between(0.14, 0.19)
        arrow = polygon(
            [(-long, tall), (long * 0.7, tall), (long, 0), (long * 0.7, -tall), (-long, -tall)]
        )
        board = extrude(arrow, 0.05, 0.015)
        if side < 0:
            board = _flipped(board)
        board = rotate_z(board, dice.between(-6, 6))
        boards.append(translate(board, side * 0.12, 0.6 - 0.45 * k, 0.11))
        side = -side
    nails = union(*[translate(sphere(0.035), 0, 0.6 - 0.45 * k, 0.165) for k in range(count)])
    foot = translate(ellipsoid(0.3, 0.14, 0.3), 0, -0.98)
    mound = dice.chance(0.5)
    parts = [
        Part(union(*boards), colour, "wood", grain="x"),
        Part(post, darker(wood, 0.85), "wood"),
        Part(nails, dice.tint("iron"), "iron"),
    ]
    if mound:
        parts.append(Part(intersect(foot, half_space((0, -1, 0), 1.0)), dice.tint("leaf"), "leaf"))
    details = ("two arrows",) if count == 2 else ("an arrow",)
    return Draft(tuple(parts), Words(colour_name, "wood", (), details))


def _flipped(field: Field) -> Field:
    return lambda p: field((-p[0], p[1], p[2]))


def candle(dice: Dice) -> Draft:
    """Return a burning candle on a dish."""
    name = dice.colour_name(without=("black", "brown", "grey"))
    colour = dice.tint(name)
    radius, height = dice.between(0.2, 0.3), dice.between(0.45, 0.75)
    stick = cylinder(radius, height, 0.05)
    drips = []
    for _ in range(dice.whole(3, 5)):
        angle, low = dice.between(0, 2 * math.pi), dice.between(0.1, 0.8) * height
        x, z = radius * math.sin(angle), radius * math.cos(angle)
        drips.append(tapered_capsule((x, height - 0.06, z), (x, low - 0.1, z), 0.05, 0.065))
    body = smooth_union(0.04, stick, *drips)
    metal = dice.pick(["gold", "iron"])
    dish = union(
        translate(
            subtract(cylinder(0.52, 0.06, 0.03), translate(cylinder(0.45, 0.06, 0.02), 0, 0.04)),
            0,
            -height,
        ),
        translate(lying(torus(0.11, 0.035)), 0.6, -height + 0.04),
    )
    wick = capsule((0, height, 0), (0, height + 0.1, 0), 0.022)
    flame = translate(
        smooth_union(0.1, sphere(0.1), tapered_capsule((0, 0, 0), (0, 0.26, 0), 0.08, 0.015)),
        0,
        height + 0.18,
    )
    parts = (
        Part(body, colour, "plain"),
        Part(dish, dice.tint(metal), metal),
        Part(wick, (0.15, 0.1, 0.08), "plain"),
        Part(
            flame,
            (0.98, 0.66, 0.16),
            "plain",
            (Paint(translate(sphere(0.1), 0, height + 0.14), (1.0, 0.92, 0.5)),),
        ),
    )
    shape = ("tall",) if height > 0.65 else ("short",) if height < 0.52 else ()
    return Draft(
        parts, Words(name, "", shape, ("a golden dish" if metal == "gold" else "an iron dish",))
    )


def stool(dice: Dice) -> Draft:
    """Return a stool: a round or square seat on three or four legs, sometimes with a cushion."""
    wood = dice.wood()
    legs_count = dice.pick([3, 4])
    height, splay = dice.between(0.7, 1.0), dice.between(0.05, 0.25)
    square = legs_count == 4 and dice.chance(0.5)
    seat = translate(box(0.48, 0.07, 0.48, 0.04) if square else cylinder(0.52, 0.07, 0.04), 0, 0.0)
    leg = tapered_capsule((0, -0.02, 0.34), (0, -height, 0.34 + splay), 0.08, 0.06)
    legs = repeat_around(leg, legs_count, 45.0 if legs_count == 4 else 0.0)
    rung_y = -height * dice.between(0.45, 0.65)
    rung = translate(torus(0.34 + splay * 0.55, 0.04), 0, rung_y)
    parts = [
        Part(seat, wood, "wood", grain="x"),
        Part(union(legs, rung), darker(wood, 0.86), "wood"),
    ]
    details: tuple[str, ...] = (f"{'three' if legs_count == 3 else 'four'} legs",)
    if dice.chance(0.45):
        name = dice.colour_name(without=("brown", "black"))
        cushion = translate(
            box(0.44, 0.09, 0.44, 0.08) if square else inflate(cylinder(0.4, 0.02), 0.07), 0, 0.12
        )
        parts.append(Part(cushion, dice.tint(name), "cloth"))
        details = (f"{with_article(name)} cushion", *details)
    shape = ("square",) if square else ("round",)
    return Draft(tuple(parts), Words("", "wood", shape, details))


FAMILIES = (
    Family("lantern", ("lantern", "lamp"), (0.25, 0.45), lantern, grouped=True),
    Family("book", ("book", "spell book", "tome"), (0.2, 0.35), book, grouped=True),
    Family("signpost", ("signpost", "wooden sign"), (1.2, 2.2), signpost, outdoors=True),
    Family("candle", ("candle",), (0.15, 0.3), candle, held_out=True, grouped=True),
    Family("stool", ("stool",), (0.4, 0.7), stool, held_out=True, outdoors=True, grouped=True),
)

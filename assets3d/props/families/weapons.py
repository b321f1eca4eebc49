"""Arms: sword, shield, bomb."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    mirror_x,
    smooth_union,
    squash,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    capsule,
    circle,
    convex,
    cylinder,
    extrude,
    half_space,
    polygon,
    sphere,
    star,
    tapered_capsule,
    torus,
)

STEEL = (0.74, 0.77, 0.81)


def sword(dice: Dice) -> Draft:
    """Return an upright sword: faceted blade, guard, wrapped grip, pommel with a stone."""
    name = dice.colour_name(without=("white", "grey", "brown", "black", "yellow"))
    guard_metal = dice.pick(["gold", "gold", "iron"])
    broad, long = dice.between(0.14, 0.24), dice.between(0.95, 1.25)
    thick = 0.055
    tip = dice.between(1.6, 3.0)
    slope = thick / broad
    normals = [(slope, 0, 1), (-slope, 0, 1), (slope, 0, -1), (-slope, 0, -1)]
    normals += [(tip, 1, 0), (-tip, 1, 0), (0, -1, 0)]
    offset = thick / math.hypot(1.0, slope)
    point = long / math.hypot(tip, 1.0)
    edge = broad * dice.between(0.82, 0.95)
    normals += [(1, 0, 0), (-1, 0, 0)]
    blade = convex(normals, [offset] * 4 + [point, point, 0.0, edge, edge])
    wide = dice.between(0.34, 0.5)
    droop = dice.between(-0.12, 0.16)
    guard = mirror_x(tapered_capsule((0, 0, 0), (wide, droop, 0), 0.085, 0.065))
    if dice.chance(0.5):
        guard = union(guard, mirror_x(translate(sphere(0.09), wide, droop)))
    grip = translate(cylinder(0.07, 0.24, 0.02), 0, -0.26)
    rings = union(*[translate(torus(0.068, 0.022), 0, -0.12 - 0.085 * k) for k in range(4)])
    pommel = translate(sphere(0.12), 0, -0.55)
    stone = translate(sphere(0.075), 0, -0.55, 0.07)
    gem = union(
        stone,
        translate(sphere(0.075), 0, -0.55, -0.07),
        lambda p: squash(sphere(0.08), 1, 1, 1.3)(p),
    )
    fuller = translate(box(broad * 0.16, long * 0.33, 1), 0, long * 0.36)
    steel = dice.tint("iron") if dice.chance(0.2) else STEEL
    metal = dice.tint(guard_metal)
    handle = dice.tint(name)
    parts = (
        Part(union(grip, rings), handle, "leather"),
        Part(blade, steel, "iron", (Paint(fuller, darker(steel, 0.82)),)),
        Part(union(guard, pommel), metal, guard_metal),
        Part(gem, lighter(handle, 0.15), "glass"),
    )
    word = "golden" if guard_metal == "gold" else "iron"
    shape = ("long",) if long > 1.15 else ("broad",) if broad > 0.21 else ()
    return Draft(
        parts,
        Words(
            "",
            "",
            shape,
            (
                with_article(f"{name} handle"),
                with_article(f"{word} guard"),
            ),
        ),
    )


def shield(dice: Dice) -> Draft:
    """Return a shield, round or pointed, with a rim, a boss and a painted cross, halves or star."""
    name = dice.colour_name(without=("grey", "brown"))
    second = dice.colour_name(without=(name, "grey", "brown"))
    colour, other = dice.tint(name), dice.tint(second)
    metal = dice.pick(["iron", "gold"])
    ball = translate(sphere(2.2), 0, 0, -2.08)
    inner = translate(sphere(2.12), 0, 0, -2.08)
    round_one = dice.chance(0.5)
    if round_one:
        outline = circle(0.78)
        rim = circle(0.70)
    else:
        wide, top, low = dice.between(0.56, 0.66), 0.72, -0.92
        side = [(wide, top), (wide, -0.05), (wide * 0.8, -0.42), (wide * 0.42, -0.74), (0.0, low)]
        corners = side + [(-u, v) for u, v in reversed(side[:-1])]
        outline = polygon(corners)
        rim = lambda u, v: outline(u, v) + 0.08  # noqa: E731
    plate = subtract(ball, inner)
    board = intersect(plate, extrude(outline, 1.0))
    edge = intersect(
        inflate(plate, 0.035),
        extrude(lambda u, v: outline(u, v) - 0.03, 1.0),
        half_space((0, 0, -1), 1.5),
    )
    edge = subtract(edge, extrude(rim, 2.0))
    pattern = dice.pick(["cross", "halves", "star", "plain"])
    regions: dict[str, Field] = {
        "cross": union(box(0.1, 2, 2), translate(box(2, 0.1, 2), 0, 0.1)),
        "halves": union(
            intersect(half_space((1, 0, 0), 0), half_space((0, 1, 0), 0.05)),
            intersect(half_space((-1, 0, 0), 0), half_space((0, -1, 0), -0.05)),
        ),
        "star": extrude(star(5, 0.5, 0.22), 2.0),
    }
    paint = (Paint(regions[pattern], other),) if pattern in regions else ()
    parts = [Part(board, colour, "plain", paint), Part(edge, dice.tint(metal), metal)]
    details = []
    if pattern == "cross":
        details.append(with_article(f"{second} cross"))
    elif pattern == "star":
        details.append(with_article(f"{second} star"))
    elif pattern == "halves":
        details.append(f"{second} quarters")
    if pattern != "star" and dice.chance(0.6):
        boss = translate(squash(sphere(0.2), 1, 1, 0.6), 0, 0.05 * (not round_one), 0.12)
        parts.append(Part(boss, dice.tint(metal), metal))
        details.append("a golden boss" if metal == "gold" else "an iron boss")
    return Draft(
        tuple(parts), Words(name, "", ("round",) if round_one else ("pointed",), tuple(details))
    )


def bomb(dice: Dice) -> Draft:
    """Return a round bomb with a fuse and a spark."""
    name = dice.pick(["black", "black", "red", "blue", "green", "purple", "grey"])
    colour = dice.tint(name)
    collar = translate(cylinder(0.2, 0.1, 0.03), 0, 0.62)
    bend = dice.pick([-1, 1]) * dice.between(0.15, 0.3)
    fuse = union(
        capsule((0, 0.65, 0), (bend * 0.3, 0.9, 0), 0.045),
        capsule((bend * 0.3, 0.9, 0), (bend, 1.05, 0), 0.045),
    )
    flame = translate(
        smooth_union(0.06, sphere(0.1), tapered_capsule((0, 0, 0), (0, 0.2, 0), 0.08, 0.02)),
        bend,
        1.08,
    )
    metal = dice.pick(["gold", "iron"])
    parts = [
        Part(sphere(0.62), colour, "enamel"),
        Part(collar, dice.tint(metal), metal),
        Part(fuse, (0.82, 0.72, 0.52), "cloth"),
        Part(
            flame,
            (0.98, 0.66, 0.16),
            "plain",
            (Paint(translate(sphere(0.09), bend, 1.05), (1.0, 0.92, 0.45)),),
        ),
    ]
    details = ["a burning fuse"]
    if dice.chance(0.4):
        second = dice.colour_name(without=(name, "black", "grey", "brown"))
        parts[0] = Part(sphere(0.62), colour, "enamel", (Paint(box(1, 0.1, 1), dice.tint(second)),))
        details.insert(0, with_article(f"{second} stripe"))
    return Draft(tuple(parts), Words(name, "", ("round",), tuple(details)))


FAMILIES = (
    Family("sword", ("sword", "blade"), (0.9, 1.3), sword, grouped=True),
    Family("shield", ("shield",), (0.6, 1.0), shield),
    Family("bomb", ("bomb", "round bomb"), (0.2, 0.35), bomb, grouped=True),
)

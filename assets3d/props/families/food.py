"""Things to eat: bread, cheese, cake, pear."""

from __future__ import annotations

import math

from torch import Tensor

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    repeat_around,
    rotate_y,
    rotate_z,
    smooth_union,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    Points,
    box,
    convex,
    cylinder,
    ellipsoid,
    half_space,
    sphere,
    tapered_capsule,
)


def bread(dice: Dice) -> Draft:
    """Return a loaf: long, round or baked in a tin, scored across, sometimes cut open."""
    crust = dice.pick([(0.78, 0.50, 0.22), (0.66, 0.38, 0.16), (0.86, 0.62, 0.32)])
    kind = dice.pick(["long", "round", "square"])
    pale = (0.96, 0.86, 0.64)
    if kind == "long":
        body: Field = smooth_union(
            0.15, ellipsoid(1.0, 0.34, 0.36), translate(ellipsoid(0.8, 0.3, 0.34), 0, 0.04)
        )
        cuts = union(
            *(rotate_z(translate(box(0.05, 0.3, 1), 0.38 * k, 0.3), 0.0) for k in (-1, 0, 1))
        )
        cuts = intersect(_slanted(cuts, 0.55), half_space((0, -1, 0), -0.08))
    elif kind == "round":
        body = ellipsoid(0.72, 0.5, 0.72)
        cuts = union(box(0.055, 1, 0.6), box(0.6, 1, 0.055))
        cuts = intersect(rotate_y(cuts, 45), half_space((0, -1, 0), -0.18))
    else:
        body = smooth_union(
            0.06,
            translate(box(0.42, 0.3, 0.62, 0.1), 0, -0.1),
            translate(ellipsoid(0.52, 0.28, 0.68), 0, 0.24),
        )
        cuts = intersect(box(0.05, 1, 0.42), half_space((0, -1, 0), -0.3))
    flat = half_space((0, -1, 0), 0.26 if kind != "square" else 0.4)
    body = intersect(body, flat)
    paint = [Paint(cuts, lighter(pale, 0.2))]
    if kind == "square":
        whole = body
        face = half_space((0, 0, 1), 0.54)
        body = intersect(body, face)
        window = intersect(lambda p: _outline(whole, p) + 0.06, half_space((0, 0, -1), -0.5))
        paint = [Paint(cuts, lighter(pale, 0.2)), Paint(window, pale)]
    parts = (Part(body, crust, "plain", tuple(paint)),)
    details = ("a cut face",) if kind == "square" else ("cuts",)
    return Draft(parts, Words("", "", (kind,), details))


def _slanted(field: Field, slope: float) -> Field:
    return lambda p: field((p[0] + slope * p[2], p[1], p[2])) * 0.8


def _outline(solid: Field, p: Points) -> Tensor:
    """Return the distance to a solid's outline in its middle plane, whatever the depth."""
    return solid((p[0], p[1], p[2] * 0.0))


def cheese(dice: Dice) -> Draft:
    """Return a wedge of cheese with holes, often with a coloured rind."""
    name = dice.pick(["yellow", "yellow", "orange", "white"])
    colour = dice.tint(name)
    tall, deep = dice.between(0.3, 0.42), dice.between(0.45, 0.62)
    wide = 0.8
    # A triangle seen from above: its point to the left, its rind at the right.
    steep = deep / (2.0 * wide)
    wedge = convex(
        [(1, 0, 0), (-steep, 0, 1), (-steep, 0, -1), (0, 1, 0), (0, -1, 0)],
        [
            wide,
            steep * wide / math.hypot(1, steep),
            steep * wide / math.hypot(1, steep),
            tall,
            tall,
        ],
    )
    holes: list[Field] = []
    for _ in range(dice.whole(6, 9)):
        x = dice.between(-0.35, 0.7)
        edge = steep * (x + wide)
        holes.append(
            translate(sphere(dice.between(0.07, 0.15)), x, dice.between(-0.8, 1.0) * tall, edge)
        )
    for _ in range(3):
        holes.append(
            translate(
                sphere(dice.between(0.09, 0.14)),
                dice.between(0, 0.6),
                tall,
                dice.between(-0.2, 0.2),
            )
        )
    solid = rotate_y(subtract(wedge, *holes), -18.0)
    dark = union(*(lambda p, h=h: h(p) - 0.015 for h in holes))
    parts = [Part(solid, colour, "plain", (Paint(rotate_y(dark, -18.0), darker(colour, 0.78)),))]
    details: list[str] = ["holes"]
    if dice.chance(0.6):
        rind_name = dice.pick([c for c in ("red", "brown", "orange", "black") if c != name])
        rind = intersect(
            convex([(1, 0, 0), (-1, 0, 0)], [wide + 0.05, -wide + 0.02]),
            box(2, tall + 0.01, deep + 0.04),
        )
        parts.append(Part(rotate_y(rind, -18.0), dice.tint(rind_name), "plain"))
        details.append(with_article(f"{rind_name} rind"))
    shape = ("thick",) if tall > 0.39 else ("flat",) if tall < 0.33 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def cake(dice: Dice) -> Draft:
    """Return a round cake: one to three tiers, dripping icing, cherries or candles."""
    name = dice.pick(["pink", "white", "brown", "yellow", "turquoise", "purple"])
    colour = dice.tint(name)
    tiers = dice.whole(1, 3)
    radius = dice.between(0.66, 0.78)
    second = dice.pick([c for c in ("white", "pink", "brown", "yellow") if c != name])
    icing = dice.tint(second)
    tall = {1: 0.3, 2: 0.25, 3: 0.21}[tiers]
    bodies, drips, tops = [], [], []
    y, r = 0.0, radius
    for _ in range(tiers):
        bodies.append(translate(cylinder(r, tall, 0.05), 0, y))
        tops.append(translate(cylinder(r + 0.025, 0.07, 0.06), 0, y + tall - 0.02))
        count = max(7, int(r * 16))
        drop = tapered_capsule((0, 0.02, 0), (0, -tall * 0.75, 0), 0.07, 0.085)
        fall = translate(repeat_around(translate(drop, 0, 0, r - 0.03), count), 0, y + tall - 0.06)
        drips.append(fall)
        y, r = y + 2 * tall, r * 0.68
    body = union(*bodies)
    parts = [Part(body, colour, "plain"), Part(union(*tops, *drips), icing, "plain")]
    plate = translate(cylinder(radius + 0.14, 0.04, 0.02), 0, -tall - 0.02)
    parts.append(Part(plate, (0.93, 0.93, 0.93), "enamel"))
    level, inner = y - tall, r / 0.68
    kind = dice.pick(["cherries", "candles", "cherry"])
    details = [f"{second} icing"]
    if kind == "cherry":
        ball = translate(sphere(0.13), 0, level + 0.1)
        parts.append(Part(ball, (0.78, 0.08, 0.12), "enamel"))
        details.append("a cherry")
    elif kind == "cherries":
        balls = repeat_around(translate(sphere(0.09), 0, level + 0.06, inner - 0.13), 6)
        parts.append(Part(balls, (0.78, 0.08, 0.12), "enamel"))
        details.append("cherries")
    else:
        sticks = repeat_around(
            translate(cylinder(0.035, 0.16), 0, level + 0.14, inner * 0.55), 4, 45
        )
        flames = repeat_around(
            translate(ellipsoid(0.045, 0.08, 0.045), 0, level + 0.36, inner * 0.55), 4, 45
        )
        parts.append(Part(sticks, (0.30, 0.45, 0.80), "plain"))
        parts.append(Part(flames, (0.98, 0.66, 0.16), "plain"))
        details.append("candles")
    shape = ("tall",) if tiers == 3 else ("round",) if tiers == 1 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def pear(dice: Dice) -> Draft:
    """Return a pear with a stalk and often a leaf."""
    name = dice.pick(["green", "yellow", "yellow", "red"])
    colour = dice.tint(name)
    hips, neck = dice.between(0.48, 0.56), dice.between(0.24, 0.32)
    rise = dice.between(0.55, 0.75)
    lean = dice.between(-0.08, 0.08)
    body = smooth_union(
        0.35, translate(sphere(hips), 0, -0.3), translate(sphere(neck), lean, -0.3 + rise)
    )
    top = -0.3 + rise + neck
    stalk = tapered_capsule((lean, top - 0.1, 0), (lean + 0.08, top + 0.22, 0), 0.03, 0.045)
    blush = translate(sphere(0.42), 0.5, -0.1, 0.35)
    paint = (Paint(blush, lighter(colour, 0.2)),) if dice.chance(0.5) else ()
    parts = [Part(body, colour, "plain", paint), Part(stalk, dice.tint("brown"), "wood")]
    details: tuple[str, ...] = ()
    if dice.chance(0.6):
        leaf = rotate_z(translate(ellipsoid(0.2, 0.035, 0.1), 0.2, 0), dice.between(5, 35))
        parts.append(Part(translate(leaf, lean + 0.02, top + 0.06), dice.tint("leaf"), "leaf"))
        details = ("a green leaf",)
    shape = ("tall",) if rise > 0.68 else ("fat",) if hips > 0.53 else ()
    return Draft(tuple(parts), Words(name, "", shape, details))


FAMILIES = (
    Family("bread", ("loaf of bread", "bread loaf"), (0.1, 0.18), bread, grouped=True),
    Family("cheese", ("cheese", "wedge of cheese"), (0.08, 0.15), cheese),
    Family("cake", ("cake",), (0.15, 0.4), cake),
    Family("pear", ("pear",), (0.09, 0.13), pear, held_out=True, grouped=True),
)

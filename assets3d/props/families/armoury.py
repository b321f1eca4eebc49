"""More arms: bow, spear, staff, dagger, helmet."""

from __future__ import annotations

import math
from itertools import pairwise

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.families.weapons import STEEL
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
    mirror_x,
    mirror_y,
    repeat_around,
    rotate_z,
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
    cone,
    convex,
    cylinder,
    ellipsoid,
    extrude,
    half_space,
    sphere,
    tapered_capsule,
    torus,
)

_PLAIN_COLOURS = ("brown", "black", "white", "grey", "orange")


def bow(dice: Dice) -> Draft:
    """Return an upright bow seen from its flat side: limbs, a grip, a string, often an arrow."""
    painted = dice.chance(0.45)
    name = dice.colour_name(without=_PLAIN_COLOURS) if painted else ""
    colour = dice.tint(name) if name else dice.wood()
    bend, recurve = dice.between(0.36, 0.56), dice.chance(0.5)
    points = []
    for k in range(6):
        t = k / 5
        curl = 0.7 * max(0.0, t - 0.72) if recurve else 0.0
        points.append((bend * (1.0 - t * t) + curl, t * (1.0 - 0.15 * curl), 0.0))
    limb = union(
        *(
            tapered_capsule(a, b, 0.088 - 0.010 * k, 0.078 - 0.010 * k)
            for k, (a, b) in enumerate(pairwise(points))
        )
    )
    tip = points[-1]
    grip = translate(cylinder(0.105, 0.17, 0.03), bend)
    parts = [
        Part(mirror_y(limb), colour, "plain" if painted else "wood"),
        Part(capsule((tip[0], -tip[1], 0), (tip[0], tip[1], 0), 0.02), (0.9, 0.87, 0.78), "cloth"),
    ]
    second = dice.colour_name(without=(name, "brown"))
    parts.append(Part(grip, dice.tint(second), "leather"))
    details = [with_article(f"{second} grip")]
    metal = dice.pick(["", "gold", "iron"])
    if metal:
        ends = mirror_y(translate(sphere(0.075), tip[0], tip[1]))
        parts.append(Part(ends, dice.tint(metal), metal))
        details.append("golden tips" if metal == "gold" else "iron tips")
    if dice.chance(0.5):
        parts += _arrow(dice, tip[0] - 0.12, bend + 0.42)
        details.insert(0, "an arrow")
    shape = ("curved",) if recurve else ("slim",) if bend < 0.42 else ()
    return Draft(tuple(parts), Words(name, "" if name else "wood", shape, tuple(details)))


def _arrow(dice: Dice, tail: float, head: float) -> list[Part]:
    shaft = capsule((tail, 0, 0.11), (head, 0, 0.11), 0.026)
    point = convex([(0.5, 1, 0), (0.5, -1, 0), (-1, 0, 0), (0, 0, 1), (0, 0, -1)], [0.09] * 5)
    feathers = union(box(0.13, 0.085, 0.015), box(0.13, 0.015, 0.085))
    return [
        Part(shaft, dice.wood(), "wood", grain="x"),
        Part(translate(point, head, 0, 0.11), STEEL, "iron"),
        Part(translate(feathers, tail + 0.12, 0, 0.11), dice.tint(dice.colour_name()), "cloth"),
    ]


def spear(dice: Dice) -> Draft:
    """Return an upright spear or trident with a band or a tassel below its head."""
    kind = dice.pick(["leaf", "broad", "trident"])
    metal = dice.pick(["iron", "iron", "gold"])
    colour = dice.tint(metal) if metal == "gold" else STEEL
    base = 0.62
    if kind == "trident":
        spike = tapered_capsule((0, 0, 0), (0, 0.62, 0), 0.065, 0.015)
        side = union(
            tapered_capsule((0, 0, 0), (0.26, 0.12, 0), 0.06, 0.06),
            tapered_capsule((0.26, 0.12, 0), (0.28, 0.56, 0), 0.06, 0.015),
        )
        head: Field = union(spike, mirror_x(side))
    else:
        wide = dice.between(0.15, 0.18) if kind == "leaf" else dice.between(0.22, 0.28)
        slope, tip = 0.07 / wide, dice.between(2.2, 3.0)
        normals = [(slope, 0, 1), (-slope, 0, 1), (slope, 0, -1), (-slope, 0, -1)]
        normals += [(tip, 1, 0), (-tip, 1, 0), (1.6, -1, 0), (-1.6, -1, 0)]
        flat = 0.07 / math.hypot(1.0, slope)
        point = wide * tip * 0.95 / math.hypot(tip, 1.0)
        back = wide * 1.6 * 0.95 / math.hypot(1.6, 1.0)
        head = translate(convex(normals, [flat] * 4 + [point] * 2 + [back] * 2), 0, 0.24)
    wood = dice.wood()
    low = -dice.between(1.0, 1.3)
    pole = tapered_capsule((0, low, 0), (0, base + 0.06, 0), 0.062, 0.052)
    name = dice.colour_name(without=("brown", "grey", "black"))
    parts = [
        Part(pole, wood, "wood"),
        Part(translate(head, 0, base), colour, "iron" if metal == "iron" else "gold"),
        Part(translate(cylinder(0.085, 0.09, 0.02), 0, base - 0.03), darker(colour, 0.8), metal),
    ]
    if dice.chance(0.5):
        tassel = repeat_around(
            tapered_capsule((0, base - 0.12, 0.06), (0, base - 0.42, 0.13), 0.03, 0.05), 6
        )
        parts.append(Part(tassel, dice.tint(name), "cloth"))
        details = [with_article(f"{name} tassel")]
    else:
        wrap = union(*(translate(torus(0.055, 0.028), 0, 0.3 - 0.05 * k) for k in range(8)))
        parts.append(Part(wrap, dice.tint(name), "leather"))
        details = [with_article(f"{name} wrap")]
    details.append({"iron": "an iron", "gold": "a golden"}[metal] + " head")
    shape = ("forked",) if kind == "trident" else ("broad",) if kind == "broad" else ("slim",)
    return Draft(tuple(parts), Words("", "wood", shape, tuple(details)))


def staff(dice: Dice) -> Draft:
    """Return a wizard's staff: a wooden pole that holds an orb, a crystal or a moon."""
    kind = dice.pick(["orb", "crystal", "moon"])
    name = dice.colour_name(without=("brown", "black", "grey", "white"))
    colour = dice.tint(name)
    wood = dice.wood() if dice.chance(0.7) else darker(dice.wood(), 0.6)
    sway = dice.between(-0.07, 0.07)
    pole = union(
        tapered_capsule((0, -1.2, 0), (sway, -0.3, 0), 0.065, 0.08),
        tapered_capsule((sway, -0.3, 0), (0, 0.5, 0), 0.08, 0.1),
    )
    if kind == "orb":
        size = dice.between(0.22, 0.3)
        jewel: Field = translate(sphere(size), 0, 0.6 + size)
        claws = _prongs(size)
    elif kind == "crystal":
        angles = [2 * math.pi * k / 6 for k in range(6)]
        normals = [(math.sin(a), 0.32, math.cos(a)) for a in angles]
        normals += [(math.sin(a), -0.9, math.cos(a)) for a in angles]
        size = dice.between(0.2, 0.25)
        jewel = translate(convex(normals, [size] * 6 + [size * 0.82] * 6), 0, 0.86)
        claws = _prongs(size * 0.9)
    else:
        size = 0.34
        ring = extrude(circle(size), 0.07, 0.02)
        bite = translate(lying(cylinder(size * 0.84, 1.0)), 0, 0.16)
        jewel = translate(subtract(ring, bite), 0, 0.86)
        claws = translate(cylinder(0.12, 0.05, 0.02), 0, 0.5)
    parts = [
        Part(pole, wood, "wood"),
        Part(jewel, colour, "glass", (Paint(half_space((0, -1, 0), -0.95), lighter(colour, 0.3)),)),
        Part(claws, dice.tint("gold"), "gold") if dice.chance(0.5) else Part(claws, wood, "wood"),
    ]
    details = [with_article(f"{name} {kind}")]
    if dice.chance(0.5):
        wrap = union(*(translate(torus(0.075, 0.035), sway, -0.25 - 0.06 * k) for k in range(6)))
        parts.append(Part(wrap, dice.tint("leather"), "leather"))
        details.append("a leather grip")
    return Draft(tuple(parts), Words("", "wood", (), tuple(details)))


def _prongs(size: float) -> Field:
    prong = union(
        tapered_capsule((0, 0.42, 0.04), (0, 0.56 + 0.3 * size, size * 0.95), 0.06, 0.05),
        tapered_capsule(
            (0, 0.56 + 0.3 * size, size * 0.95), (0, 0.6 + 1.3 * size, size * 0.9), 0.05, 0.025
        ),
    )
    return repeat_around(prong, 4, 45.0)


def dagger(dice: Dice) -> Draft:
    """Return an upright dagger: a short blade, straight or curved, and a grip as long as it."""
    name = dice.colour_name(without=("white", "grey", "yellow"))
    metal = dice.pick(["iron", "gold", "gold"])
    curved = dice.chance(0.4)
    broad, long = dice.between(0.16, 0.22), dice.between(0.66, 0.82)
    if curved:
        outer = translate(lying(cylinder(1.25, 0.055)), -1.25 + broad, 0.1)
        inner = translate(lying(cylinder(1.5, 1.0)), -1.5 - broad * 0.7, 0.35)
        blade: Field = intersect(subtract(outer, inner), half_space((0, -1, 0), 0.0))
        blade = intersect(blade, half_space((0.5, 1, 0), long))
    else:
        slope, tip = 0.06 / broad, dice.between(1.5, 2.4)
        normals = [(slope, 0, 1), (-slope, 0, 1), (slope, 0, -1), (-slope, 0, -1)]
        normals += [(tip, 1, 0), (-tip, 1, 0), (0, -1, 0)]
        flat, point = 0.06 / math.hypot(1.0, slope), long / math.hypot(tip, 1.0)
        blade = convex(normals, [flat] * 4 + [point, point, 0.0])
        blade = intersect(blade, box(broad * 0.85, 2, 2))
    wide = dice.between(0.24, 0.34)
    guard = mirror_x(tapered_capsule((0, 0, 0), (wide, dice.between(-0.04, 0.08), 0), 0.085, 0.06))
    grip = translate(cylinder(0.085, 0.24, 0.03), 0, -0.28)
    rings = union(*(translate(torus(0.08, 0.026), 0, -0.12 - 0.095 * k) for k in range(4)))
    pommel = translate(squash(sphere(0.14), 1.0, 0.8, 1.0), 0, -0.58)
    handle = dice.tint(name)
    parts = [
        Part(union(grip, rings), handle, "leather"),
        Part(blade, STEEL, "iron", (Paint(box(broad * 0.2, long * 0.62, 1), darker(STEEL, 0.8)),)),
        Part(union(guard, pommel), dice.tint(metal), metal),
    ]
    details = [with_article(f"{name} handle")]
    if dice.chance(0.5):
        gem = dice.pick([c for c in ("red", "blue", "green", "purple") if c != name])
        stone = translate(sphere(0.085), 0, -0.01, 0.06)
        parts.append(Part(lambda p: stone((p[0], p[1], p[2].abs())), dice.tint(gem), "glass"))
        details.append(with_article(f"{gem} gem"))
    shape = ("curved",) if curved else ("straight",)
    return Draft(tuple(parts), Words("", "", shape, tuple(details)))


def helmet(dice: Dice) -> Draft:
    """Return a helmet: a dome with a slit or a nose guard, often horns or a plume."""
    metal = dice.pick(["iron", "iron", "gold", "silver"])
    colour = dice.tint(metal)
    tall = dice.between(0.62, 0.78)
    dome = intersect(ellipsoid(0.6, tall, 0.66), half_space((0, -1, 0), 0.05))
    closed = dice.chance(0.5)
    skirt = translate(cone(0.54, 0.6, 0.24), 0, -0.22)
    shell = smooth_union(0.05, dome, skirt)
    hollow = translate(cone(0.47, 0.5, 0.5), 0, -0.35)
    shell = subtract(shell, hollow)
    if closed:
        slit = union(
            translate(box(0.34, 0.055, 0.3), 0, -0.05, 0.6),
            translate(box(0.035, 0.3, 0.3), 0, -0.22, 0.6),
        )
        paint: tuple[Paint, ...] = (Paint(slit, (0.08, 0.08, 0.09)),)
        words = ["a visor"]
    else:
        gap = translate(box(0.34, 0.3, 0.4, 0.12), 0, -0.3, 0.6)
        shell = subtract(shell, gap)
        shell = union(shell, translate(box(0.06, 0.24, 0.035, 0.02), 0, -0.13, 0.58))
        paint = ()
        words = ["a nose guard"]
    second = "gold" if metal != "gold" else "silver"
    rim = translate(torus(0.6, 0.05), 0, 0.02)
    if not closed:
        rim = subtract(rim, translate(box(0.36, 0.2, 0.4), 0, -0.16, 0.6))
    parts = [Part(shell, colour, metal, paint), Part(rim, dice.tint(second), second)]
    top = dice.pick(["horns", "plume", "plume", "spike"])
    if top == "horns":
        horn = union(
            tapered_capsule((0.5, 0.15, 0), (0.86, 0.28, 0), 0.15, 0.11),
            tapered_capsule((0.86, 0.28, 0), (1.0, 0.72, 0), 0.11, 0.025),
        )
        parts.append(Part(mirror_x(horn), dice.tint("bone"), "bone"))
        words.insert(0, "horns")
    elif top == "plume":
        name = dice.colour_name(without=("grey", "brown"))
        crest = translate(sphere(0.62), 0, tall * 0.42, -0.16)
        crest = intersect(crest, box(0.09, 2, 2, 0.0), half_space((0, -1, 0), 0.05))
        crest = subtract(crest, ellipsoid(0.58, tall - 0.02, 0.64))
        parts.append(Part(crest, dice.tint(name), "fur"))
        words.insert(0, with_article(f"{name} plume"))
    else:
        spike = translate(rotate_z(cone(0.09, 0.0, 0.16), 0.0), 0, tall + 0.1)
        parts.append(Part(spike, dice.tint(second), second))
        words.insert(0, "a spike")
    shape = ("tall",) if tall > 0.72 else ("round",) if tall < 0.66 else ()
    return Draft(tuple(parts), Words("", metal, shape, tuple(words)))


FAMILIES = (
    Family("bow", ("bow", "longbow"), (1.0, 1.7), bow),
    Family("spear", ("spear", "polearm"), (1.6, 2.4), spear, grouped=True),
    Family("staff", ("staff", "magic staff", "wizard staff"), (1.2, 1.9), staff),
    Family("dagger", ("dagger", "knife"), (0.25, 0.45), dagger, grouped=True),
    Family("helmet", ("helmet", "helm"), (0.25, 0.4), helmet),
)

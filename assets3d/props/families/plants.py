"""Things that grow: mushroom, tree, cactus, apple, pumpkin."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    repeat_around,
    ribbed,
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
    convex,
    cylinder,
    ellipsoid,
    half_space,
    sphere,
    tapered_capsule,
    torus,
)


def mushroom(dice: Dice) -> Draft:
    """Return a mushroom: a domed cap, pale gills below, a stem, often dots."""
    name = dice.colour_name(without=("white", "black"))
    colour = dice.tint(name)
    wide, tall = dice.between(0.55, 0.78), dice.between(0.36, 0.6)
    stem_top, stem_bottom = dice.between(0.15, 0.2), dice.between(0.2, 0.3)
    cap = intersect(ellipsoid(wide, tall, wide), half_space((0, -1, 0), 0.05))
    under = translate(ellipsoid(wide * 0.82, 0.16, wide * 0.82), 0.0, -0.14)
    cap = inflate(subtract(cap, under), 0.03)
    gills = translate(cone(0.12, wide * 0.8, 0.06), 0.0, -0.03)
    length = dice.between(0.5, 0.85)
    stem = tapered_capsule((0, -length, 0), (0, 0.05, 0), stem_bottom, stem_top)
    stem = intersect(stem, half_space((0, -1, 0), length + 0.06))
    paint: tuple[Paint, ...] = ()
    details: tuple[str, ...] = ()
    if dice.chance(0.75):
        dots = _dots(dice, wide, tall)
        second = dice.pick(["white", "white", "white", "yellow"]) if name != "yellow" else "white"
        paint = (Paint(dots, dice.tint(second, 0.02)),)
        details = (f"{second} dots",)
    cream = (0.93, 0.87, 0.74)
    parts = (
        Part(cap, colour, "plain", paint),
        Part(gills, darker(cream, 0.85), "plain"),
        Part(stem, cream, "plain"),
    )
    shape = (
        ("tall",)
        if length > 0.72
        else ("flat",)
        if tall < 0.42
        else ("slim",)
        if wide < 0.6
        else ()
    )
    return Draft(parts, Words(name, "", shape, details))


def _dots(dice: Dice, wide: float, tall: float) -> Field:
    spots: list[Field] = [translate(sphere(dice.between(0.13, 0.17)), 0, tall)]
    for ring, (count, height) in enumerate(((5, 0.72), (8, 0.25))):
        size = dice.between(0.1, 0.14)
        rho = wide * math.sqrt(1.0 - height**2)
        ball = translate(sphere(size), 0.0, tall * height, rho)
        spots.append(repeat_around(ball, count, dice.between(0, 360) + 20 * ring))
    return union(*spots)


def tree(dice: Dice) -> Draft:
    """Return a tree: a fir of stacked cones or a round crown of blobs."""
    name = dice.pick(["green", "green", "green", "orange", "red", "pink", "yellow"])
    fir = dice.chance(0.5)
    if fir and name == "pink":
        name = "green"
    colour = dice.tint("leaf" if name == "green" and dice.chance(0.5) else name)
    if name == "green":
        colour = dice.tint("green", 0.05)
    bark = dice.tint("brown")
    if fir:
        tiers = dice.whole(2, 4)
        low, top = -0.35, 1.15
        reach = dice.between(0.55, 0.72)
        step = (top - low) / (tiers + 0.6)
        layers = []
        for k in range(tiers):
            half = step * 0.8
            width = reach * (1.0 - 0.72 * k / tiers)
            layers.append(
                translate(inflate(cone(width, 0.02, half), 0.03), 0, low + step * k + half)
            )
        crown: Field = union(*layers)
        paint = tuple(
            Paint(translate(box(3, 0.06, 3), 0, low + step * k - 0.02), darker(colour, 0.72))
            for k in range(tiers)
        )
        trunk = translate(cone(0.16, 0.12, 0.3), 0, -0.6)
    else:
        radius = dice.between(0.5, 0.62)
        blobs: list[Field] = [translate(sphere(radius), 0, 0.4)]
        count = dice.whole(3, 5)
        for k in range(count):
            angle = 2 * math.pi * (k + dice.between(-0.2, 0.2)) / count
            size = radius * dice.between(0.55, 0.75)
            blobs.append(
                translate(
                    sphere(size),
                    radius * 0.7 * math.sin(angle),
                    0.4 + dice.between(-0.25, 0.35) * radius,
                    radius * 0.7 * math.cos(angle),
                )
            )
        crown = wavy(smooth_union(0.12, *blobs), 0.02, 11.0, dice.between(0, 6))
        paint = ()
        trunk = union(
            tapered_capsule((0, -0.85, 0), (0, 0.2, 0), 0.17, 0.1),
            repeat_around(tapered_capsule((0, -0.6, 0), (0, -0.9, 0.24), 0.1, 0.05), 4, 30),
        )
        trunk = intersect(trunk, half_space((0, -1, 0), 0.9))
    parts = [Part(crown, colour, "leaf", paint), Part(trunk, bark, "wood")]
    details: tuple[str, ...] = ()
    if not fir and name == "green" and dice.chance(0.4):
        fruit = dice.pick(["red", "orange", "yellow"])
        balls = [
            translate(repeat_around(translate(sphere(0.075), 0, 0, radius * r), n, a), 0, y)
            for r, n, a, y in ((1.08, 5, 10.0, 0.3), (0.85, 4, 50.0, 0.75))
        ]
        parts.append(Part(union(*balls), dice.tint(fruit), "plain"))
        details = (f"{fruit} fruit",)
    shape = ("pointed",) if fir else ("round",)
    return Draft(tuple(parts), Words(name, "", shape, details))


def cactus(dice: Dice) -> Draft:
    """Return a cactus with arms, often in a pot, sometimes with a flower."""
    name = "green"
    colour = dice.tint("green", 0.05)
    radius, height = dice.between(0.2, 0.27), dice.between(0.7, 0.95)
    body = ribbed(tapered_capsule((0, -0.4, 0), (0, height, 0), radius, radius * 0.9), 0.035, 10)
    arms = []
    sides = [[1], [-1], [1, -1], [1, -1]][dice.whole(0, 3)]
    for side in sides:
        y, out = dice.between(0.05, 0.35), radius + dice.between(0.22, 0.3)
        thick = radius * 0.6
        reach = tapered_capsule((0, y, 0), (side * out, y + 0.06, 0), thick, thick)
        up = tapered_capsule(
            (side * out, y + 0.06, 0),
            (side * out, y + dice.between(0.3, 0.5), 0),
            thick,
            thick * 0.85,
        )
        arms.append(smooth_union(0.08, reach, up))
    plant = smooth_union(0.06, body, *arms)
    parts = [Part(intersect(plant, half_space((0, -1, 0), 0.45)), colour, "leaf")]
    details = []
    if dice.chance(0.6):
        pot_name = dice.pick(["orange", "white", "blue", "red", "turquoise", "purple"])
        pot_colour = dice.tint(pot_name)
        pot = union(
            translate(cone(0.3, 0.42, 0.24), 0, -0.66),
            translate(cylinder(0.47, 0.07, 0.03), 0, -0.4),
        )
        parts.append(Part(pot, pot_colour, "ceramic"))
        details.append(with_article(f"{pot_name} pot"))
    if dice.chance(0.5):
        petal = rotate_x(translate(ellipsoid(0.06, 0.15, 0.035), 0, 0.1), 50)
        flower = translate(repeat_around(petal, 5), 0, height + radius * 0.85)
        bloom = dice.pick(["pink", "red", "yellow"])
        parts.append(Part(flower, dice.tint(bloom), "plain"))
        details.append(with_article(f"{bloom} flower"))
    shape = ("tall",) if height > 0.88 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def apple(dice: Dice) -> Draft:
    """Return an apple with a stalk and a leaf."""
    name = dice.pick(["red", "green", "yellow", "red"])
    colour = dice.tint(name)
    tall = dice.between(1.1, 1.3)
    hips = squash(torus(0.24, 0.4), 1.0, tall, 1.0)
    foot = translate(repeat_around(translate(sphere(0.2), 0, 0, 0.16), 5), 0, -0.36 * tall)
    body = smooth_union(0.22, hips, foot)
    glint = translate(ellipsoid(0.1, 0.17, 0.2), -0.34, 0.27 * tall, 0.48)
    paint = (Paint(glint, lighter(colour, 0.45)),) if dice.chance(0.6) else ()
    bend = dice.between(-0.12, 0.12)
    stalk = tapered_capsule((0, 0.15, 0), (bend, 0.62, 0), 0.035, 0.05)
    leaf = rotate_z(translate(ellipsoid(0.2, 0.035, 0.1), 0.2, 0), dice.between(10, 40))
    parts = [Part(body, colour, "plain", paint), Part(stalk, dice.tint("brown"), "wood")]
    details: tuple[str, ...] = ()
    if dice.chance(0.75):
        parts.append(Part(translate(leaf, bend * 0.6, 0.46), dice.tint("leaf"), "leaf"))
        details = ("a green leaf",)
    return Draft(tuple(parts), Words(name, "", ("round",) if tall < 1.2 else ("tall",), details))


def pumpkin(dice: Dice) -> Draft:
    """Return a ribbed pumpkin with a stalk, sometimes with a carved face."""
    name = dice.pick(["orange", "orange", "orange", "green", "white"])
    colour = dice.tint(name)
    tall = dice.between(0.62, 0.85)
    count = dice.pick([8, 10, 12])
    body = ribbed(
        squash(smooth_union(0.2, torus(0.3, 0.42), sphere(0.55)), 1.0, tall / 0.55 * 0.7, 1.0),
        0.07,
        count,
    )
    stalk = union(
        tapered_capsule((0, 0.25, 0), (0.02, 0.52, 0), 0.11, 0.07),
        tapered_capsule((0.02, 0.52, 0), (0.14, 0.62, 0.03), 0.07, 0.06),
    )
    paint: tuple[Paint, ...] = ()
    details: tuple[str, ...] = ()
    if dice.chance(0.4):
        eye = translate(
            convex([(0, -1, 0), (1, 0.7, 0), (-1, 0.7, 0)], [0.06, 0.09, 0.09]), 0.22, 0.1
        )
        grin = subtract(
            translate(ellipsoid(0.34, 0.18, 1), 0, -0.12),
            translate(ellipsoid(0.36, 0.15, 2), 0, -0.02),
        )
        front = half_space((0, 0, -1), -0.1)
        face = intersect(union(lambda p: eye((p[0].abs(), p[1], p[2])), grin), front)
        paint = (Paint(face, (0.13, 0.08, 0.05)),)
        details = ("a face",)
    parts = (Part(body, colour, "plain", paint), Part(stalk, (0.42, 0.42, 0.18), "wood"))
    return Draft(parts, Words(name, "", ("round",) if tall > 0.7 else ("flat",), details))


FAMILIES = (
    Family("mushroom", ("mushroom", "toadstool"), (0.1, 0.4), mushroom, grouped=True),
    Family("tree", ("tree",), (2.0, 5.0), tree, outdoors=True, grouped=True),
    Family("cactus", ("cactus",), (0.3, 1.5), cactus, grouped=True),
    Family("apple", ("apple",), (0.08, 0.1), apple, grouped=True),
    Family(
        "pumpkin", ("pumpkin",), (0.25, 0.45), pumpkin, held_out=True, outdoors=True, grouped=True
    ),
)

"""More treasure and remains: goblet, scroll, skull, gravestone."""

from __future__ import annotations

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
    mirror_x,
    mirror_y,
    repeat_around,
    rotate_z,
    sideways,
    smooth_union,
    subtract,
    translate,
    union,
    wavy,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    box,
    circle,
    cone,
    cylinder,
    ellipsoid,
    extrude,
    half_space,
    sphere,
    tapered_capsule,
    torus,
)


def goblet(dice: Dice) -> Draft:
    """Return a goblet on a stem and foot, set with stones, sometimes with two handles or wine."""
    metal = dice.pick(["gold", "gold", "silver", "copper"])
    colour = dice.tint(metal)
    wide, deep = dice.between(0.38, 0.5), dice.between(0.34, 0.5)
    stem = dice.between(0.3, 0.48)
    cup = smooth_union(
        0.06,
        intersect(
            translate(ellipsoid(wide * 0.94, deep, wide * 0.94), 0, 0.0),
            half_space((0, 1, 0), 0.05),
        ),
        translate(cone(wide * 0.92, wide, deep * 0.42), 0, deep * 0.4),
    )
    hollow = translate(cone(wide * 0.8, wide * 0.9, deep * 0.7), 0, deep * 0.7)
    cup = subtract(cup, hollow)
    knob = translate(ellipsoid(0.15, 0.09, 0.15), 0, -deep - stem * 0.45)
    pole = translate(cylinder(0.075, stem / 2 + 0.1), 0, -deep - stem / 2)
    base = translate(cone(dice.between(0.34, 0.42), 0.09, 0.1), 0, -deep - stem)
    rim = translate(torus(wide * 0.96, 0.04), 0, deep * 0.8)
    name = dice.colour_name(without=("brown", "black", "grey", "yellow", "orange", "white"))
    stones = repeat_around(translate(sphere(0.085), 0, deep * 0.25, wide * 0.93), 6)
    parts = [
        Part(smooth_union(0.05, cup, pole, knob, base), colour, metal),
        Part(rim, lighter(colour, 0.25), metal),
        Part(stones, dice.tint(name), "glass"),
    ]
    details = [f"{name} gems"]
    if dice.chance(0.35):
        ear = union(
            tapered_capsule((wide * 0.9, deep * 0.5, 0), (wide + 0.26, deep * 0.45, 0), 0.05, 0.05),
            tapered_capsule(
                (wide + 0.26, deep * 0.45, 0), (wide + 0.2, -deep * 0.3, 0), 0.05, 0.05
            ),
            tapered_capsule((wide + 0.2, -deep * 0.3, 0), (wide * 0.7, -deep * 0.5, 0), 0.05, 0.05),
        )
        parts.append(Part(mirror_x(ear), colour, metal))
        details.append("two handles")
    if dice.chance(0.5):
        wine = translate(cylinder(wide * 0.84, 0.02), 0, deep * 0.55)
        parts.append(Part(wine, (0.45, 0.06, 0.12), "glass"))
    shape = ("wide",) if wide > 0.47 else ("tall",) if deep + stem > 0.88 else ()
    return Draft(tuple(parts), Words("", metal, shape, tuple(details)))


def scroll(dice: Dice) -> Draft:
    """Return a scroll: open and facing the front with writing or a map, or rolled with a ribbon."""
    paper = dice.pick([(0.93, 0.86, 0.68), (0.87, 0.76, 0.54), (0.95, 0.91, 0.80)])
    name = dice.pick(["red", "blue", "green", "purple"])
    knob_metal = dice.pick(["gold", "wood", "iron"])
    knob_colour = dice.tint(knob_metal)
    if dice.chance(0.65):
        wide, high = dice.between(0.46, 0.6), dice.between(0.55, 0.75)
        sheet = wavy(box(wide, high, 0.025), 0.012, 7.0, dice.between(0, 6))
        rolls = mirror_y(translate(sideways(cylinder(0.11, wide + 0.02, 0.02)), 0, high, 0.02))
        rods = mirror_y(translate(sideways(cylinder(0.05, wide + 0.14, 0.02)), 0, high, 0.02))
        balls = mirror_y(mirror_x(translate(sphere(0.085), wide + 0.15, high, 0.02)))
        ink = (0.30, 0.20, 0.13)
        if dice.chance(0.6):
            rows = dice.whole(4, 6)
            step = 1.45 * high / rows
            lines = union(
                *(
                    translate(
                        box(wide * dice.between(0.45, 0.72), 0.026, 1),
                        -0.06,
                        high * 0.68 - step * k,
                    )
                    for k in range(rows)
                )
            )
            paint = [Paint(intersect(lines, half_space((0, 0, -1), 0.0)), ink)]
            word = "writing"
        else:
            cross = union(rotate_z(box(0.16, 0.035, 1), 45), rotate_z(box(0.16, 0.035, 1), -45))
            cross = translate(cross, wide * 0.4, -high * 0.3)
            route = lambda p: (p[1] + 0.18 * (p[0] * 7.0).sin()).abs() - 0.03  # noqa: E731
            dashes = lambda p: (p[0] * 26.0).sin() * 0.03  # noqa: E731
            way = intersect(route, dashes, translate(box(wide * 0.7, high, 1), -0.1))
            coast = translate(lying(torus(0.26, 0.03)), -wide * 0.25, high * 0.4)
            front = half_space((0, 0, -1), 0.0)
            paint = [
                Paint(intersect(union(way, intersect(coast, box(2, 2, 1))), front), ink),
                Paint(intersect(cross, front), (0.75, 0.12, 0.10)),
            ]
            word = "a map"
        details = [word]
        parts = [
            Part(union(sheet, rolls), paper, "paper", tuple(paint)),
            Part(union(rods, balls), knob_colour, knob_metal, grain="x"),
        ]
        if dice.chance(0.5):
            seal = translate(lying(cylinder(0.12, 0.05, 0.03)), wide * 0.55, -high * 0.72, 0.03)
            parts.append(Part(seal, dice.tint(name), "plain"))
            details.append(with_article(f"{name} seal"))
        shape: tuple[str, ...] = ("open",)
    else:
        long, thick = dice.between(0.75, 0.95), dice.between(0.2, 0.27)
        roll = subtract(
            sideways(cylinder(thick, long, 0.02)),
            mirror_x(translate(sideways(cylinder(thick * 0.55, 0.1)), long)),
        )
        flap = translate(box(long, 0.02, thick * 0.6), 0, -thick + 0.03, thick * 0.5)
        ribbon = sideways(cylinder(thick + 0.025, 0.12, 0.02))
        bow = mirror_x(
            translate(rotate_z(ellipsoid(0.15, 0.08, 0.05), 25), 0.13, 0.05, thick + 0.03)
        )
        tails = mirror_x(
            tapered_capsule((0.02, 0, thick + 0.03), (0.12, -0.3, thick + 0.02), 0.04, 0.05)
        )
        turned = (lambda f: rotate_z(f, 18.0)) if dice.chance(0.5) else (lambda f: f)
        parts = [
            Part(turned(union(roll, flap)), paper, "paper"),
            Part(turned(union(ribbon, bow, tails)), dice.tint(name), "cloth"),
        ]
        details, shape = [with_article(f"{name} ribbon")], ("rolled",)
    return Draft(tuple(parts), Words("", "paper", shape, tuple(details)))


def skull(dice: Dice) -> Draft:
    """Return a skull that looks to the front; sometimes it glows, wears a candle or has horns."""
    colour = dice.tint("bone")
    wide = dice.between(0.54, 0.62)
    dome = translate(ellipsoid(wide, 0.55, 0.64), 0, 0.2, -0.05)
    cheeks = translate(box(wide * 0.74, 0.2, 0.3, 0.14), 0, -0.14, 0.24)
    jaw = translate(box(wide * 0.52, dice.between(0.16, 0.22), 0.24, 0.1), 0, -0.42, 0.24)
    head = smooth_union(0.12, dome, cheeks, jaw)
    eye = translate(ellipsoid(0.16, 0.17, 0.2), 0.23, 0.06, 0.54)
    nose = translate(
        extrude(lambda u, v: (u.abs() * 1.8 + v).maximum(-v) * 0.48 - 0.04, 0.2), 0, -0.16, 0.56
    )
    head = subtract(head, mirror_x(eye), nose)
    teeth = union(
        *(translate(box(0.012, 0.11, 0.3), x, -0.46, 0.5) for x in (-0.2, -0.1, 0.0, 0.1, 0.2)),
        translate(box(0.27, 0.014, 0.3), 0, -0.45, 0.5),
    )
    dark = (0.13, 0.10, 0.09)
    hollow = union(
        translate(sphere(0.2), 0, -0.16, 0.5),
        mirror_x(translate(ellipsoid(0.17, 0.18, 0.3), 0.23, 0.06, 0.44)),
    )
    hollow = intersect(hollow, lambda p: mirror_x(eye)(p).minimum(nose(p)) - 0.02)
    parts = [Part(head, colour, "bone", (Paint(teeth, darker(colour, 0.45)), Paint(hollow, dark)))]
    details: list[str] = []
    top = dice.pick(["", "eyes", "horns", "candle"])
    if top == "eyes":
        name = dice.pick(["red", "green", "blue", "purple"])
        parts.append(
            Part(mirror_x(translate(sphere(0.085), 0.23, 0.06, 0.46)), dice.tint(name), "glass")
        )
        details.append(f"{name} eyes")
    elif top == "horns":
        horn = union(
            tapered_capsule((wide * 0.7, 0.5, 0), (wide + 0.2, 0.66, 0.05), 0.14, 0.1),
            tapered_capsule((wide + 0.2, 0.66, 0.05), (wide + 0.26, 1.02, 0.1), 0.1, 0.02),
        )
        parts.append(Part(mirror_x(horn), darker(colour, 0.62), "bone"))
        details.append("horns")
    elif top == "candle":
        stick = translate(cylinder(0.15, 0.2, 0.03), 0, 0.85, -0.05)
        flame = translate(ellipsoid(0.06, 0.13, 0.06), 0, 1.2, -0.05)
        parts.append(Part(stick, (0.92, 0.88, 0.78), "plain"))
        parts.append(Part(flame, (0.98, 0.66, 0.16), "plain"))
        details.append("a candle")
    return Draft(tuple(parts), Words("", "", (), tuple(details)))


def gravestone(dice: Dice) -> Draft:
    """Return a gravestone: a rounded slab, a cross or an obelisk, with a sign and a plinth."""
    material = dice.pick(["stone", "stone", "marble"])
    colour = dice.tint(material)
    kind = dice.pick(["round", "cross", "pointed"])
    wide, high, thick = dice.between(0.44, 0.56), dice.between(0.5, 0.72), dice.between(0.12, 0.17)
    if kind == "round":
        slab: Field = union(
            extrude(circle(wide), thick, 0.03),
            translate(box(wide, high / 2 + 0.1, thick, 0.03), 0, -high / 2),
        )
        slab = intersect(slab, half_space((0, -1, 0), high))
    elif kind == "cross":
        slab = union(
            translate(box(0.16, (high + 0.65) / 2, thick, 0.03), 0, 0.65 - (high + 0.65) / 2),
            translate(box(0.44, 0.15, thick, 0.03), 0, 0.15),
        )
        if dice.chance(0.4):
            slab = union(slab, translate(lying(torus(0.28, 0.06)), 0, 0.15))
    else:
        slab = union(
            translate(box(wide, high / 2 + 0.05, thick, 0.02), 0, -high / 2),
            intersect(
                extrude(lambda u, v: (u.abs() * 0.7 + v) * 0.82 - wide * 0.6, thick, 0.02),
                box(wide, 1, 1),
                half_space((0, -1, 0), 0.05),
            ),
        )
    base = translate(box(0.66, 0.1, thick + 0.14, 0.03), 0, -high - 0.06)
    lean = dice.between(-5.0, 5.0)
    front = half_space((0, 0, -1), 0.0)
    dark = darker(colour, 0.5)
    paint: tuple[Paint, ...] = ()
    details: list[str] = []
    if kind != "cross":
        sign = dice.pick(["lines", "cross", "skull"])
        regions: dict[str, Field] = {
            "lines": union(
                *(
                    translate(box(0.24 - 0.05 * (k == 2), 0.03, 1), 0, 0.02 - 0.16 * k)
                    for k in range(3)
                )
            ),
            "cross": union(
                translate(box(0.05, 0.24, 1), 0, -0.02), translate(box(0.17, 0.05, 1), 0, 0.06)
            ),
            "skull": subtract(
                union(extrude(circle(0.19), 1.0), translate(box(0.1, 0.08, 1, 0.0), 0, -0.19)),
                mirror_x(translate(lying(cylinder(0.06, 2)), 0.08, 0.0)),
            ),
        }
        paint = (Paint(rotate_z(intersect(regions[sign], front), lean), dark),)
        details.append({"lines": "an inscription", "cross": "a cross", "skull": "a skull"}[sign])
    parts = [
        Part(rotate_z(slab, lean), colour, material, paint),
        Part(base, darker(colour, 0.86), material),
    ]
    if dice.chance(0.35):
        grass = intersect(ellipsoid(0.85, 0.14, 0.45), half_space((0, -1, 0), 0.03))
        parts.append(Part(translate(grass, 0, -high - 0.13), dice.tint("leaf"), "leaf"))
        details.append("grass")
    shape = () if kind == "cross" else (kind,)
    return Draft(tuple(parts), Words("", material, shape, tuple(details)))


FAMILIES = (
    Family("goblet", ("goblet", "chalice"), (0.12, 0.25), goblet, grouped=True),
    Family("scroll", ("scroll", "parchment"), (0.2, 0.4), scroll),
    Family("skull", ("skull",), (0.15, 0.25), skull, grouped=True),
    Family("gravestone", ("gravestone", "tombstone"), (0.7, 1.4), gravestone, outdoors=True),
)

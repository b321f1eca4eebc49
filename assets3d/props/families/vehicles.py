"""Vehicles that drive, sail or fly towards the front: cart, boat, rocket, car."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
    mirror_x,
    mirror_xz,
    repeat_around,
    rotate_y,
    sideways,
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


def cart(dice: Dice) -> Draft:
    """Return a mine cart that looks to the front: a tub on four wheels, empty or heaped."""
    kind = dice.pick(["wood", "iron", "paint"])
    name = dice.colour_name(without=("brown", "black", "grey")) if kind == "paint" else ""
    colour = dice.wood() if kind == "wood" else dice.tint(name or "iron")
    material = {"wood": "wood", "iron": "iron", "paint": "iron"}[kind]
    wide, deep, high = dice.between(0.5, 0.62), dice.between(0.6, 0.8), dice.between(0.32, 0.44)
    flare = 0.28
    slope = 1.0 / math.hypot(1.0, flare)

    def tub(grow: float) -> Field:
        return convex(
            [
                (1, -flare, 0),
                (-1, -flare, 0),
                (0, -flare, 1),
                (0, -flare, -1),
                (0, -1, 0),
                (0, 1, 0),
            ],
            [(wide + grow) * slope] * 2 + [(deep + grow) * slope] * 2 + [high + grow, high],
        )

    body = subtract(tub(0.0), translate(tub(-0.07), 0, 0.02), translate(tub(-0.07), 0, 0.12))
    top = high
    rim_x, rim_z = wide + flare * top, deep + flare * top
    rim = mirror_xz(
        union(
            translate(box(rim_x + 0.03, 0.05, 0.05, 0.015), 0, top, rim_z),
            translate(box(0.05, 0.05, rim_z + 0.03, 0.015), rim_x, top),
        )
    )
    post_front = intersect(mirror_xz(translate(box(0.05, 2, 2), wide * 0.5)), tub(0.035))
    post_front = subtract(post_front, tub(-0.05))
    metal = "iron" if kind != "iron" else "gold"
    wheel_z = deep * 0.55
    wheel = translate(sideways(cylinder(0.2, 0.06, 0.02)), wide * 0.72, -high - 0.12, wheel_z)
    hub = translate(sideways(cylinder(0.07, 0.1, 0.02)), wide * 0.72, -high - 0.12, wheel_z)
    chassis = translate(box(wide * 0.6, 0.05, deep * 0.8, 0.02), 0, -high - 0.05)
    seams = lambda p: ((p[1] * 13.0).sin() + 0.93) * 0.05  # noqa: E731
    paint = (Paint(seams, darker(colour, 0.55)),) if kind == "wood" else ()
    parts = [
        Part(body, colour, material, paint, grain="x"),
        Part(union(rim, post_front), dice.tint(metal), metal),
        Part(union(mirror_xz(wheel), chassis), (0.24, 0.24, 0.27), "iron"),
        Part(mirror_xz(hub), dice.tint(metal), metal),
    ]
    load = dice.pick(["", "coal", "gold", "red gems", "blue gems", "green gems"])
    details: list[str] = ["four wheels"]
    if load:
        shade = {"coal": (0.17, 0.17, 0.19), "gold": dice.tint("gold")}.get(load)
        shade = shade or dice.tint(load.split()[0])
        heap: list[Field] = [translate(ellipsoid(rim_x * 0.86, 0.16, rim_z * 0.86), 0, top - 0.05)]
        for k in range(9):
            rho, angle = 0.72 * math.sqrt((k + 0.4) / 9), 2.39996 * k + dice.between(0, 0.4)
            lump = _nugget(dice.between(0.13, 0.19), dice.between(0, 60))
            x, z = rim_x * rho * math.sin(angle), rim_z * rho * math.cos(angle)
            heap.append(translate(lump, x, top + 0.2 - 0.22 * rho, z))
        material = {"coal": "stone", "gold": "gold"}.get(load, "glass")
        parts.append(Part(union(*heap), shade, material))
        details.insert(0, load)
    shape = ("deep",) if high > 0.41 else ("wide",) if wide > 0.59 else ()
    return Draft(tuple(parts), Words(name, "" if name else kind, shape, tuple(details)))


def _nugget(size: float, turn: float) -> Field:
    normals = [(1, 0.5, 0.3), (-0.8, 0.6, 0.5), (0.2, 0.7, -1), (0.3, -0.6, 1), (-1, -0.4, -0.4)]
    normals += [(0.9, -0.5, -0.6), (0, 1, 0.2), (-0.2, 0.3, 1)]
    return rotate_y(convex(normals, [size * k for k in (1, 0.9, 1, 0.95, 1, 0.9, 0.8, 0.9)]), turn)


def boat(dice: Dice) -> Draft:
    """Return a boat with its bow to the front and a square sail, striped or with a sign."""
    wood = dice.wood()
    long, wide = dice.between(0.85, 1.05), dice.between(0.42, 0.52)
    hull = intersect(
        translate(ellipsoid(wide, 0.62, long * 1.08), 0, 0.1), half_space((0, 1, 0), 0.0)
    )
    rise = lambda f: lambda p: f((p[0], p[1] - 0.22 * p[2] * p[2], p[2])) * 0.8  # noqa: E731
    hollow = intersect(
        translate(ellipsoid(wide - 0.08, 0.52, long * 1.08 - 0.09), 0, 0.1),
        half_space((0, 1, 0), 0.3),
    )
    shell = subtract(rise(hull), rise(translate(hollow, 0, 0.04)))
    rail = rise(
        subtract(
            intersect(
                translate(ellipsoid(wide + 0.04, 0.66, long * 1.08 + 0.04), 0, 0.1),
                box(2, 0.045, 2),
            ),
            translate(ellipsoid(wide - 0.08, 0.6, long * 1.08 - 0.08), 0, 0.1),
        )
    )
    planks = lambda p: ((p[1] - 0.22 * p[2] * p[2]) * 36.0).sin() * 0.02 + 0.014  # noqa: E731
    name = dice.colour_name(without=("brown", "black"))
    second = dice.colour_name(without=(name, "brown", "black"))
    colour = dice.tint(name)
    top = dice.between(1.0, 1.2)
    sail_w, sail_h = dice.between(0.46, 0.58), dice.between(0.34, 0.42)
    # A sheet of a large ball, blown to the front.
    ball = translate(sphere(1.1), 0, top - 0.1 - sail_h, -0.86)
    sheet = intersect(
        lambda p: ball(p).abs() - 0.02,
        translate(box(sail_w, sail_h, 1.2), 0, top - 0.1 - sail_h, 1.0),
    )
    kind = dice.pick(["stripes", "star", "plain"])
    paint: tuple[Paint, ...] = ()
    details = [with_article(f"{name} sail")]
    if kind == "stripes":
        paint = (Paint(lambda p: (p[0] * 13.0).cos() * 0.1, dice.tint(second)),)
        details.append(f"{second} stripes")
    elif kind == "star":
        sign = extrude(star(5, sail_h * 0.75, sail_h * 0.33), 3.0)
        paint = (Paint(translate(sign, 0, top - 0.1 - sail_h), dice.tint(second)),)
        details.append(with_article(f"{second} star"))
    mast = capsule((0, -0.3, 0), (0, top + 0.1, 0), 0.045)
    yard = translate(sideways(cylinder(0.035, sail_w + 0.05, 0.01)), 0, top - 0.1, 0.04)
    knob = translate(sphere(0.065), 0, top + 0.12)
    deck = translate(box(wide * 0.8, 0.02, long * 0.75), 0, -0.16)
    prow = union(
        tapered_capsule((0, -0.42, long * 0.86), (0, 0.12, long * 1.06), 0.07, 0.065),
        tapered_capsule((0, 0.12, long * 1.06), (0, 0.46, long * 1.02), 0.065, 0.05),
        translate(sphere(0.1), 0, 0.5, long * 1.02),
    )
    parts = [
        Part(shell, wood, "wood", (Paint(planks, darker(wood, 0.6)),), grain="z"),
        Part(union(rail, mast, yard, prow), darker(wood, 0.68), "wood"),
        Part(sheet, colour, "cloth", paint),
        Part(intersect(deck, rise(hull)), lighter(wood, 0.15), "wood", grain="z"),
        Part(knob, dice.tint("gold"), "gold"),
    ]
    if dice.chance(0.4):
        shield = translate(sideways(cylinder(0.12, 0.03, 0.01)), wide + 0.02, -0.06)
        row = union(*(translate(shield, -0.03 * abs(k), 0.0, 0.32 * k) for k in (-1, 0, 1)))
        parts.append(Part(mirror_x(row), dice.tint(second), "wood"))
        details.append(f"{second} shields")
    shape = ("wide",) if wide > 0.49 else ("slim",) if wide < 0.45 else ()
    return Draft(tuple(parts), Words("", "wood", shape, tuple(details)))


def rocket(dice: Dice) -> Draft:
    """Return an upright rocket: a slim hull, a nose, fins, a porthole, often a flame."""
    name = dice.colour_name(without=("brown", "black"))
    second = dice.colour_name(without=(name, "brown", "grey"))
    colour, other = dice.tint(name), dice.tint(second)
    wide, high = dice.between(0.3, 0.42), dice.between(0.95, 1.1)
    hull = intersect(ellipsoid(wide, high, wide), half_space((0, -1, 0), high * 0.68))
    nose = half_space((0, -1, 0), -high * dice.between(0.42, 0.52))
    tail = half_space((0, 1, 0), -high * 0.52)
    paint = [Paint(nose, other)]
    if dice.chance(0.5):
        paint.append(Paint(tail, darker(other, 0.9)))
    count = dice.pick([3, 4, 4])
    outline = polygon(
        [
            (wide * 0.5, -0.1),
            (wide + 0.1, -0.42),
            (wide + 0.24, -0.95),
            (wide + 0.06, -0.82),
            (0.1, -0.7),
        ]
    )
    fin = extrude(outline, 0.045, 0.015)
    fins = repeat_around(lambda p: fin((p[2], p[1], p[0])), count, 45.0 if count == 4 else 60.0)
    glass_y = dice.between(0.05, 0.25)
    reach = wide * math.sqrt(max(0.0, 1.0 - (glass_y / high) ** 2))
    frame = translate(lying(torus(0.13, 0.04)), 0, glass_y, reach - 0.02)
    pane = translate(squash(sphere(0.13), 1, 1, 0.4), 0, glass_y, reach - 0.02)
    nozzle = translate(cone(0.22, 0.14, 0.09), 0, -high * 0.68 - 0.06)
    parts = [
        Part(hull, colour, "enamel", tuple(paint)),
        Part(fins, other, "enamel"),
        Part(union(frame, nozzle), dice.tint("iron"), "iron"),
        Part(pane, (0.45, 0.75, 0.92), "glass"),
    ]
    details = [f"{second} fins", "a window"]
    if dice.chance(0.5):
        low = -high * 0.68 - 0.12
        flame = union(
            tapered_capsule((0, low, 0), (0, low - 0.4, 0), 0.15, 0.02),
            repeat_around(tapered_capsule((0, low, 0.08), (0, low - 0.22, 0.14), 0.08, 0.02), 5),
        )
        core = translate(ellipsoid(0.1, 0.2, 2), 0, low - 0.08)
        parts.append(Part(flame, (0.97, 0.55, 0.13), "plain", (Paint(core, (1.0, 0.92, 0.45)),)))
        details.append("a flame")
    shape = ("slim",) if wide < 0.34 else ("fat",) if wide > 0.39 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def car(dice: Dice) -> Draft:
    """Return a small car that drives to the front: a rounded one, a van or a pick-up."""
    name = dice.colour_name(without=("brown",))
    colour = dice.tint(name)
    kind = dice.pick(["round", "van", "pickup"])
    wide, long = dice.between(0.46, 0.54), dice.between(0.85, 0.98)
    body: Field = box(wide, 0.22, long, 0.13)
    if kind == "round":
        cabin: Field = intersect(
            translate(ellipsoid(wide * 0.92, 0.5, long * 0.66), 0, 0.12, -0.08),
            half_space((0, -1, 0), 0.0),
        )
        tall = 0.36
    elif kind == "van":
        cabin = translate(box(wide * 0.97, 0.32, long * 0.76, 0.12), 0, 0.36, -long * 0.2)
        tall = 0.42
    else:
        cabin = translate(box(wide * 0.94, 0.28, long * 0.36, 0.1), 0, 0.34, -0.02)
        bed = translate(box(wide * 0.8, 0.2, long * 0.3, 0.03), 0, 0.2, -long * 0.66)
        body = subtract(body, bed)
        tall = 0.4
    shell = smooth_union(0.06, body, cabin)
    arch = translate(sideways(cylinder(0.27, 0.4)), wide, -0.2, long * 0.58)
    shell = subtract(shell, mirror_xz(arch))
    glass_band = intersect(
        translate(box(wide * 0.76, 0.115, 3, 0.04), 0, tall), half_space((0, 1, 0), 1.0)
    )
    sides = translate(
        box(3, 0.105, long * (0.2 if kind == "pickup" else 0.42), 0.03), 0, tall, -0.06
    )
    pillar = box(3, 1, 0.035)
    sides = subtract(sides, translate(pillar, 0, 0, -0.12))
    panes = union(
        intersect(glass_band, union(half_space((0, 0, -1), -0.05), half_space((0, 0, 1), -0.1))),
        sides,
    )
    panes = intersect(panes, lambda p: -(p[1] - 0.24))
    dark_glass = (0.30, 0.42, 0.52)
    second = dice.colour_name(without=(name, "brown", "grey"))
    paint = [Paint(panes, dark_glass, "glass")]
    details: list[str] = []
    if dice.chance(0.4):
        paint.insert(0, Paint(box(0.13, 3, 3), dice.tint(second)))
        details.append(with_article(f"{second} stripe"))
    tyre = translate(sideways(cylinder(0.23, 0.1, 0.05)), wide - 0.06, -0.22, long * 0.58)
    cap = translate(sideways(cylinder(0.12, 0.105, 0.02)), wide - 0.05, -0.22, long * 0.58)
    light = mirror_x(translate(squash(sphere(0.12), 1, 1, 0.5), wide * 0.62, 0.03, long - 0.02))
    tail = mirror_x(translate(box(0.1, 0.05, 0.03, 0.015), wide * 0.62, 0.03, -long))
    bumper = translate(box(wide * 0.94, 0.06, 0.05, 0.03), 0, -0.16, long - 0.01)
    bumpers = lambda p: bumper((p[0], p[1], p[2].abs()))  # noqa: E731
    grille = translate(box(wide * 0.32, 0.055, 0.03, 0.01), 0, 0.0, long - 0.0)
    parts = [
        Part(shell, colour, "enamel", tuple(paint)),
        Part(mirror_xz(tyre), (0.15, 0.15, 0.16), "plain"),
        Part(union(mirror_xz(cap), bumpers, grille), dice.tint("silver"), "silver"),
        Part(light, (0.99, 0.94, 0.66), "glass"),
        Part(tail, (0.75, 0.10, 0.10), "glass"),
    ]
    if kind != "pickup" and dice.chance(0.35):
        y = 0.7 if kind == "van" else 0.64
        rack = translate(box(wide * 0.6, 0.07, 0.3, 0.03), 0, y + 0.06, -0.15)
        parts.append(Part(rack, dice.tint("leather"), "leather"))
        details.append("a suitcase")
    shape = {"round": ("round",), "van": ("tall",), "pickup": ("open",)}[kind]
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


FAMILIES = (
    Family("cart", ("mine cart", "minecart", "cart"), (0.8, 1.3), cart),
    Family("boat", ("boat", "sailing boat", "sailboat"), (3.0, 8.0), boat),
    Family("rocket", ("rocket", "spaceship"), (1.0, 12.0), rocket, grouped=True),
    Family("car", ("car", "automobile"), (1.3, 2.0), car),
)

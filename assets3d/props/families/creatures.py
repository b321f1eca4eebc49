"""Creatures in simple shapes: fish, duck, slime, cat, owl. All but the fish look to the front."""

from __future__ import annotations

import math

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    intersect,
    lying,
    mirror_x,
    repeat_around,
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
    cylinder,
    ellipsoid,
    extrude,
    half_space,
    polygon,
    sphere,
    tapered_capsule,
    torus,
)

_BLACK = (0.08, 0.07, 0.08)
_WHITE = (0.97, 0.97, 0.95)


def _eyes(x: float, y: float, z: float, size: float, iris: tuple[float, float, float]) -> Part:
    """Return two eyeballs that look to the front, each with a pupil and a glint."""
    ball = mirror_x(translate(sphere(size), x, y, z))
    pupil = mirror_x(translate(lying(cylinder(size * 0.55, 1.0)), x, y, z + 1.0))
    glint = translate(lying(cylinder(size * 0.2, 1.0)), 0.0, y + size * 0.3, z + 1.0)
    glint = union(translate(glint, x + size * 0.25), translate(glint, -x + size * 0.25))
    return Part(ball, iris, "enamel", (Paint(pupil, _BLACK), Paint(glint, _WHITE)))


def fish(dice: Dice) -> Draft:
    """Return a fish seen from its side, where fish are told apart: fins, stripes, a large eye."""
    name = dice.colour_name(without=("brown", "black", "white"))
    second = dice.colour_name(without=(name, "brown", "grey"))
    colour, other = dice.tint(name), dice.tint(second)
    side = dice.pick([-1.0, 1.0])
    tall, thick = dice.between(0.36, 0.56), dice.between(0.24, 0.32)
    body = smooth_union(
        0.12, ellipsoid(0.78, tall, thick), translate(ellipsoid(0.4, tall * 0.45, thick * 0.5), 0.6)
    )
    fork = extrude(
        polygon([(0.75, 0), (1.05, 0.16), (1.32, 0.5), (1.18, 0), (1.32, -0.5), (1.05, -0.16)]),
        0.05,
        0.02,
    )
    back = extrude(
        polygon([(-0.3, tall * 0.7), (0.0, tall + 0.3), (0.42, tall + 0.12), (0.5, tall * 0.5)]),
        0.045,
        0.02,
    )
    belly = extrude(
        polygon([(0.0, -tall * 0.8), (0.15, -tall - 0.22), (0.4, -tall * 0.6)]), 0.04, 0.02
    )
    flank = translate(rotate_z(ellipsoid(0.24, 0.12, 0.035), -25), 0.02, -0.08, thick * 0.98)
    fins = union(fork, back, belly, lambda p: flank((p[0], p[1], p[2].abs())))
    eye = translate(sphere(0.12), -0.5, tall * 0.2, thick * 0.66)
    pupil = translate(lying(cylinder(0.065, 2)), -0.51, tall * 0.2)
    mouth = translate(box(0.1, 0.018, 1), -0.78, -tall * 0.18)
    paint: list[Paint] = [Paint(half_space((0, 1, 0), -tall * 0.42), lighter(colour, 0.45))]
    details = [f"{second} fins"]
    if dice.chance(0.5):
        stripes = union(*(translate(box(0.06, 2, 2), x) for x in (-0.22, 0.1, 0.42)))
        paint.append(Paint(stripes, other))
        details.append(f"{second} stripes")
    paint.append(Paint(mouth, darker(colour, 0.4)))

    def turned(field: Field) -> Field:
        return (lambda p: field((-p[0], p[1], p[2]))) if side > 0 else field

    parts = (
        Part(
            turned(body), colour, "scales", tuple(Paint(turned(p.region), p.colour) for p in paint)
        ),
        Part(turned(fins), other, "plain"),
        Part(
            turned(lambda p: eye((p[0], p[1], p[2].abs()))),
            _WHITE,
            "enamel",
            (Paint(turned(pupil), _BLACK),),
        ),
    )
    shape = ("round",) if tall > 0.5 else ("slim",) if tall < 0.42 else ()
    return Draft(parts, Words(name, "", shape, tuple(details)))


def duck(dice: Dice) -> Draft:
    """Return a duck that looks to the front, sometimes with a green head, a hat or a scarf."""
    name = dice.pick(["yellow", "yellow", "white", "brown", "grey", "pink"])
    colour = dice.tint(name)
    wide, head = dice.between(0.46, 0.56), dice.between(0.33, 0.4)
    body = smooth_union(
        0.15,
        translate(ellipsoid(wide, 0.4, 0.64), 0, -0.3, -0.08),
        translate(sphere(0.18), 0, -0.08, -0.66),
    )
    neck_y = dice.between(0.34, 0.48)
    top = translate(sphere(head), 0, neck_y, 0.26)
    whole = smooth_union(0.16, body, top)
    whole = intersect(whole, half_space((0, -1, 0), 0.66))
    wing = translate(rotate_z(ellipsoid(0.13, 0.26, 0.4), 12), wide * 0.93, -0.24, -0.14)
    bill = union(
        translate(ellipsoid(0.2, 0.06, 0.2), 0, neck_y - 0.07, 0.26 + head),
        translate(ellipsoid(0.15, 0.05, 0.15), 0, neck_y - 0.15, 0.24 + head),
    )
    paint: tuple[Paint, ...] = ()
    details = ["an orange bill"]
    kind = dice.pick(["", "hood", "hat", "scarf"])
    if kind == "hood" and name in ("brown", "grey", "white"):
        collar = translate(torus(head * 0.8, 0.09), 0, neck_y - head * 0.75, 0.24)
        paint = (
            Paint(half_space((0, -1, 0), -(neck_y - head * 0.6)), (0.10, 0.42, 0.28)),
            Paint(collar, _WHITE),
        )
        details.insert(0, "a green head")
    parts = [
        Part(whole, colour, "plain", paint),
        Part(mirror_x(wing), darker(colour, 0.86), "plain"),
        Part(bill, (0.95, 0.50, 0.10), "plain"),
        _eyes(head * 0.48, neck_y + 0.1, 0.26 + head * 0.8, 0.085, _WHITE),
    ]
    second = dice.pick([c for c in ("red", "blue", "green", "purple", "black") if c != name])
    if kind == "hat":
        hat = union(
            translate(cylinder(head * 0.85, 0.03, 0.015), 0, neck_y + head * 0.8, 0.24),
            translate(cylinder(head * 0.55, 0.17, 0.03), 0, neck_y + head * 0.8 + 0.18, 0.24),
        )
        parts.append(Part(hat, dice.tint(second), "cloth"))
        details.insert(0, with_article(f"{second} hat"))
    elif kind == "scarf":
        scarf = union(
            translate(torus(head * 0.85, 0.09), 0, neck_y - head * 0.85, 0.2),
            tapered_capsule(
                (0.12, neck_y - head, 0.2 + head * 0.8),
                (0.16, neck_y - head - 0.3, 0.6),
                0.08,
                0.09,
            ),
        )
        parts.append(Part(scarf, dice.tint(second), "cloth"))
        details.insert(0, with_article(f"{second} scarf"))
    shape = ("fat",) if wide > 0.53 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def slime(dice: Dice) -> Draft:
    """Return a slime: a wobbly drop with eyes and a mouth, sometimes crowned or sprouting."""
    name = dice.colour_name(without=("brown", "white"))
    colour = dice.tint(name)
    wide, tall = dice.between(0.6, 0.74), dice.between(0.44, 0.66)
    drop = smooth_union(
        0.2,
        ellipsoid(wide, tall, wide * 0.92),
        translate(ellipsoid(wide * 1.12, 0.2, wide), 0, -0.22),
    )
    pointed = dice.chance(0.5)
    if pointed:
        drop = smooth_union(
            0.25, drop, tapered_capsule((0, tall * 0.7, 0), (0, tall + 0.22, 0), 0.16, 0.03)
        )
    drop = wavy(intersect(drop, half_space((0, -1, 0), 0.36)), 0.018, 7.0, dice.between(0, 6))
    gap, height = dice.between(0.19, 0.27), dice.between(0.06, 0.16)
    front = wide * 0.92 * math.sqrt(max(0.1, 1.0 - (gap / wide) ** 2 - (height / tall) ** 2))
    mouth_kind = dice.pick(["smile", "open", "line"])
    below = height - 0.22
    mouths: dict[str, Field] = {
        "smile": subtract(
            translate(ellipsoid(0.2, 0.13, 2), 0, below),
            translate(ellipsoid(0.22, 0.13, 3), 0, below + 0.06),
        ),
        "open": translate(ellipsoid(0.13, 0.1, 2), 0, below),
        "line": translate(box(0.15, 0.022, 2), 0, below),
    }
    mouth = intersect(mouths[mouth_kind], half_space((0, 0, -1), 0.0))
    shine = translate(ellipsoid(0.09, 0.13, 0.3), -wide * 0.5, tall * 0.55, wide * 0.55)
    parts = [
        Part(
            drop,
            colour,
            "glass",
            (Paint(shine, lighter(colour, 0.55)), Paint(mouth, darker(colour, 0.25))),
        ),
        _eyes(gap, height, front - 0.03, dice.between(0.1, 0.14), _WHITE),
    ]
    details: list[str] = []
    top = dice.pick(["", "", "crown", "leaf", "horns"])
    level = tall + (0.2 if pointed else 0.0)
    if top == "crown" and not pointed:
        band = translate(cylinder(0.24, 0.07, 0.01), 0, level + 0.02)
        spikes = repeat_around(translate(cone(0.075, 0.0, 0.09), 0, level + 0.17, 0.18), 6)
        parts.append(Part(union(band, spikes), dice.tint("gold"), "gold"))
        details.append("a golden crown")
    elif top == "leaf":
        blade = mirror_x(translate(rotate_z(ellipsoid(0.22, 0.05, 0.11), 30), 0.2, level + 0.1))
        parts.append(
            Part(
                union(
                    blade, tapered_capsule((0, level - 0.1, 0), (0, level + 0.06, 0), 0.04, 0.03)
                ),
                dice.tint("leaf"),
                "leaf",
            )
        )
        details.append("leaves")
    elif top == "horns":
        horn = tapered_capsule(
            (wide * 0.5, tall * 0.72, 0), (wide * 0.72, tall + 0.2, 0), 0.11, 0.02
        )
        parts.append(Part(mirror_x(horn), dice.tint("bone"), "bone"))
        details.append("horns")
    shape = ("tall",) if tall > 0.6 else ("flat",) if tall < 0.5 and not pointed else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def cat(dice: Dice) -> Draft:
    """Return a sitting cat that looks to the front: plain, striped or white-bellied."""
    name = dice.pick(["orange", "black", "grey", "white", "brown", "orange"])
    colour = dice.tint(name)
    wide, head = dice.between(0.34, 0.42), dice.between(0.34, 0.4)
    high = dice.between(0.5, 0.62)
    body = smooth_union(
        0.14,
        translate(ellipsoid(wide, high * 0.9, 0.42), 0, -0.35, -0.05),
        mirror_x(translate(ellipsoid(0.22, 0.24, 0.32), wide * 0.72, -0.68, 0.06)),
    )
    paw = mirror_x(tapered_capsule((0.13, -0.35, 0.28), (0.14, -0.84, 0.38), 0.12, 0.105))
    foot = mirror_x(translate(ellipsoid(0.12, 0.085, 0.17), 0.14, -0.86, 0.44))
    face_y = high - 0.12
    skull = translate(ellipsoid(head * 1.12, head, head * 0.95), 0, face_y, 0.1)
    muzzle = mirror_x(translate(sphere(0.105), 0.075, face_y - 0.12, 0.1 + head * 0.82))
    ear = translate(
        rotate_z(squash(cone(0.17, 0.02, 0.18), 1, 1, 0.5), -14),
        head * 0.68,
        face_y + head * 0.92,
        0.08,
    )
    whole = smooth_union(0.07, body, paw, foot, skull, mirror_x(ear))
    whole = intersect(smooth_union(0.03, whole, muzzle), half_space((0, -1, 0), 0.93))
    side = dice.pick([-1.0, 1.0])
    bits = [
        tapered_capsule((side * 0.3, -0.8, -0.25), (side * 0.68, -0.76, 0.0), 0.09, 0.09),
        tapered_capsule((side * 0.68, -0.76, 0.0), (side * 0.74, -0.45, 0.05), 0.09, 0.085),
        tapered_capsule((side * 0.74, -0.45, 0.05), (side * 0.62, -0.2, 0.05), 0.085, 0.06),
    ]
    tail = smooth_union(0.05, *bits)
    paint: list[Paint] = []
    details: list[str] = []
    pattern = dice.pick(["", "stripes", "belly"])
    if pattern == "stripes" and name != "black":
        rings = lambda p: ((p[1] * 17.0 + p[0].abs() * 5.0).sin() - 0.45) * -0.04  # noqa: E731
        behind = union(half_space((0, 0, 1), 0.12), half_space((0, -1, 0), -face_y - head * 0.35))
        paint.append(Paint(intersect(rings, behind), darker(colour, 0.55)))
        details.append("stripes")
    elif pattern == "belly" and name != "white":
        belly = translate(ellipsoid(wide * 0.55, 0.4, 0.5), 0, -0.32, 0.42)
        snout = translate(sphere(0.2), 0, face_y - 0.14, 0.1 + head * 0.85)
        toes = translate(box(1, 0.09, 0.3), 0, -0.86, 0.52)
        paint.append(Paint(union(belly, snout, toes), _WHITE))
        details.append("a white belly")
    pink = (0.90, 0.56, 0.58)
    inner = mirror_x(
        translate(
            rotate_z(ellipsoid(0.075, 0.12, 0.08), -14), head * 0.68, face_y + head * 0.88, 0.17
        )
    )
    paint.append(Paint(inner, pink))
    nose = translate(ellipsoid(0.05, 0.036, 0.05), 0, face_y - 0.055, 0.1 + head * 1.0)
    iris_name = dice.pick(["green", "yellow", "blue"])
    parts = [
        Part(whole, colour, "fur", tuple(paint)),
        Part(tail, darker(colour, 0.85), "fur"),
        _eyes(
            head * 0.45, face_y + 0.06, 0.1 + head * 0.76, 0.1, lighter(dice.tint(iris_name), 0.2)
        ),
        Part(nose, pink if name != "white" else (0.85, 0.45, 0.5), "plain"),
    ]
    if dice.chance(0.5):
        second = dice.pick([c for c in ("red", "blue", "purple", "turquoise") if c != name])
        band = translate(torus(head * 0.68, 0.055), 0, face_y - head * 0.86, 0.06)
        bell = translate(sphere(0.075), 0, face_y - head * 0.95, 0.06 + head * 0.72)
        parts.append(Part(band, dice.tint(second), "leather"))
        parts.append(Part(bell, dice.tint("gold"), "gold"))
        details.insert(0, with_article(f"{second} collar"))
    shape = ("fat",) if wide > 0.4 else ("slim",) if wide < 0.36 else ()
    return Draft(tuple(parts), Words(name, "", shape, tuple(details)))


def owl(dice: Dice) -> Draft:
    """Return an owl that looks to the front: large eyes, tufts, wings, a spotted chest."""
    name = dice.pick(["brown", "brown", "grey", "white", "purple", "blue"])
    colour = dice.tint(name)
    wide, tall = dice.between(0.46, 0.56), dice.between(0.66, 0.78)
    body = smooth_union(
        0.2,
        translate(ellipsoid(wide, tall, wide * 0.86), 0, -0.1),
        translate(ellipsoid(wide * 0.95, 0.4, wide * 0.85), 0, 0.38),
    )
    tuft = translate(rotate_z(cone(0.13, 0.01, 0.16), -24), wide * 0.62, 0.78, 0.05)
    whole = intersect(smooth_union(0.08, body, mirror_x(tuft)), half_space((0, -1, 0), tall))
    wing = translate(rotate_z(ellipsoid(0.12, 0.5, 0.32), 8), wide * 0.98, -0.16, -0.06)
    chest = translate(ellipsoid(wide * 0.66, tall * 0.66, 0.4), 0, -0.3, wide * 0.75)
    spots = lambda p: ((p[0] * 22.0).sin() * (p[1] * 17.0).sin() - 0.35) * -0.04  # noqa: E731
    pale = lighter(colour, 0.55)
    disc = mirror_x(translate(lying(cylinder(0.235, 0.06, 0.04)), 0.21, 0.42, wide * 0.83))
    beak = translate(rotate_x(squash(cone(0.02, 0.09, 0.1), 1, 1, 0.8), -25), 0, 0.27, wide * 0.95)
    feet = mirror_x(
        union(
            *(
                translate(ellipsoid(0.06, 0.055, 0.13), 0.18 + dx, -tall + 0.03, wide * 0.7)
                for dx in (-0.1, 0.0, 0.1)
            )
        )
    )
    iris = dice.pick([(0.96, 0.80, 0.20), (0.95, 0.55, 0.12)])
    yellow = (0.93, 0.62, 0.16)
    paint = (Paint(chest, pale), Paint(intersect(chest, spots), darker(colour, 0.8)))
    parts = (
        Part(whole, colour, "fur", paint if name != "white" else (paint[1],)),
        Part(mirror_x(wing), darker(colour, 0.72), "fur"),
        Part(disc, pale if name != "white" else (0.80, 0.78, 0.74), "plain"),
        _eyes(0.2, 0.42, wide * 0.83 + 0.03, 0.135, iris),
        Part(union(beak, feet), yellow, "plain"),
    )
    shape = ("fat",) if wide > 0.53 else ("tall",) if tall > 0.75 else ()
    return Draft(parts, Words(name, "", shape, ("large eyes", "a spotted chest")))


FAMILIES = (
    Family("fish", ("fish",), (0.1, 0.4), fish, grouped=True),
    Family("duck", ("duck",), (0.15, 0.4), duck, grouped=True),
    Family("slime", ("slime", "jelly monster"), (0.3, 1.0), slime, grouped=True),
    Family("cat", ("cat", "kitten"), (0.3, 0.5), cat, grouped=True),
    Family("owl", ("owl",), (0.2, 0.5), owl, held_out=True, grouped=True),
)

"""Furniture: chair, table, bed, bookshelf, bench."""

from __future__ import annotations

from assets3d.props.captions import with_article
from assets3d.props.dice import Dice, darker, lighter
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    intersect,
    mirror_x,
    mirror_xz,
    mirror_z,
    repeat_around,
    rotate_x,
    smooth_union,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Rgb, Words
from assets3d.props.sdf import (
    Field,
    box,
    cylinder,
    ellipsoid,
    half_space,
    sphere,
    tapered_capsule,
)


def _wood_or_paint(dice: Dice, share: float = 0.35) -> tuple[str, Rgb]:
    """Return a colour name ("" for bare wood) and the colour of the boards."""
    if dice.chance(share):
        name = dice.colour_name(without=("brown", "black", "orange"))
        return name, dice.tint(name)
    return "", dice.wood()


def chair(dice: Dice) -> Draft:
    """Return a chair that faces the front: a back of slats, rungs or one board; often a cushion."""
    name, wood = _wood_or_paint(dice)
    wide, deep = dice.between(0.42, 0.52), dice.between(0.4, 0.48)
    high, back = dice.between(0.5, 0.62), dice.between(0.75, 1.05)
    seat = box(wide, 0.06, deep, 0.03)
    leg = mirror_xz(
        translate(box(0.06, high / 2, 0.06, 0.015), wide - 0.07, -high / 2, deep - 0.07)
    )
    post = mirror_x(
        translate(box(0.06, back / 2, 0.055, 0.02), wide - 0.06, back / 2, -deep + 0.06)
    )
    kind = dice.pick(["slats", "rungs", "board"])
    top = translate(box(wide, 0.09, 0.05, 0.03), 0, back - 0.06, -deep + 0.06)
    if kind == "slats":
        slats = union(
            translate(box(0.05, back / 2, 0.03, 0.01), 0, back / 2, -deep + 0.06),
            mirror_x(
                translate(box(0.05, back / 2, 0.03, 0.01), wide * 0.44, back / 2, -deep + 0.06)
            ),
        )
        rest: Field = union(top, slats)
    elif kind == "rungs":
        rungs = [
            translate(box(wide, 0.06, 0.035, 0.02), 0, back * k, -deep + 0.06) for k in (0.32, 0.6)
        ]
        rest = union(top, *rungs)
    else:
        rest = translate(box(wide - 0.08, back * 0.36, 0.04, 0.02), 0, back * 0.6, -deep + 0.06)
    arms = dice.chance(0.3)
    frame = union(leg, post)
    if arms:
        arm = union(
            translate(box(0.06, 0.04, deep, 0.02), wide - 0.04, 0.36),
            translate(box(0.045, 0.17, 0.045, 0.015), wide - 0.04, 0.18, deep - 0.1),
        )
        frame = union(frame, mirror_x(arm))
    parts = [
        Part(union(seat, rest), wood, "wood", grain="x"),
        Part(frame, darker(wood, 0.84), "wood"),
    ]
    details: tuple[str, ...] = ("arms",) if arms else ()
    if dice.chance(0.5):
        second = dice.colour_name(without=(name, "brown", "black"))
        cushion = translate(box(wide - 0.1, 0.07, deep - 0.08, 0.06), 0, 0.1, 0.03)
        parts.append(Part(cushion, dice.tint(second), "cloth"))
        details = (with_article(f"{second} cushion"), *details)
    shape = ("tall",) if back > 0.97 else ("low",) if back < 0.82 else ()
    return Draft(tuple(parts), Words(name, "wood", shape, details))


def table(dice: Dice) -> Draft:
    """Return a table: square, long or round; four legs or one foot; often a cloth or a drawer."""
    name, wood = _wood_or_paint(dice, 0.3)
    kind = dice.pick(["long", "square", "round"])
    high = dice.between(0.62, 0.8)
    wide, deep = {"long": (0.98, 0.5), "square": (0.66, 0.66), "round": (0.75, 0.75)}[kind]
    plate = cylinder(wide, 0.06, 0.025) if kind == "round" else box(wide, 0.06, deep, 0.025)
    details: list[str] = []
    if kind == "round":
        foot = repeat_around(
            tapered_capsule((0, -high + 0.2, 0), (0, -high, 0.4), 0.09, 0.06), 4, 45
        )
        legs: Field = union(translate(cylinder(0.11, high / 2 - 0.05, 0.02), 0, -high / 2), foot)
        legs = intersect(legs, half_space((0, -1, 0), high + 0.05))
    else:
        thick = dice.between(0.06, 0.09)
        leg = translate(box(thick, high / 2, thick, 0.02), wide - 0.12, -high / 2, deep - 0.1)
        legs = mirror_xz(leg)
        apron = translate(box(wide - 0.1, 0.09, deep - 0.08, 0.01), 0, -0.12)
        legs = union(legs, apron)
    parts = [Part(plate, wood, "wood", grain="x"), Part(legs, darker(wood, 0.82), "wood")]
    if dice.chance(0.45):
        second = dice.colour_name(without=(name, "brown", "black"))
        colour = dice.tint(second)
        drop = dice.between(0.12, 0.24)
        if kind == "round":
            cloth: Field = translate(
                cylinder(wide + 0.02, drop / 2 + 0.03, 0.03), 0, -drop / 2 + 0.06
            )
        else:
            run = wide * (1.02 if kind == "square" else 0.45)
            cloth = translate(box(run, drop / 2 + 0.03, deep + 0.025, 0.03), 0, -drop / 2 + 0.06)
        hem = half_space((0, 1, 0), -drop + 0.08)
        parts.append(Part(cloth, colour, "cloth", (Paint(hem, lighter(colour, 0.5)),)))
        details.append(with_article(f"{second} tablecloth"))
    elif kind != "round" and dice.chance(0.6):
        drawer = translate(box(0.26, 0.08, 0.04, 0.015), 0, -0.14, deep - 0.08)
        knob = translate(sphere(0.04), 0, -0.14, deep - 0.01)
        parts.append(Part(drawer, lighter(wood, 0.12), "wood", grain="x"))
        parts.append(Part(knob, dice.tint("gold"), "gold"))
        details.append("a drawer")
    return Draft(tuple(parts), Words(name, "wood", (kind,), tuple(details)))


def bed(dice: Dice) -> Draft:
    """Return a bed seen from its side: boards at both ends, a pillow, a coloured blanket."""
    name = dice.colour_name(without=("brown", "black"))
    colour = dice.tint(name)
    wood = dice.wood()
    wide, deep = 1.0, dice.between(0.45, 0.6)
    head, foot = dice.between(0.55, 0.85), dice.between(0.25, 0.45)
    side = dice.pick([-1.0, 1.0])
    rounded = dice.chance(0.5)
    frame: list[Field] = [translate(box(wide, 0.09, deep, 0.02), 0, -0.2)]
    for x, tall in ((side * (wide + 0.04), head), (-side * (wide + 0.04), foot)):
        board = translate(box(0.06, (tall + 0.5) / 2, deep + 0.04, 0.05 if rounded else 0.015), x)
        frame.append(translate(board, 0, (tall - 0.5) / 2))
        knob = translate(sphere(0.09), x, tall + 0.04, deep - 0.04)
        frame.append(mirror_z(knob))
    mattress = translate(box(wide - 0.02, 0.13, deep - 0.03, 0.08), 0, 0.0)
    cover = smooth_union(
        0.05,
        translate(box(wide * 0.66, 0.15, deep + 0.025, 0.07), -side * wide * 0.33, 0.02),
        translate(box(0.12, 0.18, deep + 0.03, 0.07), side * wide * 0.28, 0.03),
    )
    pillow = translate(ellipsoid(0.22, 0.13, deep * 0.72), side * wide * 0.7, 0.16)
    hem = translate(box(0.13, 1, 2), side * wide * 0.28)
    paint: list[Paint] = [Paint(hem, lighter(colour, 0.55))]
    details = ["a wooden frame"]
    if dice.chance(0.5):
        second = dice.colour_name(without=(name, "brown", "black"))
        stripe = lambda p: ((p[0] * 9.0).sin() + 0.55) * 0.1  # noqa: E731
        paint.insert(0, Paint(stripe, dice.tint(second)))
        details.insert(0, f"{second} stripes")
    parts = (
        Part(cover, colour, "cloth", tuple(paint)),
        Part(union(*frame), wood, "wood", grain="z"),
        Part(mattress, (0.92, 0.90, 0.85), "cloth"),
        Part(pillow, (0.95, 0.94, 0.92), "cloth"),
    )
    shape = ("wide",) if deep > 0.56 else ("narrow",) if deep < 0.49 else ()
    return Draft(parts, Words(name, "", shape, tuple(details)))


def bookshelf(dice: Dice) -> Draft:
    """Return a case of shelves full of coloured books, some places left free or with a jar."""
    name, wood = _wood_or_paint(dice, 0.25)
    wide, high, deep = dice.between(0.5, 0.66), dice.between(0.85, 1.0), 0.24
    count = dice.whole(2, 4)
    step = 2.0 * (high - 0.05) / count
    sides = mirror_x(translate(box(0.05, high, deep, 0.015), wide))
    boards = [
        translate(box(wide, 0.045, deep, 0.012), 0, -high + 0.05 + step * k) for k in range(count)
    ]
    lid = translate(box(wide + 0.09, 0.05, deep + 0.04, 0.02), 0, high)
    rear = translate(box(wide, high, 0.025), 0, 0, -deep + 0.03)
    shades = [dice.tint(n) for n in ("red", "blue", "green", "yellow", "purple")]
    first = dice.whole(0, 4)
    books: list[list[Field]] = [[], [], []]
    jar = ""
    for k in range(count):
        floor, x = -high + 0.095 + step * k, -wide + 0.06
        end = wide - 0.08
        if k == count // 2 and dice.chance(0.45):
            jar, end = dice.pick(["potion", "skull"]), wide * 0.25
            jar_at = (wide * 0.6, floor)
        while x < end:
            thick = dice.between(0.045, 0.075)
            tall = step * dice.between(0.30, 0.41)
            books[dice.whole(0, 2)].append(
                translate(box(thick, tall, deep * 0.7, 0.015), x + thick, floor + tall, 0.02)
            )
            x += 2.0 * thick + 0.012
    parts = [
        Part(union(sides, *boards, lid), wood, "wood", grain="x"),
        Part(rear, darker(wood, 0.62), "wood"),
    ]
    for k, row in enumerate(books):
        if row:
            parts.append(Part(union(*row), shades[(first + k) % 5], "leather"))
    details = ["books"]
    if jar == "potion":
        glass = dice.pick(["green", "pink", "turquoise"])
        flask = smooth_union(
            0.05, translate(sphere(0.11), 0, 0.11), translate(cylinder(0.045, 0.1), 0, 0.24)
        )
        parts.append(Part(translate(flask, *jar_at, 0.05), dice.tint(glass), "glass"))
        details.append(with_article(f"{glass} potion"))
    elif jar:
        bone = smooth_union(
            0.05,
            translate(sphere(0.12), 0, 0.17),
            translate(box(0.07, 0.07, 0.07, 0.02), 0, 0.07, 0.03),
        )
        eyes = mirror_x(translate(sphere(0.04), 0.05, 0.16, 0.11))
        parts.append(
            Part(
                translate(bone, *jar_at, 0.05),
                dice.tint("bone"),
                "bone",
                (Paint(translate(eyes, *jar_at, 0.05), (0.12, 0.1, 0.1)),),
            )
        )
        details.append("a skull")
    shape = ("tall",) if high > 0.96 else ("wide",) if wide > 0.62 else ()
    return Draft(tuple(parts), Words(name, "wood", shape, tuple(details)))


def bench(dice: Dice) -> Draft:
    """Return a bench of wood or stone, with or without a back."""
    stone = dice.chance(0.35)
    name, colour = ("", dice.tint("stone")) if stone else _wood_or_paint(dice, 0.3)
    material = "stone" if stone else "wood"
    wide, high = dice.between(0.9, 1.1), dice.between(0.4, 0.5)
    seat = box(wide, 0.09 if stone else 0.06, 0.32, 0.03)
    if stone or dice.chance(0.4):
        legs: Field = mirror_x(translate(box(0.13, high / 2, 0.26, 0.03), wide - 0.3, -high / 2))
    else:
        leg = rotate_x(box(0.07, high / 2, 0.07, 0.02), 8.0)
        legs = mirror_xz(translate(leg, wide - 0.15, -high / 2, 0.2))
    parts = [
        Part(seat, colour, material, grain="x"),
        Part(legs, darker(colour, 0.85), material),
    ]
    details: tuple[str, ...] = ()
    if dice.chance(0.55):
        post = mirror_x(translate(box(0.06, 0.34, 0.05, 0.02), wide - 0.15, 0.3, -0.28))
        planks = union(*(translate(box(wide, 0.1, 0.04, 0.02), 0, y, -0.24) for y in (0.26, 0.52)))
        rest = union(post, inflate(planks, 0.005))
        parts.append(Part(rest, lighter(colour, 0.05), material, grain="x"))
        details = ("a back",)
    shape = ("long",) if wide > 1.02 else ()
    return Draft(tuple(parts), Words(name, material, shape, details))


FAMILIES = (
    Family("chair", ("chair",), (0.8, 1.1), chair, grouped=True),
    Family("table", ("table",), (0.6, 0.85), table),
    Family("bed", ("bed",), (0.7, 1.1), bed),
    Family("bookshelf", ("bookshelf", "bookcase"), (1.4, 2.2), bookshelf),
    Family("bench", ("bench",), (0.45, 0.95), bench, held_out=True, outdoors=True),
)

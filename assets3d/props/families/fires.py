"""Fires: torch, campfire."""

from __future__ import annotations

from assets3d.props.dice import Dice, darker
from assets3d.props.family import Family
from assets3d.props.operators import (
    inflate,
    repeat_around,
    smooth_union,
    subtract,
    translate,
    union,
)
from assets3d.props.prop import Draft, Paint, Part, Words
from assets3d.props.sdf import (
    Field,
    cone,
    convex,
    cylinder,
    ellipsoid,
    sphere,
    tapered_capsule,
    torus,
)

#: Colours of flames: outside and core.
_FLAMES = {
    "orange": ((0.96, 0.50, 0.12), (1.0, 0.90, 0.42)),
    "blue": ((0.20, 0.45, 0.92), (0.75, 0.92, 1.0)),
    "green": ((0.30, 0.72, 0.25), (0.85, 1.0, 0.60)),
    "purple": ((0.55, 0.25, 0.80), (0.90, 0.72, 1.0)),
}


def _flame(dice: Dice, name: str, size: float, x: float, y: float) -> Part:
    tongues = [
        tapered_capsule((0, 0, 0), (dice.between(-0.15, 0.15), 1.25, 0), 0.42, 0.03),
        tapered_capsule((0.2, 0, 0.1), (dice.between(0.25, 0.42), 0.75, 0.1), 0.26, 0.03),
        tapered_capsule((-0.2, 0, -0.05), (dice.between(-0.45, -0.28), 0.85, 0), 0.26, 0.03),
    ]
    whole = smooth_union(0.12, *tongues)
    core = translate(ellipsoid(0.26, 0.52, 3.0), 0, 0.12)

    def placed(field: Field) -> Field:
        return lambda p: field(((p[0] - x) / size, (p[1] - y) / size, p[2] / size)) * size

    outer, inner = _FLAMES[name]
    return Part(placed(whole), outer, "plain", (Paint(placed(core), inner),))


def torch(dice: Dice) -> Draft:
    """Return a burning torch: a wooden handle, a wrapped or caged head, a flame."""
    name = dice.pick(["orange", "orange", "orange", "blue", "green", "purple"])
    wood = dice.wood()
    low = -dice.between(0.95, 1.2)
    handle = tapered_capsule((0, low, 0), (0, 0.3, 0), 0.085, 0.12)
    kind = dice.pick(["wrap", "cage", "bowl"])
    if kind == "wrap":
        head: Field = union(*(translate(torus(0.13, 0.05), 0, 0.06 + 0.075 * k) for k in range(4)))
        head = union(head, translate(cylinder(0.13, 0.17), 0, 0.18))
        second = Part(head, (0.86, 0.80, 0.66), "cloth")
        detail = "a cloth wrap"
    elif kind == "cage":
        bar = tapered_capsule((0, -0.05, 0.1), (0, 0.42, 0.24), 0.035, 0.03)
        head = union(
            repeat_around(bar, 6),
            translate(torus(0.23, 0.035), 0, 0.38),
            translate(torus(0.14, 0.045), 0, 0.0),
        )
        second = Part(head, dice.tint("iron"), "iron")
        detail = "an iron cage"
    else:
        bowl = subtract(cone(0.11, 0.28, 0.16), translate(cone(0.06, 0.24, 0.16), 0, 0.06))
        metal = dice.pick(["iron", "gold"])
        head = union(translate(bowl, 0, 0.24), translate(torus(0.28, 0.035), 0, 0.4))
        second = Part(head, dice.tint(metal), metal)
        detail = "a golden bowl" if metal == "gold" else "an iron bowl"
    flame = _flame(dice, name, dice.between(0.42, 0.52), 0.0, 0.46)
    shape = ("long",) if low < -1.12 else ("short",) if low > -1.02 else ()
    details = (f"{'an' if name == 'orange' else 'a'} {name} flame", detail)
    return Draft((Part(handle, wood, "wood"), second, flame), Words("", "wood", shape, details))


def campfire(dice: Dice) -> Draft:
    """Return a campfire: logs that lean together, a flame, a ring of stones."""
    name = dice.pick(["orange", "orange", "orange", "blue", "green"])
    bark = darker(dice.wood(), 0.75)
    count = dice.whole(4, 6)
    log = tapered_capsule((0, 0.12, 0.12), (0, -0.2, 0.66), 0.1, 0.13)
    logs = repeat_around(log, count, dice.between(0, 60))
    flame = _flame(dice, name, dice.between(0.62, 0.82), 0.0, 0.12)
    parts = [Part(logs, bark, "wood"), flame]
    details = [f"{'an' if name == 'orange' else 'a'} {name} flame"]
    if dice.chance(0.65):
        stones = dice.whole(8, 10)
        reach = 0.82
        block = inflate(
            convex(
                [
                    (1, 0.3, 0.2),
                    (-1, 0.4, -0.2),
                    (0.2, 1, 0.4),
                    (0, -1, 0),
                    (0.2, 0.3, 1),
                    (-0.2, 0.5, -1),
                ],
                [0.15, 0.15, 0.13, 0.12, 0.14, 0.14],
            ),
            0.03,
        )
        ring = repeat_around(translate(block, 0, -0.2, reach), stones)
        parts.append(Part(ring, dice.tint("stone"), "stone"))
        details.append("a ring of stones")
    if dice.chance(0.3):
        spit = union(
            tapered_capsule((-0.8, -0.3, 0), (-0.72, 0.85, 0), 0.05, 0.04),
            tapered_capsule((0.8, -0.3, 0), (0.72, 0.85, 0), 0.05, 0.04),
            tapered_capsule((-0.85, 0.8, 0), (0.85, 0.8, 0), 0.035, 0.035),
        )
        pot = smooth_union(
            0.04, translate(sphere(0.2), 0, 0.62), translate(cylinder(0.2, 0.04), 0, 0.76)
        )
        parts.append(Part(spit, bark, "wood"))
        parts.append(Part(pot, (0.24, 0.24, 0.27), "iron"))
        details.append("a pot")
    return Draft(tuple(parts), Words("", "", (), tuple(details)))


FAMILIES = (
    Family("torch", ("torch",), (0.5, 0.8), torch, grouped=True),
    Family("campfire", ("campfire", "bonfire"), (0.5, 1.0), campfire),
)

"""Fabric: woven yarns (plain, basket, twill, herringbone) and knitting, dyed in many ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import PAINTS, Rgb, paint, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.weathering import stained


@dataclass(frozen=True)
class _Yarns:
    """Yarns seen per pixel; `pitch` is the distance between two, in tile sides.

    Attributes:
        relief: height in pitches.
        along: from the middle of the visible piece of yarn, in half pitches.
        aside: -1..1 across the yarn.
        upright: True on yarns that run down the tile.
        column, row: number of the upright and of the level yarn here.
    """

    relief: Field
    along: Field
    aside: Field
    upright: NDArray[np.bool_]
    column: NDArray[np.integer]
    row: NDArray[np.integer]
    pitch: float
    count: int


def fabric(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint cloth seen close: every yarn is there, with its twist and fuzz."""
    dice = Dice(generator)
    words: list[str] = []
    x, y = grid(size_px)
    knitted = dice.chance(0.22)
    wander = dice.between(0.05, 0.2)
    if knitted:
        yarns = _knit(x, y, dice.whole(8, 16), wander, dice)
        words.append("knitted")
    else:
        kind = dice.pick(("plain", "basket", "twill", "twill", "herringbone"))
        yarns = _weave(x, y, 4 * dice.whole(6, 12), kind, wander, dice)
        words.append({"plain": "woven", "basket": "woven"}.get(kind, kind))

    # Relief: yarns, their twisted plies, loose fibres, soft folds.
    twist, lean = dice.between(1.2, 2.4), dice.between(0.8, 1.6)
    plies = np.sin(np.pi * (twist * yarns.along + lean * yarns.aside))
    fuzz = fbm(x, y, 5 * yarns.count, 2, generator, gain=0.9)
    thick = fbm(x, y, 12, 3, generator)
    folds = fbm(x, y, 2, 3, generator, gain=0.45)
    strength = dice.between(0.2, 0.36) * (0.6 if knitted else 1.0)
    height = (
        yarns.pitch
        * strength
        * (yarns.relief + 0.09 * plies + dice.between(0.03, 0.1) * fuzz + 0.12 * thick)
    )
    height = height + dice.between(0.0, 0.02) * folds

    colour, dyes = _dyed(yarns, x, y, dice)
    words = [*dyes, *words]
    tone = 0.06 * plies + dice.between(0.02, 0.1) * fuzz + 0.05 * thick
    # Old dye fades on top or gathers there: yarn crowns are paler or darker than their sides.
    crown = dice.between(-0.2, 0.2) * (yarns.relief - 0.6)
    colour = stained(colour * (1.0 + tone + crown)[..., None], x, y, dice, dice.between(0.0, 0.06))
    roughness = 0.85 + 0.06 * fuzz
    if dice.chance(0.15):
        roughness = roughness - 0.45
        words.insert(0, "silky")
    elif dice.chance(0.25):
        patches = smoothstep(0.0, 0.9, fbm(x, y, 3, 6, generator, gain=0.6))
        dirt = shade(dice, dice.pick(((0.3, 0.24, 0.18), (0.5, 0.45, 0.38), (0.2, 0.19, 0.18))))
        colour = mix(colour, dirt, dice.between(0.35, 0.7) * patches)
        words.insert(0, "stained")
    return Layers(colour, height, roughness, np.zeros_like(height), tuple(words))


def _weave(x: Field, y: Field, count: int, kind: str, wander: float, dice: Dice) -> _Yarns:
    """Return `count` (a multiple of 4) yarns each way, crossing by the weave's draft."""
    bend = wander * 0.35 / count
    across = (x + bend * fbm(x, y, 10, 2, dice.generator)) * count
    down = (y + bend * fbm(x, y, 10, 2, dice.generator)) * count
    column, row = np.floor(across).astype(np.int64), np.floor(down).astype(np.int64)
    u, v = 2.0 * (across - column) - 1.0, 2.0 * (down - row) - 1.0
    column, row = column % count, row % count
    # Where a float of several crossings begins and how long it is, upright yarns first.
    if kind == "plain":
        period, over = 2, 1
        phase = row + column
    elif kind == "basket":
        period, over = 4, 2
        phase = row + 2 * (column // 2)
    else:
        period, over = 4, dice.pick((2, 2, 3)) if kind == "twill" else 2
        turn = np.where(column // (count // dice.pick((2, 4))) % 2, -1, 1)
        phase = row + (column if kind == "twill" else column * turn)
    # Draft: upright yarn over the level one in the first `over` steps of its period.
    step_up = phase % period
    upright = step_up < over
    along_up = 2.0 * ((step_up + 0.5 * (v + 1.0)) / over) - 1.0
    along_level = _along_level(kind, phase, column, row, u, period, over)
    crown_up = np.cos(0.5 * np.pi * np.clip(along_up, -1.0, 1.0))
    crown_level = np.cos(0.5 * np.pi * np.clip(along_level, -1.0, 1.0))
    slack = dice.between(0.82, 0.97)  # yarns are a little thinner than their pitch
    round_up = np.sqrt(np.clip(1.0 - (u / slack) ** 2, 0.0, 1.0))
    round_level = np.sqrt(np.clip(1.0 - (v / slack) ** 2, 0.0, 1.0))
    top = np.where(
        upright, round_up * (0.45 + 0.55 * crown_up), round_level * (0.45 + 0.55 * crown_level)
    )
    # Past a yarn's side the one below shows.
    under = np.where(upright, round_level, round_up) * 0.25
    return _Yarns(
        relief=np.maximum(top, under),
        along=np.where(upright, along_up * over, along_level * (period - over)),
        aside=np.where(upright, u, v),
        upright=np.where(top >= under, upright, ~upright),
        column=column,
        row=row,
        pitch=1.0 / count,
        count=count,
    )


def _along_level(
    kind: str,
    phase: NDArray[np.integer],
    column: NDArray[np.integer],
    row: NDArray[np.integer],
    u: Field,
    period: int,
    over: int,
) -> Field:
    """Return -1..1 along the floats of the level yarns, which fill the rest of each period."""
    rest = period - over
    if kind == "basket":
        step = column % 2
    elif kind == "herringbone":
        # At the turns floats of two directions meet; one crossing at a time is near enough.
        return u
    else:
        step = phase % period - over
    return 2.0 * ((step + 0.5 * (u + 1.0)) / rest) - 1.0


def _knit(x: Field, y: Field, columns: int, wander: float, dice: Dice) -> _Yarns:
    """Return stocking stitch: columns of Vs, each leg a leaning strand over the one below."""
    rows = columns + dice.whole(2, 5)
    bend = wander * 0.3 / columns
    across = (x + bend * fbm(x, y, 8, 2, dice.generator)) * columns
    down = (y + bend * fbm(x, y, 8, 2, dice.generator)) * rows
    column = np.floor(across).astype(np.int64)
    u = 2.0 * (across - column) - 1.0  # -1..1 across one stitch
    leg = np.abs(u)
    # Legs lean to the middle of the stitch as they go down; each hangs over the next row.
    lean = dice.between(0.7, 1.1)
    turned = down - lean * (1.0 - leg)
    row = np.floor(turned).astype(np.int64)
    w = 2.0 * (turned - row) - 1.0
    aside = (leg - 0.5) / 0.5
    length = np.clip(1.0 - w**2, 0.0, 1.0)
    width = np.clip(1.0 - aside**2, 0.0, 1.0)
    relief = np.sqrt(length) ** 0.8 * np.sqrt(width) * (1.0 + 0.15 * w)
    return _Yarns(
        relief=relief,
        along=2.0 * w * np.sign(u),
        aside=aside,
        upright=np.ones(np.shape(relief), bool),
        column=column % columns,
        row=row % rows,
        pitch=1.0 / columns,
        count=columns,
    )


def _dyed(yarns: _Yarns, x: Field, y: Field, dice: Dice) -> tuple[Field, list[str]]:
    """Return the yarns' colour and its words; no dye follows the relief."""
    names = list(PAINTS)
    first = dice.pick(names)
    second = dice.pick([name for name in names if name != first])
    one, two = np.array(paint(dice, first)), np.array(paint(dice, second))
    kind = dice.generator.random()
    both = [f"{first} and {second}"]
    if kind < 0.35:
        other: Rgb | Field = np.clip(one * dice.between(0.8, 1.25), 0.0, 1.0)
        return np.where(yarns.upright[..., None], one, other), [first]
    if kind < 0.5:
        # As denim: dyed warp, pale weft.
        weft = paint(dice, dice.pick(("white", "grey", "beige")))
        return np.where(yarns.upright[..., None], one, weft), ["mottled", first]
    bands = dice.pick((1, 2, 4))
    edges = dice.generator.uniform(0.2, 0.8, 2)
    in_x = (yarns.column + 0.5) / yarns.count * bands % 1.0 < edges[0]
    in_y = (yarns.row + 0.5) / (yarns.row.max() + 1) * bands % 1.0 < edges[1]
    if kind < 0.68:
        stripe = in_x if dice.chance(0.5) else in_y
        return np.where(stripe[..., None], one, two), ["striped", *both]
    if kind < 0.88:
        chosen = np.where(yarns.upright, in_x, in_y)
        if yarns.upright.all():
            chosen = in_x ^ in_y
        return np.where(chosen[..., None], one, two), ["checked", *both]
    # Printed after weaving: spots that pay no heed to yarns.
    spots = dice.whole(2, 4)
    wave = np.cos(2 * np.pi * spots * x) + np.cos(2 * np.pi * spots * y)
    share = smoothstep(-0.08, 0.08, wave - dice.between(0.3, 1.0))
    return mix(one, two, share), ["spotted", *both]


FABRIC = Family(
    name="fabric",
    paint=fabric,
    nouns=("fabric", "cloth", "textile"),
    words=(
        "knitted",
        "woven",
        "twill",
        "herringbone",
        "silky",
        "stained",
        "mottled",
        "striped",
        "checked",
        "spotted",
        *PAINTS,
    ),
    tile_m=(0.02, 0.2),
)

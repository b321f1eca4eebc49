"""Roof tiles in overlapping rows: slates, fish scales, pantiles. Held out of training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid
from assets3d.textures.world.shaping import colours_per_element, mix, smoothstep
from assets3d.textures.world.weathering import moss, moss_cover, speckled, stained

CLAYS: dict[str, tuple[Rgb, ...]] = {
    "red": ((0.60, 0.29, 0.21), (0.55, 0.25, 0.19)),
    "orange": ((0.70, 0.41, 0.27), (0.66, 0.38, 0.26)),
    "brown": ((0.42, 0.30, 0.24), (0.37, 0.27, 0.22)),
    "grey": ((0.46, 0.47, 0.48), (0.54, 0.54, 0.54)),
    "blue": ((0.33, 0.38, 0.46), (0.38, 0.43, 0.50)),
    "green": ((0.34, 0.44, 0.38), (0.40, 0.48, 0.41)),
    "black": ((0.25, 0.25, 0.27), (0.22, 0.22, 0.23)),
}


@dataclass(frozen=True)
class _Laid:
    """Tiles as laid, seen per pixel.

    Attributes:
        index: number of the tile.
        across: -1..1 from its left to its right side.
        down: 0 where it comes out from under the row above, about 1 at its lower edge.
        below: distance to its lower edge, in rows, 0 and more.
        count: how many tiles there are.
    """

    index: NDArray[np.integer]
    across: Field
    down: Field
    below: Field
    count: int


def roof_tiles(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint roof tiles, seen straight at the slope, eaves down."""
    dice = Dice(generator)
    words: list[str] = []
    x, y = grid(size_px)
    kind = dice.pick(("slate", "scale", "pantile"))
    columns = dice.whole(4, 8)
    rows = 2 * max(2, round(columns * (0.35 if kind == "pantile" else dice.between(0.4, 0.65))))
    age = dice.between(0.0, 1.0)
    wander = 0.02 * (0.4 + age) / rows
    x_bent = x + wander * fbm(x, y, 7, 3, generator)
    y_bent = y + wander * fbm(x, y, 7, 3, generator)
    laid = _lay(x_bent, y_bent, columns, rows, kind, age, dice)

    # Relief: each tile lies on the one below, so it rises to its lower edge and drops there.
    row = 1.0 / rows
    thickness = row * dice.between(0.12, 0.2)
    lift = 0.3 * thickness * generator.normal(0.0, 0.3 + 0.4 * age, laid.count)
    roll = 0.25 * thickness * generator.normal(0.0, 0.3 + 0.5 * age, laid.count)
    lip = np.sqrt(np.clip(laid.below / (0.55 * thickness * rows), 0.0, 1.0))
    slate = fbm(x, y, (14, 9), 5, generator, gain=0.6)
    grain = fbm(x, y, 60, 3, generator, gain=0.8)
    height = thickness * (0.9 * laid.down + 0.6 * lip)
    height = height + lift[laid.index] * laid.down + roll[laid.index] * laid.across
    height = height + thickness * (0.09 * slate + 0.035 * grain)
    side = smoothstep(1.0, 1.0 - dice.between(0.05, 0.12), np.abs(laid.across))
    if kind == "pantile":
        wave = np.cos(np.pi * laid.across)
        bulge = dice.between(0.3, 0.45) / columns
        height = height + bulge * 0.5 * (wave + 0.25 * wave * wave)
        words.append("curved")
    else:
        height = height - thickness * dice.between(0.5, 0.9) * (1.0 - side)
        words.append("slate" if kind == "slate" else "scalloped")

    # Colour
    name = dice.pick(list(CLAYS))
    base = shade(dice, dice.pick(CLAYS[name]))
    words.insert(0, name)
    tones = colours_per_element(
        base, laid.count, generator, value=dice.between(0.1, 0.3), hue=dice.between(0.005, 0.025)
    )
    colour = speckled(tones[laid.index], x, y, dice, dice.between(0.04, 0.12), 56)
    colour = stained(colour, x, y, dice, dice.between(0.04, 0.16))
    # Rain leaves streaks down the slope, lighter or darker.
    streaks = smoothstep(0.0, 0.6, fbm(x, y, (22, 3), 4, generator, gain=0.6))
    wash = shade(dice, dice.pick(((0.26, 0.24, 0.22), (0.72, 0.70, 0.66), (0.5, 0.46, 0.4))))
    colour = mix(colour, wash, dice.between(0.1, 0.45) * age * streaks)
    glazed = kind != "slate" and dice.chance(0.2)
    roughness = (0.25 if glazed else dice.between(0.55, 0.85)) + 0.07 * slate + 0.1 * streaks * age
    if glazed:
        words.insert(0, "glazed")
    elif dice.chance(0.3):
        sheltered = smoothstep(0.5, 0.05, laid.down) + 0.5 * (1.0 - side)
        cover = moss_cover(x, y, sheltered, dice, dice.between(0.3, 0.55))
        green, cushions = moss(x, y, dice)
        colour, roughness = mix(colour, green, cover), mix(roughness, 0.95, cover)
        height = height + cover * thickness * (0.15 + 0.5 * cushions)
        words.insert(0, "mossy")
    elif age > 0.6:
        words.insert(0, "old")
    return Layers(colour, height, roughness, np.zeros_like(height), tuple(words))


def _lay(x: Field, y: Field, columns: int, rows: int, kind: str, age: float, dice: Dice) -> _Laid:
    """Lay rows from the eaves up: of the tiles over a point the uppermost row's is seen."""
    generator = dice.generator
    count = columns * rows
    slip = generator.normal(0.0, 0.03 + 0.05 * age, count)
    chips = 0.035 * age * fbm(x, y, 30, 3, generator)
    sharp = dice.between(0.25, 0.5) if kind == "scale" else 0.0
    point = y * rows
    shift = 0.0 if kind == "pantile" else 0.5
    row_here = np.floor(point).astype(np.int64)

    def tile(row: NDArray[np.integer]) -> tuple[NDArray[np.integer], Field, Field]:
        moved = x * columns + shift * (row % 2)
        column = np.floor(moved)
        across = 2.0 * (moved - column) - 1.0
        index = (row % rows) * columns + column.astype(np.int64) % columns
        # The edge hangs down to 0.35 of a row into the row below; scales round it off.
        edge = row + 1.0 + 0.2 + slip[index] - sharp * (1.0 - np.sqrt(1.0 - 0.98 * across**2))
        return index, across, edge + chips - point

    above, here, below = tile(row_here - 1), tile(row_here), tile(row_here + 1)
    hangs, reaches = above[2] > 0, here[2] > 0
    index = np.where(hangs, above[0], np.where(reaches, here[0], below[0]))
    across = np.where(hangs, above[1], np.where(reaches, here[1], below[1]))
    left = np.where(hangs, above[2], np.where(reaches, here[2], below[2]))
    return _Laid(index, across, np.clip(1.2 - left, 0.0, 1.4), left, count)


ROOF_TILES = Family(
    name="roof_tiles",
    paint=roof_tiles,
    nouns=("roof tiles", "tiled roof", "roof"),
    words=("old", "mossy", "glazed", "curved", "slate", "scalloped", *CLAYS),
    tile_m=(1.0, 2.5),
    held_out=True,
)

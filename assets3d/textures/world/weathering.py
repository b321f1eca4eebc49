"""What happens to surfaces: stains, dirt in hollows, moss, paint that wears off.

Each takes the colour and the tile coordinates and gives back what it changed; none but moss adds
relief, so that colour does not betray height.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assets3d.textures.world.colours import PAINTS, paint
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.noise import Field, fbm
from assets3d.textures.world.shaping import mix, smoothstep

MOSSES = ((0.30, 0.36, 0.12), (0.24, 0.33, 0.13), (0.40, 0.42, 0.16), (0.20, 0.27, 0.10))


def stained(
    colour: Field | Sequence[float], x: Field, y: Field, dice: Dice, strength: float
) -> Field:
    """Return the colour with soft lighter and darker clouds and a slight change of hue."""
    clouds = fbm(x, y, dice.whole(2, 4), 5, dice.generator, gain=0.6)
    tint = np.array([dice.between(-0.3, 0.3) for _ in range(3)], np.float32)
    return np.asarray(colour, np.float32) * (1.0 + strength * clouds[..., None] * (1.0 + tint))


def speckled(
    colour: Field | Sequence[float], x: Field, y: Field, dice: Dice, strength: float, cells: int
) -> Field:
    """Return the colour, (3,) or (S, S, 3), with fine flecks that follow no relief."""
    flecks = fbm(x, y, cells, 3, dice.generator, gain=0.8)
    return np.asarray(colour, np.float32) * (1.0 + strength * flecks[..., None])


def dusted(colour: Field, tint: Sequence[float], share: Field) -> Field:
    """Return the colour with dirt of the colour `tint` where `share` (0..1) says so."""
    return mix(colour, tint, np.clip(share, 0.0, 1.0))


def moss_cover(x: Field, y: Field, hollow: Field, dice: Dice, amount: float) -> Field:
    """Return 0..1, where moss grows: in patches, first in hollows (`hollow` 0..1)."""
    patches = fbm(x, y, dice.whole(2, 4), 5, dice.generator, gain=0.6)
    return smoothstep(-0.08, 0.22, patches + 0.9 * hollow - 1.1 + 1.3 * amount)


def moss(x: Field, y: Field, dice: Dice) -> tuple[Field, Field]:
    """Return moss's colour (S, S, 3) and its cushions, 0..1, to be scaled to a height."""
    tufts = fbm(x, y, dice.whole(28, 40), 4, dice.generator, gain=0.75)
    tone = fbm(x, y, 6, 3, dice.generator)
    first, second = dice.pick(MOSSES), dice.pick(MOSSES)
    colour = mix(first, second, smoothstep(-0.4, 0.4, tone)) * (0.95 + 0.3 * tufts[..., None])
    return colour, np.clip(0.5 + 0.6 * tufts, 0.0, 1.0)


def worn_paint(x: Field, y: Field, rub: Field, dice: Dice, kept: float) -> Field:
    """Return 0..1, where paint still holds: less where `rub` (0..1) is high, edges irregular.

    `kept` 1 leaves nearly all of it, 0 nearly none.
    """
    patches = fbm(x, y, dice.whole(3, 6), 6, dice.generator, gain=0.62)
    return smoothstep(-0.03, 0.03, patches + 1.6 * (kept - 0.5) - rub)


def painted_pattern(x: Field, y: Field, dice: Dice) -> tuple[Field, tuple[str, str], str]:
    """Return a flat painted pattern (S, S, 3), its two colours' names, and its word.

    Stripes, checks and spots have whole counts per tile; they follow no relief.
    """
    first, second = _two_names(dice)
    kind = dice.pick(("striped", "checked", "spotted"))
    count = dice.whole(2, 5)
    if kind == "striped":
        along = dice.pick((x, y, (x + y) % 1.0))
        wave = np.cos(2 * np.pi * count * along)
    elif kind == "checked":
        wave = np.cos(2 * np.pi * count * x) * np.cos(2 * np.pi * count * y)
    else:
        wave = np.cos(2 * np.pi * count * x) + np.cos(2 * np.pi * count * y) - 1.0
    wobble = 0.12 * fbm(x, y, 8, 4, dice.generator)
    share = smoothstep(-0.06, 0.06, wave + wobble)
    return mix(paint(dice, first), paint(dice, second), share), (first, second), kind


def _two_names(dice: Dice) -> tuple[str, str]:
    """Return any colour and a quiet one that goes with all."""
    first = dice.pick(list(PAINTS))
    return first, dice.pick([name for name in ("white", "grey", "beige", "black") if name != first])

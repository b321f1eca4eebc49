"""Wear: what years and weather do to a prop, drawn over its materials.

Each kind says which materials it takes, where on them it shows and what it does to the colour. All
of it is noise in space and the direction of the surface; nothing has seams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from assets3d.props.patterns import value_noise
from assets3d.props.prop import Prop, Rgb
from assets3d.props.sdf import Points

Show = Callable[[Points, Points, int], Tensor]


@dataclass(frozen=True)
class Wear:
    """One kind of wear.

    Attributes:
        materials: what it takes.
        shows: where, 0..1, of points, normals and a seed.
        colours: the colour it brings and a second one, mixed by noise.
        strength: how much of the old colour goes where it shows fully.
        outdoors: only things that stand outside get it.
        share: the part of the surface that must be of its materials.
        least: less than this part of the surface and a caption must not name it.
    """

    materials: frozenset[str]
    shows: Show
    colours: tuple[Rgb, Rgb]
    strength: float
    outdoors: bool
    share: float
    least: float = 0.12


def _noise(points: Points, frequency: float, seed: int) -> Tensor:
    x, y, z = (p * frequency for p in points)
    return value_noise((x, y, z), seed)


def _patches(points: Points, seed: int, frequency: float) -> Tensor:
    """Return uneven noise in about -1..1: patches with frayed edges."""
    return 0.8 * _noise(points, frequency, seed) + 0.4 * _noise(points, 3.7 * frequency, seed + 1)


def _rust(points: Points, normal: Points, seed: int) -> Tensor:
    return ((_patches(points, seed, 6.0) + 0.05) * 7.0).clamp_(0.0, 1.0)


def _moss(points: Points, normal: Points, seed: int) -> Tensor:
    # More on what faces up and towards the foot.
    lean = 0.75 * normal[1] - 0.25 * points[1]
    return ((_patches(points, seed, 5.0) + lean - 0.22) * 7.0).clamp_(0.0, 1.0)


def _snow(points: Points, normal: Points, seed: int) -> Tensor:
    return ((normal[1] + 0.35 * _patches(points, seed, 5.0) - 0.42) * 8.0).clamp_(0.0, 1.0)


def _cracks(points: Points, normal: Points, seed: int) -> Tensor:
    """Return thin, jagged lines: bent planes in three directions that come and go."""
    x, y, z = points
    bend = 0.30 * _noise(points, 4.0, seed) + 0.12 * _noise(points, 15.0, seed + 1)
    found = torch.zeros_like(x)
    for k, (a, b, c) in enumerate(((0.9, 0.5, 0.7), (-0.8, 0.6, 0.5), (0.3, 1.1, -0.6))):
        along = x * a + y * b + z * c + (0.37 * k + 0.61 * (seed % 7))
        bent = (along + bend) * 2.0
        distance = (bent - torch.round(bent)).abs() * 0.5
        width = 0.012 * (0.35 + _noise(points, 2.6, seed + 2 + k)).clamp_(0.0, 1.0)
        found = torch.maximum(found, ((width - distance) * 160.0 + 0.3).clamp_(0.0, 1.0))
    return found


def _age(points: Points, normal: Points, seed: int) -> Tensor:
    """Return a film over everything and stains in it."""
    return (0.62 + 0.9 * _patches(points, seed, 4.0)).clamp_(0.25, 1.0)


_MINERAL = frozenset({"stone", "marble", "brick", "clay"})

WEARS: dict[str, Wear] = {
    "rusty": Wear(
        frozenset({"iron"}), _rust, ((0.56, 0.27, 0.11), (0.36, 0.18, 0.10)), 0.92, False, 0.2
    ),
    "mossy": Wear(
        _MINERAL | {"wood", "tiles", "straw"},
        _moss,
        ((0.36, 0.50, 0.15), (0.24, 0.38, 0.12)),
        0.92,
        True,
        0.4,
    ),
    "snowy": Wear(
        _MINERAL
        | {"wood", "tiles", "straw", "leaf", "foliage", "iron", "cloth", "plain", "enamel"},
        _snow,
        ((0.95, 0.96, 0.98), (0.86, 0.91, 0.97)),
        1.0,
        True,
        0.5,
    ),
    "cracked": Wear(
        _MINERAL | {"ceramic", "bone"},
        _cracks,
        ((0.16, 0.14, 0.13), (0.10, 0.09, 0.09)),
        0.85,
        False,
        0.5,
        0.035,
    ),
    "old": Wear(
        frozenset({"wood", "leather", "cloth", "paper", "straw", "wicker"}),
        _age,
        ((0.45, 0.40, 0.34), (0.29, 0.26, 0.22)),
        0.55,
        False,
        0.5,
    ),
}


def shown(wear: str, points: Points, normal: Points, seed: int) -> Tensor:
    """Return 0..1, how much of a kind of wear shows at surface points of one of its materials."""
    return WEARS[wear].shows(points, normal, seed * 16 + 5)


def worn(
    prop: Prop, colour: Tensor, gloss: Tensor, takes: Tensor, points: Points, normal: Points
) -> tuple[Tensor, Tensor]:
    """Return colours (N, 3) and gloss (N,) under the prop's wear.

    Args:
        prop: the prop; `words.wear` names the kind, "" returns the colours as they are.
        colour: unlit colours of its surface points.
        gloss: their gloss.
        takes: (N,) bool, whether the material there takes this wear.
        points: the points, normalised units.
        normal: their unit normals.
    """
    if not prop.words.wear:
        return colour, gloss
    kind = WEARS[prop.words.wear]
    there = shown(prop.words.wear, points, normal, prop.seed) * takes
    fine = 0.5 + 0.5 * _noise(points, 21.0, prop.seed * 16 + 9)
    first, second = (torch.tensor(c, device=colour.device) for c in kind.colours)
    over = torch.lerp(first, second, fine[:, None])
    mixed = torch.lerp(colour, over, (kind.strength * there)[:, None])
    return mixed, gloss * (1.0 - 0.9 * there)

"""Patterns of materials: what wood, stone or cloth show on their surface, in three dimensions.

A pattern is a function of the place in space (normalised units), so it has no seams and goes
through a solid as grain goes through wood. Courses of bricks and woven rows also look at the
normal, to know which way a wall runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from assets3d.props.sdf import Points, length2


@dataclass(frozen=True)
class Place:
    """Surface points and how the material lies there.

    Attributes:
        points: normalised units, three (N,) tensors.
        normal: unit normals, likewise.
        grain: 0, 1 or 2, the axis along which fibres run.
        seed: of the noise.
    """

    points: Points
    normal: Points
    grain: int
    seed: int

    def noise(self, frequency: float, salt: int = 0, along: float = 1.0) -> Tensor:
        """Return noise in -1..1, `frequency` cells per unit, `along` times that with the grain."""
        waves = [frequency] * 3
        waves[self.grain] *= along
        x, y, z = (p * w for p, w in zip(self.points, waves, strict=True))
        return value_noise((x, y, z), self.seed + salt)

    def across_wall(self) -> Tensor:
        """Return the level coordinate along a wall: x on walls that face z, z on those facing x."""
        sideways = self.normal[0].abs() > self.normal[2].abs()
        return torch.where(sideways, self.points[2], self.points[0])


#: A brightness factor (N,), and how much of the second colour shows, 0..1 (N,), or None.
Detail = tuple[Tensor, Tensor | None]
Pattern = Callable[[Place], Detail]


def value_noise(points: Points, seed: int) -> Tensor:
    """Return smooth noise in -1..1 with one lattice value per unit (integer hash, no tables)."""
    cells = [torch.floor(p) for p in points]
    blend = [p - c for p, c in zip(points, cells, strict=True)]
    bx, by, bz = (b * b * (3.0 - 2.0 * b) for b in blend)
    factors = (374761393, 668265263, 1274126177)
    ix, iy, iz = (c.to(torch.int32) * f for c, f in zip(cells, factors, strict=True))
    ix += seed * 362437 % 2**31
    planes = []
    for dx in (0, factors[0]):
        rows = []
        for dy in (0, factors[1]):
            near = ix + (dx + dy) + iy + iz
            low, high = _hashed(near), _hashed(near + factors[2])
            rows.append(torch.lerp(low, high, bz))
        planes.append(torch.lerp(rows[0], rows[1], by))
    return torch.lerp(planes[0], planes[1], bx).mul_(2.0 / 65535.0).sub_(1.0)


def _hashed(mixed: Tensor) -> Tensor:
    # Wrapping 32-bit products mix the cell's three numbers; 16 middle bits are used.
    mixed = (mixed ^ (mixed >> 13)) * 1103515245
    return ((mixed >> 9) & 0xFFFF).to(torch.float32)


def _plain(place: Place) -> Detail:
    return 1.0 + 0.06 * place.noise(3.0), None


def _ceramic(place: Place) -> Detail:
    return 1.0 + 0.05 * place.noise(3.0), None


def _paper(place: Place) -> Detail:
    """Fibres and brown stains."""
    stains = (0.6 * place.noise(4.0) - 0.1).clamp_(0.0, 0.3)
    return 1.0 + 0.05 * place.noise(28.0, 1, along=0.3), stains


def _wood(place: Place) -> Detail:
    """Growth rings round an axis beside the prop, bent by slow noise, and fine fibres."""
    u, v = (place.points[i] for i in range(3) if i != place.grain)
    rings = length2(u + 0.37, v - 0.21) * 11.0 + 1.6 * place.noise(5.0, along=0.25)
    ring = rings - torch.floor(rings)
    fibres = place.noise(34.0, 1, along=0.09)
    return 1.07 - 0.26 * ring * ring * ring + 0.11 * fibres, None


def _iron(place: Place) -> Detail:
    """Clouds, and scratches that run across each other."""
    x, y, z = place.points
    turned = ((x + 0.8 * y) * 20.0, (y - 0.8 * x) * 3.0, z * 20.0)
    scratch = (1.0 - 11.0 * value_noise(turned, place.seed + 1).abs()).clamp_min_(0.0)
    return 0.98 + 0.13 * place.noise(6.0) + 0.20 * scratch, None


def _gold(place: Place) -> Detail:
    """Hammer marks, warmer in the dents."""
    dents = place.noise(8.0)
    return 1.0 + 0.10 * dents, (-0.55 * dents).clamp_(0.0, 0.4)


def _silver(place: Place) -> Detail:
    """Fine brush strokes round the upright axis."""
    x, y, z = place.points
    brushed = value_noise((x * 4.0, y * 42.0, z * 4.0), place.seed)
    return 1.0 + 0.07 * brushed, None


def _copper(place: Place) -> Detail:
    """Darker clouds and first spots of verdigris."""
    clouds = place.noise(5.0)
    return 1.0 + 0.10 * clouds, ((place.noise(7.0, 1) - 0.45) * 3.0).clamp_(0.0, 0.5)


def _glass(place: Place) -> Detail:
    """Brighter upwards, with bubbles."""
    bubbles = ((place.noise(16.0) - 0.62) * 6.0).clamp_(0.0, 1.0)
    return 1.0 + 0.10 * place.points[1] + 0.16 * bubbles, None


def _stone(place: Place) -> Detail:
    """Two sizes of mottling, and dark specks."""
    coarse, fine = place.noise(8.0), place.noise(30.0, 1)
    specks = ((fine - 0.5) * 3.0).clamp_(0.0, 0.32)
    return 1.0 + 0.15 * coarse + 0.09 * fine, specks


def _marble(place: Place) -> Detail:
    """Dark veins where slow, folded noise passes through zero."""
    field = place.noise(3.2) + 0.42 * place.noise(9.0, 1)
    vein = (1.0 - 7.0 * field.abs()).clamp_min_(0.0)
    return 1.0 + 0.04 * field, 0.75 * vein


def _clay(place: Place) -> Detail:
    """The rings that a potter's fingers leave, and paler blooms."""
    rings = torch.sin(place.points[1] * 75.0 + 2.0 * place.noise(3.0))
    return 1.0 + 0.05 * rings, (0.8 * place.noise(6.0, 1) - 0.2).clamp_(0.0, 0.4)


def _bone(place: Place) -> Detail:
    """Long fine cracks and stains."""
    lines = (1.0 - 9.0 * place.noise(22.0, 1, along=0.15).abs()).clamp_min_(0.0)
    stains = (0.7 * place.noise(5.0)).clamp_(0.0, 0.45)
    return 1.0 - 0.10 * lines, stains


def _leather(place: Place) -> Detail:
    """A net of creases."""
    crease = (1.0 - 5.0 * place.noise(18.0).abs()).clamp_min_(0.0)
    return 1.03 + 0.07 * place.noise(5.0, 1) - 0.15 * crease, None


def _cloth(place: Place) -> Detail:
    """Threads over and under each other, whichever way the surface lies."""
    a, b, c = (torch.sin(p * 120.0) for p in place.points)
    weave = a * b + b * c + c * a
    return 1.0 + 0.065 * weave + 0.05 * place.noise(5.0), None


def _leaf(place: Place) -> Detail:
    coarse, fine = place.noise(7.0), place.noise(19.0, 1)
    return 1.0 + 0.12 * coarse + 0.10 * fine, None


def _foliage(place: Place) -> Detail:
    """Tufts of leaves with dark gaps between them."""
    gaps = (1.0 - 3.2 * place.noise(15.0).abs()).clamp_min_(0.0)
    return 1.08 + 0.16 * place.noise(24.0, 1) - 0.36 * gaps, None


def _wicker(place: Place) -> Detail:
    """Rows of withies that pass in front of and behind upright stakes."""
    row = place.points[1] * (1.0 / 0.075)
    stake = place.across_wall() * (math.pi / 0.10)
    over = torch.sin(stake + math.pi * torch.floor(row))
    round_row = torch.sin(math.pi * (row - torch.floor(row)))
    return 0.66 + 0.30 * round_row + 0.20 * over + 0.05 * place.noise(30.0), None


def _straw(place: Place) -> Detail:
    """Stalks along the grain."""
    return 1.0 + 0.22 * place.noise(40.0, along=0.1) + 0.10 * place.noise(12.0, 1, along=0.3), None


def _brick(place: Place) -> Detail:
    """Courses in half bond; each brick has its own shade."""
    return _courses(place, 0.155, 0.078, 0.10, 0.16)


def _tiles(place: Place) -> Detail:
    """Roof tiles in overlapping rows, dark below each edge."""
    shade, _ = _courses(place, 0.11, 0.085, 0.0, 0.14)
    row = place.points[1] / 0.085
    low = row - torch.floor(row)
    across = place.across_wall() / 0.11 + 0.5 * (torch.floor(row) % 2.0)
    joint = 2.0 * (across - torch.floor(across) - 0.5).abs()
    edge = (1.0 - 5.0 * low).clamp_min_(0.0) + ((joint - 0.86) * 5.0).clamp_min_(0.0)
    return shade * (1.06 - 0.30 * edge), None


def _courses(place: Place, long: float, tall: float, joint: float, varied: float) -> Detail:
    row = place.points[1] / tall
    level = torch.floor(row)
    column = place.across_wall() / long + 0.5 * (level % 2.0)
    number = torch.floor(column)
    # One lattice value a brick: noise at whole numbers is the hash itself.
    side = torch.floor(place.normal[0] * 1.4 + 0.5)
    own = value_noise((number, level, side), place.seed)
    to_joint = torch.minimum(
        0.5 - (row - level - 0.5).abs(), (0.5 - (column - number - 0.5).abs()) * (long / tall)
    )
    # Level surfaces, such as the top of a wall, show one face of stone.
    upright = place.normal[1].abs() < 0.75
    mortar = ((joint * 1.35 - to_joint) * 12.0).clamp_(0.0, 1.0) * upright
    shade = 1.0 + varied * own * upright + 0.05 * place.noise(20.0, 1)
    return shade, mortar


def _fur(place: Place) -> Detail:
    hairs, patches = place.noise(36.0, 1, along=0.18), place.noise(4.0)
    return 1.0 + 0.11 * hairs + 0.05 * patches, None


def _scales(place: Place) -> Detail:
    """Rows of round scales, offset by half from row to row."""
    across = (place.points[1] + place.points[2]) / 0.075
    row = place.points[0] / 0.06
    level = torch.floor(row)
    u = across + 0.5 * (level % 2.0)
    u = 2.0 * (u - torch.floor(u) - 0.5)
    edge = (row - level) - 0.55 * u * u
    return 0.96 + 0.18 * edge.clamp_(-0.5, 0.7), None


PATTERNS: dict[str, Pattern] = {
    "plain": _plain,
    "ceramic": _ceramic,
    "enamel": _ceramic,
    "paper": _paper,
    "wood": _wood,
    "iron": _iron,
    "gold": _gold,
    "silver": _silver,
    "copper": _copper,
    "glass": _glass,
    "stone": _stone,
    "marble": _marble,
    "clay": _clay,
    "bone": _bone,
    "leather": _leather,
    "cloth": _cloth,
    "leaf": _leaf,
    "foliage": _foliage,
    "wicker": _wicker,
    "straw": _straw,
    "brick": _brick,
    "tiles": _tiles,
    "fur": _fur,
    "scales": _scales,
}

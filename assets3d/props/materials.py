"""Named colours and materials: what a surface point of a prop looks like before lighting."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assets3d.props.prop import Part, Prop, Rgb
from assets3d.props.sdf import Points

#: The twelve colours that captions know, sRGB-encoded.
PALETTE: dict[str, Rgb] = {
    "red": (0.80, 0.15, 0.14),
    "orange": (0.94, 0.50, 0.12),
    "yellow": (0.96, 0.82, 0.22),
    "green": (0.30, 0.62, 0.24),
    "blue": (0.17, 0.38, 0.80),
    "purple": (0.50, 0.25, 0.68),
    "pink": (0.95, 0.54, 0.70),
    "brown": (0.46, 0.28, 0.16),
    "black": (0.17, 0.17, 0.19),
    "white": (0.93, 0.92, 0.89),
    "grey": (0.54, 0.55, 0.57),
    "turquoise": (0.17, 0.70, 0.68),
}


@dataclass(frozen=True)
class Material:
    """How a kind of surface varies and shines.

    Attributes:
        word: its adjective in captions ("wooden"), or "" where nobody would say it.
        colour: its natural colour, or None where it takes any.
        contrast: strength of the colour detail, a fraction of the base colour.
        gloss: strength of the painted highlight.
        frequency: detail waves per normalised unit, across the grain.
        streak: how much longer detail is along the grain than across.
    """

    word: str
    colour: Rgb | None
    contrast: float
    gloss: float
    frequency: float
    streak: float = 1.0


MATERIALS: dict[str, Material] = {
    "plain": Material("", None, 0.06, 0.10, 3.0),
    "ceramic": Material("", None, 0.05, 0.30, 3.0),
    "wood": Material("wooden", (0.62, 0.41, 0.22), 0.22, 0.04, 16.0, 7.0),
    "iron": Material("iron", (0.42, 0.44, 0.48), 0.14, 0.28, 9.0),
    "gold": Material("golden", (0.94, 0.72, 0.24), 0.10, 0.38, 5.0),
    "silver": Material("silver", (0.79, 0.81, 0.85), 0.06, 0.34, 5.0),
    "copper": Material("copper", (0.80, 0.47, 0.28), 0.10, 0.30, 5.0),
    "glass": Material("glass", None, 0.05, 0.50, 3.0),
    "stone": Material("stone", (0.60, 0.59, 0.56), 0.22, 0.02, 9.0),
    "leather": Material("leather", (0.45, 0.27, 0.15), 0.11, 0.08, 14.0),
    "cloth": Material("cloth", None, 0.10, 0.02, 22.0),
    "leaf": Material("", (0.33, 0.58, 0.22), 0.18, 0.06, 7.0),
}


def nearest_colour(colour: Rgb) -> str:
    """Return the palette name nearest to an sRGB colour."""
    return min(PALETTE, key=lambda name: math.dist(PALETTE[name], colour))


def value_noise(points: Points, seed: int) -> Tensor:
    """Return smooth noise in -1..1 with one lattice value per unit (integer hash, no tables)."""
    cells = [torch.floor(p) for p in points]
    blend = [p - c for p, c in zip(points, cells, strict=True)]
    blend = [b * b * (3.0 - 2.0 * b) for b in blend]
    ix, iy, iz = (c.to(torch.int32) for c in cells)
    total = torch.zeros_like(points[0])
    for dx in (0, 1):
        wx = blend[0] if dx else 1.0 - blend[0]
        for dy in (0, 1):
            wxy = wx * (blend[1] if dy else 1.0 - blend[1])
            for dz in (0, 1):
                value = _lattice(ix + dx, iy + dy, iz + dz, seed)
                total.addcmul_(wxy * (blend[2] if dz else 1.0 - blend[2]), value)
    return total


def _lattice(ix: Tensor, iy: Tensor, iz: Tensor, seed: int) -> Tensor:
    # Wrapping 32-bit products mix the cell's three numbers; the low 16 bits of the middle are used.
    mixed = ix * 374761393 + iy * 668265263 + iz * 1274126177 + (seed * 362437 % 2**31)
    mixed = (mixed ^ (mixed >> 13)) * 1103515245
    return ((mixed >> 9) & 0xFFFF).to(torch.float32) * (2.0 / 65535.0) - 1.0


def albedo(prop: Prop, points: Points, part_index: Tensor) -> tuple[Tensor, Tensor]:
    """Return the unlit sRGB colour (N, 3) in 0..1 and the gloss (N,) of surface points.

    Args:
        prop: the prop.
        points: surface points, normalised units, three (N,) tensors.
        part_index: (N,) int64, the part each point lies on.
    """
    colours = torch.zeros((len(part_index), 3), device=part_index.device)
    gloss = torch.zeros(len(part_index), device=part_index.device)
    local = prop.author_points(points)
    for number, part in enumerate(prop.parts):
        rows = (part_index == number).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        there, here = _selected(points, rows), _selected(local, rows)
        colour, shine = _part_albedo(part, there, here, prop.seed * 64 + number)
        colours[rows], gloss[rows] = colour, shine
    return colours, gloss


def _selected(points: Points, rows: Tensor) -> Points:
    x, y, z = points
    return x[rows], y[rows], z[rows]


def _part_albedo(part: Part, points: Points, local: Points, seed: int) -> tuple[Tensor, Tensor]:
    base = torch.tensor(part.colour, device=points[0].device)
    colour = base * _detail(part.material, points, part.grain, seed)[:, None]
    gloss = torch.full_like(points[0], MATERIALS[part.material].gloss)
    for paint in part.paint:
        inside = (paint.region(local) < 0.0)[:, None]
        material = paint.material or part.material
        second = torch.tensor(paint.colour, device=base.device)
        second = second * _detail(material, points, part.grain, seed + 7)[:, None]
        colour = torch.where(inside, second, colour)
        gloss = torch.where(inside[:, 0], MATERIALS[material].gloss, gloss)
    return colour.clamp_(0.0, 1.0), gloss


def _detail(material: str, points: Points, grain: str, seed: int) -> Tensor:
    """Return the (N,) brightness factor of a material's detail, about 1 on average."""
    kind = MATERIALS[material]
    waves = [kind.frequency] * 3
    waves["xyz".index(grain)] /= kind.streak
    x, y, z = (p * w for p, w in zip(points, waves, strict=True))
    noise = value_noise((x, y, z), seed)
    if kind.contrast >= 0.1:
        finer = value_noise((2.7 * x, 2.7 * y, 2.7 * z), seed + 1)
        noise = 0.65 * noise + 0.5 * finer
    return 1.0 + kind.contrast * noise

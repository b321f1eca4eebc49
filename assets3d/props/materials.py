"""Named colours and materials: what a surface point of a prop looks like before lighting."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import torch
from torch import Tensor

from assets3d.props.patterns import PATTERNS, Place
from assets3d.props.prop import Part, Prop, Rgb
from assets3d.props.sdf import Points
from assets3d.props.wear import WEARS, worn

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
    """How a kind of surface is called, coloured and shines; `patterns.PATTERNS` has its pattern.

    Attributes:
        word: its adjective in captions ("wooden"), or "" where nobody would say it.
        colour: its natural colour, or None where it takes any.
        gloss: strength of the painted highlight.
        second: colour of what its pattern shows besides (veins, joints, specks), or None.
    """

    word: str
    colour: Rgb | None
    gloss: float
    second: Rgb | None = None


MATERIALS: dict[str, Material] = {
    "plain": Material("", None, 0.10),
    "ceramic": Material("", None, 0.30),
    "enamel": Material("", None, 0.30),
    "paper": Material("paper", (0.93, 0.86, 0.68), 0.02, (0.70, 0.54, 0.32)),
    "wood": Material("wooden", (0.62, 0.41, 0.22), 0.04),
    "iron": Material("iron", (0.42, 0.44, 0.48), 0.28),
    "gold": Material("golden", (0.94, 0.72, 0.24), 0.38, (0.80, 0.48, 0.12)),
    "silver": Material("silver", (0.79, 0.81, 0.85), 0.34),
    "copper": Material("copper", (0.80, 0.47, 0.28), 0.30, (0.36, 0.62, 0.52)),
    "glass": Material("glass", None, 0.50),
    "stone": Material("stone", (0.60, 0.59, 0.56), 0.02, (0.36, 0.35, 0.34)),
    "marble": Material("marble", (0.90, 0.89, 0.87), 0.24, (0.42, 0.44, 0.50)),
    "clay": Material("clay", (0.74, 0.41, 0.27), 0.05, (0.86, 0.60, 0.44)),
    "bone": Material("bone", (0.90, 0.85, 0.72), 0.10, (0.72, 0.60, 0.42)),
    "leather": Material("leather", (0.45, 0.27, 0.15), 0.08),
    "cloth": Material("cloth", None, 0.02),
    "leaf": Material("", (0.33, 0.58, 0.22), 0.06),
    "foliage": Material("", (0.33, 0.58, 0.22), 0.05),
    "wicker": Material("wicker", (0.74, 0.54, 0.30), 0.04),
    "straw": Material("straw", (0.85, 0.70, 0.38), 0.03),
    "brick": Material("brick", (0.66, 0.32, 0.24), 0.02, (0.78, 0.75, 0.70)),
    "tiles": Material("", None, 0.06),
    "fur": Material("", None, 0.03),
    "scales": Material("", None, 0.28),
}


def nearest_colour(colour: Rgb) -> str:
    """Return the palette name nearest to an sRGB colour."""
    return min(PALETTE, key=lambda name: math.dist(PALETTE[name], colour))


def albedo(prop: Prop, points: Points, part_index: Tensor, normal: Points) -> tuple[Tensor, Tensor]:
    """Return the unlit sRGB colour (N, 3) in 0..1 and the gloss (N,) of surface points.

    Args:
        prop: the prop.
        points: surface points, normalised units, three (N,) tensors.
        part_index: (N,) int64, the part each point lies on.
        normal: their unit normals, three (N,) tensors.
    """
    colours = torch.zeros((len(part_index), 3), device=part_index.device)
    gloss = torch.zeros(len(part_index), device=part_index.device)
    takes = torch.zeros(len(part_index), dtype=torch.bool, device=part_index.device)
    wearing = WEARS[prop.words.wear].materials if prop.words.wear else frozenset()
    local = prop.author_points(points)
    for number, part in enumerate(prop.parts):
        rows = (part_index == number).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        place = Place(
            _selected(points, rows),
            _selected(normal, rows),
            "xyz".index(part.grain),
            prop.seed * 64 + number,
        )
        colours[rows], gloss[rows], takes[rows] = _part_albedo(
            part, place, _selected(local, rows), wearing
        )
    return worn(prop, colours, gloss, takes, points, normal)


def materials_taking(prop: Prop, points: Points, part_index: Tensor, materials: Set[str]) -> Tensor:
    """Return (N,) bool, whether each surface point is of one of the given materials."""
    takes = torch.zeros(len(part_index), dtype=torch.bool, device=part_index.device)
    local = prop.author_points(points)
    for number, part in enumerate(prop.parts):
        here = torch.full_like(takes, part.material in materials)
        for paint in part.paint:
            taken = (paint.material or part.material) in materials
            here = torch.where(paint.region(local) < 0.0, taken, here)
        takes = torch.where(part_index == number, here, takes)
    return takes


def _selected(points: Points, rows: Tensor) -> Points:
    x, y, z = points
    return x[rows], y[rows], z[rows]


def _part_albedo(
    part: Part, place: Place, local: Points, wearing: Set[str]
) -> tuple[Tensor, Tensor, Tensor]:
    colour = _coloured(part.material, part.colour, place)
    gloss = torch.full_like(local[0], MATERIALS[part.material].gloss)
    takes = torch.full_like(local[0], part.material in wearing, dtype=torch.bool)
    for paint in part.paint:
        rows = (paint.region(local) < 0.0).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        material = paint.material or part.material
        there = Place(
            _selected(place.points, rows),
            _selected(place.normal, rows),
            place.grain,
            place.seed + 7,
        )
        colour[rows] = _coloured(material, paint.colour, there)
        gloss[rows], takes[rows] = MATERIALS[material].gloss, material in wearing
    return colour.clamp_(0.0, 1.0), gloss, takes


def _coloured(material: str, colour: Rgb, place: Place) -> Tensor:
    """Return the (N, 3) colours that a material's pattern makes of a base colour."""
    factor, mix = PATTERNS[material](place)
    found = torch.tensor(colour, device=factor.device) * factor[:, None]
    second = MATERIALS[material].second
    if mix is not None and second is not None:
        found = torch.lerp(found, torch.tensor(second, device=factor.device), mix[:, None])
    return found

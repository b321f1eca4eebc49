"""Operators on signed-distance fields: combine, place and deform them."""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor

from assets3d.props.sdf import Field, Points, length2


def union(*fields: Field) -> Field:
    """Return everything that lies in any of the fields."""
    return lambda p: reduce(torch.minimum, (f(p) for f in fields))


def intersect(*fields: Field) -> Field:
    """Return what lies in all of the fields."""
    return lambda p: reduce(torch.maximum, (f(p) for f in fields))


def subtract(field: Field, *holes: Field) -> Field:
    """Return the field with holes cut out of it."""

    def cut(p: Points) -> Tensor:
        distance = field(p)
        for hole in holes:
            distance = torch.maximum(distance, -hole(p))
        return distance

    return cut


def smooth_union(blend: float, *fields: Field) -> Field:
    """Return the union with the seams filled over a width `blend` (polynomial minimum)."""

    def pair(a: Tensor, b: Tensor) -> Tensor:
        overlap = (blend - (a - b).abs()).clamp_min_(0.0)
        return torch.minimum(a, b) - overlap * overlap * (0.25 / blend)

    return lambda p: reduce(pair, (f(p) for f in fields))


def translate(field: Field, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Field:
    """Move a field."""
    return lambda p: field(
        (p[0] - x if x else p[0], p[1] - y if y else p[1], p[2] - z if z else p[2])
    )


def _turn(u: Tensor, v: Tensor, degrees: float) -> tuple[Tensor, Tensor]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (u * c).add_(v, alpha=s), (v * c).sub_(u, alpha=s)


def rotate_x(field: Field, degrees: float) -> Field:
    """Turn a field from +Y towards +Z."""

    def turned(p: Points) -> Tensor:
        y, z = _turn(p[1], p[2], degrees)
        return field((p[0], y, z))

    return turned


def rotate_y(field: Field, degrees: float) -> Field:
    """Turn a field from +Z towards +X (as azimuths of cameras)."""

    def turned(p: Points) -> Tensor:
        z, x = _turn(p[2], p[0], degrees)
        return field((x, p[1], z))

    return turned


def rotate_z(field: Field, degrees: float) -> Field:
    """Turn a field from +X towards +Y."""

    def turned(p: Points) -> Tensor:
        x, y = _turn(p[0], p[1], degrees)
        return field((x, y, p[2]))

    return turned


def scale(field: Field, factor: float) -> Field:
    """Scale a field about the origin."""
    return lambda p: field((p[0] / factor, p[1] / factor, p[2] / factor)) * factor


def mirror_x(field: Field) -> Field:
    """Repeat what lies at x > 0 on the other side."""
    return lambda p: field((p[0].abs(), p[1], p[2]))


def mirror_xz(field: Field) -> Field:
    """Repeat what lies at x > 0, z > 0 in all four quarters."""
    return lambda p: field((p[0].abs(), p[1], p[2].abs()))


def mirror_y(field: Field) -> Field:
    """Repeat what lies at y > 0 below."""
    return lambda p: field((p[0], p[1].abs(), p[2]))


def mirror_z(field: Field) -> Field:
    """Repeat what lies at z > 0 on the rear side."""
    return lambda p: field((p[0], p[1], p[2].abs()))


def flip_x(field: Field) -> Field:
    """Exchange left and right."""
    return lambda p: field((-p[0], p[1], p[2]))


def lying(field: Field) -> Field:
    """Turn the axis +Y of a field to +Z (a disc then faces the front)."""
    return lambda p: field((p[0], p[2], -p[1]))


def sideways(field: Field) -> Field:
    """Turn the axis +Y of a field to +X."""
    return lambda p: field((-p[1], p[0], p[2]))


def repeat_around(field: Field, count: int, phase_deg: float = 0.0) -> Field:
    """Repeat a field `count` times round +Y; the given one lies at +Z and fits its own sector."""
    sector = 2.0 * math.pi / count
    phase = math.radians(phase_deg)

    def repeated(p: Points) -> Tensor:
        angle = torch.atan2(p[0], p[2]) - phase
        angle = angle - sector * torch.round(angle / sector)
        rho = length2(p[0], p[2])
        return field((rho * torch.sin(angle), p[1], rho * torch.cos(angle)))

    return repeated


def inflate(field: Field, amount: float) -> Field:
    """Grow a field by `amount` on all sides, which also rounds its edges."""
    return lambda p: field(p) - amount


def shell(field: Field, thickness: float) -> Field:
    """Keep only a wall of the given thickness round the surface."""
    return lambda p: field(p).abs() - thickness / 2.0


def stretch(field: Field, y: float) -> Field:
    """Insert a straight piece of half length `y` in the middle (an exact way to lengthen)."""
    return lambda p: field((p[0], p[1] - p[1].clamp(-y, y), p[2]))


def squash(field: Field, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Field:
    """Scale each axis by its own factor; the distance shrinks with the smallest to stay safe."""
    smallest = min(x, y, z)
    return lambda p: field((p[0] / x, p[1] / y, p[2] / z)) * smallest


def wavy(field: Field, amount: float, frequency: float, phase: float = 0.0) -> Field:
    """Add gentle bumps of height `amount`; scaled so that the distance stays safe."""
    safety = 1.0 / (1.0 + amount * frequency * 1.2)

    def bumped(p: Points) -> Tensor:
        a = torch.sin(p[0] * frequency + phase)
        b = torch.sin(p[1] * (frequency * 0.9) + 1.7 * phase)
        c = torch.sin(p[2] * frequency + 2.3 * phase)
        return (field(p) + a.mul_(b).mul_(c).mul_(amount)) * safety

    return bumped


def ribbed(field: Field, amount: float, count: int) -> Field:
    """Press `count` grooves of depth `amount` into a body of revolution (pumpkin, cactus)."""

    def grooved(p: Points) -> Tensor:
        groove = torch.sin(torch.atan2(p[0], p[2]) * (count / 2.0)).abs_()
        near_axis = (length2(p[0], p[2]) / (6.0 * amount)).clamp_max_(1.0)
        return (field(p) + (1.0 - groove) * near_axis * amount) * 0.75

    return grooved

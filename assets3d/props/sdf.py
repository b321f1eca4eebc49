"""Signed-distance primitives: small functions that return fields over batches of points.

A *field* maps points, given as three equally shaped float tensors (x, y, z), to signed distances:
negative inside, at most the true distance outside (so sphere tracing never overshoots). Coordinates
are kept apart rather than in one (N, 3) tensor because contiguous columns are about twice as fast.
Lengths are in the author's units; a finished prop is normalised afterwards. Axis of revolution: +Y.
Closed forms follow J. C. Hart, "Sphere tracing" (1996), and elementary geometry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Points = tuple[Tensor, Tensor, Tensor]
Field = Callable[[Points], Tensor]
Profile = Callable[[Tensor, Tensor], Tensor]


def length2(u: Tensor, v: Tensor) -> Tensor:
    """Return sqrt(u² + v²), elementwise."""
    return torch.addcmul(u * u, v, v).sqrt_()


def length3(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Return sqrt(x² + y² + z²), elementwise."""
    return torch.addcmul(torch.addcmul(x * x, y, y), z, z).sqrt_()


def sphere(radius: float) -> Field:
    """Return a ball round the origin."""
    return lambda p: length3(*p) - radius


def ellipsoid(rx: float, ry: float, rz: float) -> Field:
    """Return an axis-aligned ellipsoid (first-order distance, kept below the true one)."""
    # |g| is the gradient length of k; k·(k−1)/|g| overestimates far from strongly flattened
    # ellipsoids, k−1 times the smallest radius never does: the smaller of both is safe.
    smallest = min(rx, ry, rz)

    def field(p: Points) -> Tensor:
        u, v, w = p[0] / rx, p[1] / ry, p[2] / rz
        k = length3(u, v, w).clamp_min_(1e-6)
        gradient = length3(u / rx, v / ry, w / rz).clamp_min_(1e-6 / smallest)
        first_order = k * (k - 1.0) / gradient
        return torch.where(
            k > 1.0, torch.minimum(first_order, (k - 1.0) * smallest * 2.0), first_order
        )

    return field


def box(hx: float, hy: float, hz: float, rounding: float = 0.0) -> Field:
    """Return a box of half sizes hx, hy, hz with rounded edges (the rounding lies inside)."""
    ax, ay, az = hx - rounding, hy - rounding, hz - rounding

    def field(p: Points) -> Tensor:
        qx, qy, qz = p[0].abs() - ax, p[1].abs() - ay, p[2].abs() - az
        inside = torch.maximum(torch.maximum(qx, qy), qz).clamp_max_(0.0)
        outside = length3(qx.clamp_min_(0.0), qy.clamp_min_(0.0), qz.clamp_min_(0.0))
        return outside.add_(inside).sub_(rounding)

    return field


def cylinder(radius: float, half_height: float, rounding: float = 0.0) -> Field:
    """Return an upright cylinder with rounded rims (the rounding lies inside)."""
    return revolve(rectangle(radius, half_height, rounding))


def tube(radius: float, thickness: float, half_height: float, rounding: float = 0.0) -> Field:
    """Return a hollow upright cylinder, open at both ends; `radius` is the middle of its wall."""
    wall = rectangle(thickness / 2.0, half_height, rounding)
    return lambda p: wall(length2(p[0], p[2]).sub_(radius), p[1])


def cone(bottom_radius: float, top_radius: float, half_height: float) -> Field:
    """Return an upright frustum; a radius of 0 gives a pointed cone. Exact."""
    dr, dy = top_radius - bottom_radius, 2.0 * half_height
    inverse = 1.0 / (dr * dr + dy * dy)

    def field(p: Points) -> Tensor:
        rho, y = length2(p[0], p[2]), p[1]
        radius = torch.where(y < 0.0, bottom_radius, top_radius)
        cap_u, cap_v = (rho - radius).clamp_min_(0.0), y.abs() - half_height
        u, v = rho - bottom_radius, y + half_height
        along = ((u * dr).add_(v, alpha=dy) * inverse).clamp_(0.0, 1.0)
        side = length2(u - along * dr, v - along * dy)
        inside = ((u * dy - v * dr) < 0.0) & (cap_v < 0.0)
        distance = torch.minimum(length2(cap_u, cap_v), side)
        return torch.where(inside, -distance, distance)

    return field


def capsule(start: Sequence[float], end: Sequence[float], radius: float) -> Field:
    """Return a rod with round ends between two points."""
    return tapered_capsule(start, end, radius, radius)


def tapered_capsule(
    start: Sequence[float], end: Sequence[float], start_radius: float, end_radius: float
) -> Field:
    """Return a rod whose radius changes linearly; scaled to stay below the true distance."""
    sx, sy, sz = start
    dx, dy, dz = (b - a for a, b in zip(start, end, strict=True))
    square = dx * dx + dy * dy + dz * dz
    slope = (end_radius - start_radius) / math.sqrt(square)
    # Along the rod the radius grows by `slope` per unit, so the gradient is that much too long.
    safety = 1.0 / math.sqrt(1.0 + slope * slope)

    def field(p: Points) -> Tensor:
        x, y, z = p[0] - sx, p[1] - sy, p[2] - sz
        along = ((x * dx).add_(y, alpha=dy).add_(z, alpha=dz) / square).clamp_(0.0, 1.0)
        distance = length3(x - along * dx, y - along * dy, z - along * dz)
        distance = distance - start_radius
        if slope:
            distance = (distance - along * (end_radius - start_radius)) * safety
        return distance

    return field


def torus(radius: float, tube_radius: float) -> Field:
    """Return a ring lying flat (its axis is +Y)."""
    return lambda p: length2(length2(p[0], p[2]).sub_(radius), p[1]) - tube_radius


def half_space(normal: Sequence[float], offset: float) -> Field:
    """Return everything behind the plane normal·p = offset (the normal is normalised here)."""
    size = math.sqrt(sum(v * v for v in normal))
    a, b, c = (v / size for v in normal)
    return lambda p: (p[0] * a).add_(p[1], alpha=b).add_(p[2], alpha=c).sub_(offset)


def convex(normals: Sequence[Sequence[float]], offsets: Sequence[float]) -> Field:
    """Return the intersection of half spaces: crystals, cut stones, blades."""
    planes = [half_space(n, o) for n, o in zip(normals, offsets, strict=True)]

    def field(p: Points) -> Tensor:
        distance = planes[0](p)
        for plane in planes[1:]:
            distance = torch.maximum(distance, plane(p))
        return distance

    return field


def circle(radius: float) -> Profile:
    """Return a disc in the plane."""
    return lambda u, v: length2(u, v) - radius


def rectangle(half_u: float, half_v: float, rounding: float = 0.0) -> Profile:
    """Return a rectangle in the plane, its corners rounded inwards."""
    au, av = half_u - rounding, half_v - rounding

    def profile(u: Tensor, v: Tensor) -> Tensor:
        qu, qv = u.abs() - au, v.abs() - av
        inside = torch.maximum(qu, qv).clamp_max_(0.0)
        return length2(qu.clamp_min_(0.0), qv.clamp_min_(0.0)).add_(inside).sub_(rounding)

    return profile


def polygon(corners: Sequence[tuple[float, float]]) -> Profile:
    """Return a simple polygon in the plane, exact; the sign comes from the crossing number.

    An edge that lies on the axis u = 0 closes the outline of a solid of revolution. It is no
    surface, so it counts for the sign only.
    """
    edges = [(corners[i - 1], corners[i]) for i in range(len(corners))]

    def profile(u: Tensor, v: Tensor) -> Tensor:
        nearest = torch.full_like(u, 1e12)
        inside = torch.zeros_like(u, dtype=torch.bool)
        for (au, av), (bu, bv) in edges:
            du, dv = bu - au, bv - av
            pu, pv = u - au, v - av
            if dv:
                crosses = (v >= av) != (v >= bv)
                inside ^= crosses & (pu < pv * (du / dv))
            if au == 0.0 and bu == 0.0:
                continue
            along = ((pu * du).add_(pv, alpha=dv) / (du * du + dv * dv)).clamp_(0.0, 1.0)
            pu, pv = pu.sub_(along, alpha=du), pv.sub_(along, alpha=dv)
            nearest = torch.minimum(nearest, torch.addcmul(pu * pu, pv, pv))
        distance = nearest.sqrt_()
        return torch.where(inside, -distance, distance)

    return profile


def smooth_outline(points: list[tuple[float, float]], pieces: int = 4) -> list[tuple[float, float]]:
    """Return a Catmull-Rom curve through the points, `pieces` straight pieces per span."""
    padded = [points[0], *points, points[-1]]
    curve = []
    for i in range(len(points) - 1):
        a, b, c, d = padded[i : i + 4]
        for k in range(pieces):
            t = k / pieces
            weights = (
                -0.5 * t + t * t - 0.5 * t**3,
                1 - 2.5 * t * t + 1.5 * t**3,
                0.5 * t + 2 * t * t - 1.5 * t**3,
                -0.5 * t * t + 0.5 * t**3,
            )
            u, v = (
                sum(w * q[j] for w, q in zip(weights, (a, b, c, d), strict=True)) for j in (0, 1)
            )
            curve.append((max(u, 0.05), v))
    return [*curve, points[-1]]


def star(points: int, outer: float, inner: float) -> Profile:
    """Return a star with one point up."""
    corners = []
    for k in range(2 * points):
        radius, angle = (outer, inner)[k % 2], math.pi * k / points
        corners.append((radius * math.sin(angle), radius * math.cos(angle)))
    return polygon(corners)


def revolve(profile: Profile) -> Field:
    """Spin a profile (u = distance from the axis, v = height) round +Y."""
    return lambda p: profile(length2(p[0], p[2]), p[1])


def extrude(profile: Profile, half_depth: float, rounding: float = 0.0) -> Field:
    """Give a profile in the x-y plane a depth along z, edges rounded outwards by `rounding`."""

    def field(p: Points) -> Tensor:
        flat = profile(p[0], p[1])
        depth = p[2].abs() - (half_depth - rounding)
        inside = torch.maximum(flat, depth).clamp_max_(0.0)
        return length2(flat.clamp_min(0.0), depth.clamp_min(0.0)).add_(inside).sub_(rounding)

    return field

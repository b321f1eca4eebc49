"""Light for props: mild and fixed in the world, because what is seen becomes the texture.

Nothing depends on where the camera stands, so that pictures of one prop agree with each other;
highlights are painted on, as in hand-painted game art.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from assets3d.props.prop import Prop
from assets3d.props.sdf import Points


@dataclass(frozen=True)
class Light:
    """A key light and a sky, both fixed in the world.

    Attributes:
        direction: towards the key light.
        key: brightness the key adds where it hits straight.
        sky: brightness of what faces up.
        ground: brightness of what faces down.
        key_tint: colour of the key light.
        shadow: 0..1, how much creases darken (ambient occlusion) and edges are brightened.
        gloss: factor on the painted highlights.
    """

    direction: tuple[float, float, float] = (0.35, 0.75, 0.56)
    key: float = 0.36
    sky: float = 0.76
    ground: float = 0.56
    key_tint: tuple[float, float, float] = (1.03, 1.0, 0.93)
    shadow: float = 1.0
    gloss: float = 1.0


LIGHTS: dict[str, Light | None] = {"studio": Light(), "unlit": None}


def shade(
    prop: Prop, points: Points, normal: Points, base: Tensor, gloss: Tensor, light: Light | None
) -> Tensor:
    """Return lit sRGB colours (N, 3) in 0..1; `light` None returns the base colours."""
    if light is None:
        return base
    length = sum(v * v for v in light.direction) ** 0.5
    lx, ly, lz = (v / length for v in light.direction)
    facing = (normal[0] * lx).add_(normal[1], alpha=ly).add_(normal[2], alpha=lz)
    ambient = (light.sky + light.ground) / 2.0 + normal[1] * ((light.sky - light.ground) / 2.0)
    if light.shadow:
        crease = _openness(prop, points, normal, 0.05)
        wide = _openness(prop, points, normal, 0.14)
        ambient = ambient * (1.0 - light.shadow * (0.30 * (1.0 - crease) + 0.22 * (1.0 - wide)))
        # Just below a sharp edge the field is shallower than the step: painters lighten edges.
        depth = -prop.distance(_moved(points, normal, -0.012)) / 0.012
        ambient = ambient + light.shadow * 0.10 * (1.0 - depth).clamp_(0.0, 1.0)
    key = (facing.clamp_min(0.0) * light.key)[:, None] * torch.tensor(
        light.key_tint, device=base.device
    )
    shine = (facing.clamp_min(0.0) ** 14 + 0.35 * facing.clamp_min(0.0) ** 3) * gloss
    lit = base * (ambient[:, None] + key) + (shine * light.gloss)[:, None] * (0.25 + 0.6 * base)
    return lit.clamp_(0.0, 1.0)


def _moved(points: Points, normal: Points, step: float) -> Points:
    x, y, z = (torch.add(p, n, alpha=step) for p, n in zip(points, normal, strict=True))
    return x, y, z


def _openness(prop: Prop, points: Points, normal: Points, step: float) -> Tensor:
    """Return 0..1, how free the space is a step above the surface (1: an open plane)."""
    return (prop.distance(_moved(points, normal, step)) / step).clamp_(0.0, 1.0)

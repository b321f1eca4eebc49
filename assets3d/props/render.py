"""Pictures of props from any camera: sphere tracing in torch, on the CPU or on CUDA.

Rays are traced through the middle of each pixel; only pixels on an edge get more samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assets3d.cameras import Cameras
from assets3d.props.materials import albedo
from assets3d.props.prop import Prop, field_normal
from assets3d.props.shading import LIGHTS, Light, shade
from assets3d.props.trace import Lens, lens_of, pixels_of_live_blocks, trace

#: Where an edge pixel is sampled, besides its centre: a rotated square.
EDGE_SAMPLES_PX = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))


@dataclass(frozen=True)
class PropRender:
    """V pictures of one prop.

    Attributes:
        rgba: (V, H, W, 4) uint8 sRGB, straight alpha, smooth edges; colour is 0 where alpha is.
        depth: (V, H, W) float32 distance along the camera's axis at the pixel centre, 0 = nothing.
        normal: (V, H, W, 3) float32 unit world normals at the pixel centre, 0 = nothing.
    """

    rgba: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]


def render_prop(
    prop: Prop,
    cameras: Cameras,
    *,
    light: Literal["studio", "unlit"] | Light = "studio",
    device: str | torch.device = "cpu",
) -> PropRender:
    """Draw a prop from V cameras that stand outside it.

    Args:
        prop: the prop; the world frame is that of its normalised units.
        cameras: V cameras; trace several at once, it costs less per picture.
        light: "studio" (mild, fixed in the world), "unlit" (plain surface colour) or a `Light`.
        device: where to compute.
    """
    with torch.inference_mode():
        rgba, depth, normal = render_tensors(prop, cameras, light=light, device=device)
        rgba = (rgba * 255.0 + 0.5).to(torch.uint8)
    return PropRender(rgba.cpu().numpy(), depth.cpu().numpy(), normal.cpu().numpy())


def render_tensors(
    prop: Prop,
    cameras: Cameras,
    *,
    light: Literal["studio", "unlit"] | Light = "studio",
    device: str | torch.device = "cpu",
) -> tuple[Tensor, Tensor, Tensor]:
    """Like `render_prop`, but return float32 tensors on `device`: rgba in 0..1, depth, normal."""
    lens = lens_of(cameras, device)
    lit_by = LIGHTS[light] if isinstance(light, str) else light
    count, height, width = len(cameras), lens.height, lens.width
    view, column, row, start = pixels_of_live_blocks(prop, lens)
    travel, near_miss = trace(prop, lens, view, column + 0.5, row + 0.5, start)
    hit = torch.isfinite(travel)
    pixel = (view * height + row.long()) * width + column.long()

    colour = torch.zeros((count * height * width, 3), device=device)
    alpha = torch.zeros(count * height * width, device=device)
    depth, part = torch.zeros_like(alpha), torch.full_like(alpha, -1.0)
    normal = torch.zeros_like(colour)
    seen = pixel[hit]
    lit, normals, parts, along = _surface(
        prop, lens, lit_by, view[hit], column[hit] + 0.5, row[hit] + 0.5, travel[hit]
    )
    colour[seen], alpha[seen], depth[seen] = lit, 1.0, along
    normal[seen], part[seen] = normals, parts.to(part.dtype)

    shape = (count, height, width)
    edge = _edges(
        colour.view(*shape, 3), depth.view(shape), normal.view(*shape, 3), part.view(shape)
    )
    edge.view(-1)[pixel[near_miss]] = True
    again = edge.view(-1)[pixel]
    samples = view[again], column[again], row[again], start[again]
    _soften(prop, lens, lit_by, colour, alpha, *samples)
    rgba = torch.cat([colour, alpha[:, None]], 1).view(*shape, 4)
    return rgba, depth.view(shape), normal.view(*shape, 3)


def _surface(
    prop: Prop,
    lens: Lens,
    light: Light | None,
    view: Tensor,
    column: Tensor,
    row: Tensor,
    travel: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return colour (N, 3), world normal (N, 3), part (N,) and depth (N,) of hit points."""
    origin, direction, cosine = lens.rays(view, column, row)
    x, y, z = (torch.addcmul(o, d, travel) for o, d in zip(origin, direction, strict=True))
    points = (x, y, z)
    normal = field_normal(prop.distance, points, 1.5e-3)
    part = prop.nearest_part(points)
    base, gloss = albedo(prop, points, part, normal)
    lit = shade(prop, points, normal, base, gloss, light)
    return lit, torch.stack(normal, 1), part, travel * cosine


def _edges(colour: Tensor, depth: Tensor, normal: Tensor, part: Tensor) -> Tensor:
    """Return the pixels (V, H, W) whose neighbourhood shows a silhouette, crease or colour edge."""
    edge = torch.zeros_like(part, dtype=torch.bool)
    for axis in (1, 2):
        length = part.shape[axis] - 1
        (c0, c1), (d0, d1), (n0, n1), (p0, p1), (e0, e1) = (
            (a.narrow(axis, 0, length), a.narrow(axis, 1, length))
            for a in (colour, depth, normal, part, edge)
        )
        differs = (p0 != p1) | ((d0 - d1).abs() > 0.05) | ((n0 * n1).sum(-1) < 0.7)
        differs |= (c0 - c1).abs().amax(-1) > 0.10
        # Two empty pixels have no normals to agree; only pairs that touch the prop count.
        differs &= (p0 >= 0) | (p1 >= 0)
        e0.logical_or_(differs)
        e1.logical_or_(differs)
    return edge


def _soften(
    prop: Prop,
    lens: Lens,
    light: Light | None,
    colour: Tensor,
    alpha: Tensor,
    view: Tensor,
    column: Tensor,
    row: Tensor,
    start: Tensor,
) -> None:
    """Average more samples into the given pixels of `colour` and `alpha`, in place."""
    if len(view) == 0:
        return
    pixel = (view * lens.height + row.long()) * lens.width + column.long()
    offsets = torch.tensor(EDGE_SAMPLES_PX, device=row.device)
    many = len(offsets)
    sub_view, sub_start = view.repeat(many), start.repeat(many)
    sub_column = (column + 0.5 + offsets[:, :1]).reshape(-1)
    sub_row = (row + 0.5 + offsets[:, 1:]).reshape(-1)
    travel, _ = trace(prop, lens, sub_view, sub_column, sub_row, sub_start)
    hit = torch.isfinite(travel)
    lit = torch.zeros((len(travel), 4), device=row.device)
    found, *_ = _surface(
        prop, lens, light, sub_view[hit], sub_column[hit], sub_row[hit], travel[hit]
    )
    lit[hit] = torch.cat([found, torch.ones_like(found[:, :1])], 1)
    total = lit.view(many, -1, 4).sum(0)
    total += torch.cat([colour[pixel], torch.ones_like(alpha[pixel, None])], 1) * alpha[pixel, None]
    colour[pixel] = total[:, :3] / total[:, 3:].clamp_min(1.0)
    alpha[pixel] = total[:, 3] / (many + 1.0)

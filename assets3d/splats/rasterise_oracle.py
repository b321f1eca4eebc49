"""The rasteriser in plain torch operations: slow, any dtype, differentiated by autograd.

It is the definition that the other back ends are tested against, so it is written to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from assets3d.splats.rasterise import Raster, View

#: numbers per (pixels, Gaussians) array
_CHUNK = 4_000_000


class Ellipses(NamedTuple):
    """Gaussians on the screen, nearest first: mean (M, 2) px, conic (M, 3), the rest (M,)."""

    mean: torch.Tensor
    conic: torch.Tensor
    depth: torch.Tensor
    opacity: torch.Tensor
    order: torch.Tensor


def draw(
    values: torch.Tensor, features: torch.Tensor, view: View, near: float, max_alpha: float
) -> Raster:
    """Draw every Gaussian at every pixel; see `rasterise` for the meaning."""
    from assets3d.splats.rasterise import Raster

    ellipses = project(values, view, near)
    blended = torch.cat([features[ellipses.order].to(values.dtype), ellipses.depth[:, None]], dim=1)
    rows = []
    for pixels in _pixel_chunks(view, len(ellipses.depth), values):
        weights = blend_weights(ellipses, pixels, max_alpha)
        rows.append(torch.cat([weights @ blended, weights.sum(dim=1, keepdim=True)], dim=1))
    picture = torch.cat(rows).reshape(view.height, view.width, -1)
    return Raster(picture[..., :-2], picture[..., -1], picture[..., -2])


def count_pairs(values: torch.Tensor, view: View, near: float, max_alpha: float) -> int:
    """Return how many (pixel, Gaussian) pairs add to the picture."""
    with torch.no_grad():
        ellipses = project(values, view, near)
        chunks = _pixel_chunks(view, len(ellipses.depth), values)
        return sum(int((blend_weights(ellipses, p, max_alpha) > 0).sum()) for p in chunks)


def decision_pixels(
    values: torch.Tensor, view: View, near: float, max_alpha: float
) -> torch.Tensor:
    """Return the (H, W) mask of pixels where rounding decides: alpha at the cut, T at the stop."""
    from assets3d.splats.rasterise import SEMANTICS

    with torch.no_grad():
        ellipses = project(values, view, near)
        parts = []
        for pixels in _pixel_chunks(view, len(ellipses.depth), values):
            raw = falloff(ellipses, pixels)
            at_cut = (raw / SEMANTICS.alpha_cut - 1.0).abs() < 1e-4
            alpha = torch.where(raw < SEMANTICS.alpha_cut, 0.0, raw.clamp(max=max_alpha))
            through = torch.cumprod(1.0 - alpha, dim=1)
            at_stop = (through / SEMANTICS.transmittance_stop - 1.0).abs() < 1e-3
            parts.append((at_cut | at_stop).any(dim=1))
        return torch.cat(parts).reshape(view.height, view.width)


def project(values: torch.Tensor, view: View, near: float) -> Ellipses:
    """Project Gaussians to screen ellipses: EWA splatting with the clamped Jacobian."""
    from assets3d.splats.rasterise import SEMANTICS

    matrix = torch.tensor(view.rows, dtype=values.dtype, device=values.device)
    rotation, shift = matrix[:, :3], matrix[:, 3]
    camera_position = values[:, 0:3] @ rotation.T + shift
    kept = torch.nonzero(camera_position[:, 2] > near)[:, 0]
    kept = kept[torch.argsort(camera_position[kept, 2], stable=True)]
    values, (x, y, z) = values[kept], camera_position[kept].T
    margin_x = SEMANTICS.field_margin * 0.5 * view.width / view.fx
    margin_y = SEMANTICS.field_margin * 0.5 * view.height / view.fy
    tx = (x / z).clamp(-view.cx / view.fx - margin_x, (view.width - view.cx) / view.fx + margin_x)
    ty = (y / z).clamp(-view.cy / view.fy - margin_y, (view.height - view.cy) / view.fy + margin_y)
    zero = torch.zeros_like(z)
    jacobian = torch.stack(
        [
            torch.stack([view.fx / z, zero, -view.fx * tx / z], dim=-1),
            torch.stack([zero, view.fy / z, -view.fy * ty / z], dim=-1),
        ],
        dim=1,
    )
    axes = rotation_matrices(values[:, 7:11]) * values[:, None, 4:7]
    screen_axes = jacobian @ rotation @ axes
    blur = SEMANTICS.blur_px2 * torch.eye(2, dtype=values.dtype, device=values.device)
    covariance = screen_axes @ screen_axes.transpose(1, 2) + blur
    xx, xy, yy = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    determinant = xx * yy - xy * xy
    conic = torch.stack([yy, -xy, xx], dim=1) / determinant[:, None]
    mean = torch.stack([view.fx * x / z + view.cx, view.fy * y / z + view.cy], dim=1)
    return Ellipses(mean, conic, z, values[:, 3], kept)


def rotation_matrices(quaternions: torch.Tensor) -> torch.Tensor:
    """Return (N, 3, 3) rotations of (N, 4) quaternions w, x, y, z of any length."""
    w, x, y, z = torch.nn.functional.normalize(quaternions, dim=1).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)


def falloff(ellipses: Ellipses, pixels: torch.Tensor) -> torch.Tensor:
    """Return (P, M) opacity * exp(-quadratic / 2) at pixel centres (P, 2)."""
    dx, dy = (pixels[:, None, :] - ellipses.mean).unbind(dim=-1)
    a, b, c = ellipses.conic.T
    return ellipses.opacity * torch.exp(-0.5 * (a * dx * dx + c * dy * dy) - b * dx * dy)


def blend_weights(ellipses: Ellipses, pixels: torch.Tensor, max_alpha: float) -> torch.Tensor:
    """Return (P, M): alpha times the transmittance before it, zero where it does not count."""
    from assets3d.splats.rasterise import SEMANTICS

    raw = falloff(ellipses, pixels)
    alpha = torch.where(raw < SEMANTICS.alpha_cut, 0.0, raw.clamp(max=max_alpha))
    through = torch.cumprod(1.0 - alpha, dim=1)
    before = torch.roll(through, 1, dims=1)
    before[:, :1] = 1.0
    return torch.where(through > SEMANTICS.transmittance_stop, alpha * before, 0.0)


def _pixel_chunks(view: View, count: int, like: torch.Tensor) -> tuple[torch.Tensor, ...]:
    rows = torch.arange(view.height, dtype=like.dtype, device=like.device)
    columns = torch.arange(view.width, dtype=like.dtype, device=like.device)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    pixels = torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5
    return pixels.split(max(1, _CHUNK // max(count, 1)))

"""Gradient descent on Gaussians: raw tensors, Adam, losses against posed pictures, priors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.splats.gaussians import Gaussians
from assets3d.splats.rasterise import rasterise
from assets3d.views.posed import Views

if TYPE_CHECKING:
    from torch import Tensor

#: Raw opacity and colour keep this far from 0 and 1, where a logit has no gradient.
_OPACITY_MARGIN = 1e-3


@dataclass(frozen=True)
class Settings:
    """Step sizes and priors of a fit; lengths are in units of the splats' spacing.

    Attributes:
        position_rate: step size of positions at the start, as a part of the spacing.
        opacity_rate: of the opacity's logit.
        scale_rate: of the scale's logarithm.
        rotation_rate: of the quaternion.
        colour_rate: of the colour.
        final_rate: all step sizes fall to this part of themselves, exponentially.
        alpha_weight: of the alpha loss beside the colour loss.
        anchor_weight: pull back to where the splat started.
        clear_weight: push of the opacity towards 0 or 1, in the second half.
        largest_scale: upper limit of every standard deviation.
        smallest_scale: lower limit.
        front_share: share of the steps that look at the fixed front view, where there is one.
    """

    position_rate: float = 0.06
    opacity_rate: float = 0.03
    scale_rate: float = 0.01
    rotation_rate: float = 0.01
    colour_rate: float = 0.012
    final_rate: float = 0.1
    alpha_weight: float = 0.5
    anchor_weight: float = 0.0
    clear_weight: float = 0.002
    largest_scale: float = 4.0
    smallest_scale: float = 0.05
    front_share: float = 0.4

    def changed(self, **values: float) -> Settings:
        """Return a copy with other values."""
        return replace(self, **values)


class Adam:
    """Adam (Kingma and Ba 2015) on one (N, 14) tensor with one step size per column."""

    def __init__(self, values: Tensor, rates: Tensor) -> None:
        self._rates = rates
        self._mean = torch.zeros_like(values)
        self._square = torch.zeros_like(values)
        self._count = 0

    def step(self, values: Tensor, gradient: Tensor, factor: float) -> None:
        """Move `values` in place against the gradient; all step sizes are scaled by `factor`."""
        self._count += 1
        self._mean.lerp_(gradient, 0.1)
        self._square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        correction = (1.0 - 0.999**self._count) ** 0.5
        size = -factor * correction / (1.0 - 0.9**self._count)
        update = self._mean / (self._square.sqrt() + 1e-15 * correction)
        values.addcmul_(update, self._rates, value=size)


def optimise(
    start: Gaussians,
    views: Views,
    *,
    steps: int,
    seed: int,
    spacing: float,
    settings: Settings | None = None,
    front: int | None = None,
    fixed_colour: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> Gaussians:
    """Fit Gaussians to the views, one view per step, on a random background colour each.

    `fixed_colour` (N,) marks splats that keep their colour: a view that only grazes them, or peeps
    through a gap, would teach them a wrong one. Deterministic: the rasteriser is bit-identical on
    any number of threads and the order of views comes from `seed`.
    """
    settings = settings or Settings()
    raw = raw_from_values(start.tensor())
    anchor = raw[:, 0:3].clone()
    kept = None if fixed_colour is None else torch.from_numpy(fixed_colour)
    optimiser = Adam(raw, _rates(settings, spacing))
    rng = np.random.default_rng(seed)
    order = _view_order(len(views), steps, front, settings.front_share, rng)
    targets = torch.from_numpy(views.rgba.astype(np.float32) / 255.0)
    limits = (
        float(np.log(settings.smallest_scale * spacing)),
        float(np.log(settings.largest_scale * spacing)),
    )
    for step, view in enumerate(order):
        raw.requires_grad_(True)
        background = torch.from_numpy(rng.uniform(0.0, 1.0, 3).astype(np.float32))
        values = values_from_raw(raw)
        raster = rasterise(values, None, views.cameras[view], threads=threads)
        loss = picture_loss(
            raster.features, raster.alpha, targets[view], background, settings.alpha_weight
        )
        loss = loss + _priors(values, anchor, settings, spacing, step / steps)
        (gradient,) = torch.autograd.grad(loss, raw)
        raw = raw.detach()
        if kept is not None:
            gradient[kept, 11:14] = 0.0
        optimiser.step(raw, gradient, settings.final_rate ** (step / steps))
        raw[:, 4:7].clamp_(*limits)
        raw[:, 11:14].clamp_(0.0, 1.0)
    fitted = values_from_raw(raw).numpy()
    return Gaussians(np.ascontiguousarray(fitted, dtype=np.float32))


def picture_loss(
    features: Tensor, alpha: Tensor, target: Tensor, background: Tensor, alpha_weight: float
) -> Tensor:
    """Mean absolute difference on a background, plus that of alpha.

    `features` (H, W, 3) premultiplied, `alpha` (H, W), `target` (H, W, 4) straight, 0..1.
    """
    wanted_alpha = target[..., 3]
    difference = features - target[..., :3] * wanted_alpha[..., None]
    missing = alpha - wanted_alpha
    colour = (difference - missing[..., None] * background).abs().mean()
    return colour + alpha_weight * missing.abs().mean()


def raw_from_values(values: Tensor) -> Tensor:
    """Return pre-activation (N, 14): logit opacity, log scale, the rest as it is."""
    opacity = values[:, 3:4].clamp(_OPACITY_MARGIN, 1.0 - _OPACITY_MARGIN)
    return torch.cat(
        [values[:, 0:3], torch.logit(opacity), values[:, 4:7].log(), values[:, 7:14]], dim=1
    )


def values_from_raw(raw: Tensor) -> Tensor:
    """Return post-activation (N, 14); the inverse of `raw_from_values`, quaternions normalised."""
    return torch.cat(
        [
            raw[:, 0:3],
            torch.sigmoid(raw[:, 3:4]),
            raw[:, 4:7].exp(),
            torch.nn.functional.normalize(raw[:, 7:11], dim=1),
            raw[:, 11:14],
        ],
        dim=1,
    )


def _rates(settings: Settings, spacing: float) -> Tensor:
    return torch.tensor(
        [settings.position_rate * spacing] * 3
        + [settings.opacity_rate]
        + [settings.scale_rate] * 3
        + [settings.rotation_rate] * 4
        + [settings.colour_rate] * 3
    )


def _priors(
    values: Tensor, anchor: Tensor, settings: Settings, spacing: float, progress: float
) -> Tensor:
    total = values.new_zeros(())
    if settings.anchor_weight > 0.0:
        moved = (values[:, 0:3] - anchor) / spacing
        total = total + settings.anchor_weight * (moved * moved).sum(dim=1).mean()
    if settings.clear_weight > 0.0 and progress > 0.5:
        opacity = values[:, 3]
        total = total + settings.clear_weight * (opacity * (1.0 - opacity)).mean()
    return total


def _view_order(
    count: int, steps: int, front: int | None, front_share: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return one view per step: every view once per round in random order, the front more often."""
    rounds = max(-(-steps // count), 1)
    order = np.concatenate([rng.permutation(count) for _ in range(rounds)])[:steps]
    if front is not None:
        order[rng.uniform(size=steps) < front_share] = front
    return order

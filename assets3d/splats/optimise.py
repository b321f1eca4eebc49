"""Gradient descent on Gaussians: losses against posed pictures, priors, Adam.

Gaussians are changed as raw values: the opacity's logit, the scales' logarithms, quaternions of any
length. Drawing, loss and step each run in the C++ kernel; between them is nothing but this order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from assets3d.native.descent import DescentStruct, activate, descend, picture_gradient
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.rasterise import MAX_ALPHA, NEAR, view_of
from assets3d.splats.rasterise_native import draw_and_pull_back
from assets3d.views.posed import Views

#: Raw opacity and colour keep this far from 0 and 1, where a logit has no gradient.
_OPACITY_MARGIN = 1e-3
#: Of Adam (Kingma and Ba 2015): decay of mean and mean square, and what keeps its root from 0.
_MEAN_DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-15


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
    through a gap, would teach them a wrong one. Deterministic: the kernel is bit-identical on any
    number of threads and the order of views comes from `seed`.
    """
    settings, threads = settings or Settings(), threads or os.cpu_count() or 1
    raw = raw_from_values(start.values)
    values = activate(raw, threads)
    anchor = np.ascontiguousarray(raw[:, 0:3])
    moments = np.zeros_like(raw), np.zeros_like(raw)
    rng = np.random.default_rng(seed)
    order = _view_order(len(views), steps, front, settings.front_share, rng)
    seen = [view_of(views.cameras[view]) for view in range(len(views))]
    targets = views.rgba.astype(np.float32) / np.float32(255.0)
    for step, view in enumerate(order):
        background = rng.uniform(0.0, 1.0, 3).astype(np.float32)
        upstream = partial(
            picture_gradient,
            target=targets[view],
            background=background,
            alpha_weight=settings.alpha_weight,
            threads=threads,
        )
        gradient = draw_and_pull_back(values, seen[view], NEAR, MAX_ALPHA, threads, upstream)
        sizes = _step(settings, spacing, len(raw), step, steps)
        descend(raw, values, gradient, anchor, fixed_colour, moments, sizes, threads)
    return Gaussians(values)


def raw_from_values(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pre-activation (N, 14): logit opacity, log scale, the rest as it is."""
    raw = np.array(values, dtype=np.float32)
    opacity = raw[:, 3].clip(_OPACITY_MARGIN, 1.0 - _OPACITY_MARGIN)
    raw[:, 3] = np.log(opacity / (1.0 - opacity))
    raw[:, 4:7] = np.log(raw[:, 4:7])
    return raw


def _step(settings: Settings, spacing: float, count: int, step: int, steps: int) -> DescentStruct:
    """Return sizes and priors of one step of `steps`, counted from 0."""
    progress = step / steps
    correction = (1.0 - _SQUARE_DECAY ** (step + 1)) ** 0.5
    size = settings.final_rate**progress * correction / (1.0 - _MEAN_DECAY ** (step + 1))
    rates = np.array(
        [settings.position_rate * spacing] * 3
        + [settings.opacity_rate]
        + [settings.scale_rate] * 3
        + [settings.rotation_rate] * 4
        + [settings.colour_rate] * 3
    )
    return DescentStruct(
        tuple(size * rates),
        mean_rate=1.0 - _MEAN_DECAY,
        square_rate=1.0 - _SQUARE_DECAY,
        epsilon=_EPSILON * correction,
        anchor=2.0 * settings.anchor_weight / (spacing**2 * count),
        clear=settings.clear_weight / count if progress > 0.5 else 0.0,
        low=float(np.log(settings.smallest_scale * spacing)),
        high=float(np.log(settings.largest_scale * spacing)),
    )


def _view_order(
    count: int, steps: int, front: int | None, front_share: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return one view per step: every view once per round in random order, the front more often."""
    rounds = max(-(-steps // count), 1)
    order = np.concatenate([rng.permutation(count) for _ in range(rounds)])[:steps]
    if front is not None:
        order[rng.uniform(size=steps) < front_share] = front
    return order

"""The kernel's steps against the same mathematics written in torch, with automatic gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assets3d.cameras import orbit_cameras
from assets3d.native.descent import activate, descend, picture_gradient
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.optimise import Settings, _step, optimise, raw_from_values
from assets3d.views.posed import Views
from tests.splats.solids import ball, render_solid

SPACING = 0.05
CAMERAS = orbit_cameras([0.0, 120.0, 240.0], [0.0, 10.0, 20.0], 32)


def some(count: int = 700) -> Gaussians:
    rng = np.random.default_rng(0)
    quaternion = rng.normal(size=(count, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    parts = [
        rng.uniform(-0.5, 0.5, (count, 3)),
        rng.uniform(0.05, 0.95, (count, 1)),
        rng.uniform(0.02, 0.08, (count, 3)),
        quaternion,
        rng.uniform(0.1, 0.9, (count, 3)),
    ]
    return Gaussians(np.concatenate(parts, 1).astype(np.float32))


def values_of(raw: torch.Tensor) -> torch.Tensor:
    turned = torch.nn.functional.normalize(raw[:, 7:11], dim=1)
    parts = raw[:, 0:3], torch.sigmoid(raw[:, 3:4]), raw[:, 4:7].exp(), turned, raw[:, 11:14]
    return torch.cat(parts, dim=1)


def test_raw_values_and_back():
    values = some().values
    np.testing.assert_allclose(activate(raw_from_values(values), 2), values, atol=1e-6)


def test_the_losss_gradient_is_torchs():
    rng = np.random.default_rng(1)
    drawn, target = rng.uniform(size=(2, 24, 20, 4)).astype(np.float32)
    features, alpha = np.ascontiguousarray(drawn[..., :3]), np.ascontiguousarray(drawn[..., 3])
    background = rng.uniform(size=3).astype(np.float32)
    f, a = torch.from_numpy(features).requires_grad_(), torch.from_numpy(alpha).requires_grad_()
    wanted = torch.from_numpy(target)
    missing = a - wanted[..., 3]
    difference = f - wanted[..., :3] * wanted[..., 3:]
    colour = (difference - missing[..., None] * torch.from_numpy(background)).abs().mean()
    (colour + 0.5 * missing.abs().mean()).backward()
    to_features, to_alpha = picture_gradient(features, alpha, target, background, 0.5, 2)
    np.testing.assert_allclose(to_features, f.grad.numpy(), atol=1e-9)
    np.testing.assert_allclose(to_alpha, a.grad.numpy(), atol=1e-9)


@pytest.mark.parametrize("step", [1, 7])
def test_steps_are_those_of_adam_on_loss_and_priors(step):
    """Late steps: the push of opacities is on, moments are not zero."""
    settings = Settings(anchor_weight=0.02, final_rate=0.3)
    given = some()
    rng = np.random.default_rng(2)
    kept = rng.uniform(size=len(given)) < 0.3
    slopes = rng.normal(scale=1e-4, size=(step, *given.values.shape)).astype(np.float32)
    raw = raw_from_values(given.values)
    values, anchor = activate(raw, 1), raw[:, :3].copy()
    moments = np.zeros_like(raw), np.zeros_like(raw)

    rates = [settings.position_rate * SPACING] * 3 + [settings.opacity_rate]
    rates += [settings.scale_rate] * 3 + [settings.rotation_rate] * 4
    columns = [torch.from_numpy(raw[:, [k]].copy()).requires_grad_() for k in range(14)]
    rates += [settings.colour_rate] * 3
    adam = torch.optim.Adam(
        [{"params": [column], "lr": 1.0} for column in columns], betas=(0.9, 0.999), eps=1e-15
    )
    for number in range(step):
        sizes = _step(settings, SPACING, len(raw), number, step)
        gradient = slopes[number].copy()
        descend(raw, values, gradient, anchor, kept, moments, sizes, 2)

        progress = number / step
        now = values_of(torch.cat(columns, 1))
        loss = (now * torch.from_numpy(slopes[number])).sum()
        moved = (now[:, 0:3] - torch.from_numpy(anchor)) / SPACING
        loss = loss + settings.anchor_weight * moved.square().sum(1).mean()
        if progress > 0.5:
            loss = loss + settings.clear_weight * (now[:, 3] * (1.0 - now[:, 3])).mean()
        adam.zero_grad()
        loss.backward()
        for k in (11, 12, 13):
            columns[k].grad[kept] = 0.0
        for rate, group in zip(rates, adam.param_groups, strict=True):
            group["lr"] = rate * settings.final_rate**progress
        adam.step()
        with torch.no_grad():
            for k in (4, 5, 6):
                columns[k].clamp_(np.log(0.05 * SPACING), np.log(4.0 * SPACING))
            for k in (11, 12, 13):
                columns[k].clamp_(0.0, 1.0)
    wanted = values_of(torch.cat(columns, 1)).detach().numpy()
    np.testing.assert_allclose(values, wanted, atol=2e-5)
    assert np.abs(values - given.values).max() > 0.005
    np.testing.assert_array_equal(values[kept, 11:], given.values[kept, 11:])


def test_threads_change_nothing_and_steps_bring_the_pictures_nearer():
    views = render_solid(ball(0.4), CAMERAS)
    runs = [
        optimise(some(), views, steps=150, seed=0, spacing=SPACING, threads=threads)
        for threads in (1, 3)
    ]
    assert runs[0].values.tobytes() == runs[1].values.tobytes()
    few = optimise(some(), views, steps=2, seed=0, spacing=SPACING)
    assert distance(runs[0], views) < 0.6 * distance(few, views)


def distance(found: Gaussians, views: Views) -> float:
    from assets3d.splats.preview import render_rgba

    drawn, _ = render_rgba(found, views.cameras)
    return float(np.abs(drawn[..., 3] - views.rgba[..., 3] / 255.0).mean())

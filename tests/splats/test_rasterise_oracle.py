"""The native rasteriser draws and differentiates what the float64 oracle defines."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assets3d.cameras import Cameras, orbit_cameras
from assets3d.splats import rasterise_native, rasterise_oracle
from assets3d.splats.rasterise import rasterise, view_of
from tests.splats.rasters import MAX_ALPHA, NEAR, gradients, one, shell, upstream_like

PARTS = {
    "position": slice(0, 3),
    "opacity": slice(3, 4),
    "scale": slice(4, 7),
    "rotation": slice(7, 11),
    "rgb": slice(11, 14),
}


def compare(values: torch.Tensor, camera: Cameras, channels: int = 0, background=None) -> None:
    """Masked agreement of picture and gradients with the oracle."""
    rng = torch.Generator().manual_seed(7)
    features = None
    if channels:
        features = torch.rand((len(values), channels), generator=rng).double().requires_grad_()
    exact = values.clone().requires_grad_()
    wanted = rasterise(exact, features, camera, backend="torch", background=background)
    single = values.float().requires_grad_()
    single_features = None if features is None else features.detach().float().requires_grad_()
    found = rasterise(single, single_features, camera, backend="native", background=background)
    decides = rasterise_oracle.decision_pixels(values, view_of(camera), NEAR, MAX_ALPHA)
    mask = ~decides
    assert mask.float().mean() > 0.98
    for a, b in zip(wanted, found, strict=True):
        error = (a - b).detach().abs()
        assert (error * (mask[..., None] if a.ndim == 3 else mask)).max() <= 1e-5
    upstream = upstream_like(wanted, mask)
    exact_inputs = [exact] if features is None else [exact, features]
    single_inputs = [single] if features is None else [single, single_features]
    wanted_gradients = gradients(wanted, upstream, exact_inputs)
    found_gradients = gradients(found, upstream, single_inputs)
    for name, columns in PARTS.items():
        a, b = wanted_gradients[0][:, columns], found_gradients[0][:, columns].double()
        assert (a - b).norm() <= 1e-4 * a.norm() + 1e-7, name
    if features is not None:
        a, b = wanted_gradients[1], found_gradients[1].double()
        assert (a - b).norm() <= 1e-4 * a.norm(), "features"


def test_agrees_with_the_oracle_on_every_instruction_set(isa):
    compare(shell(500), orbit_cameras(30, 20, 96), background=(1.0, 0.5, 0.2))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7, 8, 9, 17])
def test_any_number_of_features(channels):
    compare(shell(120), orbit_cameras(10, 5, 40), channels, tuple([0.5] * channels))


def test_sizes_that_are_no_multiple_of_the_tile(isa):
    poses = orbit_cameras(200, -15, 64).world_from_camera
    for width, height in ((1, 1), (17, 33), (50, 16), (31, 47)):
        focal = 1.1 * max(width, height)
        camera = Cameras(poses, np.array([[focal, focal, width / 2, height / 2]]), width, height)
        compare(shell(150, seed=width), camera)


def test_anisotropy():
    values = torch.cat([one(scale=(0.3, 0.01, 0.05), rotation=(0.9, 0.1, -0.3, 0.5))] * 2)
    values[1, :3] = torch.tensor([0.1, -0.05, 0.2])
    compare(values, orbit_cameras(25, 35, 48))


def test_field_of_view_clamp():
    """Gaussians far to the side and big enough to be seen: the Jacobian is clamped."""
    values = torch.cat(
        [
            one((0.95, 0.2, 0.3), 0.9, (0.3, 0.2, 0.25), (0.8, 0.3, 0.1, 0.2)),
            one((-0.8, -0.9, 0.4), 0.9, (0.35, 0.3, 0.2), (0.5, -0.3, 0.4, 0.2)),
        ]
    )
    camera = orbit_cameras(0, 0, 48)
    raster = rasterise(values, None, camera, backend="torch")
    assert raster.alpha.max() > 0.05
    compare(values, camera)


def test_off_centre_principal_point_and_two_focal_lengths():
    poses = orbit_cameras(70, 10, 64).world_from_camera
    compare(shell(200), Cameras(poses, np.array([[60.0, 75.0, 12.0, 50.0]]), 56, 64))


def test_pixels_stop_where_the_transmittance_ends():
    """Many opaque layers: the oracle's stop and ours leave out the same ones."""
    values = torch.cat([one((0.0, 0.0, 0.3 - 0.02 * i), 0.9, (0.2, 0.2, 0.01)) for i in range(20)])
    compare(values, orbit_cameras(0, 0, 33))
    pairs = rasterise_native.count_pairs(
        values.float(), view_of(orbit_cameras(0, 0, 33)), NEAR, MAX_ALPHA
    )
    assert pairs < 20 * 33 * 33
    assert pairs == rasterise_oracle.count_pairs(
        values, view_of(orbit_cameras(0, 0, 33)), NEAR, MAX_ALPHA
    )


def test_gradient_check_of_the_oracle():
    """Autograd of the definition itself against finite differences, away from the thresholds."""
    values = torch.cat(
        [
            one((0.05, 0.0, 0.1), 0.6, (0.2, 0.05, 0.1), (0.9, 0.2, -0.1, 0.3)),
            one((-0.1, 0.1, -0.1), 0.5, (0.1, 0.3, 0.15), (0.7, -0.4, 0.2, 0.1)),
        ]
    ).requires_grad_()
    camera = orbit_cameras(15, 20, 6)
    assert torch.autograd.gradcheck(
        lambda v: tuple(rasterise(v, None, camera, backend="torch")), values, eps=1e-6, atol=1e-5
    )

"""The native rasteriser against the float64 oracle, and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assets3d.cameras import Cameras, orbit_cameras
from assets3d.errors import InputError
from assets3d.native import library
from assets3d.splats import rasterise_native, rasterise_oracle
from assets3d.splats.rasterise import Raster, rasterise, view_of

NEAR, MAX_ALPHA = 0.2, 0.99
PARTS = {
    "position": slice(0, 3),
    "opacity": slice(3, 4),
    "scale": slice(4, 7),
    "rotation": slice(7, 11),
    "rgb": slice(11, 14),
}
ISAS = sorted(library.instruction_sets())


@pytest.fixture(params=ISAS, ids=[library.instruction_sets()[i] for i in ISAS])
def isa(request, monkeypatch):
    monkeypatch.setenv(library.ISA_VARIABLE, str(request.param))
    return request.param


def shell(count: int, seed: int = 0, scale: float = 0.03, spread: float = 0.5) -> torch.Tensor:
    """Anisotropic log-normal splats on a bumpy sphere, float64."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    bumps = 0.5 * (1.0 + 0.1 * np.sin(5.0 * direction[:, :1]))
    values = np.concatenate(
        [
            direction * bumps,
            rng.uniform(0.02, 0.98, (count, 1)),
            scale * np.exp(spread * rng.normal(size=(count, 3))),
            rng.normal(size=(count, 4)),
            rng.uniform(size=(count, 3)),
        ],
        axis=1,
    )
    return torch.tensor(values).float().double()  # exactly representable in both precisions


def one(position=(0.0, 0.0, 0.0), opacity=0.8, scale=(0.1, 0.1, 0.1), rotation=(1, 0, 0, 0)):
    return torch.tensor([[*position, opacity, *scale, *rotation, 0.9, 0.5, 0.1]]).double()


def upstream_like(raster: Raster, mask: torch.Tensor, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    random = [torch.randn(t.shape, generator=generator, dtype=torch.float64) for t in raster]
    return [t * (mask[..., None] if t.ndim == 3 else mask) for t in random]


def gradients(raster: Raster, upstream: list[torch.Tensor], inputs: list[torch.Tensor]):
    total = sum((u.to(t.dtype) * t).sum() for u, t in zip(upstream, raster, strict=True))
    return torch.autograd.grad(total, inputs)


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


def test_saturated_alpha_blocks_the_gradient_of_the_shape():
    values = one(opacity=1.0, scale=(0.4, 0.4, 0.4)).float().requires_grad_()
    camera = orbit_cameras(0, 0, 1)
    raster = rasterise(values, None, camera)
    assert raster.alpha.item() == pytest.approx(MAX_ALPHA, abs=1e-6)
    (gradient,) = torch.autograd.grad(raster.alpha.sum(), values)
    assert not gradient[:, :11].any()
    (gradient,) = torch.autograd.grad(rasterise(values, None, camera).features.sum(), values)
    assert gradient[0, 11:] == pytest.approx([MAX_ALPHA] * 3)


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


def test_finite_differences_of_the_kernel():
    """A narrow view, so that no pixel comes near the alpha cut, where the picture jumps."""
    values = one((0.03, 0.0, 0.1), 0.6, (0.3, 0.12, 0.2), (0.9, 0.2, -0.1, 0.3)).float()
    values = torch.cat([values, values + 0.05])
    poses = orbit_cameras(15, 20, 8).world_from_camera
    camera = Cameras(poses, np.array([[50.0, 50.0, 4.0, 4.0]]), 8, 8)
    weights = torch.rand((8, 8, 5), generator=torch.Generator().manual_seed(1))

    def loss(v):
        r = rasterise(v, None, camera)
        picture = torch.cat([r.features, r.alpha[..., None], r.depth[..., None]], dim=2)
        return (picture.double() * weights).sum()

    leaf = values.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf), leaf)
    step = 2e-3
    for index in np.ndindex(*values.shape):
        up, down = values.clone(), values.clone()
        up[index] += step
        down[index] -= step
        slope = (loss(up) - loss(down)).item() / (2 * step)
        assert gradient[index].item() == pytest.approx(slope, rel=0.02, abs=0.02), index


def test_same_bits_on_one_and_two_threads_and_again(isa):
    values = shell(4000, scale=0.02).float()
    camera = orbit_cameras(40, 10, 128)

    def run(threads):
        leaf = values.clone().requires_grad_()
        raster = rasterise(leaf, None, camera, threads=threads)
        upstream = upstream_like(raster, torch.ones(128, 128))
        return [*raster, *gradients(raster, upstream, [leaf])]

    first = run(1)
    for again in (run(1), run(2), run(5)):
        for a, b in zip(first, again, strict=True):
            assert torch.equal(a, b)


def test_instruction_sets_agree(monkeypatch):
    values, camera = shell(2000).float(), orbit_cameras(0, 0, 100)
    mask = ~rasterise_oracle.decision_pixels(values.double(), view_of(camera), NEAR, MAX_ALPHA)
    pictures = []
    for index in ISAS:
        monkeypatch.setenv(library.ISA_VARIABLE, str(index))
        pictures.append(rasterise(values, None, camera))
    for other in pictures[1:]:
        assert ((pictures[0].features - other.features).abs() * mask[..., None]).max() <= 1e-5


@pytest.mark.parametrize("backend", ["native", "torch"])
def test_nothing_to_draw(backend):
    camera = orbit_cameras(0, 0, 20)
    behind = one((0.0, 0.0, 5.0)).float().requires_grad_()
    for values in (torch.zeros((0, 14), requires_grad=True), behind):
        raster = rasterise(values, None, camera, backend=backend, background=(0.1, 0.2, 0.3))
        assert not raster.alpha.any()
        assert not raster.depth.any()
        assert raster.features[7, 3].tolist() == pytest.approx([0.1, 0.2, 0.3])
        if backend == "native":
            (gradient,) = torch.autograd.grad(raster.features.sum(), values)
            assert not gradient.any()


def test_not_a_number_is_not_drawn():
    values = shell(50).float()
    good = rasterise(values, None, orbit_cameras(0, 0, 32))
    bad = torch.cat([values, values[:4]])
    bad[50, 0], bad[51, 3], bad[52, 5], bad[53, 4] = (float("nan"),) * 3 + (float("inf"),)
    for a, b in zip(good, rasterise(bad, None, orbit_cameras(0, 0, 32)), strict=True):
        assert torch.equal(a, b)


def test_depth_and_alpha_of_one_gaussian():
    raster = rasterise(one().float(), None, orbit_cameras(0, 0, 33))
    assert raster.alpha[16, 16].item() == pytest.approx(0.8, rel=1e-4)
    assert (raster.depth / raster.alpha)[16, 16].item() == pytest.approx(1.5, rel=1e-5)


def test_gradient_flows_to_features_alone_and_twice():
    values, camera = shell(100).float(), orbit_cameras(0, 0, 32)
    features = torch.ones((100, 2), requires_grad=True)
    raster = rasterise(values, features, camera)
    (first,) = torch.autograd.grad(raster.features.sum(), features, retain_graph=True)
    (again,) = torch.autograd.grad(raster.features.sum(), features)
    assert torch.equal(first, again)
    assert first.sum().item() == pytest.approx(2 * raster.alpha.sum().item(), rel=1e-5)


def test_bad_input_is_named():
    camera = orbit_cameras([0, 90], 0, 8)
    for arguments, word in (
        ((torch.zeros(3, 13), None, camera[0]), "values"),
        ((torch.zeros(3, 14), torch.zeros(2, 3), camera[0]), "features"),
        ((torch.zeros(3, 14), None, camera), "camera"),
    ):
        with pytest.raises(InputError, match=word):
            rasterise(*arguments)
    with pytest.raises(InputError, match="background"):
        rasterise(torch.zeros(3, 14), None, camera[0], background=(1.0,))
    with pytest.raises(InputError, match="CUDA"):
        rasterise(torch.zeros(3, 14), None, camera[0], backend="gsplat")


@pytest.mark.gpu
def test_gsplat_agrees():
    gsplat = pytest.importorskip("gsplat")
    if not torch.cuda.is_available():
        pytest.skip(f"gsplat {gsplat.__version__} needs a CUDA device")
    values, camera = shell(1000).float(), orbit_cameras(0, 0, 96)
    mask = ~rasterise_oracle.decision_pixels(values.double(), view_of(camera), NEAR, MAX_ALPHA)
    native = rasterise(values, None, camera)
    found = rasterise(values.cuda(), None, camera, backend="gsplat")
    for a, b in zip(native, found, strict=True):
        error = (a - b.cpu()).abs() * (mask[..., None] if a.ndim == 3 else mask)
        assert error.max() <= 5e-5

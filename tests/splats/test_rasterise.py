"""Laws of the native rasteriser: the same bits on any threads, gradients, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assets3d.cameras import Cameras, orbit_cameras
from assets3d.errors import InputError
from assets3d.native import library
from assets3d.splats import rasterise_oracle
from assets3d.splats.rasterise import rasterise, view_of
from tests.splats.rasters import ISAS, MAX_ALPHA, NEAR, gradients, one, shell, upstream_like


def test_saturated_alpha_blocks_the_gradient_of_the_shape():
    values = one(opacity=1.0, scale=(0.4, 0.4, 0.4)).float().requires_grad_()
    camera = orbit_cameras(0, 0, 1)
    raster = rasterise(values, None, camera)
    assert raster.alpha.item() == pytest.approx(MAX_ALPHA, abs=1e-6)
    (gradient,) = torch.autograd.grad(raster.alpha.sum(), values)
    assert not gradient[:, :11].any()
    (gradient,) = torch.autograd.grad(rasterise(values, None, camera).features.sum(), values)
    assert gradient[0, 11:] == pytest.approx([MAX_ALPHA] * 3)


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

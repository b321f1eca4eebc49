"""Atlases stay inside the unit square, do not overlap, and come in time."""

import time

import numpy as np
import pytest

from assets3d.mesh import unwrap as unwrap_module
from assets3d.mesh.from_splats import with_corners
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import corner_normals
from assets3d.mesh.simplify import simplified
from assets3d.mesh.texels import covered_texels
from assets3d.mesh.unwrap import unwrap
from tests.mesh.scenes import box, sphere, torus


def double_area(corners):
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    if corners.shape[2] == 2:
        return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    return np.linalg.norm(np.cross(a, b), axis=1)


@pytest.mark.parametrize("method", ["xatlas", "box"])
@pytest.mark.parametrize("shape", [sphere, torus, lambda **k: box(0.5, 0.1, 0.05, **k)])
def test_charts_lie_apart_inside_the_square(shape, method):
    mesh = simplified(shape(cells=40), 1500)
    uvs, used = unwrap(mesh, 256, time_limit_s=120.0, method=method)
    assert used == method
    assert uvs.min() >= 0.0
    assert uvs.max() <= 1.0
    # Without overlap, the faces' areas add up to the texels they cover.
    area = double_area(uvs * 256.0).sum() / 2.0
    from assets3d.native.surface import cover_texels

    corners = uvs * np.float32([256, -256]) + np.float32([0, 256])
    held = (cover_texels(corners, 256, reach=0.0)[0] >= 0).sum()
    assert held == pytest.approx(area, rel=0.03)
    assert area > 0.15 * 256 * 256


@pytest.mark.parametrize("method", ["xatlas", "box"])
def test_texels_know_their_place_on_the_surface(method):
    mesh = simplified(sphere(0.5, cells=40), 2000)
    uvs, _ = unwrap(mesh, 128, time_limit_s=120.0, method=method)
    split = with_corners(mesh, uvs, corner_normals(mesh.vertices, mesh.faces))
    texels = covered_texels(split, 128)
    radius = np.linalg.norm(texels.position, axis=1)
    np.testing.assert_allclose(radius, 0.5, atol=0.02)
    assert np.einsum("kj,kj->k", texels.normal, texels.position / radius[:, None]).min() > 0.9


def test_the_time_limit_is_kept(caplog):
    mesh = sphere(cells=60)
    start = time.perf_counter()
    uvs, used = unwrap(mesh, 256, time_limit_s=0.05)
    assert used == "box"
    assert "limit" in caplog.text
    assert uvs.shape == (len(mesh.faces), 3, 2)
    assert time.perf_counter() - start < 60.0  # the machine may be busy; xatlas itself needs longer


def test_a_failing_xatlas_is_replaced(monkeypatch, caplog):
    monkeypatch.setattr(unwrap_module.sys, "executable", "/nowhere/python")
    assert unwrap(sphere(cells=12), 64)[1] == "box"
    assert "box projection" in caplog.text


def test_splitting_keeps_every_corner():
    mesh = torus(cells=20)
    uvs, _ = unwrap(mesh, 128, method="box")
    normals = corner_normals(mesh.vertices, mesh.faces)
    split = with_corners(mesh, uvs, normals)
    np.testing.assert_array_equal(split.vertices[split.faces], mesh.vertices[mesh.faces])
    np.testing.assert_array_equal(split.uvs[split.faces], uvs)
    np.testing.assert_array_equal(split.normals[split.faces], normals)
    assert len(split.vertices) < 3 * len(split.faces)


def test_texels_need_coordinates():
    mesh = sphere(cells=12)
    with pytest.raises(ValueError, match="uvs"):
        covered_texels(Mesh(mesh.vertices, mesh.faces), 64)

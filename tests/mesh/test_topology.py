"""Cleaning, smoothing, simplifying and normals keep a surface closed, outward and in place."""

import numpy as np
import pytest

from assets3d.mesh.clean import (
    bilateral_normals,
    drop_degenerate_faces,
    fix_winding,
    keep_large_components,
    make_closed,
    taubin,
    unfolded,
)
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import corner_normals, vertex_normals
from assets3d.mesh.simplify import simplified
from assets3d.mesh.topology import face_components, is_closed
from tests.mesh.scenes import box, enclosed_volume, sphere, torus


def joined(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    faces = [m.faces + s for m, s in zip(meshes, starts[:-1], strict=True)]
    return Mesh(
        np.concatenate([m.vertices for m in meshes]), np.concatenate(faces).astype(np.int32)
    )


def test_scrambled_winding_is_mended():
    mesh = joined(sphere(0.3, cells=20), Mesh(*moved(torus(cells=24), 2.0)))
    rng = np.random.default_rng(0)
    faces = mesh.faces.copy()
    turned = rng.random(len(faces)) < 0.4
    faces[turned] = faces[turned][:, ::-1]
    assert not is_closed(faces)
    mended = fix_winding(Mesh(mesh.vertices, faces))
    assert is_closed(mended.faces)
    assert enclosed_volume(mended) == pytest.approx(enclosed_volume(mesh), rel=1e-6)


def test_a_face_that_decimation_left_alone_stops_nothing():
    whole = box(0.3, 0.3, 0.3)
    lone = Mesh(whole.vertices[:3], np.array([[0, 1, 2]], np.int32))
    mended = fix_winding(joined(whole, lone))
    assert len(mended.faces) == len(whole.faces) + 1
    assert is_closed(mended.faces[:-1])


def moved(mesh: Mesh, by: float):
    return mesh.vertices + np.float32(by), mesh.faces


def test_specks_and_cavities_go_and_large_parts_stay():
    inner = sphere(0.2, cells=20)
    hollow = Mesh(inner.vertices, inner.faces[:, ::-1])
    speck = Mesh(*moved(sphere(0.02, half=0.05, cells=8), 0.55))
    second = Mesh(*moved(sphere(0.25, cells=20), 2.0))
    kept = keep_large_components(joined(sphere(0.4, cells=30), hollow, speck, second))
    assert face_components(kept.faces)[0] == 2
    assert kept.bounds[1].max() > 2.0


def test_a_thin_part_is_not_a_speck():
    blade = Mesh(*moved(box(0.04, 0.55, 0.02, cells=90), 1.5))
    kept = keep_large_components(joined(sphere(0.5, cells=30), blade))
    assert face_components(kept.faces)[0] == 2


def test_degenerate_and_double_faces_go():
    mesh = sphere(cells=12)
    faces = np.concatenate([mesh.faces, mesh.faces[:3], [[0, 0, 1]]]).astype(np.int32)
    assert len(drop_degenerate_faces(Mesh(mesh.vertices, faces)).faces) == len(mesh.faces)


@pytest.mark.parametrize("missing", [1, 2, 7, 40])
def test_holes_are_closed(missing):
    mesh = sphere(cells=24)
    gone = np.random.default_rng(1).choice(len(mesh.faces), missing, replace=False)
    faces = np.delete(mesh.faces, gone, axis=0)
    closed = make_closed(Mesh(mesh.vertices, faces))
    assert is_closed(closed.faces)
    assert enclosed_volume(closed) == pytest.approx(enclosed_volume(mesh), rel=0.02)


def test_a_flap_on_an_edge_is_cut_off():
    mesh = sphere(cells=24)
    a, b, _ = mesh.faces[0]
    flap = np.array([[a, b, len(mesh.vertices)]], dtype=np.int32)
    vertices = np.concatenate([mesh.vertices, [[0, 0, 2]]]).astype(np.float32)
    closed = make_closed(Mesh(vertices, np.concatenate([mesh.faces, flap])))
    assert is_closed(closed.faces)
    assert closed.bounds.max() < 0.6


@pytest.mark.parametrize("smooth", [taubin, bilateral_normals])
def test_smoothing_keeps_size(smooth):
    mesh = sphere(cells=30)
    rng = np.random.default_rng(0)
    rough = Mesh(mesh.vertices + rng.normal(0, 0.004, mesh.vertices.shape).astype("f4"), mesh.faces)
    result = smooth(rough)
    radius = np.linalg.norm(result.vertices, axis=1)
    assert radius.std() < 0.7 * np.linalg.norm(rough.vertices, axis=1).std()
    assert enclosed_volume(result) == pytest.approx(enclosed_volume(mesh), rel=0.02)


def test_a_folded_face_is_pulled_back_and_a_blade_keeps_its_edge():
    mesh = sphere(cells=30)
    vertices = mesh.vertices.copy()
    a, b, c = mesh.faces[500]
    vertices[a] = 2.0 * vertices[[b, c]].mean(axis=0) - vertices[a]  # over the opposite edge
    radius = np.linalg.norm(unfolded(Mesh(vertices, mesh.faces)).vertices, axis=1)
    np.testing.assert_allclose(radius, 0.5, atol=0.01)
    blade = box(0.04, 0.5, 0.01, cells=100)
    np.testing.assert_allclose(unfolded(blade).bounds, blade.bounds, atol=1e-3)


def test_bilateral_filter_flattens_faces_and_keeps_edges():
    mesh = box(0.4, 0.3, 0.35, cells=40)
    rng = np.random.default_rng(0)
    rough = Mesh(mesh.vertices + rng.normal(0, 0.003, mesh.vertices.shape).astype("f4"), mesh.faces)
    result = bilateral_normals(rough, angle_deg=35.0)
    flat = np.abs(mesh.vertices[:, 0] - 0.4) < 1e-3
    flat &= (np.abs(mesh.vertices[:, 1:]) < 0.2).all(axis=1)
    assert result.vertices[flat, 0].std() < 0.6 * rough.vertices[flat, 0].std()
    assert enclosed_volume(result) == pytest.approx(enclosed_volume(mesh), rel=0.01)


@pytest.mark.parametrize("faces", [300, 1000, 3000])
@pytest.mark.parametrize("shape", [sphere, torus, lambda: box(0.5, 0.2, 0.02, cells=100)])
def test_face_budget_is_kept_and_the_surface_stays_closed(shape, faces):
    mesh = shape()
    result = simplified(mesh, faces)
    assert 0.97 * faces <= len(result.faces) <= faces
    assert is_closed(result.faces)
    assert enclosed_volume(result) == pytest.approx(enclosed_volume(mesh), rel=0.05)


def test_a_small_mesh_is_not_simplified():
    mesh = sphere(cells=12)
    np.testing.assert_array_equal(simplified(mesh, 10**6).faces, mesh.faces)


def test_sphere_normals_point_outwards():
    mesh = sphere(cells=40)
    outward = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    assert (vertex_normals(mesh.vertices, mesh.faces) * outward).sum(axis=1).min() > 0.99
    corners = corner_normals(mesh.vertices, mesh.faces)
    assert np.einsum("fcj,fcj->fc", corners, outward[mesh.faces]).min() > 0.98
    np.testing.assert_allclose(np.linalg.norm(corners, axis=2), 1.0, atol=1e-5)


def test_box_normals_split_at_edges():
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype="f4")
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], dtype=np.int32)
    assert is_closed(faces)
    normals = corner_normals(corners, faces)
    assert np.abs(normals).max(axis=2).min() == pytest.approx(1.0)
    np.testing.assert_allclose(normals[0::2], normals[1::2])

"""Hulls are convex, hold the mesh, and have few vertices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from assets3d.errors import InputError
from assets3d.export.distance import surface_points
from assets3d.export.hulls import MOST_VERTICES, convex_hull
from assets3d.export.parts import part_hulls
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.topology import face_cross, is_closed
from tests.mesh.scenes import box, enclosed_volume, sphere, torus

SOLIDS = {
    "ring": torus(cells=24),
    "box": box(0.4, 0.3, 0.2, cells=20),
    "ball": sphere(cells=16),
}


def planes(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit normals of a mesh's faces and how far each lies along its own."""
    normal = face_cross(mesh.vertices, mesh.faces)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return normal, np.einsum("ij,ij->i", normal, mesh.vertices[mesh.faces[:, 0]])


def outside(points: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Return how far each point lies outside of a convex mesh; negative is inside."""
    normal, along = planes(mesh)
    return (points @ normal.T - along).max(axis=1)


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("vertices", [MOST_VERTICES, 16])
def test_one_hull(name, vertices):
    solid = SOLIDS[name]
    hull = convex_hull(solid, vertices)
    assert len(hull.mesh.vertices) <= vertices
    assert is_closed(hull.mesh.faces)
    assert outside(hull.mesh.vertices, hull.mesh).max() < 1e-5  # convex and outward
    assert outside(solid.vertices, hull.mesh).max() < 1e-5  # holds the mesh
    assert hull.volume_m3 == pytest.approx(enclosed_volume(hull.mesh), rel=1e-3)
    exact = ConvexHull(solid.vertices).volume
    assert exact * (1.0 - 1e-5) <= hull.volume_m3 < exact * (1.25 if vertices > 16 else 2.2)
    assert 0.0 <= hull.reach_share < (0.1 if vertices > 16 else 0.3)


@pytest.mark.parametrize(("name", "count"), [("ring", (3, 6)), ("box", (1, 1)), ("ball", (1, 1))])
def test_parts(name, count):
    solid = SOLIDS[name]
    hulls = part_hulls(solid)
    assert count[0] <= len(hulls) <= count[1]
    points, _ = surface_points(solid, 2000)
    apart = np.min([outside(points, hull.mesh) for hull in hulls], axis=0)
    assert apart.max() < 1e-5
    assert all(len(hull.mesh.vertices) <= MOST_VERTICES for hull in hulls)
    whole = convex_hull(solid).volume_m3
    if len(hulls) > 1:
        assert sum(hull.volume_m3 for hull in hulls) < 0.8 * whole


def test_two_things_far_apart_are_two_parts():
    one = box(0.1, 0.1, 0.1, cells=12)
    two = Mesh(
        np.concatenate([one.vertices, one.vertices + np.float32([2.0, 0.0, 0.0])]),
        np.concatenate([one.faces, one.faces + len(one.vertices)]).astype(np.int32),
    )
    hulls = part_hulls(two)
    assert len(hulls) == 2
    volumes = sum(hull.volume_m3 for hull in hulls)
    assert volumes == pytest.approx(2.0 * enclosed_volume(one), rel=0.1)


def test_flat_things_have_a_hull_and_points_have_none():
    sheet = Mesh(
        np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32),
        np.array([[0, 1, 2], [0, 2, 3]], np.int32),
    )
    hull = convex_hull(sheet)
    assert is_closed(hull.mesh.faces)
    assert 0.0 < hull.volume_m3 < 0.01
    with pytest.raises(InputError, match="hull: found a mesh without any extent"):
        convex_hull(Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32)))

"""Pieces that no picture of the object needs go, parts of an object stay."""

import numpy as np

from assets3d.cameras import four_views
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.supported import supported_pieces
from assets3d.mesh.topology import face_components
from assets3d.native.mesh_renderer import render_mesh
from assets3d.views.posed import Views
from tests.mesh.scenes import box, sphere
from tests.mesh.test_topology import joined


def at(mesh: Mesh, *offset: float) -> Mesh:
    return Mesh((mesh.vertices + np.array(offset)).astype(np.float32), mesh.faces)


def pieces(mesh: Mesh) -> int:
    return face_components(mesh.faces)[0]


BODY = sphere(0.4, cells=30)
STICK = at(box(0.02, 0.3, 0.02, cells=60), 0.55, 0.0, 0.0)
LID = at(box(0.3, 0.04, 0.3, cells=40), 0.0, 0.5, 0.0)


def front_of(mesh: Mesh) -> Views:
    camera = four_views(128)[0]
    return Views(render_mesh(mesh, camera).rgba, camera)


def test_a_stick_outside_the_true_outline_goes_and_the_body_stays():
    kept = supported_pieces(joined(BODY, STICK), front_of(BODY))
    assert pieces(kept) == 1
    np.testing.assert_allclose(kept.bounds, BODY.bounds)


def test_what_the_true_picture_shows_stays():
    whole = joined(BODY, STICK, LID)
    assert pieces(supported_pieces(whole, front_of(whole))) == 3


def test_a_large_part_that_the_front_does_not_show_stays():
    behind = at(box(0.2, 0.2, 0.05, cells=30), 0.0, 0.0, -0.6)
    assert pieces(supported_pieces(joined(BODY, behind), front_of(BODY))) == 2


def test_without_a_true_picture_only_specks_go():
    speck = at(sphere(0.04, half=0.1, cells=16), 0.5, 0.3, 0.0)
    assert pieces(supported_pieces(joined(BODY, LID, STICK, speck))) == 3

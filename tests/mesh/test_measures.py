"""The agreement of a mesh with pictures of it is perfect for its own pictures, and only then."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh

from assets3d.cameras import four_views
from assets3d.mesh.from_splats import Report, placed
from assets3d.mesh.measures import agreement
from assets3d.mesh.mesh import Mesh
from assets3d.native.mesh_renderer import render_mesh
from assets3d.views.posed import Views


@pytest.fixture(scope="module")
def scene():
    box = trimesh.creation.box((0.7, 1.0, 0.4))
    colours = np.tile(np.float32([0.8, 0.2, 0.3]), (len(box.vertices), 1))
    in_splat_frame = Mesh(
        np.float32(box.vertices) + np.float32([0.1, -0.05, 0.0]),
        np.int32(box.faces),
        colours=colours,
    )
    views = Views(render_mesh(in_splat_frame, four_views(96), supersample=2).rgba, four_views(96))
    mesh, pivot, scale = placed(in_splat_frame, 2.5)
    return mesh, views, Report(metres_per_unit=scale, pivot=tuple(pivot))


def test_its_own_pictures_agree_though_the_mesh_was_moved_and_scaled(scene):
    mesh, views, report = scene
    overlap, psnr_db = agreement(mesh, views, report)
    assert overlap > 0.99
    assert psnr_db > 35


def test_a_thinner_mesh_and_another_colour_agree_less(scene):
    mesh, views, report = scene
    thin = dataclasses.replace(mesh, vertices=mesh.vertices * np.float32([0.5, 1, 1]))
    assert agreement(thin, views, report)[0] < 0.85
    blue = dataclasses.replace(mesh, colours=mesh.colours[:, ::-1])
    assert agreement(blue, views, report)[1] < 15

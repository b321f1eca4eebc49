"""Ground truth shows only what somebody could see."""

from __future__ import annotations

import numpy as np

from assets3d.mesh.topology import face_components, signed_volumes
from assets3d.props import prop_mesh, sample_prop
from assets3d.props.meshing import _without_cavities


def test_an_enclosed_gap_is_filled_and_the_outside_is_not_touched():
    rows = np.linspace(-1.0, 1.0, 33)
    radius = np.linalg.norm(np.stack(np.meshgrid(rows, rows, rows, indexing="ij")), axis=0)
    shell = (np.abs(radius - 0.6) - 0.15).astype(np.float32)
    filled = _without_cavities(shell, 1 / 16)
    assert (filled[radius < 0.6] < 0.0).all()
    assert np.array_equal(filled[radius > 0.6], shell[radius > 0.6])


def test_no_piece_of_a_full_mug_is_a_cavity():
    mesh = prop_mesh(sample_prop("mug", 1), resolution=64)
    count, labels = face_components(mesh.faces)
    assert (signed_volumes(mesh.vertices, mesh.faces, labels, count) > 0.0).all()

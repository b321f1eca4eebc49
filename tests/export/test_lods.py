"""Levels of detail keep their budget, their texture and the shape; distances are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assets3d.export import lods
from assets3d.export.collapse import collapsed
from assets3d.export.distance import deviation
from assets3d.export.lods import levels
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.topology import face_cross, is_closed
from tests.export.shapes import SHAPES, shape
from tests.mesh.scenes import enclosed_volume, welded


@pytest.fixture(scope="module", params=SHAPES)
def made(request):
    return levels(shape(request.param), (0.5, 0.25))


def test_budgets_are_kept_and_errors_small(made):
    full = len(made[0].mesh.faces)
    for level, share, most in zip(made[1:], (0.5, 0.25), (0.01, 0.025), strict=True):
        assert 0.9 * share * full <= len(level.mesh.faces) <= share * full
        assert 0.0 < level.mean_share <= level.error_share < most
        assert level.error_px == pytest.approx(512 * level.error_share)


def test_the_texture_and_its_coordinates_stay(made):
    first = made[0].mesh
    there = {tuple(row) for row in np.column_stack([first.vertices, first.uvs]).tolist()}
    for level in made[1:]:
        mesh = level.mesh
        assert mesh.base_colour is first.base_colour
        assert {tuple(row) for row in np.column_stack([mesh.vertices, mesh.uvs]).tolist()} <= there
        assert mesh.uvs.min() >= 0.0
        assert mesh.uvs.max() <= 1.0


def test_nothing_is_turned_over_or_torn(made):
    first = made[0].mesh
    for level in made[1:]:
        mesh = level.mesh
        assert is_closed(welded(mesh).faces)
        assert enclosed_volume(mesh) == pytest.approx(enclosed_volume(first), rel=0.05)
        assert (_turn(mesh) > 0.0).mean() == (_turn(first) > 0.0).mean() == 1.0
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-5)


def test_the_texture_stays_where_it_is_on_the_object(made):
    """A point of the surface is shown the texel that it was shown before, within 2 % of its size.

    Texture is compared by where its texels lie: each vertex of the coarse mesh is one of the fine
    one, so the middles of its triangles tell how far the texture slid between them.
    """
    first, coarse = made[0].mesh, made[-1].mesh
    size = float((first.bounds[1] - first.bounds[0]).max())
    per_uv = np.sqrt(
        np.linalg.norm(face_cross(first.vertices, first.faces), axis=1).sum()
        / np.abs(_turn(first)).sum()
    )
    middle = coarse.vertices[coarse.faces].mean(axis=1)
    shown = coarse.uvs[coarse.faces].mean(axis=1)
    fine = first.uvs[first.faces].mean(axis=1)
    at = first.vertices[first.faces].mean(axis=1)
    near = np.linalg.norm(fine[None] - shown[:, None], axis=2).argmin(axis=1)
    moved = np.linalg.norm(at[near] - middle, axis=1)
    texel = np.linalg.norm(fine[near] - shown, axis=1) * per_uv
    assert np.quantile(moved - texel, 0.9) < 0.02 * size


def test_a_level_that_is_far_off_is_made_the_other_way_too(monkeypatch):
    ball = shape("ball")
    tried = []

    def off_by(share_off: dict[bool, float]):
        def fake(mesh: Mesh, faces: int, *, evenly: bool = False) -> Mesh:
            tried.append(evenly)
            found = collapsed(ball, faces)
            return replace(found, vertices=found.vertices * np.float32(1.0 + share_off[evenly]))

        monkeypatch.setattr(lods, "collapsed", fake)
        return levels(ball, (0.5,))[1].error_share

    assert off_by({False: 0.06, True: 0.03}) == pytest.approx(0.015, rel=0.3)
    assert off_by({False: 0.06, True: 0.12}) == pytest.approx(0.03, rel=0.3)
    assert tried == [False, True, False, True]
    assert off_by({False: 0.0, True: 0.12}) < 0.01
    assert tried[4:] == [False]


def test_faces_that_count_evenly_keep_small_ones_longer():
    """A tiny ring beside a large ball keeps more of its faces than by its area."""
    ball, pin = shape("ball"), shape("ring")
    small = (pin.vertices * np.float32(0.1) + np.float32([0.8, 0, 0])).astype(np.float32)
    both = replace(
        ball,
        vertices=np.concatenate([ball.vertices, small]),
        faces=np.concatenate([ball.faces, pin.faces + np.int32(len(ball.vertices))]),
        uvs=np.concatenate([ball.uvs, pin.uvs]),
        normals=np.concatenate([ball.normals, pin.normals]),
    )
    by_area, evenly = (collapsed(both, 2400, evenly=way) for way in (False, True))
    of_pin = [int((m.vertices[m.faces][..., 0] > 0.6).all(axis=1).sum()) for m in (by_area, evenly)]
    assert of_pin[1] > 1.2 * of_pin[0]


def test_the_same_mesh_gives_the_same_level():
    first, again = (collapsed(shape("ring"), 500) for _ in range(2))
    np.testing.assert_array_equal(first.faces, again.faces)
    np.testing.assert_array_equal(first.vertices, again.vertices)


def test_a_mesh_that_fits_comes_back_as_it_is():
    mesh = shape("ball")
    assert collapsed(mesh, len(mesh.faces)) is mesh


def test_a_mesh_without_texture_and_one_with_a_rim():
    bare = replace(shape("ball"), uvs=None, base_colour=None)
    fewer = collapsed(bare, 400)
    assert len(fewer.faces) <= 400
    assert fewer.uvs is None
    upper = Mesh(bare.vertices, bare.faces[bare.vertices[bare.faces][..., 1].min(axis=1) > 0.0])
    rim = collapsed(upper, 300)
    assert 200 < len(rim.faces) <= 300
    assert deviation(upper, rim).largest_m < 0.05


def test_distances():
    inner = shape("ball")
    outer = Mesh((inner.vertices * 1.1).astype(np.float32), inner.faces)
    found = deviation(inner, outer)
    assert found.largest_m == pytest.approx(0.05, rel=0.05)
    assert found.mean_m == pytest.approx(0.05, rel=0.02)
    assert deviation(inner, inner).largest_m < 1e-3
    assert deviation(inner, inner).mean_m < 1e-6
    # Measured from both sides: a piece that only one of them has counts.
    lost = Mesh(inner.vertices, inner.faces[inner.vertices[inner.faces][..., 1].max(axis=1) < 0.2])
    assert deviation(inner, lost).largest_m > 0.2
    assert deviation(lost, inner).largest_m > 0.2


def _turn(mesh: Mesh) -> np.ndarray:
    """Return twice the signed area of each face in the texture."""
    a, b, c = mesh.uvs.astype(np.float64)[mesh.faces].transpose(1, 0, 2)
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]

"""Turntables show the whole mesh, start at the front, and repeat to the byte."""

import dataclasses

import numpy as np
import pytest

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.turntable import egl_works, portrait, turntable
from tests.mesh.scenes import box, sphere

RENDERERS = ["native", "pyrender"]


def two_sided(shape: Mesh) -> Mesh:
    """Blue in front (+Z), red behind."""
    front = shape.vertices[:, 2:] > 0.0
    colours = np.where(front, [0.1, 0.2, 0.9], [0.9, 0.2, 0.1]).astype(np.float32)
    return dataclasses.replace(shape, colours=colours)


def skip_without_egl(renderer):
    if renderer == "pyrender" and not egl_works():
        pytest.skip("no EGL here")


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_front_comes_first_and_nothing_is_cut_off(renderer):
    skip_without_egl(renderer)
    mesh = two_sided(box(0.2, 0.55, 0.1, cells=40))
    large = dataclasses.replace(mesh, vertices=mesh.vertices * 40.0 + np.float32([5, 9, 1]))
    frames = turntable(large, 4, 64, renderer)
    assert frames.shape == (4, 64, 64, 4)
    alpha = frames[..., 3]
    rim = np.concatenate([alpha[:, [0, -1]].ravel(), alpha[:, :, [0, -1]].ravel()])
    assert rim.max() == 0
    assert (alpha == 255).any(axis=2).sum(axis=1).max() > 40  # fills the height
    centre = frames[:, 32, 32].astype(int)
    assert centre[0, 2] > centre[0, 0] + 50
    assert centre[2, 0] > centre[2, 2] + 50


@pytest.mark.parametrize("renderer", RENDERERS)
def test_frames_repeat_to_the_byte(renderer):
    skip_without_egl(renderer)
    mesh = two_sided(sphere(cells=20))
    np.testing.assert_array_equal(
        turntable(mesh, 3, 48, renderer), turntable(mesh, 3, 48, renderer)
    )


def test_both_renderers_agree():
    skip_without_egl("pyrender")
    mesh = two_sided(sphere(cells=30))
    one, two = (turntable(mesh, 2, 64, r).astype(int) for r in RENDERERS)
    assert np.abs(one[..., 3] - two[..., 3]).mean() < 4
    inside = (one[..., 3] == 255) & (two[..., 3] == 255)
    assert np.abs(one - two)[inside].mean() < 16


def test_the_rim_is_not_dark():
    mesh = sphere(cells=30)
    picture = portrait(dataclasses.replace(mesh, colours=np.ones_like(mesh.vertices)), 64, 0.0)
    rim = (picture[..., 3] > 20) & (picture[..., 3] < 235)
    assert rim.any()
    assert picture[rim][:, :3].mean() > 0.6 * picture[picture[..., 3] == 255][:, :3].mean()

"""Laws of the cameras, and LGM's golden rays (facts measured on independent code)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets3d.cameras import four_views, orbit_cameras, pixel_rays, project

angles = st.floats(-720, 720)
elevations = st.floats(-90, 90)


@given(azimuth=angles, elevation=elevations)
def test_orbit_poses_are_rigid_right_handed_and_look_at_the_origin(azimuth, elevation):
    pose = orbit_cameras(azimuth, elevation, 64).world_from_camera[0]
    rotation, position = pose[:3, :3], pose[:3, 3]
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert np.allclose(-rotation[:, 2] * 1.5, -position)  # looks along -z, at the origin
    assert rotation[1, 1] >= -1e-9  # never upside down


@given(azimuth=angles, elevation=elevations)
def test_projecting_a_point_on_a_pixel_ray_gives_that_pixel(azimuth, elevation):
    cameras = orbit_cameras(azimuth, elevation, 16)
    origins, directions = pixel_rays(cameras)
    pixels, depth = project(cameras, (origins + 1.3 * directions)[0].reshape(-1, 3))
    rows, columns = np.mgrid[0:16, 0:16] + 0.5
    assert np.allclose(pixels[0], np.stack([columns, rows], -1).reshape(-1, 2), atol=1e-6)
    assert (depth > 0).all()


def test_rays_of_the_four_views_are_those_of_lgm():
    origins, directions = pixel_rays(four_views(256))
    moments = np.cross(origins, directions)
    assert np.allclose(origins[1, 0, 0], [1.5, 0, 0], atol=1e-12)
    assert np.allclose(directions[0, 0, 0], [-0.382628, 0.382628, -0.840947], atol=1e-6)
    assert np.allclose(directions[1, 0, 0], [-0.840947, 0.382628, 0.382628], atol=1e-6)
    assert np.allclose(directions[2, 0, 0], [0.382628, 0.382628, 0.840947], atol=1e-6)
    assert np.allclose(moments[3, 0, 0], [0, -0.573942, -0.573942], atol=1e-6)


def test_positive_elevation_is_above_and_azimuth_90_is_plus_x():
    assert orbit_cameras(0, 30, 8).positions[0, 1] > 0
    assert np.allclose(orbit_cameras(90, 0, 8).positions[0], [1.5, 0, 0], atol=1e-12)


def test_resizing_keeps_the_rays():
    cameras = orbit_cameras(20, 10, 64)
    _, coarse = pixel_rays(cameras.resized(32, 32))
    _, fine = pixel_rays(cameras)
    middle = fine[0].reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
    assert np.allclose(coarse[0], middle, atol=1e-4)


def test_selecting_keeps_a_set():
    cameras = four_views(8)
    assert len(cameras[1]) == 1
    assert len(cameras[1:]) == 3
    assert np.allclose(cameras[[2, 0]].positions, cameras.positions[[2, 0]])

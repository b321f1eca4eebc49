import numpy as np

from assets3d.splats.preview import (
    BACKGROUND,
    contact_sheet,
    depth_pictures,
    render_rgba,
    spin,
    spin_cameras,
    spin_sheet,
)
from tests.splats.scenes import random_gaussians


def test_a_spin_shows_the_object_in_the_middle_of_a_plain_ground():
    splats = random_gaussians(200)
    frames = spin(splats, frames=3, size_px=32)
    assert frames.shape == (3, 32, 32, 3) and frames.dtype == np.uint8
    ground = np.round(np.array(BACKGROUND) * 255)
    np.testing.assert_allclose(frames[:, 0, 0], np.tile(ground, (3, 1)), atol=1)
    assert (np.abs(frames[:, 12:20, 12:20].astype(int) - ground).max(-1) > 20).any()


def test_frames_follow_the_azimuth_and_any_scale():
    splats = random_gaussians(50)
    large = type(splats)(
        splats.values * np.array([100] * 3 + [1] + [100] * 3 + [1] * 7, np.float32)
    )
    a, b = spin_cameras(splats, 4, 16), spin_cameras(large, 4, 16)
    np.testing.assert_allclose(a.positions * 100, b.positions, rtol=1e-3, atol=1e-2)
    assert a.positions[0, 2] > 1.0 and a.positions[1, 0] > 1.0


def test_depth_lies_between_the_camera_and_the_far_side():
    splats = random_gaussians(200)
    cameras = spin_cameras(splats, 2, 32)
    _, depth = render_rgba(splats, cameras)
    radius = np.linalg.norm(cameras.positions[0])
    assert (depth[depth > 0] < radius + 1).all() and (depth[depth > 0] > radius - 1.2).all()
    pictures = depth_pictures(depth)
    assert pictures.shape == (2, 32, 32, 3) and (pictures[depth == 0] == 0).all()
    assert (depth_pictures(np.zeros((1, 4, 4), np.float32)) == 0).all()


def test_sheets_have_the_asked_for_places():
    pictures = np.arange(5 * 2 * 2 * 3, dtype=np.uint8).reshape(5, 2, 2, 3)
    sheet = contact_sheet(pictures, 3)
    assert sheet.shape == (4, 6, 3)
    np.testing.assert_array_equal(sheet[2:, 2:4], pictures[4])
    assert spin_sheet(random_gaussians(20), frames=4, size_px=16).shape == (32, 32, 3)

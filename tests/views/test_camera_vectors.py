"""Camera vectors: the three traps of MVDream's conventions."""

from pathlib import Path

import numpy as np
import pytest

from assets3d.cameras import four_views, orbit_cameras
from assets3d.views.cameras import FRONT_FIRST, camera_vectors, frame_vectors, view_vectors

PARITY = Path(__file__).parents[3] / "shared" / "parity" / "mvdream_cameras.npz"

# Rows of the 4x4 pose at elevation 0; the last column is the position in a z-up world.
AT_0 = [1, 0, 0, 0, 0, 0, -1, -1, 0, 1, 0, 0, 0, 0, 0, 1]
AT_90 = [0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
AT_180 = [-1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1]
AT_270 = [0, 0, -1, -1, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_vectors_at_elevation_0():
    assert frame_vectors() == pytest.approx(np.array([AT_0, AT_90, AT_180, AT_270]), abs=1e-6)


def test_positive_elevation_is_above():
    heights = frame_vectors(30.0)[:, 11]
    assert heights == pytest.approx(np.full(4, 0.5), abs=1e-6)
    assert (frame_vectors(-30.0)[:, 11] < 0.0).all()


def test_the_front_is_azimuth_90_and_comes_first():
    assert FRONT_FIRST == (1, 2, 3, 0)
    assert view_vectors() == pytest.approx(np.array([AT_90, AT_180, AT_270, AT_0]), abs=1e-6)


def test_the_order_turns_the_same_way_as_ours():
    """From front to right both our cameras and theirs turn counter-clockwise seen from above."""
    ours = four_views(64).positions
    theirs = view_vectors().reshape(4, 4, 4)[:, :3, 3]
    # y is up in ours, z in theirs.
    assert np.cross(ours[0], ours[1])[1] > 0.0
    assert np.cross(theirs[0], theirs[1])[2] > 0.0


def test_poses_are_rigid_at_distance_1():
    poses = camera_vectors(orbit_cameras([10, 200], [-20, 50], 64, radius=2.7)).reshape(-1, 4, 4)
    rotations = poses[:, :3, :3]
    assert rotations @ rotations.transpose(0, 2, 1) == pytest.approx(
        np.tile(np.eye(3), (2, 1, 1)), abs=1e-6
    )
    assert np.linalg.det(rotations) == pytest.approx(np.ones(2), abs=1e-6)
    assert np.linalg.norm(poses[:, :3, 3], axis=1) == pytest.approx(np.ones(2), abs=1e-6)


def test_the_image_frame_is_zeros():
    vectors = frame_vectors(image_frame=True)
    assert vectors.shape == (5, 16) and vectors.dtype == np.float32
    assert not vectors[4].any()


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
@pytest.mark.parametrize("name", ["e0", "e10", "e30", "e0_extra"])
def test_golden_vectors(name):
    elevation = float(name.removeprefix("e").removesuffix("_extra"))
    found = frame_vectors(elevation, name.endswith("_extra"))
    assert found == pytest.approx(np.load(PARITY)[name], abs=1e-6)

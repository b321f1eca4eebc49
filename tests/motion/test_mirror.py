import numpy as np

from motion import features as f
from motion.features import mirror
from motion.skeleton import QUADRUPED, REST_AXES
from tests.motion.feature_cases import close as _close
from tests.motion.feature_cases import pose as _pose
from tests.motion.feature_cases import samples as _samples


def test_mirroring_keeps_the_rest_pose_and_undoes_itself():
    rest = f.Pose(
        QUADRUPED.rest_positions_m,
        REST_AXES[:, :, 2],
        REST_AXES[:, :, 1],
        np.zeros((27, 3)),
    )
    _close(rest, mirror.mirrored_pose(rest), 2e-3)  # the table's own sides differ by 1.5 mm
    random = np.random.default_rng(7)
    samples, pose = _samples(random), _pose(random)
    x = f.pack_input(samples, pose)
    np.testing.assert_array_equal(mirror.mirrored_input(mirror.mirrored_input(x)), x)
    moved = f.Output(_samples(random, 6), pose, random.normal(size=(3, 3)))
    y = f.pack_output(moved)
    assert np.abs(mirror.mirrored_output(y) - y).max() > 0.1
    np.testing.assert_array_equal(mirror.mirrored_output(mirror.mirrored_output(y)), y)
    np.testing.assert_allclose(mirror.mirrored_output(y)[:, 360:], y[:, 360:] * [-1, -1, 1])


def test_mirrored_axes_follow_mirrored_places():
    """A bone lies along its own X, so the mirrored X = up x forward must be the reflected one."""
    pose = _pose(np.random.default_rng(8), ())
    mirrored = mirror.mirrored_pose(pose)
    along = np.cross(pose.up, pose.forward)
    left, right = QUADRUPED.index("LeftArm"), QUADRUPED.index("RightArm")
    along_mirrored = np.cross(mirrored.up, mirrored.forward)
    np.testing.assert_allclose(along_mirrored[left], along[right] * [-1, 1, 1], atol=1e-12)

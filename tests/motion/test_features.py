import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motion import features as f
from motion.skeleton import QUADRUPED
from tests.motion.feature_cases import close as _close
from tests.motion.feature_cases import pose as _pose
from tests.motion.feature_cases import samples as _samples


def test_input_is_interleaved_with_thirteen_numbers_a_sample_and_twelve_a_bone():
    samples, pose = _samples(np.random.default_rng(0), lead=()), _pose(np.random.default_rng(1), ())
    x = f.pack_input(samples, pose)
    assert x.shape == (480,) and x.dtype == np.float32
    for k in (0, 6, 11):
        expected = [
            *samples.positions_m[k],
            *samples.directions[k],
            *samples.velocities_m_s[k],
            samples.speeds_m_s[k],
            *samples.styles[k],
        ]
        np.testing.assert_allclose(x[13 * k : 13 * k + 13], expected, rtol=1e-6)
    for b in (0, 10, 26):
        expected = [*pose.positions_m[b], *pose.forward[b], *pose.up[b], *pose.velocities_m_s[b]]
        np.testing.assert_allclose(x[156 + 12 * b : 168 + 12 * b], expected, rtol=1e-6)


def test_output_is_six_samples_then_bones_then_root_motion():
    random = np.random.default_rng(2)
    output = f.Output(_samples(random, 6, ()), _pose(random, ()), np.array([1.0, 2.0, 3.0]))
    y = f.pack_output(output)
    assert y.shape == (363,)
    np.testing.assert_allclose(y[6 * 4 : 6 * 4 + 2], output.samples.positions_m[4], rtol=1e-6)
    np.testing.assert_allclose(y[6 * 4 + 4 : 6 * 4 + 6], output.samples.velocities_m_s[4])
    np.testing.assert_allclose(y[36 + 12 * 5 + 6 : 36 + 12 * 5 + 9], output.pose.up[5], rtol=1e-6)
    np.testing.assert_array_equal(y[360:], [1, 2, 3])


def test_names_say_what_the_published_gating_list_means():
    gating = (285, 286, 287, 345, 346, 347, 393, 394, 395, 441, 442, 443, *range(84, 91))
    paws = ("LeftHandSite", "RightHandSite", "LeftFootSite", "RightFootSite")
    wanted = [f"{paw}.velocity_{axis}" for paw in paws for axis in "xyz"]
    wanted += [f"sample6.{name}" for name in ("speed", *f.STYLES)]
    assert [f.INPUT_NAMES[i] for i in gating] == wanted
    assert f.INPUT_NAMES[341] == "RightHandSite.forward_z"  # what the known typo reads instead
    assert f.OUTPUT_NAMES[360:] == ("root.velocity_x", "root.yaw_rate", "root.velocity_z")


def test_sample_times_have_two_spacings():
    np.testing.assert_allclose(np.diff(f.SAMPLE_TIMES_S), [1 / 6] * 6 + [0.2] * 5)
    assert f.SAMPLE_TIMES_S[f.PRESENT] == 0 and f.SAMPLE_TIMES_S[0] == -1


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)])
def test_packing_is_undone_by_unpacking(lead):
    random = np.random.default_rng(3)
    samples, pose = _samples(random, lead=lead), _pose(random, lead)
    back_samples, back_pose = f.unpack_input(f.pack_input(samples, pose))
    _close(samples, back_samples)
    _close(pose, back_pose)
    output = f.Output(_samples(random, 6, lead), pose, random.normal(size=(*lead, 3)))
    back = f.unpack_output(f.pack_output(output))
    _close(output.samples, back.samples)
    _close(output.pose, back.pose)
    np.testing.assert_allclose(back.root_motion, output.root_motion, rtol=1e-6)


def test_yaw_turns_left_and_is_a_rotation_about_plus_y():
    np.testing.assert_allclose(f.turned(np.array([0.0, 1.0]), np.pi / 2), [1, 0], atol=1e-15)
    vectors = np.random.default_rng(4).normal(size=(5, 3))
    wanted = Rotation.from_euler("y", 0.7).apply(vectors)
    np.testing.assert_allclose(f.turned_3d(vectors, 0.7), wanted, atol=1e-12)
    np.testing.assert_allclose(f.turned(vectors[:, [0, 2]], 0.7), wanted[:, [0, 2]], atol=1e-12)


def test_trajectory_is_told_from_this_root_and_bones_from_the_previous_one():
    random = np.random.default_rng(5)
    samples, pose = _samples(random, lead=()), _pose(random, ())
    root, previous = np.array([2.0, 1.0, np.pi / 2]), np.array([-1.0, 3.0, 0.0])
    told, bones = f.unpack_input(f.input_vector(samples, pose, root, previous))
    # Yaw of a quarter turn: ahead is world +X, left is world -Z.
    ahead, left = samples.positions_m[:, 0] - 2.0, -(samples.positions_m[:, 1] - 1.0)
    np.testing.assert_allclose(told.positions_m, np.stack([left, ahead], 1), atol=1e-5)
    np.testing.assert_allclose(told.velocities_m_s[:, 1], samples.velocities_m_s[:, 0], atol=1e-5)
    np.testing.assert_allclose(bones.positions_m, pose.positions_m - [-1, 0, 3], atol=1e-5)
    np.testing.assert_allclose(bones.velocities_m_s, pose.velocities_m_s, atol=1e-5)


def test_output_tells_samples_from_the_next_root_and_bones_from_this_one():
    random = np.random.default_rng(6)
    samples, pose = _samples(random, 6, ()), _pose(random, ())
    root, following = np.array([1.0, 2.0, 0.0]), np.array([1.1, 2.2, np.pi / 2])
    output = f.unpack_output(f.output_vector(samples, pose, root, following))
    ahead, left = samples.positions_m[:, 0] - 1.1, -(samples.positions_m[:, 1] - 2.2)
    np.testing.assert_allclose(output.samples.positions_m, np.stack([left, ahead], 1), atol=1e-5)
    np.testing.assert_allclose(output.pose.positions_m, pose.positions_m - [1, 0, 2], atol=1e-5)
    np.testing.assert_allclose(output.root_motion, [6.0, 90 * 60, 12.0], rtol=1e-6)


@given(st.integers(0, 1000))
def test_frames_and_root_motion_are_undone(seed):
    random = np.random.default_rng(seed)
    root, following = random.uniform(-3, 3, (2, 4, 3))
    samples, pose = _samples(random, lead=(4,)), _pose(random, (4,))
    _close(samples, f.samples_to_world(f.samples_to_root(samples, root), root), 1e-12)
    _close(pose, f.pose_to_world(f.pose_to_root(pose, root), root), 1e-12)
    again = f.moved_root(root, f.root_motion(root, following))
    np.testing.assert_allclose(again[:, :2], following[:, :2], atol=1e-12)
    np.testing.assert_allclose(np.cos(again[:, 2] - following[:, 2]), 1, atol=1e-12)


def test_root_of_the_rest_pose_looks_along_plus_z_whatever_the_hips_axes_do():
    places = f.turned_3d(QUADRUPED.rest_positions_m, 0.4) + np.array([5, 0, -2])
    np.testing.assert_allclose(f.root_of_pose(places), [5, -2, 0.4], atol=1e-12)


def test_flip_to_a_left_handed_engine_keeps_the_animal_and_undoes_itself():
    random = np.random.default_rng(9)
    places, turn = random.normal(size=(4, 3)), Rotation.random(4, random)
    flipped_places, flipped_turns = f.flipped(places, turn.as_quat())
    mirror = np.diag([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(flipped_places, places @ mirror)
    matrices = Rotation.from_quat(flipped_turns).as_matrix()
    np.testing.assert_allclose(matrices, mirror @ turn.as_matrix() @ mirror, atol=1e-12)
    np.testing.assert_array_equal(f.flipped(flipped_places, flipped_turns)[0], places)
    assert f.flipped(places, turn.as_quat(), left_handed=False)[0] is places

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motion import measures
from motion.clip import Clip, Section, world_pose
from motion.control.rollout import Rollout
from motion.measures import control, pose
from motion.skeleton import PAW_HEIGHT_M, PAWS, QUADRUPED, REST_AXES, Skeleton
from tests.motion.people import walker

FPS = 60.0


def _feet(height_m, speed_m_s, frames=61):
    path = np.zeros((frames, 2, 3))
    path[..., 1] = height_m
    path[..., 0] = np.arange(frames)[:, None] / FPS * speed_m_s
    return path


def _rollout(frames=300, speed=1.0, turn=0.0, **changes):
    time = np.arange(frames) / FPS
    yaw = turn * time
    if turn:
        x, z = speed / turn * (1 - np.cos(yaw)), speed / turn * np.sin(yaw)
    else:
        x, z = 0 * time, speed * time
    ground = np.stack([x, z, yaw], 1)
    heading = Rotation.from_rotvec(np.outer(yaw, [0, 1, 0])).as_matrix()
    places = np.einsum("tij,nj->tni", heading, QUADRUPED.rest_positions_m)
    places += np.stack([x, 0 * x, z], 1)[:, None]
    ahead = np.array([0, 0, 0, 0, 0, 0, 0, *control.HORIZONS_S])
    future = yaw[:, None] + turn * ahead
    if turn:
        foreseen = speed / turn * np.stack([1 - np.cos(future), np.sin(future)], 2)
    else:
        foreseen = np.stack([0 * future, z[:, None] + speed * ahead], 2)
    trajectory = np.concatenate([foreseen, np.sin(future)[..., None], np.cos(future)[..., None]], 2)
    values = {
        "ground": ground,
        "positions_m": places,
        "axes": heading[:, None] @ REST_AXES,
        "experts": np.full((frames, 8), 1 / 8),
        "trajectory": trajectory,
        "styles": np.tile([0.0, 1, 0, 0, 0, 0], (frames, 1)),
        "wanted": np.tile([speed, np.nan, turn], (frames, 1)),
        "sections": (Section("walk", 0, frames),),
    }
    return Rollout(**(values | changes))


def test_skating_is_speed_on_the_ground_nothing_from_25_mm_up_and_the_formula_between():
    for height, weight in (
        (0.0, 1.0),
        (-0.01, 1.0),
        (0.025, 0.0),
        (0.1, 0.0),
        (0.0125, 2 - 2**0.5),
    ):
        feet = _feet(0.02 + height, 0.5)
        np.testing.assert_allclose(
            pose.foot_skating_m_s(feet, np.full(2, 0.02), FPS), 0.5 * weight, atol=1e-12
        )


def test_skating_ratio_counts_fast_low_feet():
    assert pose.skating_ratio(_feet(0.03, 0.6), FPS) == 1.0
    assert pose.skating_ratio(_feet(0.03, 0.4), FPS) == 0.0
    assert pose.skating_ratio(_feet(0.06, 0.6), FPS) == 0.0


def test_a_foot_stands_when_low_and_slow():
    feet = np.concatenate([_feet(0.02, 0.0), _feet(0.02, 2.0), _feet(0.08, 0.0)], axis=1)
    body = _feet(0.4, 1.0)[:, 0]
    stands = pose.standing(feet, body, np.full(6, 0.02), FPS)
    np.testing.assert_array_equal(stands.mean(axis=0), [1, 1, 0, 0, 0, 0])


def test_penetration_is_depth_below_contact():
    feet = np.concatenate([_feet(0.012, 0.0), _feet(0.05, 0.0)], axis=1)
    np.testing.assert_allclose(
        pose.penetration_m(feet, np.full(4, 0.02)).max(axis=0), [0.008, 0.008, 0, 0]
    )


def test_bone_length_error_sees_a_stretched_bone_only():
    places = np.repeat(QUADRUPED.rest_positions_m[None], 2, axis=0)
    places[1, 5] += 0.03 * QUADRUPED.offsets_m[5] / np.linalg.norm(QUADRUPED.offsets_m[5])
    errors = pose.bone_length_errors_m(places, QUADRUPED)
    np.testing.assert_allclose(errors[1, 4], 0.03)
    np.testing.assert_allclose(np.delete(errors.ravel(), 26 + 4), 0, atol=1e-12)


def test_jerk_of_a_cubic_is_its_third_derivative():
    places = np.zeros((20, 1, 3))
    places[:, 0, 1] = 2.0 * (np.arange(20) / FPS) ** 3
    np.testing.assert_allclose(pose.jerk_m_s3(places, FPS), 12.0, rtol=1e-6)
    assert pose.jerk_m_s3(places[:3], FPS) == 0.0


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_joint_motion_is_in_degrees_a_60th(fps):
    frames = round(fps)
    turns = Rotation.from_rotvec(np.outer(np.arange(frames) / fps, [np.radians(90), 0, 0]))
    rotations = np.zeros((frames, 27, 4))
    rotations[..., 3] = 1
    rotations[:, 7] = turns.as_quat()
    clip = Clip(QUADRUPED, np.zeros((frames, 3)), rotations, fps)
    np.testing.assert_allclose(pose.joint_motion_deg(clip, (7, 8)).mean(axis=0), [1.5, 0])


def test_freeze_is_seen_only_where_motion_was_asked_for():
    frames = 240
    turns = np.radians(20) * np.sin(np.arange(frames) / 5)
    turns[120:] = turns[120]
    rotations = np.zeros((frames, 27, 4))
    rotations[..., 3] = 1
    for joint in (7, 12, 16, 20):
        rotations[:, joint] = Rotation.from_rotvec(np.outer(turns, [1, 0, 0])).as_quat()
    clip = Clip(QUADRUPED, np.zeros((frames, 3)), rotations, FPS)
    assert 1.4 < pose.longest_freeze_s(clip, np.ones(frames, bool)) <= 2.0
    assert pose.longest_freeze_s(clip, np.arange(frames) < 100) == 0.0


def test_feet_are_found_on_all_three_kinds_of_skeleton():
    person = walker(30)
    assert pose.feet_of(person).names == ("left", "right")
    skeleton = Skeleton(
        ("root", "hip", "knee", "toe", "hand"),
        np.array([-1, 0, 1, 2, 0], np.int32),
        np.array([[0, 1.0, 0], [0.1, 0, 0], [0, -0.5, 0], [0, -0.45, 0.1], [0.5, 0, 0]]),
        np.array([False, False, False, True, True]),
    )
    rotations = np.zeros((9, 5, 4))
    rotations[..., 3] = 1
    foreign = Clip(skeleton, np.tile([0, 1.0, 0], (9, 1)), rotations, 30.0)
    feet = pose.feet_of(foreign)
    assert (feet.names, feet.legs) == (("toe",), ((1, 2),))
    np.testing.assert_allclose(feet.contact_height_m, 0.05)


def test_clip_measures_of_a_standing_dog_are_all_still():
    rotations = np.zeros((30, 27, 4))
    rotations[..., 3] = 1
    clip = Clip(QUADRUPED, np.tile(QUADRUPED.offsets_m[0], (30, 1)), rotations, FPS)
    found = measures.clip_measures(clip)
    assert found["foot_skating_m_s"] == found["jerk_m_s3"] == found["leg_motion_deg"] == 0.0
    assert found["stance_share"] == 1.0
    assert found["penetration_max_m"] < 1e-9
    assert {"foot_skating_m_s.left_hind", "stance_share.right_fore"} <= set(found)


def test_steady_state_compares_speed_and_turn_with_the_command():
    exact = control.steady_states(_rollout(turn=0.5))[0]
    assert exact.speed_error < 1e-3
    assert exact.turn_error_deg_s < 1e-6
    assert np.isnan(exact.heading_error_deg)
    slow = _rollout(wanted=np.tile([1.25, np.radians(10), 0], (300, 1)))
    state = control.steady_states(slow)[0]
    np.testing.assert_allclose(state.speed_error, 0.2, atol=1e-6)
    np.testing.assert_allclose(state.heading_error_deg, 10.0)
    assert np.isnan(state.turn_error_deg_s)
    assert control.steady_states(_rollout(frames=150)) == []


def test_foresight_that_comes_true_has_no_error_and_one_that_lags_has_its_lag():
    for turn in (0.0, 0.8):
        metres, degrees = control.trajectory_errors(_rollout(turn=turn))
        np.testing.assert_allclose(metres, 0, atol=1e-9)
        np.testing.assert_allclose(degrees, 0, atol=1e-9)
    rollout = _rollout()
    late = rollout.trajectory.copy()
    late[:, :, 1] -= 0.1
    metres, _ = control.trajectory_errors(replace(rollout, trajectory=late))
    np.testing.assert_allclose(metres, 0.1)
    assert np.isnan(control.trajectory_errors(_rollout(frames=30))[0][-1])


def test_settling_time_is_when_the_speed_stays_in_the_band():
    frames = 300
    rollout = _rollout(frames)
    ground = rollout.ground.copy()
    ground[:, 1] = np.cumsum(np.where(np.arange(frames) < 120, 0.5, 1.0)) / FPS
    (time,) = control.settling_times_s(replace(rollout, ground=ground))
    np.testing.assert_allclose(time, 2.0, atol=0.3)
    assert control.settling_times_s(rollout) == []
    never = np.tile([3.0, np.nan, 0], (frames, 1))
    assert np.isnan(control.settling_times_s(replace(rollout, wanted=never))).all()


def test_expert_use_of_one_and_of_all():
    one = np.eye(8)[np.zeros(5, int)]
    mean, entropy, used = control.expert_use(one)
    np.testing.assert_allclose([mean[0], entropy, used], [1, 0, 1], atol=1e-9)
    turns = np.eye(8)[np.arange(80) % 8]  # each frame one, over time all
    _, entropy, used = control.expert_use(turns)
    np.testing.assert_allclose([entropy, used], [0, 8], atol=1e-9)
    _, entropy, _ = control.expert_use(np.full((5, 8), 1 / 8))
    np.testing.assert_allclose(entropy, np.log(8))


def test_hips_may_be_low_only_while_lying_or_jumping():
    low = _rollout().positions_m.copy()
    low[:30, 0, 1] = 0.1
    rollout = _rollout(positions_m=low)
    np.testing.assert_allclose(control.hips_outside_band(rollout), 0.1)
    lying = rollout.styles.copy()
    lying[:30] = [0, 0, 0, 0, 0, 1]
    assert control.hips_outside_band(replace(rollout, styles=lying)) == 0.0
    # Half a second to get up in, and no longer.
    low[30:90, 0, 1] = 0.2
    rising = replace(rollout, positions_m=low, styles=lying)
    np.testing.assert_allclose(control.hips_outside_band(rising), 0.1)


def test_gliding_without_legs_is_a_freeze_and_all_paws_skate():
    found = measures.rollout_measures(_rollout())
    assert found["longest_freeze_s"] > 3.5
    assert 0.5 < found["network_skating_m_s"] <= 1.0
    assert found["bone_length_error_max_m"] < 1e-9
    assert control.is_finite(_rollout())
    broken = _rollout().experts.copy()
    broken[3] = np.nan
    assert not control.is_finite(_rollout(experts=broken))


def test_largest_move_is_of_the_joint_that_moved_most():
    rotations = np.zeros((3, 27, 4))
    rotations[..., 3] = 1
    clip = Clip(QUADRUPED, np.tile(QUADRUPED.offsets_m[0], (3, 1)), rotations, FPS)
    lifted = clip.root_positions_m + np.array([0, 0.02, 0]) * (np.arange(3) == 1)[:, None]
    assert pose.largest_move_m(clip, clip) == 0.0
    np.testing.assert_allclose(
        pose.largest_move_m(clip, replace(clip, root_positions_m=lifted)), 0.02
    )
    assert world_pose(clip)[0][0, PAWS[0], 1] < PAW_HEIGHT_M + 0.02

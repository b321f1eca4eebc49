import numpy as np
from scipy.spatial.transform import Rotation

from motion.clip import Clip, continuous, local_rotations, world_pose
from motion.control.rollout import Rollout, clip_from_rollout
from motion.skeleton import PAW_HEIGHT_M, PAWS, QUADRUPED, REST_AXES


def _random_clip(frames: int = 7) -> Clip:
    random = np.random.default_rng(0)
    joints = len(QUADRUPED)
    quaternions = Rotation.random(frames * joints, random).as_quat().reshape(frames, joints, 4)
    quaternions[:, QUADRUPED.sites] = (0, 0, 0, 1)
    return Clip(QUADRUPED, random.normal(size=(frames, 3)), continuous(quaternions), 60.0)


def test_rest_pose_stands_on_its_paws_left_is_plus_x():
    places = QUADRUPED.rest_positions_m
    np.testing.assert_allclose(places[list(PAWS), 1].min(), PAW_HEIGHT_M)
    assert places[list(PAWS), 1].max() < PAW_HEIGHT_M + 0.02
    for name, place in zip(QUADRUPED.names, places, strict=True):
        if name.startswith("Left"):
            assert place[0] > 0
    assert places[QUADRUPED.index("Head"), 2] > places[QUADRUPED.index("Tail"), 2]


def test_rest_axes_are_rotations_with_hips_looking_backward_along_x():
    np.testing.assert_allclose(
        REST_AXES @ REST_AXES.swapaxes(1, 2), np.broadcast_to(np.eye(3), (27, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(REST_AXES), 1.0)
    np.testing.assert_allclose(REST_AXES[0], [[0, 0, 1], [0, 1, 0], [-1, 0, 0]], atol=1e-12)


def test_bone_lengths_are_the_table_and_never_change():
    lengths = np.linalg.norm(QUADRUPED.offsets_m[1:], axis=1)
    np.testing.assert_allclose(lengths[QUADRUPED.index("RightHandSite") - 1], 0.072)
    places, _ = world_pose(_random_clip())
    parents = QUADRUPED.parents[1:]
    measured = np.linalg.norm(places[:, 1:] - places[:, parents], axis=2)
    np.testing.assert_allclose(measured, np.broadcast_to(lengths, measured.shape), atol=1e-12)


def test_local_and_world_rotations_are_inverse():
    clip = _random_clip()
    _, turns = world_pose(clip)
    back = local_rotations(QUADRUPED, turns)
    dots = np.abs(np.einsum("tjk,tjk->tj", back, clip.rotations_xyzw))
    np.testing.assert_allclose(dots, 1.0, atol=1e-12)


def test_a_rollout_in_the_rest_pose_is_the_rest_pose():
    frames = 3
    rollout = Rollout(
        np.zeros((frames, 3)),
        np.repeat(QUADRUPED.rest_positions_m[None], frames, 0),
        np.repeat(REST_AXES[None], frames, 0),
        np.full((frames, 8), 1 / 8),
        np.zeros((frames, 12, 4)),
        np.zeros((frames, 6)),
        np.zeros((frames, 3)),
    )
    places, _ = world_pose(clip_from_rollout(rollout, "rest"))
    np.testing.assert_allclose(places[1], QUADRUPED.rest_positions_m, atol=1e-12)


def test_paws_of_a_stretched_rollout_are_where_the_network_said():
    frames, stretch = 3, np.array([0.004, 0.012, -0.01])
    clip = Clip(QUADRUPED, np.tile(QUADRUPED.offsets_m[0], (frames, 1)), _rest(frames), 60.0)
    places, _ = world_pose(clip)
    places[:, [9, 10]] += stretch  # a fore leg whose lower half has slid off
    rollout = Rollout(
        np.zeros((frames, 3)),
        places,
        np.repeat(REST_AXES[None], frames, 0),
        np.full((frames, 8), 1 / 8),
        np.zeros((frames, 12, 4)),
        np.zeros((frames, 6)),
        np.zeros((frames, 3)),
    )
    found, _ = world_pose(clip_from_rollout(rollout, "stretched"))
    np.testing.assert_allclose(found[:, PAWS], places[:, PAWS], atol=1e-9)
    others = [joint for joint in range(27) if joint not in (8, 9, 10)]
    np.testing.assert_allclose(found[:, others], places[:, others], atol=1e-9)


def _rest(frames):
    rotations = np.zeros((frames, 27, 4))
    rotations[..., 3] = 1.0
    return rotations

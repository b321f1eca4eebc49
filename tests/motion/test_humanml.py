import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from motion.clip import Clip, continuous, world_pose
from motion.feet.lock import lock_feet
from motion.humanoid import body as humanoid
from motion.humanoid.body import HUMANOID, NAME_MAPS, renamed
from motion.humanoid.joint_files import decode, read_positions
from motion.humanoid.joints import clip_from_positions, fit_skeleton, grounded, read_joints
from tests.motion.people import encode, person, walker


def _degrees_between(a, b):
    dots = np.abs(np.einsum("...k,...k->...", a, b)).clip(0, 1)
    return np.degrees(2 * np.arccos(dots))


def _step_degrees(clip):
    return _degrees_between(clip.rotations_xyzw[1:], clip.rotations_xyzw[:-1])


def test_rest_pose_stands_with_left_at_plus_x_and_toes_ahead():
    places = HUMANOID.rest_positions_m
    assert len(HUMANOID) == 22
    for name, place in zip(HUMANOID.names, places, strict=True):
        if name.startswith("left"):
            assert place[0] > 0
    np.testing.assert_allclose(places[list(humanoid.FEET), 1], humanoid.FOOT_HEIGHT_M)
    assert 1.4 < places[15, 1] < 1.7
    assert (places[[10, 11], 2] > places[[7, 8], 2]).all()


@pytest.mark.parametrize("rig", ["mixamo", "unity", "unreal"])
def test_name_maps_name_every_joint_once(rig):
    assert list(NAME_MAPS[rig]) == list(HUMANOID.names)
    assert len(set(NAME_MAPS[rig].values())) == 22
    left = [v for k, v in NAME_MAPS[rig].items() if k.startswith("left")]
    assert all("Left" in v or v.endswith("_l") for v in left)
    assert renamed(walker(3), rig).skeleton.names == tuple(NAME_MAPS[rig].values())


def test_random_poses_come_back_from_their_positions():
    random = np.random.default_rng(1)
    frames = 40
    quaternions = Rotation.random(frames * 22, random).as_quat().reshape(frames, 22, 4)
    clip = Clip(HUMANOID, random.normal(size=(frames, 3)), continuous(quaternions), 20.0)
    positions, _ = world_pose(clip)
    back, _ = world_pose(clip_from_positions(positions, 20.0))
    np.testing.assert_allclose(back, positions, atol=1e-3)


def test_bent_limbs_give_their_twist_back():
    clip = walker()
    solved = clip_from_positions(world_pose(clip)[0], 20.0)
    np.testing.assert_allclose(solved.skeleton.offsets_m[1:], HUMANOID.offsets_m[1:], atol=1e-6)
    off = _degrees_between(solved.rotations_xyzw, clip.rotations_xyzw)
    limbs = [HUMANOID.index(s + j) for s in ("left_", "right_") for j in ("hip", "shoulder")]
    assert off[:, limbs].max() < 5.0
    chest = world_pose(solved)[1][:, 9], world_pose(clip)[1][:, 9]
    np.testing.assert_allclose(chest[0], chest[1], atol=1e-6)
    assert off[:, 0].max() < 1e-3
    assert off.max() < 12.0  # spine and feet: only shared out plausibly


@pytest.mark.parametrize("twist_deg", [-60.0, 35.0])
def test_straight_leg_takes_its_twist_from_the_foot_and_elbow_from_its_plane(twist_deg):
    turns = {
        "left_hip": np.array([0.0, twist_deg, 0.0]),
        "right_shoulder": np.array([twist_deg, 0.0, 0.0]),
        "right_elbow": np.array([0.0, 50.0, 0.0]),
    }
    clip = person(10, turns, np.tile(HUMANOID.offsets_m[0], (10, 1)))
    solved = clip_from_positions(world_pose(clip)[0], 20.0)
    off = _degrees_between(solved.rotations_xyzw, clip.rotations_xyzw)
    assert off.max() < 3.0


def test_turning_twice_round_has_no_jump():
    clip = walker(160, turn_deg=720.0)
    positions, _ = world_pose(clip)
    solved = clip_from_positions(positions, 20.0)
    assert _step_degrees(solved).max() < _step_degrees(clip).max() + 4.0
    dots = np.einsum("tjk,tjk->tj", solved.rotations_xyzw[1:], solved.rotations_xyzw[:-1])
    assert dots.min() > 0
    np.testing.assert_allclose(np.degrees(np.ptp(solved.ground[:, 2])), 720, atol=10)


def test_limb_that_straightens_and_bends_the_other_way_turns_without_a_jump():
    frames = 60
    bend = 45 * np.cos(np.linspace(0, np.pi, frames))  # noise of a generator: knee bends forwards
    turns = {"left_knee": np.stack([bend, 0 * bend, 0 * bend], 1)}
    clip = person(frames, turns, np.tile(HUMANOID.offsets_m[0], (frames, 1)))
    solved = clip_from_positions(world_pose(clip)[0], 20.0)
    assert _step_degrees(solved).max() < 8.0


def test_bone_lengths_are_medians_and_constant_under_noise():
    random = np.random.default_rng(2)
    positions, _ = world_pose(walker())
    noisy = positions + random.normal(scale=0.004, size=positions.shape)
    solved = clip_from_positions(noisy, 20.0)
    back, _ = world_pose(solved)
    lengths = np.linalg.norm(back[:, 1:] - back[:, HUMANOID.parents[1:]], axis=2)
    assert np.ptp(lengths, axis=0).max() < 1e-9
    np.testing.assert_allclose(
        lengths[0], np.linalg.norm(HUMANOID.offsets_m[1:], axis=1), atol=3e-3
    )
    assert np.linalg.norm(back - noisy, axis=2).mean() < 0.01


def test_vectors_decode_to_the_positions_they_were_made_of():
    clip = walker(80, turn_deg=540.0)
    positions, _ = world_pose(clip)
    positions = positions - positions[:1, :1] * [1, 0, 1]
    back = decode(encode(positions))
    np.testing.assert_allclose(back, positions[:-1], atol=1e-9)


def test_both_file_forms_give_the_same_clip(tmp_path):
    positions, _ = world_pose(walker(50, turn_deg=300.0))
    positions = positions - positions[:1, :1] * [1, 0, 1]
    vectors = encode(positions)
    mean, std = vectors.mean(0), vectors.std(0) + 0.5
    np.save(tmp_path / "mean.npy", mean)
    np.save(tmp_path / "std.npy", std)
    np.save(tmp_path / "joints.npy", positions[None, :-1].astype(np.float32))
    np.save(tmp_path / "vectors.npy", ((vectors - mean) / std).astype(np.float32))
    a = read_joints(tmp_path / "joints.npy", fps=None)
    statistics = {"mean": tmp_path / "mean.npy", "std": tmp_path / "std.npy"}
    b = read_joints(tmp_path / "vectors.npy", fps=None, **statistics)
    np.testing.assert_allclose(world_pose(a)[0], world_pose(b)[0], atol=2e-4)
    assert (a.name, a.fps) == ("joints", 20.0)


def test_clips_come_at_sixty_frames_with_locked_feet_standing_still(tmp_path):
    sway = 0.02 * np.sin(np.pi * np.arange(60) / 20)  # a stander whose feet slide with the hips
    root = HUMANOID.offsets_m[0] + np.outer(sway, [1.0, 0.0, 0.5])
    positions, _ = world_pose(person(60, {"left_knee": [20, 0, 0], "right_knee": [25, 0, 0]}, root))
    np.save(tmp_path / "stand.npy", positions)
    clip = read_joints(tmp_path / "stand.npy")
    assert (clip.fps, len(clip)) == (60.0, 178)
    locked = lock_feet(clip)
    assert locked.contacts.any(axis=0).all()
    feet = world_pose(locked.clip)[0][:, list(humanoid.FEET)]
    held = locked.contacts[1:] & locked.contacts[:-1]
    before = np.linalg.norm(np.diff(world_pose(clip)[0][:, list(humanoid.FEET)], axis=0), axis=2)
    after = np.linalg.norm(np.diff(feet, axis=0), axis=2)
    assert after[held].mean() < 0.3 * before[held].mean()
    assert feet[..., 1].min() > humanoid.FOOT_HEIGHT_M - 1e-6


def test_the_carrying_foot_is_put_on_the_ground():
    positions, _ = world_pose(walker())
    lower = grounded(positions + np.array([0, 0.3, 0]))[:, [10, 11], 1].min(axis=1)
    np.testing.assert_allclose(np.percentile(lower, 10), humanoid.FOOT_HEIGHT_M)


def test_skeleton_of_a_small_person_is_small():
    positions, _ = world_pose(walker())
    np.testing.assert_allclose(
        fit_skeleton(positions * 0.7).offsets_m[1:], HUMANOID.offsets_m[1:] * 0.7, atol=1e-6
    )


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 24, 3)), "24 joints"),
        (np.zeros((5, 21, 3)), "KIT"),
        (np.zeros((5, 251)), "KIT"),
        (np.zeros((22, 3, 5)), "transpose"),
        (np.zeros((3, 5, 22, 3)), "3 motions"),
        (np.zeros((1, 22, 3)), "at least 2"),
        (np.zeros((5, 263)), "without mean and std"),
        (np.full((5, 22, 3), np.nan), "nan at (0, 0, 0)"),
        (np.zeros((5, 22, 3)), "person's size"),
        (np.array(["a"]), "wanted floats"),
        (np.array([{"motion": 1}], object), "results.npy"),
    ],
)
def test_wrong_files_are_one_clear_line(tmp_path, array, words):
    path = tmp_path / "motion.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(InputError, match=r"motion\.npy") as caught:
        read_positions(path)
    assert words in str(caught.value)
    assert "wanted" in str(caught.value) or "save one motion" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_statistics_and_rates_are_one_clear_line(tmp_path):
    np.save(tmp_path / "v.npy", np.zeros((5, 263)))
    np.save(tmp_path / "mean.npy", np.zeros(263))
    np.save(tmp_path / "std.npy", np.zeros(263))
    np.save(tmp_path / "short.npy", np.ones(66))
    with pytest.raises(InputError, match=r"std\.npy: number 0 is 0"):
        read_positions(tmp_path / "v.npy", mean=tmp_path / "mean.npy", std=tmp_path / "std.npy")
    with pytest.raises(InputError, match=r"short\.npy: shape \(66,\); wanted \(263,\)"):
        read_positions(tmp_path / "v.npy", mean=tmp_path / "mean.npy", std=tmp_path / "short.npy")
    with pytest.raises(InputError, match="source_fps"):
        read_joints(tmp_path / "v.npy", source_fps=0.0)
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=r"cut\.npy"):
        read_positions(tmp_path / "cut.npy")
    with pytest.raises(InputError, match="no such file"):
        read_positions(tmp_path / "none.npy")

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from assets3d.mesh import validate
from motion.clip import Clip, Section, continuous, world_pose
from motion.editing.ground import at_origin, ground_track
from motion.editing.resample import resample, section_clips
from motion.files.gltf import write_clip_glb
from motion.files.gltf_tracks import MODES
from motion.looks.proxy import proxy_for
from motion.looks.skinned_mesh import posed_vertices
from motion.skeleton import QUADRUPED, Skeleton
from tests.motion.gltf_reading import read


def circling(frames: int = 41, fps: float = 60.0, with_ground: bool = True) -> Clip:
    """The rest pose going round in a circle, swaying, starting away from the origin."""
    t = np.arange(frames) / fps
    yaw = 0.7 + 4.0 * t
    place = np.column_stack([3 + np.sin(yaw), -2 + np.cos(yaw), yaw])
    sway = Rotation.from_euler("YXZ", np.column_stack([yaw, 0.1 * np.sin(9 * t), 0 * t]))
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (frames, len(QUADRUPED), 1))
    rotations[:, 0] = sway.as_quat()
    for joint in range(1, 26):
        if not QUADRUPED.sites[joint]:
            bend = 0.3 * np.sin(5 * t + joint)
            rotations[:, joint] = Rotation.from_euler("X", bend[:, None]).as_quat()
    hips = np.column_stack([place[:, 0], 0.468 + 0.02 * np.sin(8 * t), place[:, 1]])
    cut = frames // 3
    sections = (
        Section("walk", 0, cut),
        Section("sit", cut, 2 * cut),
        Section("walk", 2 * cut, frames),
    )
    ground = place if with_ground else None
    return Clip(QUADRUPED, hips, continuous(rotations), fps, "round", sections, ground)


def _joint_places(content, animation, frames):
    worlds = content.worlds(animation, frames)
    numbers = [content.node(name) for name in QUADRUPED.names]
    return worlds, worlds[:, numbers][..., :3, 3]


@pytest.mark.parametrize("with_ground", [True, False])
@pytest.mark.parametrize("mode", ["root_motion", "hips_only"])
def test_joints_and_skin_are_where_the_clip_has_them(tmp_path, mode, with_ground):
    clip = circling(with_ground=with_ground)
    write_clip_glb(tmp_path / "a.glb", clip, mode=mode)
    content = read(tmp_path / "a.glb")
    worlds, places = _joint_places(content, 0, len(clip))
    np.testing.assert_allclose(places, world_pose(clip)[0], atol=1e-5)
    expected = posed_vertices(proxy_for(QUADRUPED), clip)
    np.testing.assert_allclose(content.skinned(worlds), expected, atol=1e-5)


def test_in_place_is_root_motion_without_the_root(tmp_path):
    clip = circling()
    write_clip_glb(tmp_path / "a.glb", clip, mode="in_place")
    _, places = _joint_places(read(tmp_path / "a.glb"), 0, len(clip))
    ground = ground_track(clip)
    back = Rotation.from_rotvec(
        np.column_stack([0 * ground[:, 2], -ground[:, 2], 0 * ground[:, 2]])
    )
    wanted, _ = world_pose(clip)
    for frame in range(len(clip)):
        moved = wanted[frame] - [ground[frame, 0], 0, ground[frame, 1]]
        np.testing.assert_allclose(places[frame], back[frame].apply(moved), atol=1e-5)
    np.testing.assert_allclose(places[:, 0, [0, 2]], 0.0, atol=1e-5)


def test_only_root_and_hips_move_and_only_in_their_modes(tmp_path):
    moved = {}
    for mode in MODES:
        write_clip_glb(tmp_path / "a.glb", circling(), mode=mode)
        document = read(tmp_path / "a.glb").document
        moved[mode] = [
            document["nodes"][channel["target"]["node"]]["name"]
            for channel in document["animations"][0]["channels"]
            if channel["target"]["path"] == "translation"
        ]
        assert len(document["animations"][0]["channels"]) == {"root_motion": 24}.get(mode, 22)
    assert moved == {"root_motion": ["Root", "Hips"], "in_place": ["Hips"], "hips_only": ["Hips"]}


def test_the_rest_pose_is_identity_and_every_joint_is_in_the_skin(tmp_path):
    write_clip_glb(tmp_path / "a.glb", circling())
    content = read(tmp_path / "a.glb")
    nodes, skin = content.document["nodes"], content.document["skins"][0]
    assert [nodes[joint]["name"] for joint in skin["joints"]] == ["Root", *QUADRUPED.names]
    assert all("rotation" not in node and "scale" not in node for node in nodes)
    worlds = content.worlds(None)
    np.testing.assert_allclose(
        worlds[0][[content.node(name) for name in QUADRUPED.names]][:, :3, 3],
        QUADRUPED.rest_positions_m,
        atol=1e-7,
    )
    np.testing.assert_allclose(
        content.skinned(worlds)[0], proxy_for(QUADRUPED).mesh.vertices, atol=1e-6
    )


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_keys_are_on_whole_frames(tmp_path, fps):
    write_clip_glb(tmp_path / "a.glb", circling(61), fps=fps)
    content = read(tmp_path / "a.glb")
    np.testing.assert_array_equal(content.times(0), (np.arange(fps + 1) / fps).astype(np.float32))
    assert content.document["animations"][0]["extras"]["fps"] == fps


def test_rotations_are_unit_and_never_flip(tmp_path):
    write_clip_glb(tmp_path / "a.glb", circling(200))  # more than two turns
    content = read(tmp_path / "a.glb")
    animation = content.document["animations"][0]
    for channel in animation["channels"]:
        if channel["target"]["path"] == "rotation":
            turns = content.values(animation["samplers"][channel["sampler"]]["output"])
            np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1.0, atol=1e-6)
            assert (turns[1:] * turns[:-1]).sum(axis=1).min() > 0.9


def test_split_sections_have_unique_names_and_start_on_the_origin(tmp_path):
    write_clip_glb(tmp_path / "a.glb", circling(), split=True)
    content = read(tmp_path / "a.glb")
    assert [a["name"] for a in content.document["animations"]] == ["walk", "sit", "walk_2"]
    for number in range(3):
        frames = len(content.times(number))
        root = content.worlds(number, frames)[0, content.node("Root")]
        np.testing.assert_allclose(root, np.eye(4), atol=1e-6)


def test_the_timeline_is_in_the_extras(tmp_path):
    write_clip_glb(tmp_path / "a.glb", circling(), fps=30, extras={"seed": 3})
    document = read(tmp_path / "a.glb").document
    sections = document["animations"][0]["extras"]["sections"]
    assert [part["name"] for part in sections] == ["walk", "sit", "walk"]
    assert sections[0]["start_s"] == 0.0
    assert sections[0]["end_s"] == sections[1]["start_s"]
    assert document["asset"]["extras"] == {"seed": 3}


def test_the_same_clip_gives_the_same_bytes(tmp_path):
    for name in ("a.glb", "b.glb"):
        (tmp_path / name[0]).mkdir()
        write_clip_glb(tmp_path / name[0] / "clip.glb", circling())
    assert (tmp_path / "a/clip.glb").read_bytes() == (tmp_path / "b/clip.glb").read_bytes()


@pytest.mark.skipif(bool(validate.missing()), reason=validate.missing())
@pytest.mark.parametrize(("mode", "split"), [("root_motion", False), ("in_place", True)])
def test_the_validator_has_nothing_to_say(tmp_path, mode, split):
    write_clip_glb(tmp_path / "a.glb", circling(), mode=mode, split=split)
    verdict = validate.validate_glb(tmp_path / "a.glb")
    assert (verdict.errors, verdict.warnings, verdict.messages) == (0, 0, ())


def test_another_skeleton_gets_a_body_too(tmp_path):
    skeleton = Skeleton(
        ("Root", "arm", "hand"),
        np.array([-1, 0, 1], np.int32),
        np.array([[0, 1, 0], [0.3, 0, 0], [0.3, 0, 0.0]]),
        np.zeros(3, bool),
    )
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (3, 3, 1))
    write_clip_glb(tmp_path / "a.glb", Clip(skeleton, np.ones((3, 3)), rotations, 30.0))
    content = read(tmp_path / "a.glb")
    assert content.document["nodes"][0]["name"] == "Ground"
    assert content.document["accessors"][0]["count"] > 50


def test_clips_of_two_skeletons_are_a_mistake_of_the_caller(tmp_path):
    other = replace(QUADRUPED, names=tuple(name.lower() for name in QUADRUPED.names))
    with pytest.raises(ValueError, match="several skeletons"):
        write_clip_glb(tmp_path / "a.glb", [circling(), replace(circling(), skeleton=other)])


def test_resampling_keeps_frames_that_exist_and_ends():
    clip = circling(61)
    half = resample(clip, 30.0)
    assert len(half) == 31
    np.testing.assert_allclose(half.root_positions_m, clip.root_positions_m[::2], atol=1e-12)
    np.testing.assert_allclose(half.rotations_xyzw, clip.rotations_xyzw[::2], atol=1e-12)
    assert [(part.first, part.last) for part in half.sections] == [(0, 10), (10, 20), (20, 31)]
    assert resample(clip, 60.0) is clip


def test_resampling_up_and_down_again_is_close_and_smooth_between():
    clip = circling(61, fps=20.0)
    up = resample(clip, 60.0)
    assert len(up) == 181
    np.testing.assert_allclose(
        resample(up, 20.0).root_positions_m, clip.root_positions_m, atol=1e-9
    )
    truth = circling(181, fps=60.0)
    middle = slice(5, -5)
    np.testing.assert_allclose(
        up.root_positions_m[middle], truth.root_positions_m[middle], atol=2e-4
    )
    np.testing.assert_allclose(ground_track(up)[middle], ground_track(truth)[middle], atol=2e-4)


def test_sections_are_the_clip_cut_up():
    clip = circling()
    parts = section_clips(clip)
    assert [part.name for part in parts] == ["walk", "sit", "walk"]
    joined = np.concatenate([part.root_positions_m for part in parts])
    np.testing.assert_array_equal(joined, clip.root_positions_m)


def test_at_origin_moves_the_clip_as_a_whole():
    clip = circling()
    moved = at_origin(clip)
    np.testing.assert_allclose(ground_track(moved)[0], 0.0, atol=1e-12)
    before, after = world_pose(clip)[0], world_pose(moved)[0]
    distances = np.linalg.norm(before[0, 0] - before[-1], axis=1)
    np.testing.assert_allclose(np.linalg.norm(after[0, 0] - after[-1], axis=1), distances)
    np.testing.assert_allclose(after[..., 1], before[..., 1], atol=1e-12)


def test_a_found_ground_track_follows_the_known_one():
    clip = circling(120)
    found = ground_track(replace(clip, ground=None), smoothing_s=0.05)
    np.testing.assert_allclose(found[10:-10], clip.ground[10:-10], atol=0.03)

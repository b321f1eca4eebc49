import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from motion.clip import Clip, continuous, local_rotations, world_pose
from motion.editing.rebase import capture_axes, rebased
from motion.files.bvh import euler_zxy_deg, read_bvh, write_bvh
from motion.skeleton import QUADRUPED, REST_AXES, Skeleton


def tumbling(frames: int, seed: int = 0, skeleton: Skeleton = QUADRUPED) -> Clip:
    """A clip whose joints turn by some 10 degrees a frame, without end."""
    random = np.random.default_rng(seed)
    turns = Rotation.random(len(skeleton), random)
    quaternions = []
    for step in random.normal(0.0, 0.1, (frames, len(skeleton), 3)):
        turns = turns * Rotation.from_rotvec(step)
        quaternions.append(turns.as_quat())
    rotations = continuous(np.array(quaternions))
    rotations[:, skeleton.sites] = (0, 0, 0, 1)
    return Clip(skeleton, random.normal(size=(frames, 3)), rotations, 60.0, "tumbling")


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_writing_and_reading_keeps_every_bone_in_its_place(tmp_path, unit):
    clip = tumbling(50)
    write_bvh(tmp_path / "a.bvh", clip, unit=unit)
    back = read_bvh(tmp_path / "a.bvh", unit=unit)
    found = read_bvh(tmp_path / "a.bvh")  # by the size of the bones
    np.testing.assert_array_equal(found.root_positions_m, back.root_positions_m)
    assert back.skeleton.names == QUADRUPED.names
    assert back.fps == 60.0
    np.testing.assert_array_equal(back.skeleton.sites, QUADRUPED.sites)
    np.testing.assert_allclose(world_pose(back)[0], world_pose(clip)[0], atol=5e-6)


def test_the_file_is_the_published_layout(tmp_path):
    write_bvh(tmp_path / "a.bvh", tumbling(3))
    text = (tmp_path / "a.bvh").read_text()
    lines = text.splitlines()
    assert "Frame Time: 0.01666667" in lines
    assert text.count("CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation") == 1
    assert text.count("CHANNELS 3 Zrotation Xrotation Yrotation") == 20
    assert text.count("End Site") == 6
    assert [len(line.split()) for line in lines[-3:]] == [66] * 3
    assert lines[lines.index("ROOT Hips") + 2].split() == ["OFFSET"] + ["0.000000"] * 3


def test_the_same_clip_gives_the_same_bytes(tmp_path):
    for name in "ab":
        write_bvh(tmp_path / name, tumbling(5))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_angles_never_jump_and_mean_the_same_rotations():
    clip = tumbling(2000)
    # Away from gimbal lock: near it, angles may move fast although the joint does not.
    middle = Rotation.from_quat(clip.rotations_xyzw.reshape(-1, 4)).as_euler("ZXY")[:, 1]
    tame = (np.abs(middle) < np.radians(80)).reshape(2000, -1)
    angles = euler_zxy_deg(clip.rotations_xyzw)
    steps = np.abs(np.diff(angles, axis=0)).max(axis=-1)
    assert steps[tame[1:] & tame[:-1]].max() < 150.0
    assert np.abs(angles).max() > 360.0  # they did wind up
    again = Rotation.from_euler("ZXY", angles.reshape(-1, 3), degrees=True)
    error = again.inv() * Rotation.from_quat(clip.rotations_xyzw.reshape(-1, 4))
    assert error.magnitude().max() < 1e-9


def test_turning_round_and_round_keeps_counting():
    yaw = np.linspace(0.0, 6 * np.pi, 200)
    rotations = Rotation.from_euler("Y", yaw[:, None]).as_quat()[:, None]
    angles = euler_zxy_deg(rotations)[:, 0]
    np.testing.assert_allclose(angles[:, 2], np.degrees(yaw), atol=1e-6)
    np.testing.assert_allclose(angles[:, :2], 0.0, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(
    order=st.permutations("XYZ"),
    positions=st.permutations("XYZ"),
    rotations_first=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_order_of_channels(tmp_path_factory, order, positions, rotations_first, seed):
    random = np.random.default_rng(seed)
    place, angles = random.normal(size=3), random.uniform(-180, 180, 3)
    moves = [f"{axis}position" for axis in positions]
    turns = [f"{axis}rotation" for axis in order]
    values = [place["XYZ".index(axis)] for axis in positions]
    columns = [*turns, *moves] if rotations_first else [*moves, *turns]
    numbers = [*angles, *values] if rotations_first else [*values, *angles]
    text = (
        f"HIERARCHY\nROOT the root\n{{ OFFSET 9 9 9 CHANNELS 6 {' '.join(columns)}\n"
        "End Site\n{\nOFFSET 0 1 2\n}\n}\nMOTION\nFrames: 1\nFrame Time: 0.0333333\n"
        + " ".join(f"{number:.9f}" for number in numbers)
    )
    path = tmp_path_factory.mktemp("bvh") / "a.bvh"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    clip = read_bvh(path, unit="m")
    assert clip.skeleton.names == ("the root", "the rootSite")
    assert clip.fps == 30.0
    matrix = np.eye(3)
    for axis, angle in zip(order, angles, strict=True):
        matrix = matrix @ Rotation.from_euler(axis, angle, degrees=True).as_matrix()
    np.testing.assert_allclose(clip.root_positions_m[0], place, atol=1e-8)
    np.testing.assert_allclose(world_pose(clip)[0][0, 1], place + matrix @ [0, 1, 2], atol=1e-7)


def test_joints_with_constant_position_channels_take_them_as_offsets(tmp_path):
    text = (
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n"
        "JOINT b\n{\nOFFSET 1 2 3\nCHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation "
        "Xrotation\n}\n}\nMOTION\nFrames: 2\nFrame Time: 0.02\n0 0 0 1 2 3 0 0 0\n"
    )
    (tmp_path / "a.bvh").write_text(text + "0 0 1 1 2 3 0 0 0")
    offset = read_bvh(tmp_path / "a.bvh", unit="m").skeleton.offsets_m[1]
    np.testing.assert_allclose(offset, [1, 2, 3])
    (tmp_path / "a.bvh").write_text(text + "0 0 1 1.5 2 3 0 0 0")
    with pytest.raises(InputError, match=r"joint b moves by 0\.500 m"):
        read_bvh(tmp_path / "a.bvh", unit="m")


def test_a_leaf_that_is_no_site_gets_an_end_of_length_zero(tmp_path):
    skeleton = Skeleton(
        ("a", "b"), np.array([-1, 0], np.int32), np.eye(2, 3), np.array([False, False])
    )
    write_bvh(tmp_path / "a.bvh", tumbling(2, skeleton=skeleton))
    assert read_bvh(tmp_path / "a.bvh").skeleton.names == ("a", "b", "bSite")


def _edited(tmp_path, change):
    write_bvh(tmp_path / "a.bvh", tumbling(3))
    lines = (tmp_path / "a.bvh").read_text().splitlines()
    change(lines)
    (tmp_path / "b.bvh").write_text("\n".join(lines))
    return tmp_path / "b.bvh", len(lines)


def _set(lines, place, line):
    lines[place] = line


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda x: _set(x, -1, x[-1][:300]), r"b\.bvh line {last}: found \d+ numbers, wanted 66"),
        (lambda x: _set(x, -1, x[-1] + " 1"), r"line {last}: found 67 numbers, wanted 66"),
        (
            lambda x: _set(x, -2, "nan " + x[-2].split(" ", 1)[1]),
            r"line {last-1}: found nan in col",
        ),
        (lambda x: _set(x, -2, "one " + x[-2].split(" ", 1)[1]), r"line {last-1}: found 'one', w"),
        (lambda x: x.pop(), r"line {last}: found 2 frames, wanted the 3"),
        (
            lambda x: _set(x, 4, x[4].replace("Yrot", "Wrot")),
            r"line 5: found the channel 'Wrotatio",
        ),
        (lambda x: _set(x, 4, x[4].replace("Yrot", "Zrot")), r"line 5: .*'Zrotation' twice"),
        (lambda x: _set(x, 3, "OFFSET 1 2 x"), r"line 4: found OFFSET 1 2 x, wanted three"),
        (lambda x: _set(x, 0, "hello"), r"line 1: found 'hello', wanted HIERARCHY"),
        (lambda x: x.__delitem__(slice(20, None)), r"line 20: found the end of the file"),
        (lambda x: _set(x, -4, "Frame Time: soon"), r"found 'Frame Time: soon', wanted Frame Time"),
        (lambda x: _set(x, 1, "JOINT Hips"), r"line 2: found JOINT here"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, change, complaint):
    path, last = _edited(tmp_path, change)
    pattern = complaint.replace("{last}", str(last)).replace("{last-1}", str(last - 1))
    with pytest.raises(InputError, match=pattern):
        read_bvh(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"bvh: none\.bvh cannot be read"):
        read_bvh(tmp_path / "none.bvh")


def _as_captured(clip: Clip, rolled: bool = False) -> Clip:
    """The same motion told by bones that lie along +X in the zero pose, in another order."""
    axes = capture_axes(rolled)
    offsets = QUADRUPED.offsets_m.copy()
    parents = QUADRUPED.parents[1:]
    offsets[1:] = np.einsum("jba,jb->ja", axes[parents], QUADRUPED.offsets_m[1:])
    offsets[0] = (-10, 7, 1)
    skeleton = Skeleton(QUADRUPED.names, QUADRUPED.parents, offsets, QUADRUPED.sites)
    turns = world_pose(clip)[1] @ axes
    captured = Clip(
        skeleton, clip.root_positions_m, local_rotations(skeleton, turns), 60.0, "captured"
    )
    return captured


@pytest.mark.parametrize("rolled", [False, True])
def test_captured_files_come_out_standing_with_the_same_motion(tmp_path, rolled):
    clip = tumbling(20)
    captured = _as_captured(clip, rolled)
    along = captured.skeleton.offsets_m[QUADRUPED.index("LeftForeArm")]
    np.testing.assert_allclose(along, [0.152, 0, 0], atol=1e-9)
    write_bvh(tmp_path / "dog.bvh", captured)
    back = rebased(read_bvh(tmp_path / "dog.bvh"), rolled=rolled)
    assert back.skeleton is QUADRUPED
    places, turns = world_pose(back)
    np.testing.assert_allclose(places, world_pose(clip)[0], atol=5e-6)
    bones = ~QUADRUPED.sites
    np.testing.assert_allclose(turns[:, bones], world_pose(clip)[1][:, bones], atol=1e-6)


def test_the_rolled_axes_are_the_networks_own():
    np.testing.assert_array_equal(capture_axes(rolled=True), REST_AXES)
    plain = capture_axes()
    np.testing.assert_allclose(plain[4, :, 0], REST_AXES[4, :, 0])  # along the bone
    np.testing.assert_allclose(plain[4, :, 1], -REST_AXES[4, :, 2])


def test_our_own_files_are_recognised_as_standing_and_other_sizes_kept(tmp_path):
    offsets = QUADRUPED.offsets_m * 1.3
    larger = Skeleton(QUADRUPED.names, QUADRUPED.parents, offsets, QUADRUPED.sites)
    clip = tumbling(3, skeleton=larger)
    write_bvh(tmp_path / "a.bvh", clip)
    back = rebased(read_bvh(tmp_path / "a.bvh"))
    np.testing.assert_allclose(world_pose(back)[0], world_pose(clip)[0], atol=5e-6)
    np.testing.assert_allclose(back.skeleton.offsets_m[1:], offsets[1:], atol=1e-7)


def test_other_bones_are_named():
    names = tuple("Nose" if name == "Tail1" else name for name in QUADRUPED.names)
    other = Skeleton(names, QUADRUPED.parents, QUADRUPED.offsets_m, QUADRUPED.sites)
    with pytest.raises(InputError, match=r"dog\.bvh: .*without Tail1; it also has Nose"):
        rebased(tumbling(2, skeleton=other), source="dog.bvh")


def test_a_bone_that_hangs_elsewhere_is_named():
    parents = QUADRUPED.parents.copy()
    parents[6] = 3
    other = Skeleton(QUADRUPED.names, parents, QUADRUPED.offsets_m, QUADRUPED.sites)
    with pytest.raises(InputError, match="LeftShoulder under Neck, wanted it under Spine1"):
        rebased(tumbling(2, skeleton=other))


def test_a_zero_pose_that_is_neither_is_refused():
    offsets = QUADRUPED.offsets_m @ Rotation.from_euler("Z", 90, degrees=True).as_matrix()
    other = Skeleton(QUADRUPED.names, QUADRUPED.parents, offsets, QUADRUPED.sites)
    with pytest.raises(InputError, match="64 degrees from the standing one"):
        rebased(tumbling(2, skeleton=other))

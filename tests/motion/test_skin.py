import copy

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from assets3d.mesh import validate
from assets3d.mesh.glb_builder import GlbBuilder, packed
from motion.files.gltf import write_clip_glb
from motion.files.gltf_tracks import MODES
from motion.files.joint_names import canonical, matched
from motion.humanoid.body import HUMANOID, NAME_MAPS
from motion.skeleton import QUADRUPED
from tests.motion.gltf_reading import read
from tests.motion.test_gltf import circling


def _foreign(path, *, rename=str, scale=1.0, yaw=0.0, seed=None, root=False, matrix=False):
    """Our own wolf as somebody else's rig: bones with axes of their own under an armature."""
    write_clip_glb(path, circling(2))
    own = read(path)
    document = copy.deepcopy(own.document)
    del document["animations"]
    builder = GlbBuilder()
    primitive = document["meshes"][0]["primitives"][0]
    for key, accessor in primitive["attributes"].items():
        values = own.values(accessor)
        if key == "POSITION":
            values = Rotation.from_euler("Y", yaw).apply(values).astype(np.float32)
        if key == "NORMAL":
            values = Rotation.from_euler("Y", yaw).apply(values)
        integers = key == "JOINTS_0"
        if integers and not root:
            values = np.maximum(values.astype(int) - 1, 0).astype(np.uint8)
        primitive["attributes"][key] = (
            builder.attribute(values) if integers else builder.vectors(values, key == "POSITION")
        )
    faces = own.values(primitive["indices"]).reshape(-1, 3)
    primitive["indices"] = builder.indices(faces, 60000)
    count = len(QUADRUPED)
    axes = (
        np.tile(np.eye(3), (count, 1, 1))
        if seed is None
        else Rotation.random(count, np.random.default_rng(seed)).as_matrix()
    )
    armature = np.eye(4)
    armature[:3, :3] = Rotation.from_euler("X", -90, degrees=True).as_matrix() * scale
    worlds = np.tile(np.eye(4), (count, 1, 1))
    worlds[:, :3, :3] = Rotation.from_euler("Y", yaw).as_matrix() @ axes * scale
    worlds[:, :3, 3] = Rotation.from_euler("Y", yaw).apply(QUADRUPED.rest_positions_m)
    nodes = document["nodes"]
    # node 0 was Root, which becomes the armature
    nodes[0] |= {"name": "Root" if root else "Armature"}
    nodes[0] |= {"rotation": Rotation.from_euler("X", -90, degrees=True).as_quat().tolist()}
    nodes[0] |= {"scale": [scale] * 3}
    for joint, parent in enumerate(QUADRUPED.parents):
        above = armature if parent < 0 else worlds[parent]
        local = np.linalg.inv(above) @ worlds[joint]
        node = nodes[joint + 1]
        node["name"] = rename(node["name"])
        if matrix:
            node.pop("translation")
            node["matrix"] = local.T.ravel().tolist()
        else:
            node["translation"] = local[:3, 3].tolist()
            node["rotation"] = Rotation.from_matrix(local[:3, :3]).as_quat().tolist()
    binds = np.concatenate([np.linalg.inv(armature)[None], np.linalg.inv(worlds)])
    first = 0 if root else 1
    skin = document["skins"][0]
    skin["joints"] = list(range(first, count + 1))
    skin["skeleton"] = first
    binds[:, 3] = (0, 0, 0, 1)
    matrices = binds[first:].swapaxes(1, 2).reshape(-1, 16)
    skin["inverseBindMatrices"] = builder.array(matrices.astype("<f4"))
    path.write_bytes(packed(document | builder.buffers(), bytes(builder.data)))
    return path


def _vertices(path, animation=0):
    content = read(path)
    frames = len(content.times(animation))
    return content.skinned(content.worlds(animation, frames))


def _mixed(name: str) -> str:
    side, core = canonical(name)
    return f"wolf:{core.upper()}.{side[0].upper()}" if side else f"wolf:{core.upper()}"


RIGS = {
    "as it is": {},
    "other axes": {"seed": 1},
    "centimetre armature": {"seed": 2, "scale": 0.01},
    "other names": {"rename": _mixed},
    "facing left": {"seed": 3, "yaw": np.pi / 2},
    "facing back": {"yaw": np.pi},
    "a root of its own": {"seed": 4, "root": True, "scale": 0.01},
    "matrices": {"seed": 5, "matrix": True},
}


@pytest.mark.parametrize("rig", RIGS)
@pytest.mark.parametrize("mode", MODES)
def test_another_rig_of_the_same_wolf_moves_the_same(tmp_path, rig, mode):
    clip = circling(12)
    _foreign(tmp_path / "user.glb", **RIGS[rig])
    write_clip_glb(tmp_path / "own.glb", clip, mode=mode)
    write_clip_glb(tmp_path / "out.glb", clip, mode=mode, skin=tmp_path / "user.glb")
    np.testing.assert_allclose(
        _vertices(tmp_path / "out.glb"), _vertices(tmp_path / "own.glb"), atol=2e-5
    )


def test_the_users_bytes_and_entries_stay(tmp_path):
    _foreign(tmp_path / "user.glb", seed=1)
    write_clip_glb(tmp_path / "out.glb", circling(5), skin=tmp_path / "user.glb")
    before, after = read(tmp_path / "user.glb"), read(tmp_path / "out.glb")
    assert after.data.startswith(before.data.rstrip(b"\0"))
    for key in ("meshes", "skins", "materials"):
        assert after.document[key] == before.document[key]
    count = len(before.document["nodes"])
    assert after.document["nodes"][:count] == before.document["nodes"]
    assert [node["name"] for node in after.document["nodes"][count:]] == ["Root"]
    for key in ("accessors", "bufferViews"):
        assert after.document[key][: len(before.document[key])] == before.document[key]


def test_animations_of_the_file_are_kept_and_names_stay_unique(tmp_path):
    write_clip_glb(tmp_path / "user.glb", circling(4), split=True)
    write_clip_glb(tmp_path / "out.glb", circling(7), split=True, skin=tmp_path / "user.glb")
    names = [entry["name"] for entry in read(tmp_path / "out.glb").document["animations"]]
    assert names[:2] == ["walk", "sit"]
    assert len(set(names)) == len(names) == 6


@pytest.mark.skipif(bool(validate.missing()), reason=validate.missing())
@pytest.mark.parametrize("rig", ["centimetre armature", "a root of its own"])
def test_the_validator_has_nothing_to_say(tmp_path, rig):
    _foreign(tmp_path / "user.glb", **RIGS[rig])
    write_clip_glb(tmp_path / "out.glb", circling(5), skin=tmp_path / "user.glb")
    verdict = validate.validate_glb(tmp_path / "out.glb")
    assert (verdict.errors, verdict.warnings) == (0, 0), verdict.messages


def test_a_larger_animal_walks_farther(tmp_path):
    path = _foreign(tmp_path / "user.glb")
    content = read(path)
    document = copy.deepcopy(content.document)
    document["nodes"][0]["scale"] = [2.0] * 3
    path.write_bytes(packed(document, content.data))
    clip = circling(5)
    write_clip_glb(tmp_path / "out.glb", clip, skin=path)
    write_clip_glb(tmp_path / "own.glb", clip)
    out, own = read(tmp_path / "out.glb"), read(tmp_path / "own.glb")
    for name in ("Hips", "LeftHand"):
        theirs = out.worlds(0, 5)[:, out.node(name)][:, :3, 3]
        ours = own.worlds(0, 5)[:, own.node(name)][:, :3, 3]
        np.testing.assert_allclose(theirs, 2.0 * ours, atol=1e-4)


def test_missing_joints_are_named(tmp_path):
    def rename(name):
        return {"LeftLeg": "Bone7", "Head": "Bone8"}.get(name, name)

    _foreign(tmp_path / "user.glb", rename=rename)
    with pytest.raises(InputError, match=r"user\.glb: found no joint for Head, LeftLeg among Hips"):
        write_clip_glb(tmp_path / "out.glb", circling(3), skin=tmp_path / "user.glb")
    assert not (tmp_path / "out.glb").exists()


def test_a_glb_without_a_skin_is_refused(tmp_path):
    path = _foreign(tmp_path / "user.glb")
    content = read(path)
    del content.document["skins"]
    path.write_bytes(packed(content.document, content.data))
    with pytest.raises(InputError, match=r"user\.glb: found no skin"):
        write_clip_glb(tmp_path / "out.glb", circling(3), skin=path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"user\.glb is not a whole"):
        write_clip_glb(tmp_path / "out.glb", circling(3), skin=path)
    with pytest.raises(InputError, match=r"none\.glb cannot be read"):
        write_clip_glb(tmp_path / "out.glb", circling(3), skin=tmp_path / "none.glb")


@pytest.mark.parametrize(
    ("name", "side", "core"),
    [
        ("LeftUpLeg", "left", "upleg"),
        ("wolf:UpLeg.L", "left", "upleg"),
        ("rig|thigh_r", "right", "thigh"),
        ("R_Shin", "right", "shin"),
        ("mixamorig:RightHand", "right", "hand"),
        ("left_hip", "left", "hip"),
        ("Tail.001", "", "tail001"),
        ("Spine", "", "spine"),
        ("Leg", "", "leg"),
        ("Left", "", "left"),
    ],
)
def test_names_are_understood(name, side, core):
    assert canonical(name) == (side, core)


def test_numbered_chains_are_told_apart():
    for rig in (
        ["hips", "spine_01", "spine_02", "tail1", "tail2"],
        ["pelvis", "spine", "spine.001", "tail", "tail.001"],
        ["Hips", "Spine", "Spine1", "Tail", "Tail1"],
    ):
        pairs = matched(QUADRUPED, rig)
        chain = [QUADRUPED.index(n) for n in ("Hips", "Spine", "Spine1", "Tail", "Tail1")]
        assert [pairs[joint] for joint in chain] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rig", NAME_MAPS)
def test_known_human_rigs_match_whole(rig):
    names = [NAME_MAPS[rig][name] for name in HUMANOID.names]
    assert matched(HUMANOID, names) == {joint: joint for joint in range(22)}

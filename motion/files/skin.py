"""Put clips on a user's own skinned GLB, joint by joint name.

The file's nodes, meshes, skins, materials and every byte of its buffer stay; animations are added,
and a node `Root` above the rig where it has none. The pose of the file's nodes is the rest pose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from assets3d.mesh.glb_builder import GlbBuilder, packed, unpacked
from motion.clip import Clip, continuous, world_pose
from motion.editing.ground import ground_track, relative_to_ground
from motion.files.gltf_tracks import ROOT, Mode, appended, sections_extras
from motion.files.joint_names import canonical, matched
from motion.files.rig import Rig, read_rig
from motion.skeleton import Skeleton

Array = NDArray[np.float64]

#: Joints whose direction in a user's rest pose is a matter of taste: they turn as the clip turns.
#: The limbs' bones are brought parallel to the clip's, whatever pose the user bound them in.
_TRUNK = frozenset(
    "Hips Spine Spine1 Neck Head LeftShoulder RightShoulder Tail1 pelvis spine1 spine2 spine3 neck "
    "head left_collar right_collar left_ankle right_ankle".split()
)
_SAME_SIZE = 1e-4


def animated_bytes(
    path: Path, clips: Sequence[Clip], mode: Mode, extras: Mapping[str, Any] | None = None
) -> bytes:
    """Return the GLB at `path` with the clips as further animations.

    Args:
        path: a self-contained GLB with a skin; metres or any other size, +Y up, on y = 0.
        clips: of one skeleton, with names and rates as they are to be.
        mode: see `motion.files.gltf.write_clip_glb`.
        extras: put into `asset.extras` beside what is there.

    Raises:
        InputError: naming the joints that the skin lacks, or what is wrong with the file.
    """
    try:
        document, data = unpacked(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"skin: {path.name} cannot be read: {error.strerror}") from error
    rig = read_rig(document, path.name)
    pairs = _pairs(clips[0].skeleton, rig, path.name)
    rig, pairs = _with_root(rig, pairs)
    builder = GlbBuilder()
    builder.data = bytearray(data[: document["buffers"][0]["byteLength"]])
    builder.views = list(document.get("bufferViews", []))
    builder.accessors = list(document.get("accessors", []))
    taken = {entry.get("name") for entry in document.get("animations", [])}
    times: dict[tuple[int, float], int] = {}
    added = []
    for clip in clips:
        tracks = _tracks(rig, pairs, clip, mode)
        entry = appended(builder, tracks, len(clip), clip.fps, times)
        name, number = clip.name, 1
        while name in taken:
            number += 1
            name = f"{clip.name}_{number}"
        taken.add(name)
        added.append({"name": name} | entry | {"extras": sections_extras(clip, mode)})
    result = rig.document | {"animations": [*document.get("animations", []), *added]}
    if extras:
        asset = result["asset"]
        result["asset"] = asset | {"extras": {**asset.get("extras", {}), **extras}}
    buffers = builder.buffers()
    buffers["buffers"] = [document["buffers"][0] | buffers["buffers"][0]]
    return packed(result | buffers, bytes(builder.data))


def _pairs(skeleton: Skeleton, rig: Rig, source: str) -> dict[int, int]:
    """Return {joint of the skeleton: node of the rig}."""
    names = [rig.names[node] for node in rig.joints]
    found = {joint: rig.joints[place] for joint, place in matched(skeleton, names).items()}
    missing = [
        name
        for joint, name in enumerate(skeleton.names)
        if joint not in found and not skeleton.sites[joint]
    ]
    if missing:
        raise InputError(
            f"skin: {source}: found no joint for {', '.join(missing)} among {', '.join(names)}, "
            "wanted one for each (names may differ in case, prefix and side mark)"
        )
    return found


def _with_root(rig: Rig, pairs: dict[int, int]) -> tuple[Rig, dict[int, int]]:
    """Return the rig with a node for the place on the ground, numbered -1 in the pairs."""
    node = rig.parents[pairs[0]]
    while node >= 0:
        if node in rig.joints and canonical(rig.names[node])[1] == ROOT.lower():
            return rig, pairs | {-1: node}
        node = rig.parents[node]
    top = pairs[0]
    while rig.parents[top] >= 0:
        top = rig.parents[top]
    rig = rig.under_new_root(top, ROOT)
    return rig, pairs | {-1: len(rig.names) - 1}


def _tracks(
    rig: Rig, pairs: dict[int, int], clip: Clip, mode: Mode
) -> list[tuple[int, str, NDArray[np.float32]]]:
    """Return (node, path, values) for every node that moves."""
    rest = rig.rest_worlds()
    scale = _size(rest[pairs[0]][1, 3], clip.skeleton)
    ground = ground_track(clip) if mode != "hips_only" else np.zeros((len(clip), 3))
    if mode == "in_place":
        places, turned = relative_to_ground(clip, ground)
        rotations = np.concatenate([turned[:, None], clip.rotations_xyzw[:, 1:]], axis=1)
        clip = replace(clip, root_positions_m=places, rotations_xyzw=rotations)
        ground = np.zeros_like(ground)
    _, turns = world_pose(clip)
    corrections = _corrections(rig, pairs, clip.skeleton, rest)
    wanted: dict[int, tuple[Array, Array | None]] = {}
    for joint, node in pairs.items():
        if joint < 0:
            yaw = np.column_stack([0 * ground[:, 2], ground[:, 2], 0 * ground[:, 2]])
            spots = np.column_stack([ground[:, 0], 0 * ground[:, 0], ground[:, 1]]) * scale
            matrices = Rotation.from_rotvec(yaw).as_matrix() @ _turn_of(rest[node])
            wanted[node] = (matrices, spots)
        elif not clip.skeleton.sites[joint]:
            matrices = turns[:, joint] @ corrections[joint] @ _turn_of(rest[node])
            wanted[node] = (matrices, clip.root_positions_m * scale if joint == 0 else None)
    return _local_tracks(rig, wanted, len(clip), still=pairs[-1] if mode != "root_motion" else -1)


def _local_tracks(
    rig: Rig, wanted: dict[int, tuple[Array, Array | None]], frames: int, still: int
) -> list[tuple[int, str, NDArray[np.float32]]]:
    """Turn world poses into the nodes' own, from the top down; others keep their rest."""
    worlds: dict[int, Array] = {-1: np.broadcast_to(np.eye(4), (frames, 4, 4))}
    tracks: list[tuple[int, str, NDArray[np.float32]]] = []
    for node in rig.top_down():
        parent = worlds[rig.parents[node]]
        local = np.broadcast_to(rig.locals[node], (frames, 4, 4)).copy()
        if node in wanted and node != still:
            turn, place = wanted[node]
            own = _turn_of(parent).swapaxes(-1, -2) @ turn
            scales = np.linalg.norm(rig.locals[node][:3, :3], axis=0)
            quaternions = continuous(Rotation.from_matrix(own).as_quat()[:, None])[:, 0]
            local[:, :3, :3] = own * scales
            if place is not None:
                inverse = np.linalg.inv(parent)
                local[:, :3, 3] = np.einsum("tab,tb->ta", inverse[:, :3, :3], place)
                local[:, :3, 3] += inverse[:, :3, 3]
                tracks.append((node, "translation", local[:, :3, 3].astype(np.float32)))
            tracks.append((node, "rotation", quaternions.astype(np.float32)))
        worlds[node] = parent @ local
    return tracks


def _turn_of(matrices: Array) -> Array:
    """Return the rotations of matrices with even scale."""
    turns = matrices[..., :3, :3]
    return np.asarray(turns / np.linalg.norm(turns, axis=-2, keepdims=True))


def _size(hips_height: float, skeleton: Skeleton) -> float:
    scale = float(hips_height / skeleton.rest_positions_m[0, 1])
    if scale <= 0.0:
        raise InputError(
            f"skin: found the hips at height {hips_height:.3f}, wanted them above the ground y = 0"
        )
    return 1.0 if abs(scale - 1.0) < _SAME_SIZE else scale


def _corrections(
    rig: Rig, pairs: dict[int, int], skeleton: Skeleton, rest: Array
) -> dict[int, Array]:
    """Return for each joint the rotation from the rig's rest pose to ours."""
    facing = _facing(pairs, skeleton, rest)
    found = {}
    for joint, node in pairs.items():
        found[joint] = facing
        children = [int(child) for child in np.flatnonzero(skeleton.parents == joint)]
        if joint < 0 or skeleton.names[joint] in _TRUNK or len(children) != 1:
            continue
        if children[0] in pairs:
            theirs = facing @ (rest[pairs[children[0]]][:3, 3] - rest[node][:3, 3])
            found[joint] = _smallest_turn(theirs, skeleton.offsets_m[children[0]]) @ facing
    return found


def _facing(pairs: dict[int, int], skeleton: Skeleton, rest: Array) -> Array:
    """Return the turn about +Y, in quarters, that makes the rig face +Z."""
    places = skeleton.rest_positions_m
    spans = [(skeleton.index(start), skeleton.index(end)) for start, end in _spans(skeleton.names)]
    spans = [(start, end) for start, end in spans if start in pairs and end in pairs]
    ours = sum((places[end] - places[start] for start, end in spans), np.zeros(3))
    theirs = sum(
        (rest[pairs[end]][:3, 3] - rest[pairs[start]][:3, 3] for start, end in spans), np.zeros(3)
    )
    angle = np.arctan2(ours[0], ours[2]) - np.arctan2(theirs[0], theirs[2])
    quarters = np.rint(angle / (np.pi / 2))
    return Rotation.from_rotvec([0.0, quarters * np.pi / 2, 0.0]).as_matrix()


def _spans(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of joints that tell which way a rest pose faces.

    An animal's trunk does, even where left and right are named the other way round; a person's
    trunk is upright, so there it is the right and left joints.
    """
    if "Neck" in names and "Hips" in names:
        return [("Hips", "Neck")]
    lefts = [name for name in names if name.startswith("left_")]
    return [(name.replace("left_", "right_"), name) for name in lefts]


def _smallest_turn(before: Array, after: Array) -> Array:
    a, b = before / np.linalg.norm(before), after / np.linalg.norm(after)
    axis = np.cross(a, b)
    sine, cosine = np.linalg.norm(axis), a @ b
    if sine < 1e-9:
        return np.eye(3)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()

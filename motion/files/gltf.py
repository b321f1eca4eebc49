"""Animated, skinned GLB files.

Nodes are `Root` (the place on the ground) and the skeleton's joints under it, all of them joints of
one skin; rest rotations are identity, so an inverse bind matrix is a translation. Right-handed,
+Y up, +Z forward, metres, seconds: a clip's own frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb import GENERATOR, ROUGHNESS, linear_from_srgb
from assets3d.mesh.glb_builder import GlbBuilder, packed
from motion.clip import Clip
from motion.editing.ground import at_origin
from motion.editing.resample import resample, section_clips
from motion.files.gltf_tracks import ROOT, Mode, appended, sections_extras, tracks_of
from motion.looks.skinned_mesh import SkinnedMesh
from motion.skeleton import Skeleton

_TRIANGLES = 4


def write_clip_glb(
    path: Path,
    clips: Clip | Sequence[Clip],
    *,
    mode: Mode = "root_motion",
    fps: float | None = None,
    split: bool = False,
    skin: SkinnedMesh | Path | None = None,
    extras: Mapping[str, Any] | None = None,
) -> None:
    """Write clips of one skeleton as the animations of one skinned GLB.

    The same clips always give the same bytes; written whole under another name, then renamed.

    Args:
        path: the file.
        clips: one animation each; names are made unique by a number (`walk`, `walk_2`).
        mode: `root_motion`: Root carries the place and yaw on the ground; `in_place`: as that with
            Root kept at the origin; `hips_only`: Root kept there and the hips carry everything.
        fps: keys are at k / fps seconds; by default each clip's own rate.
        split: make each section of each clip an animation of its own that starts on the origin.
        skin: the mesh, by default `motion.looks.proxy.proxy_for` the skeleton; or the path of a
            skinned GLB, which then keeps its own nodes, mesh and materials (`motion.files.skin`).
        extras: JSON-able facts, put into `asset.extras`.

    Raises:
        InputError: when the skin's joints do not match.
    """
    prepared = prepared_clips([clips] if isinstance(clips, Clip) else clips, fps, split)
    if isinstance(skin, Path):
        from motion.files.skin import animated_bytes

        data = animated_bytes(skin, prepared, mode, extras)
    else:
        data = _clip_bytes(prepared, mode, skin, path.stem, extras)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)


def prepared_clips(clips: Sequence[Clip], fps: float | None, split: bool) -> list[Clip]:
    """Return the clips cut, resampled and with names of their own."""
    if not clips or any(clip.skeleton.names != clips[0].skeleton.names for clip in clips):
        raise ValueError("write_clip_glb: found no clips or several skeletons, wanted one skeleton")
    if split:
        clips = [at_origin(part) for clip in clips for part in section_clips(clip)]
    taken: set[str] = set()
    prepared = []
    for clip in clips:
        name, number = clip.name, 1
        while name in taken:
            number += 1
            name = f"{clip.name}_{number}"
        taken.add(name)
        prepared.append(replace(resample(clip, fps or clip.fps), name=name))
    return prepared


def _tracks(clip: Clip, mode: Mode) -> list[tuple[int, str, NDArray[np.float32]]]:
    """Return the tracks for our own nodes: Root is 0, joint J is J + 1."""
    moved = tracks_of(clip, mode)
    tracks: list[tuple[int, str, NDArray[np.float32]]] = []
    if moved.root_places is not None and moved.root_turns is not None:
        tracks += [(0, "translation", moved.root_places), (0, "rotation", moved.root_turns)]
    tracks.append((1, "translation", moved.hips_places))
    turning = np.flatnonzero(~clip.skeleton.sites)
    tracks += [(int(joint) + 1, "rotation", moved.turns[:, joint]) for joint in turning]
    return tracks


def _clip_bytes(
    clips: Sequence[Clip],
    mode: Mode,
    skin: SkinnedMesh | None,
    name: str,
    extras: Mapping[str, Any] | None,
) -> bytes:
    skeleton = clips[0].skeleton
    if skin is None:
        from motion.looks.proxy import proxy_for

        skin = proxy_for(skeleton)
    builder = GlbBuilder()
    joints = len(skeleton)
    primitive = _primitive(builder, skin)
    binds = builder.array(_inverse_binds(skeleton))
    times: dict[tuple[int, float], int] = {}
    animations = [
        {"name": clip.name}
        | appended(builder, _tracks(clip, mode), len(clip), clip.fps, times)
        | {"extras": sections_extras(clip, mode)}
        for clip in clips
    ]
    mesh_node = {"name": name, "mesh": 0, "skin": 0}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"name": name, "nodes": [0, joints + 1]}],
        "nodes": [*_nodes(skeleton), mesh_node],
        "meshes": [{"name": name, "primitives": [primitive]}],
        "skins": [
            {
                "name": name,
                "skeleton": 0,
                "inverseBindMatrices": binds,
                "joints": list(range(joints + 1)),
            }
        ],
        "materials": [
            {
                "name": name,
                "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": ROUGHNESS},
            }
        ],
        "animations": animations,
    }
    if extras:
        document["asset"]["extras"] = dict(extras)
    return packed(document | builder.buffers(), bytes(builder.data))


def _primitive(builder: GlbBuilder, skin: SkinnedMesh) -> dict[str, Any]:
    mesh = skin.mesh
    attributes = {"POSITION": builder.vectors(mesh.vertices, bounds=True)}
    if mesh.normals is not None:
        attributes["NORMAL"] = builder.vectors(mesh.normals)
    if mesh.colours is not None:
        attributes["COLOR_0"] = builder.vectors(linear_from_srgb(mesh.colours))
    # Joint 0 of the skin is Root; unused places stay at 0, as the specification asks.
    numbers = np.where(skin.weights > 0, skin.joints.astype(np.uint8) + 1, 0).astype(np.uint8)
    attributes["JOINTS_0"] = builder.attribute(numbers)
    attributes["WEIGHTS_0"] = builder.vectors(skin.weights)
    return {
        "attributes": attributes,
        "indices": builder.indices(mesh.faces, len(mesh.vertices)),
        "material": 0,
        "mode": _TRIANGLES,
    }


def _nodes(skeleton: Skeleton) -> list[dict[str, Any]]:
    root = ROOT if ROOT not in skeleton.names else "Ground"
    nodes: list[dict[str, Any]] = [{"name": root, "children": [1]}]
    for joint, (name, offset) in enumerate(zip(skeleton.names, skeleton.offsets_m, strict=True)):
        node: dict[str, Any] = {"name": name, "translation": [float(v) for v in offset]}
        children = [int(child) + 1 for child in np.flatnonzero(skeleton.parents == joint)]
        nodes.append(node | ({"children": children} if children else {}))
    return nodes


def _inverse_binds(skeleton: Skeleton) -> NDArray[np.float32]:
    """Return (J + 1, 16) column-major matrices: Root's is the identity."""
    matrices = np.tile(np.eye(4, dtype="<f4"), (len(skeleton) + 1, 1, 1))
    matrices[1:, 3, :3] = -skeleton.rest_positions_m
    return matrices.reshape(-1, 16)

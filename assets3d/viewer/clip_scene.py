"""The scene of a motion clip: a skinned body and the matrices of its joints, frame by frame."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb import srgb_from_linear
from assets3d.mesh.glb_builder import unpacked
from assets3d.viewer.blocks import block, picture_url, quantised
from assets3d.viewer.gltf_arrays import array
from assets3d.viewer.poses import Poses, poses_of

TEXTURE_PX = 1024

Document = dict[str, Any]


def clip_scene(path: Path) -> dict[str, Any]:
    """Return the scene of an animated GLB: every mesh that a node shows, every animation.

    A mesh without a skin hangs on its node as on a joint.

    Raises:
        InputError: when the file cannot be read.
    """
    document, data = unpacked(path.read_bytes(), path.name)
    joints: list[tuple[int, NDArray[np.float64]]] = []
    first_joint: dict[int, int] = {}
    parts, pictures = [], _Pictures(document, data)
    for number, node in enumerate(document["nodes"]):
        if "mesh" not in node:
            continue
        skin = node.get("skin")
        if skin is None:
            start = len(joints)
            joints.append((number, np.eye(4)))
        elif skin in first_joint:
            start = first_joint[skin]
        else:
            start = first_joint[skin] = len(joints)
            joints += _bound(document, data, document["skins"][skin])
        for primitive in document["meshes"][node["mesh"]]["primitives"]:
            parts.append(_part(document, data, primitive, start, pictures))
    clips = [_clip(poses, joints) for poses in poses_of(document, data)]
    return {"kind": "motion", "parts": parts, "textures": pictures.urls, "clips": clips}


def _bound(
    document: Document, data: bytes, skin: Document
) -> list[tuple[int, NDArray[np.float64]]]:
    count = len(skin["joints"])
    binds = np.broadcast_to(np.eye(4), (count, 4, 4))
    if "inverseBindMatrices" in skin:
        columns = array(document, data, skin["inverseBindMatrices"])
        binds = columns.reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
    return list(zip(skin["joints"], binds, strict=True))


def _clip(poses: Poses, joints: list[tuple[int, NDArray[np.float64]]]) -> dict[str, Any]:
    nodes, binds = [node for node, _ in joints], np.stack([bind for _, bind in joints])
    worlds = poses.worlds[:, nodes]
    matrices = worlds @ binds
    turns, places = matrices[..., :3, :3], matrices[..., :3, 3]
    reach = max(float(np.abs(turns).max()), 1e-9)
    middles = worlds[..., :3, 3].mean(axis=1)
    return {
        "name": poses.name,
        "fps": poses.fps,
        "seconds": poses.seconds,
        "frames": len(matrices),
        "joints": len(joints),
        "turn_reach": reach,
        "turns": block(np.round(turns / reach * 32767.0).astype(np.int16)),
        "places": block(places.astype(np.float32)),
        "middles": block(middles.astype(np.float32)),
        "sections": [dict(section) for section in poses.sections],
    }


def _part(
    document: Document, data: bytes, primitive: Document, first_joint: int, pictures: _Pictures
) -> dict[str, Any]:
    attributes = {k: array(document, data, v) for k, v in primitive["attributes"].items()}
    points = attributes["POSITION"]
    count = len(points)
    joints = attributes.get("JOINTS_0", np.zeros((count, 4))).astype(np.uint16) + first_joint
    weights = attributes.get("WEIGHTS_0", np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)))
    if "indices" in primitive:
        indices = array(document, data, primitive["indices"])
    else:
        indices = np.arange(count)
    shading = {}
    if "material" in primitive:
        shading = document["materials"][primitive["material"]].get("pbrMetallicRoughness", {})
    factor = np.asarray(shading.get("baseColorFactor", (1.0, 1.0, 1.0, 1.0)))[:3]
    colours = attributes.get("COLOR_0", np.ones((count, 3)))[:, :3] * factor
    part: dict[str, Any] = {
        "positions": quantised(points),
        "indices": {"wide": True, "data": block(indices.astype(np.uint32))},
        "colours": block(np.round(255.0 * srgb_from_linear(colours)).astype(np.uint8)),
        "joints": block(joints.astype(np.uint16)),
        "weights": block(np.round(65535.0 * weights).astype(np.uint16)),
    }
    if "NORMAL" in attributes:
        part["normals"] = block(np.round(127.0 * attributes["NORMAL"]).astype(np.int8))
    texture = shading.get("baseColorTexture", {}).get("index")
    if texture is not None and "TEXCOORD_0" in attributes:
        part["uvs"] = block(attributes["TEXCOORD_0"].astype(np.float32))
        part["texture"] = pictures.number(texture)
    return part


class _Pictures:
    """The base colour textures that are used, each once."""

    def __init__(self, document: Document, data: bytes) -> None:
        self._document, self._data = document, data
        self._numbers: dict[int, int] = {}
        self.urls: list[str] = []

    def number(self, texture: int) -> int:
        """Return where a texture is in `urls`."""
        from PIL import Image

        source = self._document["textures"][texture]["source"]
        if source not in self._numbers:
            view = self._document["bufferViews"][self._document["images"][source]["bufferView"]]
            start = view.get("byteOffset", 0)
            with Image.open(io.BytesIO(self._data[start : start + view["byteLength"]])) as image:
                pixels = np.asarray(image.convert("RGB"))
            self._numbers[source] = len(self.urls)
            self.urls.append(picture_url(pixels, TEXTURE_PX))
        return self._numbers[source]

"""GLB files: one node, one mesh, one primitive, one material, and nothing that is not used.

glTF 2.0 has our own world frame (right-handed, +Y up, +Z front, metres); only the texture's V runs
the other way, and vertex colours are linear.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.mesh.mesh import Mesh

GENERATOR = "assets3d"
ROUGHNESS = 0.9
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_UINT16, _UINT32, _FLOAT32 = 5123, 5125, 5126
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE, _TRIANGLES = 9729, 9987, 33071, 4


def write_glb(path: Path, mesh: Mesh, name: str, extras: Mapping[str, Any] | None = None) -> None:
    """Write the mesh as `path`; the same mesh always gives the same bytes.

    Args:
        path: the file; written whole under another name first, then renamed.
        mesh: metres, +Y up; texture coordinates need a base colour and the other way round.
        name: name of node, mesh, material and image.
        extras: JSON-able facts about how the asset was made, put into `asset.extras`.
    """
    data = glb_bytes(mesh, name, extras)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)


def glb_bytes(mesh: Mesh, name: str, extras: Mapping[str, Any] | None = None) -> bytes:
    """Return the GLB file's bytes; see `write_glb`."""
    if (mesh.uvs is None) != (mesh.base_colour is None):
        raise ValueError("write_glb: found only one of uvs and base_colour, wanted both or none")
    builder = _Builder()
    attributes = {"POSITION": builder.vectors(mesh.vertices, bounds=True)}
    if mesh.normals is not None:
        attributes["NORMAL"] = builder.vectors(mesh.normals)
    if mesh.uvs is not None:
        attributes["TEXCOORD_0"] = builder.vectors(mesh.uvs * [1.0, -1.0] + [0.0, 1.0])
    elif mesh.colours is not None:
        attributes["COLOR_0"] = builder.vectors(linear_from_srgb(mesh.colours))
    primitive = {
        "attributes": attributes,
        "indices": builder.indices(mesh.faces, len(mesh.vertices)),
        "material": 0,
        "mode": _TRIANGLES,
    }
    shading: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": ROUGHNESS}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"name": name, "nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [{"name": name, "primitives": [primitive]}],
        "materials": [{"name": name, "pbrMetallicRoughness": shading}],
    }
    if extras:
        document["asset"]["extras"] = dict(extras)
    if mesh.base_colour is not None:
        shading["baseColorTexture"] = {"index": 0}
        document |= builder.texture(mesh.base_colour, name)
    return _packed(document | builder.buffers(), bytes(builder.data))


def linear_from_srgb(colour: NDArray[np.floating]) -> NDArray[np.float32]:
    """Decode sRGB values 0..1 to linear light (IEC 61966-2-1)."""
    colour = np.clip(colour, 0.0, 1.0)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def srgb_from_linear(colour: NDArray[np.floating]) -> NDArray[np.float32]:
    """Encode linear light 0..1 as sRGB."""
    colour = np.clip(colour, 0.0, 1.0)
    return np.where(
        colour <= 0.0031308, colour * 12.92, 1.055 * colour ** (1 / 2.4) - 0.055
    ).astype(np.float32)


class _Builder:
    """Collects the binary chunk and the views into it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, content: bytes, target: int | None = None) -> int:
        self.data += bytes(-len(self.data) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content)}
        self.views.append(entry if target is None else entry | {"target": target})
        self.data += content
        return len(self.views) - 1

    def vectors(self, values: NDArray, bounds: bool = False) -> int:
        values = np.ascontiguousarray(values, dtype="<f4")
        entry: dict[str, Any] = {
            "bufferView": self.view(values.tobytes(), _ARRAY_BUFFER),
            "componentType": _FLOAT32,
            "count": len(values),
            "type": f"VEC{values.shape[1]}",
        }
        if bounds:
            entry["min"], entry["max"] = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def indices(self, faces: NDArray, vertices: int) -> int:
        # 65535 itself restarts a strip on some hardware, so it must not be an index.
        small = vertices <= 65535
        values = np.ascontiguousarray(faces.ravel(), dtype="<u2" if small else "<u4")
        self.accessors.append(
            {
                "bufferView": self.view(values.tobytes(), _ELEMENT_ARRAY_BUFFER),
                "componentType": _UINT16 if small else _UINT32,
                "count": len(values),
                "type": "SCALAR",
            }
        )
        return len(self.accessors) - 1

    def texture(self, picture: NDArray[np.uint8], name: str) -> dict[str, Any]:
        image = {
            "name": name,
            "mimeType": "image/png",
            "bufferView": self.view(png_bytes(picture)),
        }
        sampler = {
            "magFilter": _LINEAR,
            "minFilter": _LINEAR_MIPMAP_LINEAR,
            "wrapS": _CLAMP_TO_EDGE,
            "wrapT": _CLAMP_TO_EDGE,
        }
        return {
            "textures": [{"source": 0, "sampler": 0}],
            "images": [image],
            "samplers": [sampler],
        }

    def buffers(self) -> dict[str, Any]:
        return {
            "buffers": [{"byteLength": len(self.data)}],
            "bufferViews": self.views,
            "accessors": self.accessors,
        }


def png_bytes(picture: NDArray[np.uint8]) -> bytes:
    """Encode an (H, W, 3) uint8 picture as PNG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def _packed(document: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    data += bytes(-len(data) % 4)
    length = 12 + 8 + len(text) + 8 + len(data)
    return b"".join(
        [
            struct.pack("<III", _MAGIC, 2, length),
            struct.pack("<II", len(text), _JSON) + text,
            struct.pack("<II", len(data), _BIN) + data,
        ]
    )


@dataclass(frozen=True)
class GlbContent:
    """A GLB's one mesh and its JSON document."""

    mesh: Mesh
    document: dict[str, Any]


def read_glb(path: Path) -> GlbContent:
    """Read a GLB of the shape `write_glb` makes (first primitive of the first mesh).

    Raises:
        InputError: when the file is not a whole GLB 2.0.
    """
    raw = path.read_bytes()
    try:
        magic, version, length = struct.unpack_from("<III", raw)
        json_length, json_kind = struct.unpack_from("<II", raw, 12)
        data_length, data_kind = struct.unpack_from("<II", raw, 20 + json_length)
        whole = length == len(raw) == 28 + json_length + data_length
    except struct.error:
        whole = False
    if not whole or (magic, version, json_kind, data_kind) != (_MAGIC, 2, _JSON, _BIN):
        raise InputError(f"glb: {path.name} is not a whole binary glTF 2.0 file")
    document = json.loads(raw[20 : 20 + json_length])
    return GlbContent(_mesh_of(document, raw[28 + json_length :]), document)


def _mesh_of(document: dict[str, Any], data: bytes) -> Mesh:
    from PIL import Image

    primitive = document["meshes"][0]["primitives"][0]
    attributes = {k: _accessor(document, data, v) for k, v in primitive["attributes"].items()}
    uvs = attributes.get("TEXCOORD_0")
    colours = attributes.get("COLOR_0")
    picture = None
    if document.get("images"):
        view = document["bufferViews"][document["images"][0]["bufferView"]]
        start = view.get("byteOffset", 0)
        with Image.open(io.BytesIO(data[start : start + view["byteLength"]])) as image:
            picture = np.asarray(image.convert("RGB"))
    return Mesh(
        attributes["POSITION"],
        _accessor(document, data, primitive["indices"]).reshape(-1, 3).astype(np.int32),
        uvs=None if uvs is None else (uvs * [1.0, -1.0] + [0.0, 1.0]).astype(np.float32),
        normals=attributes.get("NORMAL"),
        colours=None if colours is None else srgb_from_linear(colours),
        base_colour=picture,
    )


def _accessor(document: dict[str, Any], data: bytes, index: int) -> NDArray:
    entry = document["accessors"][index]
    view = document["bufferViews"][entry["bufferView"]]
    kinds = {_UINT16: "<u2", _UINT32: "<u4", _FLOAT32: "<f4"}
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[entry["type"]]
    start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
    values = np.frombuffer(data, kinds[entry["componentType"]], entry["count"] * width, start)
    return values.reshape(entry["count"], width) if width > 1 else values

"""GLB files: one node, one mesh, one primitive, one material, and nothing that is not used.

glTF 2.0 has our own world frame (right-handed, +Y up, +Z front, metres); only the texture's V runs
the other way, and vertex colours are linear.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb_builder import GlbBuilder, packed, png_bytes, unpacked
from assets3d.mesh.mesh import Mesh

__all__ = [
    "GlbContent",
    "glb_bytes",
    "linear_from_srgb",
    "png_bytes",
    "read_glb",
    "srgb_from_linear",
]

GENERATOR = "assets3d"
ROUGHNESS = 0.9
_UINT16, _UINT32, _FLOAT32 = 5123, 5125, 5126
_TRIANGLES = 4


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
    builder = GlbBuilder()
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
    return packed(document | builder.buffers(), bytes(builder.data))


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
    document, data = unpacked(path.read_bytes(), path.name)
    return GlbContent(_mesh_of(document, data), document)


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

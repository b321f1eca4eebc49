"""Small changes to finished GLB files: other names, hulls beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from assets3d.mesh.glb import GENERATOR
from assets3d.mesh.glb_builder import GlbBuilder, packed, unpacked
from assets3d.mesh.mesh import Mesh

_TRIANGLES = 4


def renamed(glb: bytes, model: str, material: str, image: str, source: str) -> bytes:
    """Return a GLB whose scene, first mesh and its node are called `model`.

    Args:
        glb: with one mesh.
        model: the new name.
        material: the new name of its material.
        image: what images are called where they bore the material's old name.
        source: its name for messages.
    """
    document, data = unpacked(glb, source)
    old = document["materials"][0]["name"]
    for node in document["nodes"]:
        if node.get("mesh") == 0:
            node["name"] = model
    for part in ("scenes", "meshes"):
        document[part][0]["name"] = model
    document["materials"][0]["name"] = material
    for picture in document.get("images", []):
        picture["name"] = picture["name"].replace(old, image, 1)
    for skin in document.get("skins", []):
        skin["name"] = model
    return packed(document, data)


def with_clip_names(glb: bytes, names: Mapping[str, str], source: str) -> bytes:
    """Return a GLB whose animations bear other names."""
    document, data = unpacked(glb, source)
    for animation in document.get("animations", []):
        animation["name"] = names.get(animation["name"], animation["name"])
    return packed(document, data)


def with_meshes(glb: bytes, meshes: Mapping[str, Mesh], source: str) -> bytes:
    """Return a GLB with more nodes in its scene, one mesh without material each.

    Args:
        glb: the model.
        meshes: name -> shape, in the model's frame.
        source: its name for messages.
    """
    document, data = unpacked(glb, source)
    builder = GlbBuilder()
    builder.data = bytearray(data)
    builder.views, builder.accessors = document["bufferViews"], document["accessors"]
    _append(document, builder, meshes)
    return packed(document | builder.buffers(), bytes(builder.data))


def meshes_glb(meshes: Mapping[str, Mesh], name: str) -> bytes:
    """Return a GLB of shapes alone, one node each."""
    builder = GlbBuilder()
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"name": name, "nodes": []}],
        "nodes": [],
        "meshes": [],
    }
    _append(document, builder, meshes)
    return packed(document | builder.buffers(), bytes(builder.data))


def tangents_are_there(document: Mapping[str, Any]) -> bool:
    """Say whether every primitive whose material has a normal map has tangents."""
    materials: Sequence[Mapping[str, Any]] = document.get("materials", [])
    return all(
        "TANGENT" in primitive["attributes"]
        for mesh in document.get("meshes", [])
        for primitive in mesh["primitives"]
        if "material" in primitive and "normalTexture" in materials[primitive["material"]]
    )


def _append(document: dict[str, Any], builder: GlbBuilder, meshes: Mapping[str, Mesh]) -> None:
    for name, mesh in meshes.items():
        # No normals: a physics engine needs none, and flat shading is what glTF says without them.
        places = np.ascontiguousarray(mesh.vertices, dtype=np.float32)
        primitive = {
            "attributes": {"POSITION": builder.vectors(places, bounds=True)},
            "indices": builder.indices(mesh.faces, len(places)),
            "mode": _TRIANGLES,
        }
        document["scenes"][0]["nodes"].append(len(document["nodes"]))
        document["nodes"].append({"name": name, "mesh": len(document["meshes"])})
        document["meshes"].append({"name": name, "primitives": [primitive]})

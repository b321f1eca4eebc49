"""Arrays out of any GLB: interleaved, normalised, of any type. glTF 2.0, sections 3.6 and 3.7."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.mesh.glb_builder import unpacked
from assets3d.mesh.mesh import Mesh

_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def array(document: dict[str, Any], data: bytes, index: int) -> NDArray[Any]:
    """Return an accessor's values, (N,) or (N, width); normalised integers become floats.

    Raises:
        InputError: what no part of this project writes: sparse or compressed values.
    """
    entry = document["accessors"][index]
    if "sparse" in entry or "bufferView" not in entry:
        raise InputError("glb: found sparse or compressed values, wanted plain ones")
    view = document["bufferViews"][entry["bufferView"]]
    kind, width = np.dtype(_TYPES[entry["componentType"]]), _WIDTHS[entry["type"]]
    start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
    stride = view.get("byteStride", kind.itemsize * width)
    values = np.ndarray((entry["count"], width), kind, data, start, (stride, kind.itemsize)).copy()
    if entry.get("normalized"):
        values = np.maximum(values / np.iinfo(kind).max, -1.0).astype(np.float32)
    return values[:, 0] if width == 1 else values


def read_shapes(path: Path) -> list[Mesh]:
    """Return the shape of every mesh of a GLB: levels, collision hulls; no picture is decoded.

    Raises:
        InputError: when the file cannot be read.
    """
    document, data = unpacked(path.read_bytes(), path.name)
    primitives = [p for mesh in document.get("meshes", []) for p in mesh["primitives"]]
    return [_shape(document, data, primitive) for primitive in primitives]


def _shape(document: dict[str, Any], data: bytes, primitive: dict[str, Any]) -> Mesh:
    found = {name: array(document, data, at) for name, at in primitive["attributes"].items()}
    uvs = found.get("TEXCOORD_0")
    return Mesh(
        found["POSITION"],
        array(document, data, primitive["indices"]).reshape(-1, 3).astype(np.int32),
        uvs=None if uvs is None else (uvs * [1.0, -1.0] + [0.0, 1.0]).astype(np.float32),
        normals=found.get("NORMAL"),
    )

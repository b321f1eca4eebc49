"""The container of GLB files: the binary chunk, the views into it, and the JSON around them."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_COMPONENTS = {"u1": 5121, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071
#: A texture that tiles.
REPEAT = 10497


class GlbBuilder:
    """Collects the binary chunk and the views into it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, content: bytes, target: int | None = None) -> int:
        """Append bytes on a four-byte boundary and return the number of their buffer view."""
        self.data += bytes(-len(self.data) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content)}
        self.views.append(entry if target is None else entry | {"target": target})
        self.data += content
        return len(self.views) - 1

    def array(self, values: NDArray, bounds: bool = False, target: int | None = None) -> int:
        """Append (N,) or (N, K) uint8, uint16, uint32 or float32 values; return their accessor.

        Sixteen columns are a 4 x 4 matrix, column by column.
        """
        values = np.ascontiguousarray(values)
        width = values.shape[1] if values.ndim == 2 else 1
        entry: dict[str, Any] = {
            "bufferView": self.view(values.tobytes(), target),
            "componentType": _COMPONENTS[values.dtype.str[-2:]],
            "count": len(values),
            "type": _TYPES[width],
        }
        if bounds:
            columns = values.reshape(len(values), width)
            entry["min"], entry["max"] = columns.min(axis=0).tolist(), columns.max(axis=0).tolist()
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def vectors(self, values: NDArray, bounds: bool = False) -> int:
        """Append a vertex attribute of floats."""
        return self.array(np.asarray(values, dtype="<f4"), bounds, _ARRAY_BUFFER)

    def attribute(self, values: NDArray) -> int:
        """Append a vertex attribute as it is, for example joint numbers."""
        return self.array(values, False, _ARRAY_BUFFER)

    def indices(self, faces: NDArray, vertices: int) -> int:
        """Append triangles of a mesh of so many vertices."""
        # 65535 itself restarts a strip on some hardware, so it must not be an index.
        small = vertices <= 65535
        flat = np.asarray(faces.ravel(), dtype="<u2" if small else "<u4")
        return self.array(flat, False, _ELEMENT_ARRAY_BUFFER)

    def texture(self, picture: NDArray[np.uint8], name: str) -> dict[str, Any]:
        """Append an (H, W, 3) picture; return the document's entries for it, texture 0."""
        return self.textures({name: png_bytes(picture)}, _CLAMP_TO_EDGE)

    def textures(self, pictures: Mapping[str, bytes], wrap: int) -> dict[str, Any]:
        """Append PNG files by name; return the document's entries for textures 0, 1, ...

        Args:
            pictures: in the order in which the textures are numbered.
            wrap: how all of them continue outside of 0..1, for example `REPEAT`.
        """
        images = [
            {"name": name, "mimeType": "image/png", "bufferView": self.view(content)}
            for name, content in pictures.items()
        ]
        sampler = {
            "magFilter": _LINEAR,
            "minFilter": _LINEAR_MIPMAP_LINEAR,
            "wrapS": wrap,
            "wrapT": wrap,
        }
        return {
            "textures": [{"source": index, "sampler": 0} for index in range(len(images))],
            "images": images,
            "samplers": [sampler],
        }

    def buffers(self) -> dict[str, Any]:
        """Return the document's entries for everything appended."""
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


def packed(document: dict[str, Any], data: bytes) -> bytes:
    """Return the bytes of a GLB with this JSON document and binary chunk."""
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


def unpacked(raw: bytes, source: str) -> tuple[dict[str, Any], bytes]:
    """Return the JSON document and the binary chunk of a GLB; `source` is its name for messages.

    Raises:
        InputError: when it is not a whole GLB 2.0 of one JSON and one binary chunk.
    """
    try:
        magic, version, length = struct.unpack_from("<III", raw)
        json_length, json_kind = struct.unpack_from("<II", raw, 12)
        data_length, data_kind = struct.unpack_from("<II", raw, 20 + json_length)
        whole = length == len(raw) == 28 + json_length + data_length
    except struct.error:
        whole = False
    if not whole or (magic, version, json_kind, data_kind) != (_MAGIC, 2, _JSON, _BIN):
        raise InputError(f"glb: {source} is not a whole binary glTF 2.0 file")
    return json.loads(raw[20 : 20 + json_length]), raw[28 + json_length :]

"""A material ball as a GLB: the material on a ball and on the slab under it, to turn and to light.

The ball is a sphere of six faces with one tile each, the slab two tiles wide: the tile repeats in
plain sight, and nothing pinches. All of it is one mesh with one material whose texture repeats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb import GENERATOR
from assets3d.mesh.glb_builder import REPEAT, GlbBuilder, packed
from assets3d.textures.cube_sphere import FACES, Face, sphere_points, sphere_tangents
from assets3d.textures.encoding import quantised
from assets3d.textures.material import Material
from assets3d.textures.packing import file_bytes
from assets3d.textures.presets import PRESETS
from assets3d.textures.shrink import shrunk

#: Side of the textures in the file; the maps themselves lie beside it.
TEXTURE_PX = 1024
#: Quads along each edge of a face of the ball.
_CELLS = 24
#: Side and height of the slab in tiles; how deep the ball sinks into it, in radii.
_SLAB_TILES, _SLAB_HEIGHT_TILES, _SINK = 2.0, 0.15, 0.03


@dataclass(frozen=True)
class Shape:
    """Triangles whose texture repeats; +Y up, metres, the base's centre at the origin.

    Attributes:
        vertices: (N, 3) positions.
        normals: (N, 3) unit vectors.
        tangents: (N, 3) unit vectors to the texture's right, at right angles to the normals; the
            texture's up is cross(normal, tangent) everywhere.
        uvs: (N, 2) in tiles, origin at the lower left of the texture.
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
    """

    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    tangents: NDArray[np.float64]
    uvs: NDArray[np.float64]
    faces: NDArray[np.int32]


def write_ball(
    path: Path,
    material: Material,
    name: str,
    *,
    texture_px: int = TEXTURE_PX,
    extras: Mapping[str, Any] | None = None,
) -> None:
    """Write the ball as `path`; the same material always gives the same bytes.

    Args:
        path: the file; written whole under another name first, then renamed.
        material: any size; larger ones are shrunk to `texture_px`.
        name: name of node, mesh, material and images.
        texture_px: the largest side of a texture.
        extras: JSON-able facts about how the material was made, put into `asset.extras`.
    """
    data = ball_bytes(material, name, texture_px=texture_px, extras=extras)
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)


def ball_bytes(
    material: Material,
    name: str,
    *,
    texture_px: int = TEXTURE_PX,
    extras: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the GLB file's bytes; see `write_ball`."""
    shape = ball(material.tile_m)
    builder = GlbBuilder()
    # The bitangent of glTF is cross(normal, tangent) * w, and no face of ours is mirrored.
    tangents = np.column_stack([shape.tangents, np.ones(len(shape.tangents))])
    primitive = {
        "attributes": {
            "POSITION": builder.vectors(shape.vertices, bounds=True),
            "NORMAL": builder.vectors(shape.normals),
            "TANGENT": builder.vectors(tangents),
            "TEXCOORD_0": builder.vectors(shape.uvs * [1.0, -1.0] + [0.0, 1.0]),
        },
        "indices": builder.indices(shape.faces, len(shape.vertices)),
        "material": 0,
        "mode": 4,
    }
    exact = quantised(shrunk(material, texture_px))
    colour, normal, orm, _ = PRESETS["gltf"].files
    maps = {
        f"{name}_{file.suffix}": bytes(file_bytes(exact, file)) for file in (colour, normal, orm)
    }
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"name": name, "nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [{"name": name, "primitives": [primitive]}],
        "materials": [
            {
                "name": name,
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicRoughnessTexture": {"index": 2},
                },
                "normalTexture": {"index": 1},
                "occlusionTexture": {"index": 2},
            }
        ],
    }
    if extras:
        document["asset"]["extras"] = dict(extras)
    document |= builder.textures(maps, REPEAT)
    return packed(document | builder.buffers(), bytes(builder.data))


def ball(tile_m: float) -> Shape:
    """Return the ball on its slab for a tile of `tile_m` metres, at the material's true scale."""
    radius = 2.0 / np.pi  # four tiles go round the belt
    centre = _SLAB_HEIGHT_TILES + radius * (1.0 - _SINK)
    parts = [_slab_face(face) for face in FACES] + [
        _sphere_face(face, radius, centre) for face in FACES
    ]
    starts = np.cumsum([0] + [len(part.vertices) for part in parts])
    return Shape(
        vertices=tile_m * np.concatenate([part.vertices for part in parts]),
        normals=np.concatenate([part.normals for part in parts]),
        tangents=np.concatenate([part.tangents for part in parts]),
        uvs=np.concatenate([part.uvs for part in parts]),
        faces=np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=False)]),
    )


def _sphere_face(face: Face, radius: float, centre: float) -> Shape:
    x, y = _grid(_CELLS)
    normals = sphere_points(face, x, y)
    return Shape(
        vertices=radius * normals + [0.0, centre, 0.0],
        normals=normals,
        tangents=sphere_tangents(face, x, y),
        uvs=np.column_stack([x + 1.0, y + 1.0]) / 2.0,
        faces=_quads(_CELLS),
    )


def _slab_face(face: Face) -> Shape:
    """Return one side of the slab; four tiles meet in the middle of its upper one."""
    right, up, out = (np.asarray(axis, float) for axis in face)
    half = np.array([_SLAB_TILES, _SLAB_HEIGHT_TILES, _SLAB_TILES]) / 2.0
    x, y = (v[:, None] for v in _grid(1))
    middle = half * (x * right + y * up + out)
    return Shape(
        vertices=middle + half * [0.0, 1.0, 0.0],
        normals=np.tile(out, (4, 1)),
        tangents=np.tile(right, (4, 1)),
        uvs=np.column_stack([middle @ right, middle @ up]),
        faces=_quads(1),
    )


def _grid(cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y, -1..1, of (cells + 1)^2 points, row by row from the lower left."""
    line = np.linspace(-1.0, 1.0, cells + 1)
    x, y = np.meshgrid(line, line)
    return x.ravel(), y.ravel()


def _quads(cells: int) -> NDArray[np.int32]:
    """Return the two triangles of each cell of `_grid`, counter-clockwise."""
    corner = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    triangles = np.stack([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)], axis=2)
    return triangles.reshape(-1, 3).astype(np.int32)

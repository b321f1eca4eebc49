"""The scene of a prop: its levels of detail, its hull, and the splats that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assets3d.mesh.glb import read_glb
from assets3d.mesh.mesh import Mesh
from assets3d.viewer.blocks import block, picture_url, quantised
from assets3d.viewer.gltf_arrays import read_shapes
from assets3d.viewer.splat_block import splat_block

TEXTURE_PX = 1024


def prop_scene(
    levels: Mapping[str, Path],
    hull: Path | None = None,
    splats: Path | None = None,
    metres_per_unit: float = 1.0,
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> dict[str, Any]:
    """Return the scene.

    Args:
        levels: name -> GLB, the finest first; they share one atlas, so one texture serves all.
        hull: GLB of the collision hulls.
        splats: PLY.
        metres_per_unit: of the splats.
        pivot: of the splats; a point p of theirs lies at (p - pivot) * metres_per_unit.

    Raises:
        InputError: when a file cannot be read.
    """
    (name, path), *coarser = levels.items()
    first = read_glb(path).mesh
    picture = first.base_colour
    meshes = {name: first} | {name: read_shapes(path)[0] for name, path in coarser}
    return {
        "kind": "prop",
        "bounds": first.bounds.astype(float).tolist(),
        "texture": None if picture is None else picture_url(picture, TEXTURE_PX),
        "levels": [
            {"name": name, "triangles": len(mesh.faces), **geometry(mesh)}
            for name, mesh in meshes.items()
        ],
        "hull": [] if hull is None else [geometry(shape) for shape in read_shapes(hull)],
        "splats": None if splats is None else splat_block(splats, metres_per_unit, pivot),
    }


def geometry(mesh: Mesh) -> dict[str, Any]:
    """Return a mesh's arrays; where there are no normals the viewer shades it flat."""
    index = np.uint16 if len(mesh.vertices) < 65536 else np.uint32
    found: dict[str, Any] = {
        "positions": quantised(mesh.vertices),
        "indices": {"wide": index is np.uint32, "data": block(mesh.faces.astype(index))},
    }
    if mesh.normals is not None:
        found["normals"] = block(np.round(127.0 * mesh.normals).astype(np.int8))
    if mesh.uvs is not None:  # WebGL's first row of texels is the picture's first, as in glTF
        found["uvs"] = block((mesh.uvs * [1.0, -1.0] + [0.0, 1.0]).astype(np.float32))
    if mesh.colours is not None:
        found["colours"] = block(np.round(255.0 * mesh.colours).astype(np.uint8))
    return found

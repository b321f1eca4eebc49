"""Gaussian splats as GLB: `KHR_gaussian_splatting`, the ratified extension.

A primitive of points carries centre, rotation (x, y, z, w), scale (standard deviations, linear),
opacity (0..1) and the zeroth spherical harmonic. Colours are display-referred sRGB, as splats are
trained. Programs that do not know the extension draw coloured points, by COLOR_0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from assets3d.mesh.glb import GENERATOR, linear_from_srgb
from assets3d.mesh.glb_builder import GlbBuilder, packed
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.ply import SH_0

EXTENSION = "KHR_gaussian_splatting"
_POINTS = 0


def splats_glb(gaussians: Gaussians, name: str) -> bytes:
    """Return the bytes of a GLB; the same splats give the same bytes.

    Args:
        gaussians: in metres, +Y up, +Z front.
        name: of node and mesh.
    """
    builder = GlbBuilder()
    opacity = np.clip(gaussians.opacity, 0.0, 1.0)
    turns = gaussians.rotation.astype(np.float64)
    turns = turns / np.linalg.norm(turns, axis=1, keepdims=True)
    colours = np.column_stack([linear_from_srgb(gaussians.rgb), opacity])
    attributes = {
        "POSITION": builder.vectors(gaussians.position, bounds=True),
        "COLOR_0": builder.vectors(colours),
        f"{EXTENSION}:ROTATION": builder.vectors(turns[:, [1, 2, 3, 0]]),
        f"{EXTENSION}:SCALE": builder.vectors(gaussians.scale),
        f"{EXTENSION}:OPACITY": builder.vectors(opacity),
        f"{EXTENSION}:SH_DEGREE_0_COEF_0": builder.vectors((gaussians.rgb - 0.5) / SH_0),
    }
    primitive = {
        "attributes": attributes,
        "mode": _POINTS,
        "extensions": {
            EXTENSION: {
                "kernel": "ellipse",
                "colorSpace": "srgb_rec709_display",
                "projection": "perspective",
                "sortingMethod": "cameraDistance",
            }
        },
    }
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"name": name, "nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [{"name": name, "primitives": [primitive]}],
    }
    return packed(document | builder.buffers(), bytes(builder.data))

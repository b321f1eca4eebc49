"""Binary STL for printing: positions and faces only, in millimetres and +Z up as slicers expect."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import unit
from assets3d.mesh.topology import face_cross

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
MILLIMETRES_PER_METRE = 1000.0


def write_stl(path: Path, mesh: Mesh) -> None:
    """Write a binary STL: metres become millimetres, and +Y up becomes +Z up (front towards -Y)."""
    x, y, z = mesh.vertices.astype(np.float64).T * MILLIMETRES_PER_METRE
    vertices = np.stack([x, -z, y], axis=1)
    records = np.zeros(len(mesh.faces), dtype=_RECORD)
    records["normal"] = unit(face_cross(vertices, mesh.faces))
    records["corners"] = vertices[mesh.faces]
    header = b"binary STL, millimetres, +Z up".ljust(80)
    path.write_bytes(header + np.uint32(len(records)).tobytes() + records.tobytes())

"""OBJ with its material and texture beside it, for tools that do not read GLB."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assets3d.mesh.glb import ROUGHNESS, png_bytes
from assets3d.mesh.mesh import Mesh


def write_obj(path: Path, mesh: Mesh, name: str) -> None:
    """Write `path` (.obj), and for a textured mesh the .mtl and .png of the same stem beside it."""
    lines = [f"o {name}"]
    if mesh.base_colour is not None:
        lines.insert(0, f"mtllib {path.stem}.mtl")
        path.with_suffix(".png").write_bytes(png_bytes(mesh.base_colour))
        path.with_suffix(".mtl").write_text(
            f"newmtl {name}\nKd 1 1 1\nKs 0 0 0\nPr {ROUGHNESS:g}\nPm 0\nmap_Kd {path.stem}.png\n"
        )
    lines += [f"v {x:.7g} {y:.7g} {z:.7g}" for x, y, z in mesh.vertices]
    if mesh.uvs is not None:
        lines += [f"vt {u:.7g} {v:.7g}" for u, v in mesh.uvs]
    if mesh.normals is not None:
        lines += [f"vn {x:.6g} {y:.6g} {z:.6g}" for x, y, z in mesh.normals]
    if mesh.base_colour is not None:
        lines.append(f"usemtl {name}")
    has_uv, has_normal = mesh.uvs is not None, mesh.normals is not None
    lines += [
        "f " + " ".join(_corner(i, has_uv, has_normal) for i in face) for face in mesh.faces + 1
    ]
    path.write_text("\n".join(lines) + "\n")


def _corner(index: np.integer, has_uv: bool, has_normal: bool) -> str:
    if has_uv and has_normal:
        return f"{index}/{index}/{index}"
    if has_uv:
        return f"{index}/{index}"
    return f"{index}//{index}" if has_normal else f"{index}"

"""The package of a prop: levels of detail, hulls, splats, other formats, pictures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets3d.export.glb_edit import meshes_glb, renamed, with_meshes
from assets3d.export.hulls import Hull, convex_hull
from assets3d.export.lods import SCREEN_PX, Level, levels
from assets3d.export.package import Package, Settings, written
from assets3d.export.parts import part_hulls
from assets3d.export.provenance import Provenance, stamped
from assets3d.export.variants import write_variants
from assets3d.mesh.glb import glb_bytes, read_glb
from assets3d.mesh.mesh import Mesh
from assets3d.splats.gaussians import Gaussians

#: Vertices nearer to the ground than this share of the height stand on it.
_ON_THE_GROUND = 1e-3


@dataclass(frozen=True)
class PropSources:
    """What the steps before made.

    Attributes:
        model: the textured GLB in metres.
        others: the same in other formats, by role: "obj", "mtl", "obj_texture", "stl".
        splats: the PLY, or None.
        metres_per_unit, pivot: a splat's point p lies at (p - pivot) * metres_per_unit in the mesh.
    """

    model: Path
    others: Mapping[str, Path]
    splats: Path | None = None
    metres_per_unit: float = 1.0
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)


def prop_package(
    sources: PropSources, out: Path, settings: Settings, provenance: Provenance
) -> Package:
    """Write the package of a prop into the folder `out`, which is there and empty.

    Raises:
        InputError: when a source cannot be read.
    """
    asset, engine = provenance.asset, settings.engine
    name, material = engine.model_name(asset), engine.material_name(asset)
    image = engine.image_name(asset)
    mesh = read_glb(sources.model).mesh
    made = levels(mesh, settings.lods)
    hulls = {engine.hull_name(asset, i): h for i, h in enumerate(_hulls(mesh, settings.hull))}
    shapes = {hull_name: hull.mesh for hull_name, hull in hulls.items()}
    model = renamed(sources.model.read_bytes(), name, material, image, sources.model.name)
    if engine.hull_in_model and shapes:
        model = with_meshes(model, shapes, sources.model.name)
    files = {"model": written(out, f"{name}.glb", stamped(model, provenance))}
    for number, level in enumerate(made[1:], 1):
        lod = engine.lod_name(asset, number)
        data = renamed(glb_bytes(level.mesh, material), lod, material, image, lod)
        files[f"lod{number}"] = written(out, f"{lod}.glb", stamped(data, provenance))
    if shapes:
        hull_file = engine.hull_file_name(asset)
        data = stamped(meshes_glb(shapes, hull_file), provenance)
        files["hull"] = written(out, f"{hull_file}.glb", data)
    files |= _splats(sources, out, settings, provenance)
    for role, path in sources.others.items():
        shutil.copyfile(path, out / path.name)
        files[role] = path.name
    files |= _pictures(mesh, out, settings)
    variants, missing = write_variants(out / files["model"], settings.variants)
    files |= variants
    texture_px = 0 if mesh.base_colour is None else int(mesh.base_colour.shape[0])
    costs = {
        "triangles": len(mesh.faces),
        "texture_px": texture_px,
        "materials": 1,
        "file_bytes": (out / files["model"]).stat().st_size,
    }
    return Package(files, costs, _facts(mesh, made, list(hulls.values())), (*missing, *_over(made)))


def in_metres(gaussians: Gaussians, sources: PropSources) -> Gaussians:
    """Return the splats in the mesh's frame, so that both lie on each other."""
    from assets3d.splats.normalise import scale_and_move

    return scale_and_move(gaussians, sources.metres_per_unit, -np.asarray(sources.pivot))


def _hulls(mesh: Mesh, kind: str) -> Sequence[Hull]:
    if kind == "none":
        return ()
    return [convex_hull(mesh)] if kind == "convex" else part_hulls(mesh)


def _splats(
    sources: PropSources, out: Path, settings: Settings, provenance: Provenance
) -> dict[str, str]:
    from assets3d.export.splats_glb import splats_glb
    from assets3d.splats.ply import read_ply, write_ply

    if sources.splats is None or not settings.splats:
        return {}
    gaussians = in_metres(read_ply(sources.splats), sources)
    stem = f"{provenance.asset}_splats"
    files = {}
    if "ply" in settings.splats:
        files["splats_ply"] = f"{stem}.ply"
        write_ply(out / f"{stem}.ply", gaussians)
    if "glb" in settings.splats:
        data = stamped(splats_glb(gaussians, stem), provenance)
        files["splats_glb"] = written(out, f"{stem}.glb", data)
    return files


def _pictures(mesh: Mesh, out: Path, settings: Settings) -> dict[str, str]:
    from assets3d.images.animation import write_webp
    from assets3d.images.picture import write_png
    from assets3d.mesh.turntable import portrait, turntable

    still = portrait(mesh, settings.thumbnail_px, renderer=settings.renderer)
    write_png(out / "thumbnail.png", still)
    frames = turntable(
        mesh, settings.turntable_frames, settings.turntable_px, renderer=settings.renderer
    )
    write_webp(list(frames), out / "turntable.webp", fps=settings.turntable_fps)
    return {"thumbnail": "thumbnail.png", "turntable": "turntable.webp"}


def _facts(mesh: Mesh, made: Sequence[Level], hulls: Sequence[Hull]) -> dict[str, Any]:
    bounds = [[round(float(v), 6) for v in corner] for corner in mesh.bounds]
    return {
        "triangles": len(mesh.faces),
        "vertices": len(mesh.vertices),
        "materials": 1,
        "texture_px": 0 if mesh.base_colour is None else int(mesh.base_colour.shape[0]),
        "bounds_m": bounds,
        "pivot": _pivot(mesh),
        "lods": [
            {
                "triangles": len(level.mesh.faces),
                "error_share": round(level.error_share, 5),
                "mean_error_share": round(level.mean_share, 6),
                f"error_px_at_{SCREEN_PX}": round(level.error_px, 2),
            }
            for level in made
        ],
        "hulls": [
            {
                "vertices": len(hull.mesh.vertices),
                "triangles": len(hull.mesh.faces),
                "volume_m3": float(f"{hull.volume_m3:.4g}"),
                "reach_share": round(hull.reach_share, 4),
            }
            for hull in hulls
        ],
    }


def _pivot(mesh: Mesh) -> str:
    """Say where the origin lies, so that whoever places the asset need not guess."""
    low, high = mesh.bounds.astype(np.float64)
    near = _ON_THE_GROUND * max(float((high - low).max()), 1e-30)
    middle = (low + high) / 2.0
    centred = abs(middle[0]) <= near and abs(middle[2]) <= near
    if centred and abs(low[1]) <= near:
        return "base centre"
    return "centre" if centred and abs(middle[1]) <= near else "elsewhere"


def _over(made: Sequence[Level]) -> list[str]:
    return [
        f"lod{number} has {len(level.mesh.faces)} triangles, wanted {level.wanted}: "
        "its texture has too many cuts for fewer"
        for number, level in enumerate(made)
        if len(level.mesh.faces) > level.wanted
    ]

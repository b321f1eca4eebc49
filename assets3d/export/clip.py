"""The package of a motion clip: the skinned GLB, its BVH, pictures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.export.glb_edit import renamed, with_clip_names
from assets3d.export.package import Package, Settings, written
from assets3d.export.provenance import Provenance, stamped
from assets3d.export.variants import write_variants
from assets3d.mesh.glb_builder import unpacked
from assets3d.mesh.mesh import Mesh

#: A clip loops when its last pose is its first: no bone is turned by more than this.
_LOOPS_DEG = 3.0


@dataclass(frozen=True)
class ClipSources:
    """What the motion step made.

    Attributes:
        model: the skinned, animated GLB.
        bvh: the same motion.
        preview: an animated picture.
        posed: the body in one pose, for the thumbnail; None where it cannot be drawn.
    """

    model: Path
    bvh: Path
    preview: Path
    posed: Mesh | None = None


def clip_package(
    sources: ClipSources, out: Path, settings: Settings, provenance: Provenance
) -> Package:
    """Write the package of a motion clip into the folder `out`, which is there and empty."""
    from assets3d.images.picture import write_png
    from assets3d.mesh.turntable import portrait

    asset, engine = provenance.asset, settings.engine
    raw = sources.model.read_bytes()
    document, data = unpacked(raw, sources.model.name)
    clips = clip_facts(document, data)
    names = {c["name"]: engine.clip_name(asset, c["name"], c["loop"]) for c in clips}
    name = engine.skinned_name(asset)
    material, image = engine.material_name(asset), engine.image_name(asset)
    glb = renamed(raw, name, material, image, sources.model.name)
    glb = stamped(with_clip_names(glb, names, sources.model.name), provenance)
    files = {"clip": written(out, f"{name}.glb", glb)}
    shutil.copyfile(sources.bvh, out / f"{asset}.bvh")
    suffix = sources.preview.suffix
    shutil.copyfile(sources.preview, out / f"preview{suffix}")
    files |= {"bvh": f"{asset}.bvh", "preview": f"preview{suffix}"}
    if sources.posed is not None:
        still = portrait(
            sources.posed, settings.thumbnail_px, azimuth_deg=55.0, renderer=settings.renderer
        )
        write_png(out / "thumbnail.png", still)
        files["thumbnail"] = "thumbnail.png"
    variants, missing = write_variants(out / files["clip"], settings.variants)
    files |= variants
    accessors, primitives = document["accessors"], document["meshes"][0]["primitives"]
    triangles = sum(accessors[p["indices"]]["count"] for p in primitives) // 3
    joints = len(document["skins"][0]["joints"])
    costs = {"triangles": triangles, "joints": joints, "file_bytes": len(glb)}
    facts = {
        "triangles": triangles,
        "vertices": sum(accessors[p["attributes"]["POSITION"]]["count"] for p in primitives),
        "materials": len(document.get("materials", [])),
        "joints": joints,
        "bounds_m": _bounds(accessors, primitives),
        "clips": [{**clip, "name": names[clip["name"]]} for clip in clips],
    }
    return Package(files, costs, facts, tuple(missing))


def clip_facts(document: Mapping[str, Any], data: bytes) -> list[dict[str, Any]]:
    """Return name, seconds, rate and whether it loops of every animation of a GLB."""
    found = []
    for animation in document.get("animations", []):
        samplers = animation["samplers"]
        times = document["accessors"][samplers[0]["input"]]
        seconds = float(times["max"][0])
        steps = max(int(times["count"]) - 1, 1)
        turned = [
            _turned_deg(_ends(document, data, samplers[channel["sampler"]]["output"]))
            for channel in animation["channels"]
            if channel["target"]["path"] == "rotation"
        ]
        found.append(
            {
                "name": animation["name"],
                "seconds": round(seconds, 4),
                "fps": round(steps / seconds, 3) if seconds > 0.0 else 0.0,
                "loop": bool(seconds > 0.0 and max(turned, default=180.0) < _LOOPS_DEG),
            }
        )
    return found


def _ends(document: Mapping[str, Any], data: bytes, accessor: int) -> NDArray[np.float64]:
    """Return the first and the last (4,) quaternion of a track of floats."""
    entry = document["accessors"][accessor]
    start = document["bufferViews"][entry["bufferView"]].get("byteOffset", 0)
    start += entry.get("byteOffset", 0)
    values = np.frombuffer(data, "<f4", 4 * entry["count"], start).reshape(-1, 4)
    return values[[0, -1]].astype(np.float64)


def _turned_deg(ends: NDArray[np.float64]) -> float:
    cosine = abs(float(ends[0] @ ends[1])) / max(float(np.linalg.norm(ends, axis=1).prod()), 1e-12)
    return float(np.degrees(2.0 * np.arccos(min(cosine, 1.0))))


def _bounds(
    accessors: Sequence[Mapping[str, Any]], primitives: Sequence[Mapping[str, Any]]
) -> list[list[float]]:
    """Return the box of the body at rest."""
    places = [accessors[primitive["attributes"]["POSITION"]] for primitive in primitives]
    low = np.min([place["min"] for place in places], axis=0)
    high = np.max([place["max"] for place in places], axis=0)
    return [[round(float(v), 6) for v in corner] for corner in (low, high)]

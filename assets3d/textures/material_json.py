"""`material.json`: what the picture files of a material cannot say themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assets3d.textures.encoding import height_range, quantised
from assets3d.textures.material import Material
from assets3d.textures.packing import PackedFile
from assets3d.textures.presets import MapFile

#: Grows when the meaning of a field changes.
VERSION = 2


def material_facts(
    material: Material,
    files: Sequence[PackedFile],
    folder: Path,
    name: str,
    *,
    seams: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    models: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the facts of a material as JSON-able values.

    Args:
        material: what the files were written from.
        files: what `packing.write_packs` wrote.
        folder: the files are named relative to it.
        name: of the material.
        seams: the seam numbers of each map, by the map's name.
        source: where the surface is from: `by` is world (with family and seed), picture or model.
        models: what read the maps off a picture, by role.
    """
    span = height_range(quantised(material).height_m)
    return {
        "version": VERSION,
        "name": name,
        "size_px": material.size_px,
        "tile_m": material.tile_m,
        "height": {
            "lowest_m": span.lowest_m,
            "highest_m": span.highest_m,
            "range_m": span.range_m,
            # As a displacement's midlevel; its scale is range_m.
            "rest_level": span.rest_level,
        },
        "roughness": "perceptual: the square root of the microfacet alpha",
        "files": {
            entry.path.relative_to(folder).as_posix(): _file_facts(entry.file) for entry in files
        },
        "seams": dict(seams or {}),
        "source": dict(source or {}),
        "models": dict(models or {}),
    }


def write_material_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as indented JSON; the same facts, the same bytes."""
    path.write_text(json.dumps(facts, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _file_facts(file: MapFile) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "channels": list(file.channels),
        "bits": file.bits,
        "colour_space": file.colour_space,
    }
    if "normal_gl" in file.channels:
        facts["normals"] = "OpenGL: green up"
    if "normal_dx" in file.channels:
        facts["normals"] = "DirectX: green down"
    if "height" in file.channels:
        facts["unit"] = "m" if file.bits == 32 else "lowest_m to highest_m"
    return facts

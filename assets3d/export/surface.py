"""The package of a material: its maps packed for an engine, a ball to look at, pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.export.glb_edit import renamed
from assets3d.export.package import Package, Settings, written
from assets3d.export.provenance import Provenance, stamped
from assets3d.export.variants import write_variants
from assets3d.mesh.glb_builder import unpacked
from assets3d.textures.encoding import HeightRange, quantised
from assets3d.textures.map_files import read_map, values_of
from assets3d.textures.material import Material
from assets3d.textures.material_json import material_facts, write_material_json
from assets3d.textures.packing import write_pack
from assets3d.textures.presets import DIRECTX, with_directx

MATERIAL_FILE = "material.json"


def read_material(folder: Path, name: str) -> Material:
    """Read a material from the plain maps that the maps step wrote, bit by bit what it was.

    Raises:
        InputError: when a map is missing or cannot be read.
    """
    import dataclasses

    import numpy as np

    facts = material_json(folder)
    span = HeightRange(facts["height"]["lowest_m"], facts["height"]["highest_m"])

    def plain(suffix: str) -> Any:
        return read_map(folder / f"{name}_{suffix}.png")

    height_m = span.heights_m(plain("height"))
    material = Material(
        base_colour=values_of(plain("basecolor")),
        height_m=height_m,
        normals=np.zeros((*height_m.shape, 3), np.float32),
        roughness=values_of(plain("roughness")),
        occlusion=values_of(plain("ao")),
        metallic=values_of(plain("metallic")),
        tile_m=facts["tile_m"],
    )
    return dataclasses.replace(material, normals=quantised(material).normals)


def material_json(folder: Path) -> dict[str, Any]:
    """Read what a material's pictures cannot say.

    Raises:
        InputError: when the file is missing or broken.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / MATERIAL_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            f"material: {MATERIAL_FILE} is missing or broken, wanted it whole"
        ) from None
    return facts


def material_package(
    folder: Path, out: Path, settings: Settings, provenance: Provenance
) -> Package:
    """Write the package of a material into the folder `out`, which is there and empty.

    Packs for other engines that the person asked for lie in folders of their own.

    Args:
        folder: the maps step's.
        out: the package's.
        settings: the engine and the budget.
        provenance: how it was made.

    Raises:
        InputError: when a map is missing or cannot be read.
    """
    asset, engine = provenance.asset, settings.engine
    before = material_json(folder)
    material = read_material(folder, asset)
    preset = engine.preset
    # The person asked for green down too; Unreal's own normal map is that already.
    asked = f"{asset}_{DIRECTX.suffix}.png" in before["files"]
    if asked and engine.normal_green == "up":
        preset = with_directx(preset)
    packed = write_pack(material, preset, out, asset)
    files = {f"texture_{entry.file.suffix}": entry.path.name for entry in packed}
    facts = material_facts(
        material,
        packed,
        out,
        asset,
        seams=before["seams"],
        source=before["source"],
        models=before["models"],
    )
    write_material_json(out / MATERIAL_FILE, facts)
    name = engine.material_name(asset)
    ball = folder / f"{asset}.glb"
    data = renamed(ball.read_bytes(), name, name, engine.image_name(asset), ball.name)
    files |= {
        "material": MATERIAL_FILE,
        "model": written(out, f"{name}_ball.glb", stamped(data, provenance)),
    }
    files |= _pictures(folder, out)
    files |= _other_packs(folder, out, before["files"], engine.textures)
    variants, missing = write_variants(out / files["model"], settings.variants)
    files |= variants
    # Not the bytes: these are lossless sources of 16 bits, which every engine compresses itself.
    costs = {"texture_px": material.size_px, "materials": 1}
    document, _ = unpacked(data, ball.name)
    return Package(
        files,
        costs,
        {
            "materials": 1,
            "texture_px": material.size_px,
            "tile_m": material.tile_m,
            "height_m": round(facts["height"]["range_m"], 6),
            "normal_green": engine.normal_green,
            "triangles": _triangles(document),
        },
        tuple(missing),
    )


def _pictures(folder: Path, out: Path) -> dict[str, str]:
    """Copy the pictures of the maps step, the ball freed from its backdrop."""
    from assets3d.images.picture import read_picture, write_png
    from assets3d.textures.looks import without_backdrop

    write_png(out / "thumbnail.png", without_backdrop(read_picture(folder / "sphere.png")))
    shutil.copyfile(folder / "plane.png", out / "plane.png")
    return {"thumbnail": "thumbnail.png", "plane": "plane.png"}


def _other_packs(folder: Path, out: Path, files: Mapping[str, Any], own: str) -> dict[str, str]:
    """Copy the packs that lie in folders; that of the engine itself is there already."""
    copied = {}
    for name in files:
        pack, _, file = name.partition("/")
        if not file or pack == own:
            continue
        (out / pack).mkdir(exist_ok=True)
        shutil.copyfile(folder / name, out / name)
        copied[f"texture_{pack}_{Path(file).stem.rpartition('_')[2]}"] = name
    return copied


def _triangles(document: Mapping[str, Any]) -> int:
    accessors = document["accessors"]
    return sum(
        accessors[primitive["indices"]]["count"] // 3
        for mesh in document["meshes"]
        for primitive in mesh["primitives"]
    )

"""The export stage: each asset as one engine wants it, with levels of detail, hulls and pictures.

python -m stages.export --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/image runs/cutout runs/views runs/splats runs/mesh runs/texture runs/maps runs/motion
    --out runs/export

What people work with are the copies that `stages.deliver` makes of these files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from stages import _provenance
from stages._harness import main
from stages._step import ANY_KIND, Item, Own, Params, Step
from stages.specs import Spec

_SETTINGS = (
    *("hull", "thumbnail_px", "turntable_frames", "turntable_px", "turntable_fps"),
    "renderer",
)
#: Other formats that the mesh step may have written: role -> ending.
_OTHERS = {"obj": ".obj", "mtl": ".mtl", "obj_texture": ".png", "stl": ".stl"}


def load(params: Params) -> None:
    """Need nothing: no network is used."""


def build(_: None, item: Item) -> Mapping[str, Any]:
    """Write the package's files, package.json and the history of all steps."""
    from assets3d.errors import InputError
    from assets3d.export.package import PACKAGE_FILE, entry

    records = _provenance.read_records(item.folders)
    provenance = _provenance.provenance_of(item.spec, records)
    refused = _provenance.refusal(provenance) if item.params["commercial"] else None
    if refused is not None:
        raise InputError(refused)
    settings = settings_of(item.params, item.spec)
    made = {"prop": _prop, "material": _material, "motion": _motion}[provenance.kind]
    package = made(item, settings, provenance, records)
    earlier = _provenance.earlier_warnings(records)
    content = entry(package, provenance, settings.budget, item.out, earlier)
    content = {**content, "engine": settings.engine.name}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (item.out / PACKAGE_FILE).write_text(text + "\n", encoding="utf-8")
    own = content["warnings"][len(earlier) :]  # earlier steps have said theirs
    return {
        "numbers": _numbers(content),
        "warnings": own,
        "history": _provenance.history(records),
    }


def settings_of(params: Params, spec: Mapping[str, Any]) -> Any:
    """Return how an asset is packaged: the profile's section, and what its entry says.

    Raises:
        InputError: an unknown engine, budget, hull or variant, shares that do not fall.
    """
    from assets3d.export.budgets import budget_named
    from assets3d.export.engines import engine_named
    from assets3d.export.package import Settings
    from assets3d.export.variants import missing

    for variant in params["variants"]:
        missing(variant)
    chosen = {name: params[name] for name in _SETTINGS}
    if spec.get("hull") is not None:
        chosen["hull"] = spec["hull"]
    lods = (
        params["lods"] if spec.get("lods") is None else [0.5**n for n in range(1, spec["lods"] + 1)]
    )
    return Settings(
        engine=engine_named(params["engine"]),
        budget=budget_named(params["budget"]),
        lods=tuple(lods),
        splats=tuple(params["splats"]),
        variants=tuple(params["variants"]),
        **chosen,
    )


def _prop(item: Item, settings: Any, provenance: Any, records: Any) -> Any:
    from assets3d.export.prop import PropSources, prop_package

    name, folder = item.spec["id"], item.folders["mesh"]
    others = {role: folder / f"{name}{ending}" for role, ending in _OTHERS.items()}
    numbers = records["mesh"]["numbers"]
    sources = PropSources(
        folder / f"{name}.glb",
        {role: path for role, path in others.items() if path.is_file()},
        item.folders["splats"] / "splats.ply",
        numbers["metres_per_unit"],
        tuple(numbers["pivot"]),
    )
    return prop_package(sources, item.out, settings, provenance)


def _material(item: Item, settings: Any, provenance: Any, _: Any) -> Any:
    from assets3d.export.surface import material_package

    return material_package(item.folders["maps"], item.out, settings, provenance)


def _motion(item: Item, settings: Any, provenance: Any, _: Any) -> Any:
    from assets3d.export.clip import ClipSources, clip_package
    from motion.files.bvh import read_bvh
    from motion.looks.proxy import proxy_for
    from motion.looks.skinned_mesh import posed_mesh

    folder, name = item.folders["motion"], item.spec["id"]
    clip = read_bvh(folder / f"{name}.bvh")
    posed = posed_mesh(proxy_for(clip.skeleton), clip, len(clip) // 2)
    sources = ClipSources(
        folder / f"{name}.glb", folder / f"{name}.bvh", folder / "preview.webp", posed
    )
    return clip_package(sources, item.out, settings, provenance)


def _numbers(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the record keeps as numbers: cost, and the error of each level."""
    named = ("triangles", "vertices", "texture_px", "bytes")
    numbers = {name: content[name] for name in named if name in content}
    for number, level in enumerate(content.get("lods", [])[1:], 1):
        numbers[f"lod{number}_triangles"] = level["triangles"]
        numbers[f"lod{number}_error_share"] = level["error_share"]
        numbers[f"lod{number}_error_px"] = level["error_px_at_512"]
    return numbers


def own(params: Params, _: Spec) -> Own:
    """Return what counts besides: whether unsold assets are refused, what is installed here."""
    from assets3d.export.variants import versions

    chosen = tuple(params["variants"])
    gate = {"commercial": params["commercial"]}
    return Own(params={**gate, "programs": versions(chosen)} if chosen else gate)


def _records_of(*steps: str) -> tuple[str, ...]:
    """Return what is read: a record names every file of its step with its hash."""
    return tuple(f"{step}/record.json" for step in steps)


_DRAWN = _records_of("image", "cutout", "views", "splats", "mesh")
_SURFACE = _records_of("texture", "maps")

STEP = Step(
    name="export",
    reads={
        "prop.prompt": _DRAWN,
        "prop.edit": _DRAWN,
        "prop.image": _records_of("cutout", "views", "splats", "mesh"),
        "prop.views": _records_of("cutout", "splats", "mesh"),
        "prop.splats": _records_of("splats", "mesh"),
        "material.prompt": _SURFACE,
        "material.image": _SURFACE,
        "material.procedural": _records_of("maps"),
        **{f"motion.{name}": _records_of("motion") for name in ("script", "bvh", "joints")},
        "motion.between": _records_of("motion"),
    },
    fields=(
        *("id", "kind", "seed", "licence", "prompt", "procedural", "script"),
        *("lods", "hull"),
    ),
    modules=(
        "assets3d.export.clip",
        "assets3d.export.package",
        "assets3d.export.prop",
        "assets3d.export.surface",
        "motion.files.bvh",
        "motion.looks.proxy",
        "motion.looks.skinned_mesh",
        "stages._provenance",
    ),
    load=load,
    build=build,
    own=own,
    kind=ANY_KIND,
)

if __name__ == "__main__":
    sys.exit(main(STEP))

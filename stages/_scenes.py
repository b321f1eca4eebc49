"""The gallery's data: one script per asset that hands its scene to the viewer, kept by content.

A page that was opened from a file may load scripts and nothing else, so a scene is a classic script
that calls one function. It is made again only when its files or the code that reads them change.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError
from stages._kept import Kept
from stages._keys import code_hashes
from stages._progress import say
from stages._report import AssetReport
from stages._store import Store, link_file

STEP = "gallery"
#: Grows when the scripts are called with something else.
_FORMAT = 2
DATA_FOLDER = "data"
_BETWEEN_LINES_S = 5.0
_MODULES = {
    "prop": "assets3d.viewer.prop_scene",
    "material": "assets3d.viewer.material_scene",
    "motion": "assets3d.viewer.clip_scene",
}


@dataclass(frozen=True)
class Sources:
    """What an asset's scene is made of.

    Attributes:
        kind: of the asset.
        files: role -> file.
        hashes: role -> sha256, as the records have it.
        numbers: what the files do not say.
    """

    kind: str
    files: Mapping[str, Path]
    hashes: Mapping[str, str]
    numbers: Mapping[str, Any] = field(default_factory=dict)


def write_scenes(reports: Sequence[AssetReport], out: Path, store: Store) -> dict[str, str]:
    """Put a script per asset into `out`/data; return the assets whose files could not be read.

    Scenes that no asset uses any more leave the store.

    Args:
        reports: the assets.
        out: the gallery's folder.
        store: where scenes are kept.
    """
    data = out / DATA_FOLDER
    data.mkdir(parents=True, exist_ok=True)
    code = {kind: code_hashes([module]) for kind, module in _MODULES.items()}
    kept, problems = Kept(store, STEP), {}
    told = time.monotonic()
    for number, report in enumerate(reports, 1):
        if time.monotonic() - told > _BETWEEN_LINES_S:
            told = time.monotonic()
            say(f"{STEP}: {number} of {len(reports)}, {report.name}")
        sources = sources_of(report)
        if sources is None:
            continue
        parts = {
            "format": _FORMAT,
            "asset": report.name,
            "code": code[sources.kind],
            "files": dict(sources.hashes),
            "numbers": dict(sources.numbers),
        }
        try:
            script = kept.file(parts, "scene.js", _writer(report.name, sources))
        except (AssetError, OSError, LookupError, ValueError) as error:
            # A picture too few is no reason to lose the page.
            problems[report.name] = " ".join(f"{type(error).__name__}: {error}".split())
            continue
        link_file(script, data / f"{report.name}.js")
    kept.forget_others()
    return problems


def sources_of(report: AssetReport) -> Sources | None:
    """Return what can be shown of an asset that got through its last step, or None."""
    if report.spec is None:
        return None
    find = {"prop": _prop, "material": _material, "motion": _motion}[report.spec.kind]
    return find(report)


def _prop(report: AssetReport) -> Sources | None:
    mesh = report.records.get("mesh")
    if mesh is None:
        return None
    name = report.name
    numbers = mesh["numbers"]
    wanted = {"LOD0": ("mesh", f"{name}.glb")}
    packed = {
        role: ("export", file)
        for role, file in (report.package or {}).get("files", {}).items()
        if role == "hull" or (role.startswith("lod") and role[3:].isdigit())
    }
    wanted |= {role.upper() if role != "hull" else role: at for role, at in packed.items()}
    if "metres_per_unit" in numbers:
        wanted["splats"] = ("splats", "splats.ply")
    keep = {field: numbers[field] for field in ("metres_per_unit", "pivot") if field in numbers}
    return _found(report, wanted, keep)


def _material(report: AssetReport) -> Sources | None:
    from assets3d.viewer.material_scene import MAPS

    numbers = report.records.get("maps", {}).get("numbers", {})
    if "tile_m" not in numbers:
        return None
    wanted = {name: ("maps", f"{report.name}_{name}.png") for name in MAPS}
    keep = {"tile_m": numbers["tile_m"], "height_m": numbers["height_range_m"]}
    return _found(report, wanted, keep)


def _motion(report: AssetReport) -> Sources | None:
    if "motion" not in report.records:
        return None
    return _found(report, {"clip": ("motion", f"{report.name}.glb")}, {})


def _found(
    report: AssetReport, wanted: Mapping[str, tuple[str, str]], numbers: Mapping[str, Any]
) -> Sources | None:
    """Return those of the wanted files that the records name, if the first is among them."""
    hashes = {
        role: report.records[step]["files"][file]["sha256"]
        for role, (step, file) in wanted.items()
        if file in report.records.get(step, {}).get("files", {})
    }
    if next(iter(wanted)) not in hashes:
        return None
    files = {role: report.folders[wanted[role][0]] / wanted[role][1] for role in hashes}
    assert report.spec is not None
    return Sources(report.spec.kind, files, hashes, numbers)


def _writer(name: str, sources: Sources) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        scene = json.dumps(_scene(sources), separators=(",", ":"), allow_nan=False)
        path.write_text(f"assets3d({json.dumps(name)}, {scene});\n", encoding="ascii")

    return write


def _scene(sources: Sources) -> dict[str, Any]:
    files, numbers = dict(sources.files), sources.numbers
    if sources.kind == "prop":
        from assets3d.viewer.prop_scene import prop_scene

        hull, splats = files.pop("hull", None), files.pop("splats", None)
        return prop_scene(files, hull, splats, **numbers)
    if sources.kind == "material":
        from assets3d.viewer.material_scene import material_scene

        return material_scene(files, **numbers)
    from assets3d.viewer.clip_scene import clip_scene

    return clip_scene(files["clip"])

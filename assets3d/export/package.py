"""A package: the files of one asset for one engine, and what its pack's manifest says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assets3d.errors import InputError
from assets3d.export.budgets import Budget, checked, warnings
from assets3d.export.engines import Engine
from assets3d.export.provenance import Provenance, display_name
from assets3d.mesh.turntable import Renderer

#: Grows when the meaning of a field of `package.json` or of a pack's `manifest.json` changes.
FORMAT = 1
PACKAGE_FILE = "package.json"

HullKind = Literal["convex", "parts", "none"]
HULL_KINDS: tuple[HullKind, ...] = ("convex", "parts", "none")
_COMMERCIAL = {"yes": True, "no": False, "unverified": None}


@dataclass(frozen=True)
class Settings:
    """How packages are made.

    Attributes:
        engine: the names and the packing.
        budget: what is checked; going over is a warning.
        lods: the share of the triangles that each coarser level has.
        hull: one convex hull, a few, or none.
        thumbnail_px: side of the still picture.
        turntable_frames, turntable_px, turntable_fps: the animation.
        splats: the forms in which splats are written: "ply", "glb".
        variants: compressed copies of the model: "meshopt", "webp", "ktx2".
        renderer: who draws the pictures.
    """

    engine: Engine
    budget: Budget
    lods: tuple[float, ...] = (0.5, 0.25)
    hull: HullKind = "convex"
    thumbnail_px: int = 512
    turntable_frames: int = 36
    turntable_px: int = 512
    turntable_fps: float = 18.0
    splats: tuple[str, ...] = ("ply", "glb")
    variants: tuple[str, ...] = ()
    renderer: Renderer = "auto"

    def __post_init__(self) -> None:
        if any(not 0.0 < share < 1.0 for share in self.lods) or list(self.lods) != sorted(
            set(self.lods), reverse=True
        ):
            raise InputError(
                f"lods: found {list(self.lods)}, wanted falling shares between 0 and 1"
            )
        if self.hull not in HULL_KINDS:
            raise InputError(f"hull: found {self.hull!r}, wanted one of {', '.join(HULL_KINDS)}")


@dataclass(frozen=True)
class Package:
    """The files of one asset.

    Attributes:
        files: role -> name in the package's folder.
        costs: what the budget is held against, see `budgets.Budget`.
        facts: what the manifest says besides: triangles, bounds, levels, clips ...
        warnings: what a person should look at.
    """

    files: Mapping[str, str]
    costs: Mapping[str, int]
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def entry(
    package: Package,
    provenance: Provenance,
    budget: Budget,
    folder: Path,
    earlier: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the asset's part of its pack's manifest, without what only delivery knows.

    Args:
        package: what was written.
        provenance: how the asset was made.
        budget: what it may cost.
        folder: where its files are.
        earlier: the warnings of the steps before.
    """
    bars = checked(package.costs, budget)
    found = [*earlier, *package.warnings, *warnings(bars, budget)]
    return {
        "id": provenance.asset,
        "kind": provenance.kind,
        "name": display_name(provenance.asset),
        "words": provenance.words,
        "status": "warned" if found else "ok",
        "commercial": _COMMERCIAL[provenance.commercial],
        "licences": provenance.licences,
        "made_by": provenance.made_by,
        "files": dict(package.files),
        "bytes": sum((folder / name).stat().st_size for name in package.files.values()),
        **package.facts,
        "budget": {
            "name": budget.name,
            "bars": [[bar.name, bar.value, bar.limit] for bar in bars],
        },
        "warnings": found,
    }


def written(folder: Path, name: str, content: bytes) -> str:
    """Write a file of a package and return its name."""
    (folder / name).write_bytes(content)
    return name

"""What a step is: the record that each module of `stages` fills in, and what its build is given."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.manifest import Kind

#: The steps that build items, in the order in which they run.
ITEM_STEPS = ("image", "cutout", "views", "splats", "mesh")

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One thing to build.

    Attributes:
        spec: the manifest fields that the step reads, and `kind`.
        params: the step's section of the profile.
        source: folder of the step before, or the person's file or folder, or None.
        out: an empty folder for the files.
        seed: this asset's and step's own seed.
    """

    spec: Mapping[str, Any]
    params: Params
    source: Path | None
    out: Path
    seed: int


@dataclass(frozen=True)
class Step:
    """One step of the pipeline; the harness does everything that is the same for all of them.

    Attributes:
        name: also the name of the module, of the DVC stage and of its folder in runs/.
        reads: for each kind of asset it is for, the files it reads of the step before as patterns
            ("views/view_*.png"), or () where it reads the person's file or nothing.
        fields: the manifest fields it reads, besides `kind`.
        modules: the library modules it calls; all that these import is followed.
        models: parameter -> folder under assets3d/weights, for parameters that name a model.
        load: makes what `build` needs (models), once per stage run and only when needed.
        build: writes an item's files, returns what goes into the record: `numbers`, `warnings`.
    """

    name: str
    reads: Mapping[Kind, tuple[str, ...]]
    fields: tuple[str, ...]
    modules: tuple[str, ...]
    load: Callable[[Params], Any]
    build: Callable[[Any, Item], Mapping[str, Any]]
    models: Mapping[str, str] = field(default_factory=dict)

    def source_step(self, kind: Kind) -> str | None:
        """Return the step whose folder an asset of this kind comes from, or None."""
        patterns = self.reads[kind]
        return patterns[0].partition("/")[0] if patterns else None

    def patterns(self, kind: Kind) -> tuple[str, ...]:
        """Return the file patterns inside that step's folder of the asset."""
        return tuple(pattern.partition("/")[2] for pattern in self.reads[kind])


def find_step(name: str) -> Step:
    """Import the module of a step; that imports neither torch nor diffusers."""
    return importlib.import_module(f"stages.{name}").STEP

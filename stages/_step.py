"""What a step is: the record that each module of `stages` fills in, and what its build is given."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets3d.models import ModelFiles
from stages._candidates import CHOICE, several
from stages.specs import Spec

#: The steps that build items, in the order in which they run.
ITEM_STEPS = (
    *("image", "cutout", "views", "splats", "choose", "mesh", "texture", "maps", "motion"),
    "export",
)
#: Read by a step that tells an asset's whole history.
_MESH_RECORD = "mesh/record.json"
#: `Step.kind` of a step that is for every kind of asset.
ANY_KIND = "any"

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One thing to build.

    Attributes:
        spec: the manifest fields that the step reads, and `enters`.
        params: the step's section of the profile.
        sources: the person's files and folders by field; empty in steps that read earlier ones.
        folders: earlier step -> this asset's folder there; where all candidates are read,
            earlier step/number -> that candidate's.
        out: an empty folder for the files.
        seed: this asset's and step's own seed.
        models: the models that this asset asks for, see `Own`.
    """

    spec: Mapping[str, Any]
    params: Params
    sources: Mapping[str, Path]
    folders: Mapping[str, Path]
    out: Path
    seed: int
    models: Mapping[str, ModelFiles] = field(default_factory=dict)

    @property
    def given(self) -> Path:
        """The person's file or folder that the asset is made from."""
        return self.sources[self.spec["enters"]]


@dataclass(frozen=True)
class Own:
    """What one asset reads that others of the step need not: part of its key alone.

    Attributes:
        models: role -> model.
        params: parameters of the profile that only such assets read.
    """

    models: Mapping[str, ModelFiles] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)


def no_own(_: Params, __: Spec) -> Own:
    """Return nothing: what most steps read is the same for all assets."""
    return Own()


@dataclass(frozen=True)
class Step:
    """One step of the pipeline; the harness does everything that is the same for all of them.

    Attributes:
        name: also the name of the module, of the DVC stage and of its folder in runs/.
        reads: for each field that its assets can be made from, the files it reads of earlier steps
            as patterns ("views/view_*.png"), or () where it reads the person's file or nothing; a
            step for every kind of asset names the kind as well ("prop.image").
        fields: the manifest fields it reads, besides `enters`, of kinds that have them.
        modules: the library modules it calls; all that these import is followed.
        models: parameter -> step that the model is for, for parameters that name a model.
        load: makes what `build` needs (models), once per stage run and only when needed.
        build: writes an item's files, returns what goes into the record: `numbers`, `warnings`.
        own: what one asset reads besides; raises InputError where that is not there.
        own_params: the parameters that only `own` reads.
        kind: the kind of asset that it is for.
    """

    name: str
    reads: Mapping[str, tuple[str, ...]]
    fields: tuple[str, ...]
    modules: tuple[str, ...]
    load: Callable[[Params], Any]
    build: Callable[[Any, Item], Mapping[str, Any]]
    models: Mapping[str, str] = field(default_factory=dict)
    own: Callable[[Params, Spec], Own] = no_own
    own_params: tuple[str, ...] = ()
    kind: str = "prop"

    @property
    def follows_choice(self) -> bool:
        """Whether it sees one candidate of a prop, the chosen one."""
        after = ITEM_STEPS.index(self.name) > ITEM_STEPS.index(CHOICE)
        return after and self.kind in ("prop", ANY_KIND)

    def takes(self, spec: Spec) -> bool:
        """Tell whether an asset goes through this step."""
        if self.name == CHOICE and not several(spec):
            return False
        return self.kind in (spec.kind, ANY_KIND) and self._entrance(spec) in self.reads

    def patterns(self, spec: Spec) -> dict[str, tuple[str, ...]]:
        """Return earlier step -> the file patterns that such an asset reads of it.

        A step that reads the records of all steps reads the choice's as well, where there is one.
        """
        found: dict[str, tuple[str, ...]] = {}
        for entry in self.reads[self._entrance(spec)]:
            before, _, pattern = entry.partition("/")
            if entry == _MESH_RECORD and several(spec):
                found[CHOICE] = ("record.json",)
            found[before] = (*found.get(before, ()), pattern)
        return found

    def _entrance(self, spec: Spec) -> str:
        return f"{spec.kind}.{spec.enters}" if self.kind == ANY_KIND else spec.enters


def find_step(name: str) -> Step:
    """Import the module of a step; that imports neither torch nor diffusers."""
    return importlib.import_module(f"stages.{name}").STEP

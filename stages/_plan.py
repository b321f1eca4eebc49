"""Which items a step needs: one key per asset, or the line that says why there can be none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets3d.models import ModelFiles
from assets3d.randomness import step_seed
from stages import _candidates, _keys
from stages._candidates import CANDIDATE_STEPS, CHOICE
from stages._executor import Work
from stages._failures import Failure, from_exception
from stages._models import find_models
from stages._records import read_record
from stages._step import Own, Params, Step
from stages.specs import Spec

#: Parameters that decide whether an item may be built, and change no byte of it.
NO_PART_OF_A_KEY = ("commercial", "download", "offload", "vae_slicing")

#: (step before, asset or candidate) -> the folder of its item.
FindSource = Callable[[str, str], Path]


@dataclass(frozen=True)
class Plan:
    """What a step has to do.

    Attributes:
        work: one piece per asset, in manifest order, or per candidate; equal keys may occur.
        failures: assets whose key cannot even be made.
        skipped: assets and candidates that an earlier step lost, and reported.
        code: file -> sha256 of the library code behind the keys.
    """

    work: tuple[Work, ...]
    failures: tuple[Failure, ...]
    skipped: tuple[str, ...]
    code: Mapping[str, str]


def make_plan(
    step: Step,
    params: Params,
    assets: Mapping[str, Spec],
    find_source: FindSource,
    lost: Mapping[str, Failure | None] | None = None,
) -> Plan:
    """Make the key of every asset that the step is for, and of each of its candidates.

    Args:
        step: the step.
        params: its section of the profile.
        assets: the manifest.
        find_source: where the items of the step before are.
        lost: assets and candidates that an earlier step could not build, and why where known.
    """
    lost = lost or {}
    items = _candidates.items_of(step.name, assets)
    wanted = {name: spec for name, spec in items.items() if step.takes(spec)}
    skipped = tuple(name for name in wanted if name in lost)
    code = _keys.code_hashes([*step.modules, f"stages.{step.name}"])
    work: list[Work] = []
    failures: list[Failure] = []
    common: dict[str, Any] | None = None
    for name, spec in wanted.items():
        if name in lost:
            continue
        try:
            common = common or _common_parts(step, params, code)
            if step.name == CHOICE:
                failure = _candidates.cannot_choose(name, spec, lost)
                if failure is not None:
                    failures.append(failure)
                    continue
                folders = _folders_of_candidates(step, name, spec, find_source, lost)
            else:
                spec, folders = _folders(step, name, spec, find_source)
            own = Own() if params.get("model") == "standin" else step.own(params, spec)
            work.append(_work(step, name, spec, _with_own(common, own), folders, own.models))
        except Exception as error:
            failures.append(from_exception(name, step.name, error))
    return Plan(tuple(work), tuple(failures), skipped, code)


#: What is read of each earlier item: name in the key -> its folder, patterns of files.
_Folders = Mapping[str, tuple[Path, tuple[str, ...]]]


def _folders(step: Step, name: str, spec: Spec, find_source: FindSource) -> tuple[Spec, _Folders]:
    """Return the entry that a step sees, and the folders it reads: the chosen candidate's."""
    patterns, item = step.patterns(spec), name
    if step.follows_choice and _candidates.several(spec):
        number = _candidates.chosen(read_record(find_source(CHOICE, name)))
        spec, item = _candidates.candidate(spec, number), _candidates.item_name(name, number)
    found = {
        before: (find_source(before, item if before in CANDIDATE_STEPS else name), files)
        for before, files in patterns.items()
    }
    return spec, found


def _folders_of_candidates(
    step: Step, name: str, spec: Spec, find_source: FindSource, lost: Mapping[str, Failure | None]
) -> _Folders:
    """Return the folders of all candidates that were made, by step and number."""
    return {
        f"{before}/{number}": (find_source(before, _candidates.item_name(name, number)), files)
        for number in _candidates.made(name, spec, lost)
        for before, files in step.patterns(spec).items()
    }


def _common_parts(step: Step, params: Params, code: Mapping[str, str]) -> dict[str, Any]:
    """Return the parts of the key that all assets share."""
    models = find_models(dict(step.models), params)
    left_out = {*NO_PART_OF_A_KEY, *step.own_params}
    return {
        "step": step.name,
        "params": {name: value for name, value in params.items() if name not in left_out},
        "models": {role: model.record() for role, model in models.items()},
        "code": _keys.item_key(dict(code)),
        "versions": _keys.versions(),
    }


def _with_own(common: Mapping[str, Any], own: Own) -> dict[str, Any]:
    """Return the common parts of the key with what one asset reads besides."""
    models = {role: model.record() for role, model in own.models.items()}
    return {
        **common,
        "models": {**common["models"], **models},
        "params": {**common["params"], **own.params},
    }


def _work(
    step: Step,
    name: str,
    spec: Spec,
    common: Mapping[str, Any],
    earlier: _Folders,
    models: Mapping[str, ModelFiles],
) -> Work:
    values = {**spec.model_dump(mode="json"), "id": name}
    fields = [field for field in step.fields if field in values]
    read = {"enters": spec.enters, **{field: values[field] for field in fields}}
    sources = {} if earlier else dict(spec.sources)
    inputs: dict[str, str] = {}
    for field, source in sources.items():
        _keys.check_source(source, field, spec.wants(field))
        inputs |= _keys.source_hashes(source, field)
    for before, (folder, patterns) in earlier.items():
        hashes = _keys.folder_hashes(folder, patterns)
        inputs |= {f"{before}/{file}": value for file, value in hashes.items()}
    parts = {**common, "spec": read, "inputs": inputs}
    seed = step_seed(spec.seed, step.name)
    folders = {before: folder for before, (folder, _) in earlier.items()}
    return Work(name, _keys.item_key(parts), parts, read, sources, folders, seed, models)

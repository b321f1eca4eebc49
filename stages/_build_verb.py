"""The verb `build`: every step of one asset through the store, now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError
from stages._candidates import CHOICE, chosen, item_name, number_of
from stages._executor import make_executor
from stages._failures import Failure
from stages._harness import warnings_of
from stages._plan import make_plan
from stages._progress import say
from stages._project import Project
from stages._records import read_record
from stages._step import ITEM_STEPS, find_step
from stages._store import StoredItem, discard, link_item
from stages._verbs import find_spec
from stages.specs import Spec

#: (step, asset or candidate) -> item.
_Items = dict[tuple[str, str], StoredItem]


def build_items(
    project: Project, name: str, changed: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, StoredItem]:
    """Build every step of one asset through the store; return step -> item, of the one chosen.

    Args:
        project: the project.
        name: the asset's id.
        changed: step -> parameters that are not the profile's.

    Raises:
        AssetError: the first failure that is not of a candidate alone, in one line.
    """
    items, kept = _build_all(project, name, find_spec(project, name), changed or {}), name
    if (CHOICE, name) in items:
        kept = item_name(name, chosen(read_record(items[CHOICE, name].folder)))
    return {step: item for (step, of), item in items.items() if of in (name, kept)}


def build_asset(project: Project, name: str) -> Path:
    """Build every step of one asset through the store; return the folder with all of its files.

    The result lies in runs/build/<id>, its candidates' beside it, so DVC's own folders stay as they
    are; the next `dvc repro` finds the items in the store.

    Raises:
        AssetError: the first failure that is not of a candidate alone, in one line.
    """
    items = _build_all(project, name, find_spec(project, name), {})
    build = project.runs / "build"
    for folder in (build / name, *build.glob(item_name(name, "*"))):
        discard(folder)
    for (step, of), item in items.items():
        link_item(item, build / of / step)
    return build / name


def _build_all(
    project: Project, name: str, spec: Spec, changed: Mapping[str, Mapping[str, Any]]
) -> _Items:
    """Build every step of an asset and of its candidates."""
    executor, store = make_executor(project.settings), project.store
    items: _Items = {}
    lost: dict[str, Failure | None] = {}
    for step in map(find_step, ITEM_STEPS):
        if not step.takes(spec):
            continue
        params = {**project.params(step.name), **changed.get(step.name, {})}
        plan = make_plan(step, params, {name: spec}, lambda b, of: items[b, of].folder, lost)
        failures = list(plan.failures)
        found = {work.key: store.find(step.name, work.key) for work in plan.work}
        missing = {work.key: work for work in plan.work if found[work.key] is None}
        for work in missing.values():
            say(f"{work.asset}: {step.name} ...")
        # All at once: the models load once.
        for outcome in executor.run(step.name, params, list(missing.values()), store):
            work = outcome.work
            if outcome.failure is not None:
                same = [other.asset for other in plan.work if other.key == work.key]
                failures += [replace(outcome.failure, asset=other) for other in same]
                continue
            item = found[work.key] = store.find(step.name, work.key)
            assert item is not None, f"{step.name}: {work.key} is not in the store"
            say(f"{work.asset}: {step.name} built ({item.seconds:.1f} s)")
        for work in plan.work:
            item = found[work.key]
            if item is None:
                continue
            if work.key not in missing:
                say(f"{work.asset}: {step.name} reused")
            for warning in warnings_of(item.folder):
                say(f"{work.asset}: {step.name}: warning: {warning}")
            items[step.name, work.asset] = item
        for failure in failures:
            if number_of(failure.asset) is None:
                raise AssetError(str(failure))
            say(str(failure))
            lost[failure.asset] = failure
    return items

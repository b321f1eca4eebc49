"""The verbs that look at assets one by one: new, build, explain, show."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import AssetError, InputError
from stages import _failures
from stages._executor import make_executor
from stages._harness import say
from stages._plan import make_plan
from stages._project import Project
from stages._records import read_record
from stages._step import ITEM_STEPS, Step, find_step
from stages._store import discard, link_item
from stages.manifest import check_entry, read_manifest
from stages.specs import Spec


def add_asset(path: Path, name: str, fields: Mapping[str, Any]) -> str:
    """Append an entry to the manifest, leaving the rest of the file as it is; return its line.

    Raises:
        InputError: when the entry is wrong or the id is taken.
    """
    check_entry(name, dict(fields))
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    manifest = read_manifest(path) if text else None
    if manifest and (name in manifest.assets or name in manifest.problems):
        raise InputError(f"id: {name} is taken in {path}, wanted another")
    entry = yaml.safe_dump(
        dict(fields), default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    line = f"{name}: {entry.strip()}"
    gap = "" if not text or text.endswith("\n") else "\n"
    path.write_text(f"{text}{gap}{line}\n", encoding="utf-8")
    return line


def build_asset(project: Project, name: str) -> Path:
    """Build every step of one asset through the store; return the folder with all of its files.

    The result lies in runs/build/<id>, so DVC's own folders stay as they are; the next `dvc repro`
    finds the items in the store.

    Raises:
        AssetError: the first failure, in one line.
    """
    spec = _spec(project, name)
    executor = make_executor(project.settings)
    items: dict[str, Any] = {}
    for step in _steps(spec):
        params = project.params(step.name)
        plan = make_plan(step, params, {name: spec}, lambda before, _: items[before].folder)
        if plan.failures:
            raise AssetError(str(plan.failures[0]))
        (work,) = plan.work
        item = project.store.find(step.name, work.key)
        if item is None:
            say(f"{name}: {step.name} ...")
            (outcome,) = executor.run(step.name, params, [work], project.store)
            if outcome.failure is not None:
                raise AssetError(str(outcome.failure))
            item = project.store.find(step.name, work.key)
            assert item is not None
            say(f"{name}: {step.name} built ({item.seconds:.1f} s)")
        else:
            say(f"{name}: {step.name} reused")
        items[step.name] = item
    folder = project.runs / "build" / name
    discard(folder)
    for step_name, item in items.items():
        link_item(item, folder / step_name)
    return folder


def explain(project: Project, only: str | None = None) -> list[str]:
    """Return a line per asset and step that `dvc repro` would build, naming what changed.

    Once a step is rebuilt, its result is not known yet: later steps are named as "perhaps".
    """
    manifest = project.manifest()
    if only is not None:
        _spec(project, only)
    lines = [f"{name}: manifest: {text}" for name, text in manifest.problems.items()]
    dirty: set[str] = set()
    for step_name in ITEM_STEPS:
        step = find_step(step_name)
        wanted = {n: s for n, s in manifest.assets.items() if only in (None, n)}
        known = {n: s for n, s in wanted.items() if s.enters in step.reads and n not in dirty}
        waiting = [n for n, s in wanted.items() if s.enters in step.reads and n in dirty]
        plan = make_plan(step, project.params(step_name), known, lambda b, a: project.runs / b / a)
        lines += [f"{n}: {step_name}: perhaps, what it reads is rebuilt" for n in waiting]
        lines += [str(failure) for failure in plan.failures]
        dirty |= {failure.asset for failure in plan.failures}
        for work in plan.work:
            reason = _reason(project, step_name, work.asset, work.key, work.parts, plan.code)
            if reason:
                dirty.add(work.asset)
                lines.append(f"{work.asset}: {step_name}: {reason}")
    return lines


def show_asset(project: Project, name: str) -> list[str]:
    """Return an asset's entry, its failures and its records, as lines of text."""
    manifest = project.manifest()
    if name in manifest.problems:
        return [f"{name}: manifest: {manifest.problems[name]}"]
    spec = _spec(project, name)
    lines = [f"{name}: {json.dumps(spec.model_dump(mode='json', exclude_defaults=True))}"]
    for step_name in ITEM_STEPS:
        folder = project.runs / step_name
        failures = [f for f in _failures.read_failures(folder).failed if f.asset == name]
        lines += [f"  {step_name}: failed: {failure.message}" for failure in failures]
        record = read_record(folder / name)
        if record is None:
            continue
        lines.append(f"  {step_name}: {record['key'][:12]}, seed {record['seed']}")
        for model in record["models"].values():
            sold = {"yes": "may be sold", "no": "must not be sold"}.get(
                model["commercial"], "nobody checked whether it may be sold"
            )
            words = f"{model['source']} @ {model['revision'][:12]}, {model['licence']}, {sold}"
            lines.append(f"    {model['role']}: {words}")
        lines += [f"    {key}: {value}" for key, value in record["numbers"].items()]
        lines += [f"    warning: {warning}" for warning in record["warnings"]]
        for file, entry in record["files"].items():
            lines.append(f"    {folder / name / file} ({entry['bytes']} bytes)")
    return lines


def _reason(
    project: Project,
    step: str,
    asset: str,
    key: str,
    parts: Mapping[str, Any],
    code: Mapping[str, str],
) -> str | None:
    """Say why an item must be built, or None when the asset already has it."""
    record = read_record(project.runs / step / asset)
    if record is not None and record["key"] == key:
        whole = project.store.find(step, key) is not None
        return None if whole else "its item in the store is damaged or gone"
    if project.store.find(step, key) is not None:
        return "reused, another key of the store"
    old = project.store.read(step, record["key"]) if record is not None else None
    if old is None:
        return "new"
    changed = list(_differences(old.parts, parts))
    if "code" in {field for field, _ in changed}:
        before = _code_before(project, step)
        files = sorted(f for f in {*before, *code} if before.get(f) != code.get(f))
        changed = [
            (f, f"{', '.join(files)} changed" if f == "code" and files else t) for f, t in changed
        ]
    return "; ".join(f"{field}: {text}" for field, text in changed)


def _differences(old: Any, new: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            below = f"{field}.{name}" if field else name
            yield from _differences(old.get(name), new.get(name), below)
    else:
        yield field, f"{_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    is_hash = isinstance(value, str) and len(value) == 64
    return text[1:9] if is_hash else text


def _code_before(project: Project, step: str) -> dict[str, str]:
    try:
        path = project.runs / ".state" / f"{step}.json"
        return json.loads(path.read_text(encoding="utf-8"))["code"]
    except (OSError, ValueError, KeyError):
        return {}


def _spec(project: Project, name: str) -> Spec:
    manifest = project.manifest()
    if name in manifest.problems:
        raise InputError(f"{name}: manifest: {manifest.problems[name]}")
    if name not in manifest.assets:
        known = ", ".join(list(manifest.assets)[:10])
        raise InputError(f"{name}: not in {project.manifest_path}, wanted one of {known} ...")
    return manifest.assets[name]


def _steps(spec: Spec) -> list[Step]:
    steps = [find_step(name) for name in ITEM_STEPS]
    return [step for step in steps if spec.enters in step.reads]

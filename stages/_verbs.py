"""The verbs that look at assets one by one: new, show."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import InputError
from stages import _failures
from stages._candidates import (
    CANDIDATE_STEPS,
    CHOICE,
    asset_of,
    chosen,
    item_name,
    number_of,
    numbers,
    several,
)
from stages._keys import check_source
from stages._project import Project
from stages._records import read_record
from stages._step import ITEM_STEPS
from stages.manifest import check_entry, read_manifest
from stages.specs import Spec


def add_asset(path: Path, name: str, fields: Mapping[str, Any]) -> str:
    """Append an entry to the manifest, leaving the rest of the file as it is; return its line.

    Raises:
        InputError: when the entry is wrong, what it names is not there, or the id is taken.
    """
    return add_assets(path, {name: fields})[0]


def add_assets(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Append entries to the manifest, all or none, its comments untouched; return their lines.

    Raises:
        InputError: when an entry is wrong, what it names is not there, an id is taken, or the file
            ends in the middle of something.
    """
    if not entries:
        return []
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    manifest = read_manifest(path) if text else None
    lines = []
    for name, fields in entries.items():
        spec = check_entry(name, dict(fields))
        for field, source in spec.sources.items():
            check_source(source, field, spec.wants(field))
        if manifest and name in manifest.order:
            raise InputError(f"id: {name} is taken in {path}, wanted another")
        entry = yaml.safe_dump(
            dict(fields), default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
        )
        lines.append(f"{name}: {entry.strip()}")
    gap = "" if not text or text.endswith("\n") else "\n"
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text("\n".join([text + gap + lines[0], *lines[1:], ""]), encoding="utf-8")
    try:
        _check_appended(partial, path, entries)
        partial.replace(path)  # a full disk must not cost a person the manifest
    finally:
        partial.unlink(missing_ok=True)
    return lines


def _check_appended(partial: Path, path: Path, entries: Mapping[str, Any]) -> None:
    try:
        known = read_manifest(partial).assets
    except InputError:
        known = {}
    if not entries.keys() <= known.keys():
        raise InputError(
            f"{path}: nothing can be put behind its last line, wanted entries such as "
            "`crate: {prompt: a crate}`, each on a line of its own"
        )


def show_asset(project: Project, name: str) -> list[str]:
    """Return an asset's entry, its failures and its records, as lines of text."""
    manifest = project.manifest()
    if name in manifest.problems:
        return [f"{name}: manifest: {manifest.problems[name]}"]
    spec = find_spec(project, name)
    lines = [f"{name}: {json.dumps(spec.model_dump(mode='json', exclude_defaults=True))}"]
    kept = _kept_items(project, name, spec)
    if kept != name:
        number = number_of(kept)
        lines += [f"  candidate {number} of {len(numbers(spec))} is kept (runs/<step>/{kept})"]
    for step_name in ITEM_STEPS:
        failures = _failures.read_failures(project.runs / step_name).failed
        lines += [f"  {step_name}: failed: {f.message}" for f in failures if f.asset == name]
        lines += [
            f"  {step_name}: candidate {number_of(f.asset)} failed: {f.message}"
            for f in failures
            if asset_of(f.asset) == name != f.asset
        ]
        of = kept if step_name in CANDIDATE_STEPS else name
        lines += _item_lines(step_name, newest_folder(project, step_name, of))
    return lines


def _kept_items(project: Project, name: str, spec: Spec) -> str:
    """Return under which name the items of the candidate lie that was chosen; else the asset's."""
    if not several(spec):
        return name
    try:
        record = read_record(newest_folder(project, CHOICE, name))
        return item_name(name, chosen(record))
    except InputError:
        return name  # nothing was chosen yet


def newest_folder(project: Project, step: str, name: str) -> Path:
    """Return where an asset's item lies: `build` and `dvc repro` have a folder each."""
    folders = (project.runs / step / name, project.runs / "build" / name / step)
    there = [folder for folder in folders if folder.is_dir()]
    return max(there, key=lambda folder: folder.stat().st_mtime, default=folders[0])


def _item_lines(step: str, folder: Path) -> list[str]:
    record = read_record(folder)
    if record is None:
        return []
    lines = [f"  {step}: {record['key'][:12]}, seed {record['seed']}"]
    lines += [f"    {role}: {_model_words(model)}" for role, model in record["models"].items()]
    lines += [f"    {key}: {value}" for key, value in record["numbers"].items()]
    lines += [f"    warning: {warning}" for warning in record["warnings"]]
    files = record["files"].items()
    return lines + [f"    {folder / file} ({entry['bytes']} bytes)" for file, entry in files]


def _model_words(model: Mapping[str, Any]) -> str:
    """Say where a model is from; what ships with the project or lies here has no revision."""
    sold = {"yes": "may be sold", "no": "must not be sold"}.get(
        model["commercial"], "nobody checked whether it may be sold"
    )
    revision = f" @ {model['revision'][:12]}" if model["revision"] else ""
    source = "" if model["source"] == model["name"] else f" from {model['source']}"
    return f"{model['name']}{source}{revision}, {model['licence']}, {sold}"


def find_spec(project: Project, name: str) -> Spec:
    """Return an asset's entry.

    Raises:
        InputError: the entry is bad, or there is none.
    """
    manifest = project.manifest()
    if name in manifest.problems:
        raise InputError(f"{name}: manifest: {manifest.problems[name]}")
    if name not in manifest.assets:
        known = ", ".join(list(manifest.assets)[:10])
        raise InputError(f"{name}: not in {project.manifest_path}, wanted one of {known} ...")
    return manifest.assets[name]

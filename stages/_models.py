"""Which models a step's parameters name, and the lock that pins what was fetched first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import InputError
from assets3d.models import EMBEDDED_FOLDER, ModelFiles, resolve

#: Where the weights that ship with the package lie.
EMBEDDED_ROOT = EMBEDDED_FOLDER
#: Words that name no network at all.
NO_MODEL = ("standin", "none")
_CATALOGUE = Path("configs/models.yaml")
_LOCK = Path("configs/models.lock.yaml")


def find_models(models: Mapping[str, str], params: Mapping[str, Any]) -> dict[str, ModelFiles]:
    """Return parameter -> model for every parameter of a step that names one.

    Args:
        models: parameter -> step that the model is for.
        params: the step's section of the profile; `download: true` lets missing files be fetched.

    Raises:
        InputError: an unknown name, or files that are not there.
        PassingError: a download failed.
    """
    named = {role: params.get(role) for role in models}
    return {
        role: find_model(models[role], word, bool(params.get("download", False)))
        for role, word in named.items()
        if word is not None and word not in NO_MODEL
    }


@cache
def find_model(step: str, word: str, download: bool = False) -> ModelFiles:
    """Return the model that `word` names for a step, as pinned in configs/models.lock.yaml.

    Raises:
        InputError: see `assets3d.models.resolve`; or the files are others than the pinned ones.
        PassingError: a download failed.
    """
    registry, lock = _read(_CATALOGUE), _read(_LOCK)
    pinned = lock.get(word, {})
    if word in registry and pinned:
        registry[word] = {**registry[word], "revision": pinned["revision"]}
    model = resolve(step, word, registry, download=download)
    if model.source == "embedded":
        return model  # Git pins it
    if not pinned:
        _pin(lock, model)
    elif pinned["sha256"] != model.digest:
        raise InputError(
            f"{step}.model: {word} has other files than {_LOCK.name} pins "
            f"({model.digest[:12]}, wanted {pinned['sha256'][:12]})"
        )
    return model


def _pin(lock: dict[str, Any], model: ModelFiles) -> None:
    """Write down which files of a model were found first."""
    # In the Hub's cache a snapshot's folder is named after its commit.
    in_cache = model.path.parent.name == "snapshots"
    revision = model.path.name if in_cache else model.revision
    lock[model.name] = {"revision": revision, "sha256": model.digest}
    temporary = _LOCK.with_name(f"{_LOCK.name}.{os.getpid()}")
    temporary.write_text(yaml.safe_dump(lock, sort_keys=True), encoding="utf-8")
    temporary.replace(_LOCK)


def _read(path: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}

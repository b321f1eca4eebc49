"""Which model a profile's word means: where it lies, its licence, what identifies its weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import InputError
from stages._keys import CODE_ROOT, file_hash

EMBEDDED_ROOT = CODE_ROOT / "assets3d" / "weights"
#: Words that name no network at all.
NO_MODEL = ("standin", "none")
_CATALOGUE = Path("configs/models.yaml")
_LOCK = Path("configs/models.lock.yaml")
_NOT_WEIGHTS = {".md", ".txt.bak", ".lock"}


@dataclass(frozen=True)
class Model:
    """A model as a record names it.

    Attributes:
        role: the parameter that named it.
        name: its word in the profile.
        source: folder inside the package, or the hub repository.
        revision: what pins it: a hub commit, or the hash of the embedded files.
        licence: SPDX name, or the licence's own.
        commercial: whether what it makes may be sold.
    """

    role: str
    name: str
    source: str
    revision: str
    licence: str
    commercial: bool

    @property
    def location(self) -> str:
        """What a loader of the library is given: a folder of this machine or a hub repository."""
        folder = CODE_ROOT / self.source
        return str(folder) if folder.is_dir() else self.source


def find_models(models: dict[str, str], params: Any) -> dict[str, Model]:
    """Return role -> model for every parameter of a step that names one.

    Raises:
        InputError: a word that configs/models.yaml does not know.
    """
    named = {role: params.get(role) for role in models}
    return {
        role: find_model(role, word, models[role])
        for role, word in named.items()
        if word is not None and word not in NO_MODEL
    }


def find_model(role: str, word: str, folder: str) -> Model:
    """Return the model that `word` names: "embedded" or an entry of configs/models.yaml.

    Raises:
        InputError: when there is no such entry, or the embedded weights are not there.
    """
    if word == "embedded":
        return _embedded(role, folder)
    entries = _yaml(_CATALOGUE)
    if word not in entries:
        known = ", ".join(["embedded", *entries])
        raise InputError(f"{role}: found {word!r}, wanted one of {known} (configs/models.yaml)")
    entry = entries[word]
    lock = _yaml(_LOCK).get(word, {})
    revision = str(lock.get("revision", entry.get("revision", "newest")))
    return Model(
        role,
        word,
        str(entry["source"]),
        revision,
        str(entry["licence"]),
        bool(entry["commercial"]),
    )


@cache
def _embedded(role: str, folder: str) -> Model:
    from stages._keys import item_key

    root = EMBEDDED_ROOT / folder
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.suffix not in _NOT_WEIGHTS)
    if not files:
        raise InputError(
            f"{role}: no embedded weights in assets3d/weights/{folder}/, wanted a trained model "
            "(python -m training shows the commands)"
        )
    revision = item_key({p.relative_to(root).as_posix(): file_hash(p) for p in files})
    return Model(role, "embedded", f"assets3d/weights/{folder}", revision, "MIT", True)


@cache
def _yaml(path: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}

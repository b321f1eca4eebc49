"""Which models a step's parameters name, and the lock that pins what was fetched first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import InputError
from assets3d.models import EMBEDDED_FOLDER, Entry, ModelFiles, read_entry, resolve, resolve_file
from assets3d.models.entry import KINDS
from assets3d.models.fetch import pinned
from assets3d.models.licences import check_commercial, check_commercial_entry
from assets3d.models.lock import Pin, check_pin, pin_of, read_lock, write_lock
from assets3d.models.places import Places, Registry
from assets3d.models.snapshots import commit_of

#: Where the weights that ship with the package lie.
EMBEDDED_ROOT = EMBEDDED_FOLDER
#: Words that name no network at all.
NO_MODEL = ("standin", "none")
#: What a single-file checkpoint lacks, and who has it.
TOKENIZER = "clip-tokenizer"
CATALOGUE = Path("configs/models.yaml")
LOCK = Path("configs/models.lock.yaml")
_SETTINGS = Path("configs/pipeline.yaml")


def find_models(models: Mapping[str, str], params: Mapping[str, Any]) -> dict[str, ModelFiles]:
    """Return parameter -> model for every parameter of a step that names one.

    Args:
        models: parameter -> step that the model is for.
        params: the step's section of the profile; `download: true` lets missing files be fetched,
            `commercial: true` refuses models whose results may not be sold, `tokenizer` names the
            tokenizer of a single-file checkpoint.

    Raises:
        InputError: an unknown name, files that are not there or not the pinned ones, a licence.
        PassingError: a download failed.
    """
    named = {role: params.get(role) for role in models}
    found: dict[str, ModelFiles] = {}
    for role, word in named.items():
        if word is None or word in NO_MODEL:
            continue
        where = f"{models[role]}.{role}"
        if role in KINDS:  # `lora`, ...: no checkpoint
            found[role] = find_file(role, str(word), params, where)
            continue
        _check_before_fetching(str(word), params, where)
        model = find_model(models[role], str(word), bool(params.get("download", False)))
        if models[role] == "image" and model.path.is_file():
            model = _with_tokenizer(model, params)
        if params.get("commercial", False):
            check_commercial(model, where)
        found[role] = model
    return found


@cache
def find_model(step: str, word: str, download: bool = False) -> ModelFiles:
    """Return the model that `word` names for a step, as pinned in configs/models.lock.yaml.

    Raises:
        InputError: see `assets3d.models.resolve`; or the files are others than the pinned ones.
        PassingError: a download failed.
    """
    registry, pins = read_registry(), read_lock(LOCK)
    places = _places_at(pins)
    model = resolve(step, word, _at_pins(registry, pins), download=download, places=places)
    return _enforced(model, word in registry, pins, f"{step}.model")


def find_file(kind: str, word: str, params: Mapping[str, Any], where: str = "") -> ModelFiles:
    """Return the LoRA, embedding, adapter, ... that `word` names; as `find_models` otherwise.

    Args:
        kind: one of `assets3d.models.entry.KINDS`.
        word: a registered name of that kind, a path, or a file name in `models_dir`.
        params: the step's section of the profile, for `download` and `commercial`.
        where: field that messages begin with; the kind by default.
    """
    _check_before_fetching(word, params, where or kind)
    model = _find_file(kind, word, bool(params.get("download", False)), where or kind)
    if params.get("commercial", False):
        check_commercial(model, where or kind)
    return model


def _check_before_fetching(word: str, params: Mapping[str, Any], where: str) -> None:
    """Nobody shall be told to download gigabytes that the profile then refuses."""
    values = read_registry().get(word)
    if params.get("commercial", False) and values is not None:
        check_commercial_entry(read_entry(word, values), where)


@cache
def _find_file(kind: str, word: str, download: bool, where: str) -> ModelFiles:
    registry, pins = read_registry(), read_lock(LOCK)
    model = resolve_file(
        kind,
        word,
        _at_pins(registry, pins),
        where=where,
        download=download,
        places=_places_at(pins),
    )
    return _enforced(model, word in registry, pins, where)


def read_registry(path: Path = CATALOGUE) -> dict[str, dict[str, Any]]:
    """Read configs/models.yaml: name -> entry, unchecked.

    Raises:
        InputError: it is not YAML, or no mapping.
    """
    registry = read_yaml(path)
    for name, values in registry.items():
        if not isinstance(values, dict):
            raise InputError(f"{path.name}: {name} holds no fields, wanted source, licence, ...")
    return registry


def read_places(path: Path = _SETTINGS) -> Places:
    """Read `models_dir` and `local_models` of configs/pipeline.yaml.

    Raises:
        InputError: `models_dir` is neither a folder nor a list of folders.
    """
    settings = read_yaml(path)
    given = settings.get("models_dir") or []
    folders = [given] if isinstance(given, str) else given
    local = settings.get("local_models") or {}
    if not isinstance(folders, list) or not all(isinstance(f, str) for f in folders):
        raise InputError(f"{path.name}: models_dir is {given!r}, wanted a folder or a list of them")
    if not isinstance(local, dict) or not all(isinstance(p, str) for p in local.values()):
        raise InputError(f"{path.name}: local_models is {local!r}, wanted name: folder or file")
    return Places(
        trees=tuple(Path(folder).expanduser() for folder in folders),
        local={name: Path(place).expanduser() for name, place in local.items()},
    )


def record_pin(name: str, pin: Pin) -> None:
    """Write a model's pin into the lock."""
    write_lock(LOCK, {**read_lock(LOCK), name: pin})


def _with_tokenizer(model: ModelFiles, params: Mapping[str, Any]) -> ModelFiles:
    """Give a single-file checkpoint the tokenizer that it does not carry."""
    word = str(params.get("tokenizer") or TOKENIZER)
    tokenizer = find_file("tokenizer", word, params, "image.tokenizer").path
    folder = tokenizer / "tokenizer" if (tokenizer / "tokenizer").is_dir() else tokenizer
    return replace(model, parts={**model.parts, "tokenizer": folder})


def _at_pins(registry: Mapping[str, dict[str, Any]], pins: Mapping[str, Pin]) -> Registry:
    """Return the registry with the commits that the lock says."""
    at_pins: dict[str, Entry | dict[str, Any]] = dict(registry)
    for name in pins.keys() & registry.keys():
        at_pins[name] = pinned(read_entry(name, registry[name]), pins[name])
    return at_pins


def _places_at(pins: Mapping[str, Pin]) -> Places:
    """Return the settings' places, and the commits of repositories that are named directly."""
    commits = {name: pin.revision for name, pin in pins.items() if pin.revision is not None}
    return replace(read_places(), commits=commits)


def _enforced(
    model: ModelFiles, registered: bool, pins: Mapping[str, Pin], where: str
) -> ModelFiles:
    """Pin a model that is found for the first time; afterwards its files must be the pinned ones.

    Not pinned: what ships with the package (Git pins it) and the person's own files, named by path,
    under `local_models` or in `models_dir` (their hashes are part of every item's key). A file in
    `models_dir` that the lock knows by its name must be that one.
    """
    if model.source in ("embedded", "local") or not (registered or model.source == "hub"):
        return model
    pin = pins.get(model.name)
    if model.source == "models_dir":
        known = pin.files.get(model.path.name) if pin is not None else None
        if known is not None:
            check_pin(replace(model, parts={}), Pin({model.path.name: known}), where)
        return model
    if pin is not None:
        check_pin(model, pin, where)
    else:
        commits = {role: commit_of(part) for role, part in model.parts.items()}
        record_pin(model.name, pin_of(model, commits))
    return model


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping; no file is an empty one.

    Raises:
        InputError: it is not YAML, or no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not YAML ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no mapping, wanted name: value")
    return content

"""`assets3d models`: list, table and fetch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from assets3d.errors import AssetError, InputError
from assets3d.models import Entry, read_entry, resolve, resolve_file
from assets3d.models.entry import HUB_ID
from assets3d.models.fetch import fetch, pinned
from assets3d.models.licences import gigabytes, table
from assets3d.models.lock import read_lock
from stages._models import LOCK, read_places, read_registry, read_yaml, record_pin
from stages._project import Project
from stages._step import ITEM_STEPS


def entries() -> list[Entry]:
    """Return the registry, checked, in the order of the file.

    Raises:
        InputError: an entry that is wrong.
    """
    return [read_entry(name, values) for name, values in read_registry().items()]


def models_table() -> str:
    """Return the table of licences, sizes and repositories, as Markdown."""
    return table(entries())


def models_list() -> list[str]:
    """Return one line per model: its name, whether it is here, whether it is pinned, its size."""
    pins = read_lock(LOCK)
    lines = []
    for entry in entries():
        here = "here" if _is_here(pinned(entry, pins.get(entry.name))) else "-"
        locked = "pinned" if entry.name in pins else ""
        size = gigabytes(entry.download_gb)
        lines.append(f"{entry.name:28} {entry.kind:12} {here:5} {locked:7} {size}".rstrip())
    return lines


def is_here(name: str) -> bool:
    """Tell whether a registered model is on this machine, as pinned where it is pinned.

    Raises:
        InputError: unknown.
    """
    return _is_here(pinned(_entry(name), read_lock(LOCK).get(name)))


def _is_here(entry: Entry) -> bool:
    """Look without pinning, and without comparing with the lock."""
    registry, places = {entry.name: entry}, read_places()
    try:
        if entry.kind in ("checkpoint", "inpainting"):
            resolve(entry.step or "image", entry.name, registry, places=places)
        else:
            resolve_file(entry.kind, entry.name, registry, where=entry.kind, places=places)
    except AssetError:
        return False
    return True


def models_fetch(name: str, *, force: bool, say: Callable[[str], None]) -> str:
    """Download a model, verify it and pin it; return the line that says what is here now.

    Args:
        name: registered, or a Hub repository `owner/name`.
        force: fetch again what is here.
        say: told what is going on.

    Raises:
        InputError: unknown, gated, only pickles, not what the lock pins.
        PassingError: network, disk.
    """
    entry = _entry(name)
    pins = read_lock(LOCK)
    conditions = f" ({entry.conditions})" if entry.conditions else ""
    say(f"{name}: {entry.licence}; commercial use: {entry.commercial_word}{conditions}")
    model, pin = fetch(entry, pins.get(name), force=force, say=say)
    if pins.get(name) != pin:
        record_pin(name, pin)
    at = f" at {pin.revision[:12]}" if pin.revision else ""
    return f"{name}{at}: {len(pin.files)} files verified, {model.path}"


def profile_models(project: Project) -> list[str]:
    """Return the names of all registered models that the project's profile names.

    Raises:
        InputError: it cannot be read, or names none that can be fetched.
    """
    names: dict[str, None] = {}
    sections = read_yaml(project.profile_path)
    # A profile need not have every step; one that has none is an error of `params`.
    for step in [step for step in ITEM_STEPS if step in sections] or ITEM_STEPS:
        names |= dict.fromkeys(named_models(step, project.params(step)))
    if not names:
        raise InputError(f"{project.profile_path} names nothing to fetch, wanted NAME")
    return list(names)


def named_models(step: str, section: Mapping[str, Any]) -> list[str]:
    """Return the registered models that a step's section of a profile names, once each.

    Not those that ship with the package, nor those that only some assets ask for (`edit`, ...).
    """
    registry = read_registry()
    words = [word for word in section.values() if isinstance(word, str)]
    return [w for w in dict.fromkeys(words) if w != "embedded" and _is_for(step, registry.get(w))]


def _is_for(step: str, values: Mapping[str, Any] | None) -> bool:
    # The views step has a cutter of its own.
    steps = (step, "cutout") if step == "views" else (step,)
    return values is not None and values.get("step") in steps


def _entry(name: str) -> Entry:
    registry = read_registry()
    if name in registry:
        return read_entry(name, registry[name])
    if HUB_ID.fullmatch(name):
        return Entry(name=name, source=name)
    import difflib

    near = difflib.get_close_matches(name, registry, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise InputError(f"found {name!r}{hint}, wanted a name of `assets3d models list` or owner/name")

"""Download a registered model, verify every byte of it, and say which commit and files it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assets3d.errors import InputError
from assets3d.models.download import downloaded
from assets3d.models.entry import Entry
from assets3d.models.files import ModelFiles
from assets3d.models.lock import Pin, check_pin, pin_of
from assets3d.models.resolve import resolve, resolve_file


def fetch(
    entry: Entry,
    pin: Pin | None,
    *,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[ModelFiles, Pin]:
    """Bring a model onto this machine.

    Args:
        entry: the model; the commits of `pin` are fetched where there are any.
        pin: what the lock says about it.
        force: fetch again what is here, e.g. because it is damaged.
        say: told, line by line, what is going on.

    Returns:
        The model's files and their pin, which equals `pin` where there was one.

    Raises:
        InputError: embedded, no such repository or file, only pickles, other files than pinned.
        PassingError: the network failed, no room, or a file arrived damaged.
    """
    where = f"models fetch {entry.name}"
    if entry.source == "embedded":
        raise InputError(f"{where}: is embedded, wanted a model that is not in the repository")
    if not entry.on_hub:
        model = _again(entry, download=True)
        if pin is not None:
            check_pin(model, pin, where)
        return model, pin or pin_of(model)
    fresh = downloaded(where, pinned(entry, pin), force=force, say=say)
    model = _again(fresh, download=False)
    commits = {role: part.revision for role, part in fresh.parts.items()}
    made = pin_of(model, commits)
    if pin is not None:
        check_pin(model, pin, where)
    return model, made


def pinned(entry: Entry, pin: Pin | None) -> Entry:
    """Return the entry with the commits that the lock says."""
    if pin is None:
        return entry
    parts = {
        role: replace(part, revision=pin.parts.get(role, part.revision))
        for role, part in entry.parts.items()
    }
    return replace(entry, revision=pin.revision or entry.revision, parts=parts)


def _again(entry: Entry, *, download: bool) -> ModelFiles:
    """Find the model as a stage would."""
    registry = {entry.name: entry}
    if entry.kind == "checkpoint":
        return resolve(entry.step or "image", entry.name, registry, download=download)
    where = f"models fetch {entry.name}"
    return resolve_file(entry.kind, entry.name, registry, where=where, download=download)

"""A registered model in the Hub's cache: its path, its parts, the commit that it is at."""

from __future__ import annotations

from pathlib import Path

from assets3d.errors import InputError
from assets3d.hub import hub_file, hub_folder
from assets3d.models.download import downloaded
from assets3d.models.entry import Entry
from assets3d.models.files import data_files


def hub_model(where: str, entry: Entry, *, download: bool) -> tuple[Path, dict[str, Path]]:
    """Return the model's folder or only file, and its parts; what is here costs no network.

    Args:
        where: field that messages begin with.
        entry: the model.
        download: whether what is not here is downloaded, and verified, see `download`.

    Raises:
        InputError: it is not on this machine and `download` is off, or no such repository.
        PassingError: the download failed.
    """
    try:
        return _here(where, entry)
    except InputError:
        if not download:
            raise
    return _here(where, downloaded(where, entry))


def hub_parts(where: str, entry: Entry) -> dict[str, Path]:
    """Return role -> file or folder of the parts from other repositories that are here."""
    parts: dict[str, Path] = {}
    for role, part in entry.parts.items():
        if part.file is not None:
            parts[role] = hub_file(where, part.source, part.file, part.revision, download=False)
        else:
            root = hub_folder(where, part.source, part.revision, part.files, download=False)
            parts[role] = root / str(part.folder)
            if not data_files(parts[role]):
                raise InputError(f"{where}: no {part.folder}/ in {part.source}, wanted it fetched")
    return parts


def _here(where: str, entry: Entry) -> tuple[Path, dict[str, Path]]:
    if entry.one_file is not None:
        path = hub_file(where, entry.source, entry.one_file, entry.revision, download=False)
    else:
        path = hub_folder(where, entry.source, entry.revision, entry.files, download=False)
    return path, hub_parts(where, entry)


def own_files(path: Path, entry: Entry) -> tuple[Path, ...]:
    """Return the files that count: of a snapshot those the entry asks for, else all."""
    found = data_files(path)
    if commit_of(path) is None or not path.is_dir():
        return found
    return tuple(p for p in found if any(p.relative_to(path).match(f) for f in entry.files))


def commit_of(path: Path) -> str | None:
    """Return the commit of a snapshot in the Hub's cache: its folder is named after it."""
    for folder in (path, *path.parents):
        if folder.parent.name == "snapshots":
            return folder.name
    return None

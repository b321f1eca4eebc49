"""A registered model in the Hub's cache: its path, its parts, the commit that it is at."""

from __future__ import annotations

from pathlib import Path

from assets3d.errors import InputError
from assets3d.hub import hub_file, hub_folder
from assets3d.models.entry import Entry
from assets3d.models.files import data_files


def hub_model(where: str, entry: Entry, *, download: bool) -> tuple[Path, dict[str, Path]]:
    """Return the model's folder or only file, and its parts; errors as for `hub.hub_folder`."""
    if entry.one_file is not None:
        path = hub_file(where, entry.source, entry.one_file, entry.revision, download=download)
    else:
        path = hub_folder(where, entry.source, entry.revision, entry.files, download=download)
    return path, hub_parts(where, entry, download=download)


def hub_parts(where: str, entry: Entry, *, download: bool) -> dict[str, Path]:
    """Return role -> file or folder of the parts from other repositories."""
    parts: dict[str, Path] = {}
    for role, part in entry.parts.items():
        if part.file is not None:
            parts[role] = hub_file(where, part.source, part.file, part.revision, download=download)
        else:
            root = hub_folder(where, part.source, part.revision, part.files, download=download)
            parts[role] = root / str(part.folder)
            if not data_files(parts[role]):
                raise InputError(f"{where}: no {part.folder}/ in {part.source}, wanted it fetched")
    return parts


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

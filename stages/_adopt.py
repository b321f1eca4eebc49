"""Results that came from elsewhere: `dvc pull` fills the steps' folders, and not the store.

DVC takes a step's folder away before it runs the step, so without this a person who pulled a
thousand assets and changed one would build a thousand. An item is taken in where its record, with
the code as it is here, has the key that it was made under, and its bytes are those of the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stages import _keys
from stages._records import RECORD_FILE, read_record
from stages._step import ITEM_STEPS, find_step
from stages._store import Store, discard, files_in, link_file

#: What a record and a key's parts have in common.
_SHARED = ("step", "params", "models", "versions", "spec", "inputs")


def adopt(runs: Path, store: Store) -> dict[str, int]:
    """Take items that the store has not from the steps' folders; return step -> how many.

    Only folders that are younger than the step's last run here are looked into.

    Args:
        runs: the folder of the steps' folders.
        store: the content store.
    """
    taken: dict[str, int] = {}
    for step in ITEM_STEPS:
        folders = list(_younger_items(runs, step))
        if not folders:
            continue
        code = _keys.item_key(_keys.code_hashes([*find_step(step).modules, f"stages.{step}"]))
        found = sum(_take(folder, step, code, store) for folder in folders)
        if found:
            taken[step] = found
    return taken


def _younger_items(runs: Path, step: str) -> Iterator[Path]:
    state, folder = runs / ".state" / f"{step}.json", runs / step
    since = state.stat().st_mtime if state.is_file() else 0.0
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_dir() and path.stat().st_mtime > since:
                yield path


def _take(folder: Path, step: str, code: str, store: Store) -> bool:
    record = read_record(folder)
    try:
        parts: dict[str, Any] = {name: record[name] for name in _SHARED} if record else {}
        if record is None or _keys.item_key({**parts, "code": code}) != record["key"]:
            return False
        if store.folder(step, record["key"]).exists():
            return False
        listed = {name: str(entry["sha256"]) for name, entry in record["files"].items()}
    except (KeyError, TypeError, AttributeError, ValueError):
        return False
    there = {path.relative_to(folder).as_posix(): path for path in files_in(folder)}
    if there.keys() != listed.keys() | {RECORD_FILE}:
        return False
    if any(_keys.file_hash(there[name]) != digest for name, digest in listed.items()):
        return False
    built = store.temporary()
    for name, path in there.items():
        (built / name).parent.mkdir(exist_ok=True)
        link_file(path, built / name)
    store.put(step, record["key"], {**parts, "code": code}, built, 0.0)
    discard(built)
    return True

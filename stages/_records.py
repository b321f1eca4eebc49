"""record.json: how an item was made, enough to make it again; nothing of when or where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages._keys import file_hash
from stages._step import Item, Step
from stages._store import files_in

RECORD_FILE = "record.json"


def write_record(
    folder: Path,
    step: Step,
    key: str,
    parts: Mapping[str, Any],
    item: Item,
    result: Mapping[str, Any],
) -> None:
    """Write record.json beside the files that a build left in `folder`.

    Args:
        folder: the built files.
        step: the step that built them.
        key: the item's key.
        parts: what the key was made of.
        item: what the build was given.
        result: what the build returned: `numbers`, `warnings`, and where it has one, a `history`.
    """
    files = files_in(folder)
    record = {
        "step": step.name,
        "key": key,
        "spec": parts["spec"],
        "seed": item.seed,
        "params": parts["params"],
        "inputs": parts["inputs"],
        "models": parts["models"],
        "versions": parts["versions"],
        "numbers": dict(result.get("numbers", {})),
        "warnings": list(result.get("warnings", [])),
        "files": {
            p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": file_hash(p)}
            for p in files
        },
    }
    if "history" in result:
        record["history"] = result["history"]
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read an item's record, or None when the folder has none."""
    try:
        return json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

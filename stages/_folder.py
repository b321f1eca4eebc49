"""A step's own folder in runs/: rewritten from the store, and put back when DVC took it away.

DVC removes a stage's outputs before it runs the stage. A run that then fails or is killed would
leave a person without results that nothing is wrong with; so a stage first puts its last folder
back, by hard links, and replaces it when it is done. `dvc.lock` knows nothing of that: the next
`dvc repro` still runs the stage.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages import _failures
from stages._failures import Failure, Failures
from stages._store import Store, StoredItem, discard, link_item

#: What later stages depend on in dvc.yaml: it changes whenever anything in the folder does. Were it
#: the folder, DVC would walk all its files again for each stage that reads some of them, which took
#: two thirds of a run with a thousand assets.
INDEX_FILE = "index.json"


def rewrite(out: Path, linked: Mapping[str, StoredItem], failures: Failures, store: Store) -> None:
    """Replace the step's folder by links to the items; it is whole at any moment it exists."""
    fresh = store.temporary()
    for asset, item in linked.items():
        link_item(item, fresh / asset)
    _failures.write_failures(failures, fresh)
    _write_index(fresh, linked)
    fresh.chmod(0o755)  # mkdtemp makes it private
    discard(out)
    fresh.rename(out)


def _write_index(folder: Path, linked: Mapping[str, StoredItem]) -> None:
    """Write one digest per asset, of its files' names and contents, and one of the failures."""
    failures = (folder / _failures.FAILURES_FILE).read_bytes()
    digests = {asset: json.dumps(item.files, sort_keys=True) for asset, item in linked.items()}
    content = {
        "assets": {asset: _sha256(text.encode()) for asset, text in sorted(digests.items())},
        "failures": _sha256(failures),
    }
    (folder / INDEX_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_back(out: Path, step: str, store: Store) -> None:
    """Make the folder of the last run again where it is gone; without one, do nothing."""
    if out.exists():
        return
    state = read_state(out.parent, step)
    try:
        keys = dict(state["keys"])
        failed = tuple(Failure(**entry) for entry in state["failed"])
    except (KeyError, TypeError, ValueError):
        return
    # Not checked byte for byte: these are the files that lay there a moment ago.
    found = {asset: store.read(step, key) for asset, key in keys.items()}
    linked = {asset: item for asset, item in found.items() if item is not None}
    rewrite(out, linked, Failures(failed, tuple(state.get("skipped", ()))), store)


def read_state(runs: Path, step: str) -> dict[str, Any]:
    """Return what the step's last run left in runs/.state, or nothing."""
    try:
        content = json.loads((runs / ".state" / f"{step}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_state(runs: Path, step: str, content: Mapping[str, Any]) -> None:
    """Write what must not be hashed: timings, the code behind the keys, the keys themselves."""
    path = runs / ".state" / f"{step}.json"
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
    temporary.replace(path)

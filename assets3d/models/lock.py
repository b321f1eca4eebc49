"""The lock: which commit and which files of a model were fetched first, enforced from then on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import InputError
from assets3d.models.files import ModelFiles

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Pin:
    """What the lock says about one model.

    Attributes:
        files: name -> sha256; files of parts are named `role:name`.
        revision: the Hub's commit, 40 hexadecimal digits; None for models that have none.
        parts: role -> commit of the part's repository.
    """

    files: Mapping[str, str]
    revision: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)


def read_lock(path: Path) -> dict[str, Pin]:
    """Read the lock; no file is an empty lock.

    Raises:
        InputError: it is not what `write_lock` writes.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())[:120]
        raise InputError(f"{path.name}: is not YAML ({text}), wanted it as Git has it") from None
    if not isinstance(content, dict):
        raise InputError(f"{path.name}: holds no mapping of model names, wanted it as Git has it")
    return {str(key): _read_pin(pin, f"{path.name}: {key}") for key, pin in content.items()}


def _read_pin(values: Any, where: str) -> Pin:
    wrong = InputError(
        f"{where}: wanted revision and files with a sha256 each (delete the entry to pin it anew)"
    )
    if not isinstance(values, dict) or not isinstance(values.get("files"), dict):
        raise wrong
    files, parts = values["files"], values.get("parts") or {}
    if not isinstance(parts, dict):
        raise wrong
    revision = values.get("revision")
    commits = [*parts.values(), *([revision] if revision is not None else [])]
    if not files or not all(_SHA256.fullmatch(str(value)) for value in files.values()):
        raise wrong
    if not all(_COMMIT.fullmatch(str(commit)) for commit in commits):
        raise wrong
    return Pin(files, revision, parts)


def write_lock(path: Path, pins: Mapping[str, Pin]) -> None:
    """Write the lock, sorted, at once: a reader never sees half of it."""
    content = {
        name: {
            "revision": pin.revision,
            **({"parts": dict(sorted(pin.parts.items()))} if pin.parts else {}),
            "files": dict(sorted(pin.files.items())),
        }
        for name, pin in sorted(pins.items())
    }
    header = "# Written at the first fetch of a model and enforced from then on; keep it in Git.\n"
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(header + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    temporary.replace(path)


def pin_of(model: ModelFiles, part_revisions: Mapping[str, str | None] | None = None) -> Pin:
    """Return the pin that this model's files would have."""
    commits = {role: commit for role, commit in (part_revisions or {}).items() if commit}
    return Pin(dict(model.sha256s), model.revision, commits)


def check_pin(model: ModelFiles, pin: Pin, where: str) -> None:
    """Compare a model's files with its pin.

    Raises:
        InputError: naming the first file that is missing, new or different, and what to do.
    """
    way_out = (
        f"wanted the pinned files: `assets3d models fetch {model.name}`, or delete the entry "
        f"{model.name} from models.lock.yaml to accept these"
    )
    found = model.sha256s
    for name in sorted({*found, *pin.files}):
        if name not in found:
            raise InputError(f"{where}: {model.name} lacks {name}, which is pinned; {way_out}")
        if name not in pin.files:
            raise InputError(f"{where}: {model.name} has {name}, which is not pinned; {way_out}")
        if found[name] != pin.files[name]:
            raise InputError(
                f"{where}: {model.name} has another {name} ({found[name][:12]}) "
                f"than the pinned one ({pin.files[name][:12]}); {way_out}"
            )

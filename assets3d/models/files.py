"""The files of a model that was found on this machine, and their hashes."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

#: Where the weights that ship with the package lie.
EMBEDDED_FOLDER = Path(__file__).parents[1] / "weights"

_DATA_SUFFIXES = {".safetensors", ".onnx", ".json", ".txt", ".model"}


@dataclass(frozen=True)
class ModelFiles:
    """One model, found on this machine.

    Attributes:
        step: the pipeline step that asked.
        name: the registry's name, or the folder, file or repository that was named directly.
        source: "embedded", "rembg", "local", "hub", "models_dir" or the registered repository.
        path: its folder, or its single file.
        files: every file whose content can change the result, sorted.
        parts: further files or folders by role, e.g. `unet`, `image_encoder`, `tokenizer`.
        licence: the weights' licence, "unverified" where nobody looked.
        commercial: "yes", "no" or "unverified".
        revision: the Hub's commit, None when not pinned.
        memory: what its weights need on a GPU, for people.
        registered: whether the registry knows its licence.
    """

    step: str
    name: str
    source: str
    path: Path
    files: tuple[Path, ...]
    parts: Mapping[str, Path] = field(default_factory=dict)
    licence: str = "unverified"
    commercial: str = "unverified"
    revision: str | None = None
    memory: str = ""
    registered: bool = False

    @cached_property
    def sha256s(self) -> dict[str, str]:
        """File name (relative to `path`; parts `role:name`) -> its sha256, computed once."""
        return {name: sha256_of(file) for name, file in self.named_files.items()}

    @property
    def named_files(self) -> dict[str, Path]:
        """The name that a lock gives each file -> the file."""
        base = self.path if self.path.is_dir() else self.path.parent
        named = {file.relative_to(base).as_posix(): file for file in self.files}
        for role, part in self.parts.items():
            base = part if part.is_dir() else part.parent
            for file in data_files(part):
                named[f"{role}:{file.relative_to(base).as_posix()}"] = file
        return named

    @property
    def digest(self) -> str:
        """One sha256 over all names and hashes, for the item key."""
        lines = "".join(f"{name} {value}\n" for name, value in sorted(self.sha256s.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """What an asset's record says about this model."""
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "sha256": self.digest,
            "licence": self.licence,
            "commercial": self.commercial,
        }


def data_files(path: Path) -> tuple[Path, ...]:
    """Return the file itself, or every weight and configuration file of a folder, sorted."""
    if path.is_file():
        return (path,)
    found = (p for p in path.rglob("*") if p.suffix in _DATA_SUFFIXES and p.is_file())
    return tuple(sorted(found))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file; remembered while size and time of change stay the same.

    In the Hugging Face cache a weight file is a link to a blob that is named by its sha256, which
    `fetch` has checked; that name is taken instead of reading gigabytes.
    """
    real = path.resolve()
    if real.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", real.name):
        return real.name
    return read_sha256(real)


def read_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, whatever its name says."""
    real = path.resolve()
    status = real.stat()
    return _sha256(str(real), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _sha256(path: str, size: int, changed_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

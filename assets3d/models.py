"""From a model's name to its files, their hashes and their licence.

A registry (configs/models.yaml, read by the caller) maps name -> entry:

- `step`: the pipeline step that it is for (`embedded` has none: it is for every step);
- `source`: `embedded` (ships with the package), `rembg`, or a Hugging Face repository `owner/name`;
- `revision`, `files` (Hub: the commit, and file patterns where not the whole diffusers folder);
- `parts`: further single files from other repositories, each `{source, file, revision}`;
- `licence`, `commercial` (true, false, or null where nobody looked), `memory`.

Importing this module imports neither torch nor huggingface_hub.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from assets3d.errors import InputError, PassingError
from assets3d.hub import DIFFUSERS_FILES, hub_file, hub_folder, one_line

#: Where the weights that ship with the package lie.
EMBEDDED_FOLDER = Path(__file__).parent / "weights"

# The folder in assets3d/weights, where it is not the step's own name.
_EMBEDDED_NAMES = {"splats": "lgm"}

_DATA_SUFFIXES = {".safetensors", ".onnx", ".json", ".txt", ".model"}
_COMMERCIAL: dict[bool | None, str] = {True: "yes", False: "no"}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class ModelFiles:
    """One model, found on this machine.

    Attributes:
        step: the pipeline step that asked.
        name: the registry's name, or the folder or repository that was named directly.
        source: "embedded", "rembg", "local", "hub" or the registered repository.
        path: its folder, or its single file.
        files: every file whose content can change the result, sorted.
        parts: further files by role, e.g. `unet`.
        licence: the weights' licence, "unverified" where nobody looked.
        commercial: "yes", "no" or "unverified".
        revision: the Hub's commit, None when not pinned.
        memory: what it needs, for people.
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

    @cached_property
    def sha256s(self) -> dict[str, str]:
        """File name (relative to `path`; parts `role:name`) -> its sha256, computed once."""
        base = self.path if self.path.is_dir() else self.path.parent
        hashes = {file.relative_to(base).as_posix(): sha256_of(file) for file in self.files}
        hashes |= {f"{role}:{file.name}": sha256_of(file) for role, file in self.parts.items()}
        return hashes

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


def resolve(
    step: str,
    name: str,
    registry: Mapping[str, Mapping[str, Any]],
    *,
    download: bool = False,
    embedded_folder: Path = EMBEDDED_FOLDER,
) -> ModelFiles:
    """Find the files of the model `name` for `step`.

    `name` is a name in the registry, a local folder or file, or a Hub repository `owner/name`.

    Args:
        step: the pipeline step.
        name: which model.
        registry: name -> entry, see the module.
        download: fetch what is not on this machine; without it that is an InputError.
        embedded_folder: where embedded weights lie.

    Raises:
        InputError: unknown name, or files that are not there.
        PassingError: the download failed.
    """
    entry = registry.get(name)
    where = f"{step}.model"
    if entry is None or entry.get("step", step) != step:
        return _unregistered(step, name, registry, download)
    source = str(entry["source"])
    revision = entry.get("revision")
    parts: dict[str, Path] = {}
    if source == "embedded":
        path = _embedded(where, embedded_folder / _EMBEDDED_NAMES.get(step, step))
    elif source == "rembg":
        path = _rembg_file(where, name, download)
    elif _HUB_ID.fullmatch(source):
        patterns = tuple(entry.get("files", DIFFUSERS_FILES))
        path = hub_folder(where, source, revision, patterns, download=download)
        for role, part in entry.get("parts", {}).items():
            parts[role] = hub_file(
                where, part["source"], part["file"], part.get("revision"), download=download
            )
    else:
        raise InputError(
            f"{where}: {name} has source {source!r}, wanted embedded, rembg or owner/name"
        )
    return ModelFiles(
        step=step,
        name=name,
        source=source,
        path=path,
        files=_data_files(path),
        parts=parts,
        licence=str(entry.get("licence", "unverified")),
        commercial=_COMMERCIAL.get(entry.get("commercial"), "unverified"),
        revision=revision,
        memory=str(entry.get("memory", "")),
    )


def _embedded(where: str, path: Path) -> Path:
    if not path.is_dir() or not _data_files(path):
        raise InputError(
            f"{where}: no embedded weights in assets3d/weights/{path.name}/, "
            "wanted a whole checkout, or a training run"
        )
    return path


def _unregistered(
    step: str, name: str, registry: Mapping[str, Mapping[str, Any]], download: bool
) -> ModelFiles:
    path = Path(name).expanduser()
    if path.exists():
        return ModelFiles(step, name, "local", path, _data_files(path))
    known = sorted(key for key, entry in registry.items() if entry.get("step", step) == step)
    near = difflib.get_close_matches(name, known, 1)
    if _HUB_ID.fullmatch(name) and not near:
        path = hub_folder(f"{step}.model", name, None, DIFFUSERS_FILES, download=download)
        return ModelFiles(step, name, "hub", path, _data_files(path))
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise InputError(
        f"{step}.model: found {name!r}{hint}, wanted one of {', '.join(known) or 'none'}, "
        "a local folder, or a Hub repository owner/name"
    )


def _data_files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    found = (p for p in path.rglob("*") if p.suffix in _DATA_SUFFIXES and p.is_file())
    return tuple(sorted(found))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file; remembered while size and time of change stay the same.

    In the Hugging Face cache a weight file is a link to a blob that is named by its sha256, which
    the download has checked; that name is taken instead of reading gigabytes.
    """
    real = path.resolve()
    if real.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", real.name):
        return real.name
    status = real.stat()
    return _sha256(str(real), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _sha256(path: str, size: int, changed_ns: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rembg_file(where: str, name: str, download: bool) -> Path:
    """Find rembg's file of a model by rembg's own rules, without importing rembg (2 seconds)."""
    data_home = os.environ.get("XDG_DATA_HOME")
    legacy = os.environ.get("U2NET_HOME") or f"{data_home or '~'}/.u2net"
    home = os.environ.get("U2NET_HOME") or os.environ.get("REMBG_HOME")
    home = home or (f"{data_home}/rembg" if data_home else "~/.rembg")
    places = [Path(home, "models", name, f"{name}.onnx"), Path(legacy, f"{name}.onnx")]
    for place in (p.expanduser() for p in places):
        if place.is_file():
            return place
    if not download:
        raise InputError(
            f"{where}: {name}.onnx is not on this machine, wanted `rembg d {name}` "
            "(or `download: true` in the profile)"
        )
    from rembg.sessions import sessions

    try:
        return Path(sessions[name].download_models())
    except OSError as error:
        raise PassingError(f"{where}: {name} could not be fetched ({one_line(error)})") from None

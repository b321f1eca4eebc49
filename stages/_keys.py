"""Item keys: a hash of everything that can change an item, and of nothing else."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from assets3d.errors import InputError

#: Folder that holds the packages `assets3d` and `stages`.
CODE_ROOT = Path(__file__).resolve().parent.parent
#: The packages that a step's code is followed into.
LIBRARY = ("assets3d", "motion")
#: Distributions whose numbers can differ from version to version; asked for without importing them.
VERSIONED = ("torch", "diffusers", "onnxruntime")
_NATIVE_SUFFIXES = {".cpp", ".h"}


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )


def item_key(parts: dict[str, Any]) -> str:
    """Return the sha256 of the canonical JSON of a key's parts, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_source(source: Path, field: str, wanted: str = "file or folder") -> None:
    """Make sure that something of the wanted kind lies where a field points.

    Args:
        source: where it points.
        field: its name, for the message.
        wanted: "file", "folder" or "file or folder".

    Raises:
        InputError: nothing is there, or the other kind.
    """
    kind = "folder" if source.is_dir() else "file" if source.is_file() else None
    if kind is None:
        raise InputError(f"{field}: found nothing at {source}, wanted a {wanted}")
    if kind not in wanted.split():
        raise InputError(f"{field}: {source} is a {kind}, wanted a {wanted}")


def source_hashes(source: Path, field: str) -> dict[str, str]:
    """Hash what a person gave: a file, or every file of a folder by its name in there.

    A file's own name is left out: renaming a photograph does not change the asset.

    Raises:
        InputError: when nothing is there.
    """
    check_source(source, field)
    if source.is_file():
        return {field: file_hash(source)}
    files = sorted(p for p in source.rglob("*") if p.is_file())
    return {f"{field}/{p.relative_to(source).as_posix()}": file_hash(p) for p in files}


def folder_hashes(folder: Path, patterns: Iterable[str]) -> dict[str, str]:
    """Hash the files of an earlier step's item that match any of the patterns.

    Raises:
        InputError: when a pattern matches nothing, that is, the item is not whole.
    """
    found: dict[str, str] = {}
    for pattern in patterns:
        matched = sorted(folder.glob(pattern))
        if not matched:
            raise InputError(f"{pattern}: not in {folder}, wanted it from the step before")
        found.update((p.name, file_hash(p)) for p in matched)
    return found


@cache
def versions() -> dict[str, str]:
    """Return the installed version of each distribution of `VERSIONED`."""
    return {name: _version(name) for name in VERSIONED}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def code_hashes(modules: Iterable[str]) -> dict[str, str]:
    """Hash the source of the modules and of all that they import from the library, lazily too.

    Following imports keeps the key exact: a step is rebuilt when code it can reach changes, and
    not when its neighbour does.
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        path = _module_path(module)
        if path is None:
            continue
        found[path.relative_to(CODE_ROOT).as_posix()] = file_hash(path)
        waiting += _imports(path, module)
        if module.startswith("assets3d.native"):
            for source in sorted(path.parent.iterdir()):
                if source.suffix in _NATIVE_SUFFIXES:
                    found[source.relative_to(CODE_ROOT).as_posix()] = file_hash(source)
    return dict(sorted(found.items()))


def _module_path(module: str) -> Path | None:
    base = CODE_ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _imports(path: Path, module: str) -> tuple[str, ...]:
    """Return every module of the library that a file names in an import, in functions too."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")
                above = above[: len(above) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    parents = [".".join(n.split(".")[:i]) for n in names for i in range(1, n.count(".") + 1)]
    return tuple(n for n in {*names, *parents} if n.split(".")[0] in LIBRARY)

"""The content store: finished items by key, checked whenever they are used.

`runs/.store/<step>/<key>/` holds an item's files, also in folders of its own, one deep, and
`item.json`: the parts of its key, the size and sha256 of each file, and how long it took. An item
is built in a temporary folder and renamed into place, so whatever has its final name is whole.
Files are read-only: store, `runs/<step>` and DVC's cache share one inode, and a program that wrote
through one name would change all three.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages._keys import canonical, file_hash, item_key

ITEM_FILE = "item.json"
_DISCARDED = ".discarded-"
_READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True)
class StoredItem:
    """One finished item.

    Attributes:
        folder: where its files are.
        parts: what its key was made of.
        files: name -> (size in bytes, sha256).
        seconds: what building it took.
    """

    folder: Path
    parts: dict[str, Any]
    files: dict[str, tuple[int, str]]
    seconds: float


@dataclass(frozen=True)
class Store:
    """A content store in one folder, which need not exist yet."""

    root: Path

    def folder(self, step: str, key: str) -> Path:
        """Return where an item is, or would be."""
        return self.root / step / key

    def read(self, step: str, key: str) -> StoredItem | None:
        """Return an item without checking its files, or None."""
        folder = self.folder(step, key)
        try:
            content = json.loads((folder / ITEM_FILE).read_text(encoding="utf-8"))
            files = {name: (int(size), str(digest)) for name, (size, digest) in _files(content)}
            return StoredItem(folder, content["parts"], files, float(content["seconds"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def find(self, step: str, key: str) -> StoredItem | None:
        """Return an item whose files are all there, byte for byte, or None."""
        item = self.read(step, key)
        if item is None or item_key(item.parts) != key or not _whole(item):
            return None
        return item

    def temporary(self) -> Path:
        """Make a new folder to build in, on the store's own file system."""
        parent = self.root / ".building"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{socket.gethostname()}-{os.getpid()}-", dir=parent))

    def put(self, step: str, key: str, parts: dict[str, Any], built: Path, seconds: float) -> None:
        """Move a built folder into the store under its key; a damaged item there is replaced.

        Two builders of one key do no harm: both made the same bytes, and the first one stays.
        """
        files = {
            p.relative_to(built).as_posix(): [p.stat().st_size, file_hash(p)]
            for p in files_in(built)
        }
        content = {"parts": parts, "files": files, "seconds": round(seconds, 3)}
        (built / ITEM_FILE).write_text(canonical(content) + "\n", encoding="utf-8")
        for path in files_in(built):
            path.chmod(_READ_ONLY)
        final = self.folder(step, key)
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists() and self.find(step, key) is None:
            discard(final)
        try:
            built.rename(final)
        except OSError:
            if self.find(step, key) is None:
                raise
            discard(built)

    def sweep(self) -> None:
        """Remove what killed processes of this machine left: half built, or half removed."""
        for folder in _folders(self.root / ".building"):
            host, _, rest = folder.name.partition(_DISCARDED)[0].rpartition("-")[0].rpartition("-")
            if host == socket.gethostname() and rest.isdigit() and not _alive(int(rest)):
                shutil.rmtree(folder, onerror=_writable_then_again)
        for parent in (self.root.parent, *_folders(self.root)):
            for folder in _folders(parent):
                _, mark, process = folder.name.partition(_DISCARDED)
                if mark and process.isdigit() and not _alive(int(process)):
                    shutil.rmtree(folder, onerror=_writable_then_again)


def link_item(item: StoredItem, folder: Path) -> None:
    """Put an item's files into a new folder, by hard link where the file system can."""
    folder.mkdir(parents=True)
    for name in item.files:
        (folder / name).parent.mkdir(exist_ok=True)
        link_file(item.folder / name, folder / name)


def files_in(folder: Path) -> list[Path]:
    """Return an item's files, those of its folders too, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def link_file(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it where that is impossible (another disk, too many links)."""
    try:
        target.hardlink_to(source)
    except OSError:
        # A full disk fails again here and is reported; every other cause ends with a good copy.
        shutil.copy2(source, target)


def discard(folder: Path) -> None:
    """Remove a folder of read-only files; it first loses its name, so nobody takes it for whole."""
    if not folder.exists():
        return
    doomed = folder.with_name(f"{folder.name}{_DISCARDED}{os.getpid()}")
    folder.rename(doomed)
    shutil.rmtree(doomed, onerror=_writable_then_again)


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def _writable_then_again(function: Any, path: str, _: Any) -> None:
    """Windows refuses to remove read-only files."""
    if not os.path.lexists(path):
        return  # somebody else removes the same
    Path(path).chmod(stat.S_IWRITE)
    function(path)


def _files(content: dict[str, Any]) -> list[tuple[str, Any]]:
    # A damaged list must not lead out of the item's folder.
    return [(name, entry) for name, entry in content["files"].items() if _is_inside(name)]


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    return len(parts) <= 2 and not {"", ".", ".."} & set(parts)


def _whole(item: StoredItem) -> bool:
    for name, (size, digest) in item.files.items():
        path = item.folder / name
        try:
            if path.stat().st_size != size or file_hash(path) != digest:
                return False
        except OSError:
            return False
    return True


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

"""Files that the gallery makes of other files, kept in the store as long as they are wanted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages._keys import item_key
from stages._store import Store, discard


class Kept:
    """One kind of such files: each is made again only when what it is made of changes."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store, self._kind = store, kind
        self._used: set[str] = set()

    def file(self, parts: dict[str, Any], name: str, write: Callable[[Path], None]) -> Path:
        """Return the file made of `parts`, whole; `write` makes it where there is none.

        Args:
            parts: everything that it depends on.
            name: its own name in the store, and so its ending.
            write: writes it to the path that it is given.
        """
        key = item_key(parts)
        if self._store.find(self._kind, key) is None:
            started = time.perf_counter()
            built = self._store.temporary()
            try:
                write(built / name)
                self._store.put(self._kind, key, parts, built, time.perf_counter() - started)
            except BaseException:
                shutil.rmtree(built, ignore_errors=True)
                raise
        self._used.add(key)
        return self._store.folder(self._kind, key) / name

    def forget_others(self) -> None:
        """Remove from the store what was not asked for since this was made."""
        folder = self._store.root / self._kind
        for item in folder.iterdir() if folder.is_dir() else ():
            if item.name not in self._used:
                discard(item)

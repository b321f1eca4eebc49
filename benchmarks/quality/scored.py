"""The cases that a section has scored so far: one line each, so that a killed run loses one."""

from __future__ import annotations

import json
from pathlib import Path


class Scored:
    """Rows on disk, valid for one state of the code.

    Args:
        path: the file; its first line holds the code's digest.
        code: digest of what decides the scores.
        resume: keep the rows that are there if they are of the same code; else start anew.
    """

    def __init__(self, path: Path, code: str, resume: bool) -> None:
        self._path = path
        self._rows: dict[str, dict[str, float]] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if resume and path.is_file() else []
        if lines and lines[0] == json.dumps({"code": code}):
            self._rows = dict(_rows(lines[1:]))
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [json.dumps({"code": code}), *map(json.dumps, self._rows.items())]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")

    def find(self, name: str) -> dict[str, float] | None:
        """Return a case's row, or None when it must be scored."""
        return self._rows.get(name)

    def add(self, name: str, row: dict[str, float]) -> None:
        """Write down a case's row."""
        self._rows[name] = row
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps([name, row]) + "\n")


def _rows(lines: list[str]) -> list[tuple[str, dict[str, float]]]:
    """Read rows up to the first line that was cut off when a run was killed."""
    found = []
    for line in lines:
        try:
            name, row = json.loads(line)
        except ValueError:
            break
        found.append((name, row))
    return found

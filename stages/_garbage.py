"""Removing what no asset uses: items of the store, and how to do the same for DVC's cache."""

from __future__ import annotations

from pathlib import Path

from stages._project import Project
from stages._records import read_record
from stages._step import ITEM_STEPS
from stages._store import discard


def collect(project: Project, *, dry_run: bool) -> list[str]:
    """Remove the store's items that nothing in runs/ uses; return what was done, as lines.

    An item is used when a record.json in runs/<step>/<asset> or runs/build names its key.
    """
    used = _used_keys(project.runs)
    lines, total = [], 0
    for step in ITEM_STEPS:
        folder = project.store.root / step
        items = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        unused = [item for item in items if (step, item.name) not in used]
        size = sum(_own_bytes(item) for item in unused)
        total += size
        for item in unused if not dry_run else []:
            discard(item)
        verb = "would remove" if dry_run else "removed"
        lines.append(f"{step}: {verb} {len(unused)} of {len(items)} items, {_mib(size)}")
    if not dry_run:
        project.store.sweep()
    lines.append(f"{'would free' if dry_run else 'freed'} {_mib(total)} of {project.store.root}")
    lines.append(
        "DVC keeps its own older results: `dvc gc -w --dry` lists what no current file uses, "
        "`dvc gc -w` removes it (`dvc gc -a` keeps what any Git branch uses)"
    )
    return lines


def _used_keys(runs: Path) -> set[tuple[str, str]]:
    used = set()
    for step in ITEM_STEPS:
        for path in [*(runs / step).glob("*"), *runs.glob(f"build/*/{step}")]:
            record = read_record(path)
            if record is not None:
                used.add((step, record["key"]))
    return used


def _own_bytes(item: Path) -> int:
    """Return what removing an item frees at once: files with another hard link stay on the disk."""
    stats = [p.stat() for p in item.iterdir() if p.is_file()]
    return sum(s.st_size for s in stats if s.st_nlink == 1)


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

"""Removing what no asset uses: items of the store, and how to do the same for DVC's cache."""

from __future__ import annotations

from pathlib import Path

from stages._folder import read_state
from stages._project import Project
from stages._records import read_record
from stages._step import ITEM_STEPS
from stages._store import discard, files_in


def collect(project: Project, *, dry_run: bool) -> list[str]:
    """Remove the store's items that nothing in runs/ uses; return what was done, as lines.

    An item is used when a record.json in runs/<step>/<asset> or runs/build names its key, or the
    step's last run did: its folder is missing when a kill hit the second in which DVC had taken it.
    """
    used = _used_keys(project.runs)
    verb, lines, now, later = "would remove" if dry_run else "removed", [], 0, 0
    for step in ITEM_STEPS:
        folder = project.store.root / step
        items = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        unused = [item for item in items if (step, item.name) not in used]
        names = sorted({name for item in unused for name in _made_for(item, step, project)})
        own, shared = _bytes(unused)
        now, later = now + own, later + shared
        for item in unused if not dry_run else []:
            discard(item)
        of = f": {', '.join(names)}" if names else ""
        size = _mib(own + shared)
        lines.append(f"{step}: {verb} {len(unused)} of {len(items)} items, {size}{of}")
    if not dry_run:
        project.store.sweep()
    lines.append(f"{'would free' if dry_run else 'freed'} {_mib(now)} of {project.store.root}")
    lines.append(
        f"DVC's cache holds {_mib(later)} of the same files and keeps its own older results: "
        "`dvc gc -w --dry` lists what no current file uses, `dvc gc -w` removes it (`dvc gc -a` "
        "keeps what any Git branch uses)"
    )
    return lines


def _used_keys(runs: Path) -> set[tuple[str, str]]:
    used = set()
    for step in ITEM_STEPS:
        for path in [*(runs / step).glob("*"), *runs.glob(f"build/*/{step}")]:
            record = read_record(path)
            if record is not None:
                used.add((step, record["key"]))
        used |= {(step, key) for key in dict(read_state(runs, step).get("keys", {})).values()}
    return used


def _made_for(item: Path, step: str, project: Project) -> list[str]:
    """Return the id or the prompt of an item, where its key knows one."""
    stored = project.store.read(step, item.name)
    spec = {} if stored is None else stored.parts.get("spec", {})
    return [str(spec[field]) for field in ("id", "prompt") if spec.get(field)][:1]


def _bytes(items: list[Path]) -> tuple[int, int]:
    """Return what goes from the disk with these items, and what another hard link keeps there."""
    stats = [p.stat() for item in items for p in files_in(item)]
    own = sum(s.st_size for s in stats if s.st_nlink == 1)
    return own, sum(s.st_size for s in stats) - own


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

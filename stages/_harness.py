"""What every stage does around its own few lines: put back, plan, reuse, build, link, report.

A stage run rewrites its folder in full from the content store, so removed assets vanish and the
folder is a function of the manifest. One broken asset never stops the others; the process fails
only when the stage itself cannot do its work (manifest unreadable, no room for the result).
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import AssetError, InputError
from assets3d.images.families import with_family
from stages import _failures
from stages._candidates import CHOICE, asset_of
from stages._executor import Executor, Outcome, Work, make_executor
from stages._failures import Failure, Failures
from stages._folder import put_back, rewrite, write_state
from stages._plan import Plan, make_plan
from stages._progress import failure_lines, say, with_progress
from stages._records import read_record
from stages._step import Params, Step
from stages._store import Store, StoredItem
from stages.manifest import Manifest, read_manifest

SETTINGS_FILE = Path("configs/pipeline.yaml")
STORE_FOLDER = ".store"


@dataclass(frozen=True)
class Summary:
    """What one stage run did; `str` is the line that a person reads."""

    step: str
    built: int
    reused: int
    failed: int
    skipped: int
    seconds: float

    def __str__(self) -> str:
        skipped = f", skipped {self.skipped} (failed earlier)" if self.skipped else ""
        return (
            f"{self.step}: built {self.built}, reused {self.reused}, failed {self.failed}"
            f"{skipped} ({self.seconds:.1f} s)"
        )


def main(step: Step, arguments: Sequence[str] | None = None) -> int:
    """Run a stage as a command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m stages.{step.name}",
        description=f"Bring the folder of the {step.name} step up to date.",
        epilog=_example(step),
    )
    parser.add_argument("--manifest", type=Path, required=True, help="the assets wanted")
    parser.add_argument("--profile", type=Path, required=True, help="YAML with a section per step")
    parser.add_argument("--in", dest="before", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="folder to rewrite")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        put_back(options.out, step.name, Store(options.out.parent / STORE_FOLDER))
        params = read_params(options.profile, step.name)
        manifest = read_manifest(options.manifest)
        executor = make_executor(read_settings())
        summary = run_step(step, params, manifest, options.before, options.out, executor)
    except (AssetError, OSError, MemoryError) as error:
        say(f"{step.name}: {_failures.from_exception('', step.name, error).message}")
        return 1
    say(str(summary))
    return 0


def _example(step: Step) -> str:
    """Return the command that `dvc repro` runs, with the embedded profile."""
    before = {entry.partition("/")[0] for reads in step.reads.values() for entry in reads}
    before |= {CHOICE} if step.follows_choice else set()
    folders = " ".join(f"runs/{name}" for name in sorted(before))
    return (
        f"example: .venv/bin/python -m stages.{step.name} --manifest configs/assets.yaml "
        f"--profile configs/profiles/embedded.yaml {f'--in {folders} ' if folders else ''}"
        f"--out runs/{step.name}"
    )


def run_step(
    step: Step,
    params: Params,
    manifest: Manifest,
    before: Sequence[Path],
    out: Path,
    executor: Executor,
) -> Summary:
    """Bring `out` up to date with the manifest and the folders before it.

    Args:
        step: the step.
        params: its section of the profile.
        manifest: the wanted assets.
        before: the folders of earlier steps, each named after its step.
        out: the step's own folder; its parent also holds the store.
        executor: who builds.
    """
    started = time.perf_counter()
    _failures.ask_again(list(before))
    store = Store(out.parent / STORE_FOLDER)
    store.sweep()
    folders = {folder.name: folder for folder in before}
    lost = _failures.lost_items(before)

    def find_source(name: str, asset: str) -> Path:
        if name not in folders:
            raise InputError(f"--in: found no folder of the {name} step, wanted runs/{name} too")
        return folders[name] / asset

    plan = make_plan(step, params, manifest.assets, find_source, lost)
    failures = [*_manifest_failures(step, manifest), *plan.failures]
    items, missing = _look_up(step.name, plan, store)
    outcomes = executor.run(step.name, params, missing, store)
    for outcome in with_progress(step.name, outcomes, missing):
        _collect(outcome, step.name, plan, store, items, failures)
    linked = {w.asset: items[w.key] for w in plan.work if w.key in items}
    for line in failure_lines(failures):
        say(line)
    rewrite(out, linked, Failures(tuple(failures), plan.skipped), store)
    seconds = time.perf_counter() - started
    state = {
        "seconds": round(seconds, 3),
        "peak_mib": _peak_mib(),
        "code": dict(plan.code),
        "asset_seconds": {asset: item.seconds for asset, item in linked.items()},
        "keys": {asset: item.folder.name for asset, item in linked.items()},
        "failed": [asdict(failure) for failure in failures],
        "skipped": list(plan.skipped),
    }
    write_state(out.parent, step.name, state)
    # Not before: killed until here, the step runs again although its last folder was put back.
    _failures.answered(step.name)
    built = sum(1 for w in missing if w.key in items)
    reused = len(linked) - built
    return Summary(step.name, built, reused, len(failures), len(plan.skipped), seconds)


def read_params(profile: Path, step: str) -> dict[str, Any]:
    """Return a step's section of a profile; an image family fills in what is not given.

    Raises:
        InputError: when the file or the section is missing, or an unknown family.
    """
    try:
        sections = yaml.safe_load(profile.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"profile: no file {profile}, wanted configs/profiles/*.yaml") from None
    except yaml.YAMLError as error:
        raise InputError(f"profile: {profile} is not YAML: {error}") from None
    section = sections.get(step) if isinstance(sections, dict) else None
    if not isinstance(section, dict):
        raise InputError(f"profile: {profile} has no section {step!r}")
    commercial = sections.get("commercial", False)
    if not isinstance(commercial, bool):
        raise InputError(f"profile: commercial is {commercial!r}, wanted true or false")
    section = {"commercial": commercial, **section}
    return with_family(section) if step in ("image", "texture") else section


def read_settings(path: Path = SETTINGS_FILE) -> dict[str, Any]:
    """Return configs/pipeline.yaml; where there is none, the defaults hold."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}


def _manifest_failures(step: Step, manifest: Manifest) -> list[Failure]:
    """Return the manifest's problems in the first step, so that each is reported once."""
    if step.name != "image":
        return []
    return [Failure(name, "manifest", "input", text) for name, text in manifest.problems.items()]


def _look_up(step: str, plan: Plan, store: Store) -> tuple[dict[str, StoredItem], list[Work]]:
    """Return the items that are there and whole, and one piece of work per key that is not."""
    items: dict[str, StoredItem] = {}
    missing: dict[str, Work] = {}
    for work in plan.work:
        if work.key in items or work.key in missing:
            continue
        item = store.find(step, work.key)
        if item is None:
            missing[work.key] = work
        else:
            items[work.key] = item
    return items, list(missing.values())


def _collect(
    outcome: Outcome,
    step: str,
    plan: Plan,
    store: Store,
    items: dict[str, StoredItem],
    failures: list[Failure],
) -> None:
    key = outcome.work.key
    # Assets that share a key share its fate.
    same = [work.asset for work in plan.work if work.key == key]
    if outcome.failure is None:
        item = store.read(step, key)
        assert item is not None, f"{step}: {key} is not in the store"
        items[key] = item
        # A photograph's cutout is one for all of its candidates, and so is what is said of it.
        speakers = same if len(same) == 1 else list(dict.fromkeys(map(asset_of, same)))
        for asset in speakers:
            for warning in warnings_of(item.folder):
                say(f"{asset}: {step}: warning: {warning}")
        return
    failures.extend(replace(outcome.failure, asset=asset) for asset in same)


def warnings_of(folder: Path) -> list[str]:
    """Return the warnings in an item's record."""
    record = read_record(folder)
    return [] if record is None else list(record["warnings"])


def _peak_mib() -> float | None:
    """Return the most memory this process ever held, where Linux can say.

    Not by getrusage: its peak is inherited from the process that started this one, DVC.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    peak = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), None)
    return None if peak is None else round(int(peak) / 1024, 1)

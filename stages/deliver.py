"""The deliver stage: real copies of the packages, pack by pack, for people and engines.

python -m stages.deliver --manifest configs/assets.yaml --in runs/export --to export
    --out runs/deliver.json

`export/` is no output of DVC: people edit files there, and `assets3d.export.delivery` never writes
over them. What this stage did is in `runs/deliver.json`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError, InputError
from assets3d.export import delivery
from assets3d.export.disclosure import disclosure
from assets3d.export.engines import ENGINES
from assets3d.export.package import FORMAT, PACKAGE_FILE
from stages import _failures
from stages._failures import Failure
from stages._progress import say
from stages._provenance import is_refusal
from stages._records import RECORD_FILE
from stages.manifest import Manifest, read_manifest
from stages.specs import Spec

MANIFEST_FILE, DISCLOSURE_FILE = "manifest.json", "disclosure.md"


@dataclass
class PackReport:
    """What delivering one pack did.

    Attributes:
        pack: its name.
        folder: where it lies.
        delivered: assets that have their newest files.
        changed: those of them where a file was written or taken away.
        withdrawn: assets that were taken away: wanted no more, or refused by the licence gate.
        lines: what a person should know.
        failure: why it was not delivered, or not to the end.
        failed_assets: assets that could not be built.
    """

    pack: str
    folder: str
    delivered: int = 0
    changed: int = 0
    withdrawn: int = 0
    lines: tuple[str, ...] = ()
    failure: Failure | None = None
    failed_assets: int = 0

    def __str__(self) -> str:
        if self.failure is not None:
            return f"deliver: {self.pack}: {self.failure.message}"
        gone = f", {self.withdrawn} withdrawn" if self.withdrawn else ""
        return f"deliver: {self.folder}: {self.delivered} assets, {self.changed} changed{gone}"


def deliver_all(
    assets: Mapping[str, Spec],
    folder_of: Callable[[str], Path],
    to: Path,
    *,
    mistaken: Collection[str] = (),
    refused: Mapping[str, str] | None = None,
    only: str = "*",
    pack: str | None = None,
    suffix: str = "",
) -> list[PackReport]:
    """Deliver every pack; one that cannot be never stops the others.

    Args:
        assets: the manifest.
        folder_of: where an asset's package lies; it may not be there.
        to: the folder of the packs.
        mistaken: assets whose entry has a mistake; what was delivered of them stays.
        refused: assets that must not be sold, with the reason; what was delivered of them goes.
        only: pattern of the ids to deliver; others stay as they are.
        pack: the only pack to deliver; without one, every pack of which an asset is meant.
        suffix: added to the folders' names, for engines besides the profile's.
    """
    packs: dict[str, dict[str, Spec]] = {}
    meant = {spec.pack for name, spec in assets.items() if fnmatch.fnmatchcase(name, only)}
    for name, spec in assets.items():
        if spec.pack in meant and pack in (None, spec.pack):
            packs.setdefault(spec.pack, {})[name] = spec
    if only == "*" and pack is None:
        packs |= {name: {} for name in _emptied(to, suffix) if name not in packs}
    reports = []
    for name, wanted in packs.items():
        report = PackReport(name, (to / f"{name}{suffix}").as_posix())
        try:
            _deliver_pack(report, wanted, folder_of, only, mistaken, refused or {})
        except AssetError as error:
            report.failure = Failure("", "deliver", "input", str(error))
        except OSError as error:
            words = f"{report.folder}: {error.strerror or error}, wanted room and leave to write"
            report.failure = Failure("", "deliver", "passing", words)
        reports.append(report)
    return reports


def _emptied(to: Path, suffix: str) -> list[str]:
    """Return packs that were delivered here; the manifest may know none of their assets now."""
    found = [path.parent.name for path in to.glob(f"*/{delivery.STATE_FILE}")]
    others = tuple(f"-{engine}" for engine in ENGINES)
    if suffix:
        return [name.removesuffix(suffix) for name in found if name.endswith(suffix)]
    return [name for name in found if not name.endswith(others)]


def _deliver_pack(
    report: PackReport,
    wanted: Mapping[str, Spec],
    folder_of: Callable[[str], Path],
    only: str,
    mistaken: Collection[str],
    refused: Mapping[str, str],
) -> None:
    folder = Path(report.folder)
    if not folder.exists() and not any((folder_of(n) / PACKAGE_FILE).is_file() for n in wanted):
        return
    state = delivery.opened(folder)
    lines: list[str] = []
    unreadable: list[str] = []

    def note(outcome: delivery.Outcome) -> None:
        lines.extend(f"{report.pack}/{line}" for line in outcome.lines)
        report.lines = tuple(lines)

    for name in wanted:
        source = folder_of(name)
        if not fnmatch.fnmatchcase(name, only):
            continue
        if name in refused:
            outcome = delivery.refuse(folder, state, name, refused[name])
            report.withdrawn += outcome.changed
            note(outcome)
            continue
        package = None
        if (source / PACKAGE_FILE).is_file():
            try:
                package = _delivery_of(name, source)
            except InputError as error:
                unreadable.append(str(error))
        if package is None:
            if name in state.entries:
                state.entries[name] = delivery.stale_entry(state.entries[name])
            continue
        outcome = delivery.deliver(folder, state, package)
        report.delivered += 1
        report.changed += outcome.changed
        note(outcome)
    for name in state.entries.keys() & set(mistaken):
        state.entries[name] = delivery.stale_entry(state.entries[name])
    if only == "*":
        there = {**state.files, **state.entries}  # of a refused asset there is an entry only
        for name in [name for name in there if name and name not in {*wanted, *mistaken}]:
            note(delivery.withdraw(folder, state, name))
            report.withdrawn += 1
    entries = [state.entries[name] for name in sorted(state.entries)]
    note(delivery.deliver_file(folder, state, MANIFEST_FILE, _manifest(folder.name, entries)))
    page = disclosure(folder.name, entries).encode()
    note(delivery.deliver_file(folder, state, DISCLOSURE_FILE, page))
    state.written(folder)
    if unreadable:
        more = f" (and {len(unreadable) - 1} more)" if len(unreadable) > 1 else ""
        report.failure = Failure("", "deliver", "passing", unreadable[0] + more)


def _delivery_of(name: str, source: Path) -> delivery.Delivery:
    """Return a package as it is delivered: its files and the record of how it was made.

    Raises:
        InputError: package.json is broken, or a file that it names is not there.
    """
    try:
        entry = json.loads((source / PACKAGE_FILE).read_text(encoding="utf-8"))
        roles = {**entry["files"], "record": RECORD_FILE}
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{name}: found {PACKAGE_FILE} broken, wanted it as the export step wrote it"
        ) from None
    files = {file: source / file for file in roles.values()}
    lacking = [file for file, path in files.items() if not path.is_file()]
    if lacking:
        raise InputError(
            f"{name}: found no {lacking[0]} in its package, wanted every file that the export step "
            "wrote; what was delivered before stays"
        )
    size = sum(path.stat().st_size for path in files.values())
    paths = {role: f"{name}/{file}" for role, file in roles.items()}
    return delivery.Delivery(name, files, {**entry, "files": paths, "bytes": size})


def _manifest(name: str, entries: Sequence[Mapping[str, Any]]) -> bytes:
    engines = sorted({entry["engine"] for entry in entries})
    content = {
        "format": FORMAT,
        "pack": name,
        "engine": engines[0] if len(engines) == 1 else "mixed",
        "assets": list(entries),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def refused_of(failures: Sequence[Failure]) -> dict[str, str]:
    """Return the assets that the licence gate refused, with the reason."""
    return {f.asset: f.message for f in failures if is_refusal(f.message)}


def write_report(reports: Sequence[PackReport], out: Path) -> None:
    """Write what was done as JSON."""
    content = {
        "packs": [
            {name: value for name, value in asdict(report).items() if "fail" not in name}
            for report in reports
        ],
        "failed": [asdict(r.failure) | {"asset": r.pack} for r in reports if r.failure is not None],
        "skipped": [],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    delivery.replace_file(out, (text + "\n").encode())


def read_failed(report: Path) -> tuple[Failure, ...]:
    """Return the packs that a run could not deliver."""
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(Failure(**entry) for entry in content["failed"])


def ask_again(failed: Sequence[Failure]) -> None:
    """Let the next `dvc repro` run this stage where it failed: DVC does not watch `export/`.

    Called by a later stage, see `stages._failures`.
    """
    marker = _failures.RETRY_ROOT / "deliver" / "pending"
    if failed and marker.parent.is_dir():
        marker.touch()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage as a command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.deliver",
        description="Copy the packages to where people work with them.",
        epilog="example: .venv/bin/python -m stages.deliver --manifest configs/assets.yaml "
        "--in runs/export --to export --out runs/deliver.json",
    )
    parser.add_argument("--manifest", type=Path, required=True, help="the assets wanted")
    parser.add_argument("--in", dest="packages", type=Path, required=True, help="the packages")
    parser.add_argument("--to", type=Path, required=True, help="the folder of the packs")
    parser.add_argument("--out", type=Path, required=True, help="the report to write")
    options = parser.parse_args(arguments)
    try:
        _failures.ask_again([options.packages])
        manifest: Manifest = read_manifest(options.manifest)
        reports = deliver_all(
            manifest.assets,
            lambda name: options.packages / name,
            options.to,
            mistaken=manifest.problems,
            refused=refused_of(_failures.read_failures(options.packages).failed),
        )
        for report in reports:
            for line in (*report.lines, str(report)):
                say(line)
        write_report(reports, options.out)
        _failures.answered("deliver")
    except (AssetError, OSError) as error:
        say(f"deliver: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

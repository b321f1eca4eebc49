"""What became of every asset, gathered from the folders of the steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stages import _failures
from stages._candidate_report import CandidateReport, candidates_of, kept_folders
from stages._candidates import CHOICE
from stages._failures import Failure
from stages._records import read_record
from stages.manifest import Manifest
from stages.specs import Spec

#: An asset that got through one of these is finished.
_LAST_STEPS = {"mesh", "maps", "motion"}
#: The numbers of records whose mean over all assets means something.
_QUALITY = {"front_iou", "front_psnr_db", "foot_skating_m_s", "worst_seam"}


@dataclass(frozen=True)
class AssetReport:
    """One asset's way through the pipeline.

    Attributes:
        name: its id.
        spec: its manifest entry, or None where that could not be read.
        folders: step -> folder of its item, for the steps that it got through.
        records: step -> record.json.
        failures: what stopped it.
        seconds: step -> what building took, where that is known.
        package: package.json of the export, or None.
        entry: its lines of the manifest.
        candidates: what it was chosen from, by number.
    """

    name: str
    spec: Spec | None
    folders: Mapping[str, Path]
    records: Mapping[str, Mapping[str, Any]]
    failures: tuple[Failure, ...]
    seconds: Mapping[str, float]
    package: Mapping[str, Any] | None = None
    entry: str = ""
    candidates: Mapping[int, CandidateReport] = field(default_factory=dict)

    @property
    def chosen(self) -> int | None:
        """The number of the candidate that is kept, where there were several."""
        return self.records.get(CHOICE, {}).get("numbers", {}).get("chosen")

    @property
    def state(self) -> str:
        """Return "failed", "warned" or "whole"."""
        return "failed" if self.failures else "warned" if self.warnings else "whole"

    @property
    def kind(self) -> str:
        """Its kind; "unknown" where the entry could not be read."""
        return "unknown" if self.spec is None else self.spec.kind

    @property
    def pack(self) -> str:
        """The pack that it is delivered in; "" where the entry could not be read."""
        return "" if self.spec is None else self.spec.pack

    @property
    def words(self) -> str:
        """What it is, for a person."""
        if self.package is not None and "words" in self.package:
            return str(self.package["words"])
        return "" if self.spec is None else self.spec.words

    @property
    def warnings(self) -> list[str]:
        """Every step's warnings, each with its step's name, and the candidates that failed."""
        told = [f"{s}: {w}" for s, r in self.records.items() for w in r["warnings"]]
        if self.failures:
            return told  # they say of the candidates what there is to say
        failed = {n: one.failure for n, one in self.candidates.items() if one.failure}
        return told + [f"{f.step}: candidate {n} failed: {f.message}" for n, f in failed.items()]


def gather(
    manifest: Manifest, folders: Sequence[Path], entries: Mapping[str, str] | None = None
) -> list[AssetReport]:
    """Return a report per asset, failed ones first, then those with warnings, then by the manifest.

    Args:
        manifest: the wanted assets.
        folders: the steps' folders, each named after its step, in the order of the steps.
        entries: id -> its lines of the manifest, see `entry_texts`.
    """
    failures = [f for folder in folders for f in _failures.read_failures(folder).failed]
    timings = {folder.name: _timings(folder) for folder in folders}
    by_asset: dict[str, list[Failure]] = {}
    for failure in failures:
        by_asset.setdefault(failure.asset, []).append(failure)
    names = list(dict.fromkeys([*manifest.order, *manifest.assets, *manifest.problems]))
    reports = []
    for name in names:
        spec = manifest.assets.get(name)
        # An id that was refused may hold "../": it never becomes a path.
        there = {} if spec is None else {f.name: f / name for f in folders if (f / name).is_dir()}
        candidates = candidates_of(name, spec, folders, by_asset, there)
        kept = kept_folders(there, candidates)
        found = {f.name: place for f in folders if (place := {**there, **kept}.get(f.name))}
        records = {step: read_record(folder) for step, folder in found.items()}
        reports.append(
            AssetReport(
                name,
                spec,
                found,
                {step: record for step, record in records.items() if record is not None},
                tuple(by_asset.get(name, ())),
                {s: t for s, place in found.items() if (t := timings[s].get(place.name))},
                _package(found),
                (entries or {}).get(name, ""),
                candidates,
            )
        )
    return sorted(reports, key=lambda r: (not r.failures, not r.warnings))


def entry_texts(path: Path) -> dict[str, str]:
    """Return every entry of a manifest as the person wrote it, by id."""
    text = path.read_text(encoding="utf-8")
    root = yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(root, yaml.MappingNode):
        return {}
    found = {}
    for key, value in root.value:
        lines = text[key.start_mark.index : value.end_mark.index].rstrip().split("\n")
        # A block ends where the next thing begins, comments and all.
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip()[0] == "#"):
            lines.pop()
        found[str(key.value)] = "\n".join(lines)
    return found


def summary(reports: Sequence[AssetReport]) -> str:
    """Return how many assets there are, failed and with warnings, as words."""
    failed = sum(1 for report in reports if report.failures)
    warned = sum(1 for report in reports if report.warnings)
    warnings = f", {warned} with warnings" if warned else ""
    return f"{len(reports)} assets, {failed} failed{warnings}"


def metrics(reports: Sequence[AssetReport]) -> dict[str, Any]:
    """Return what `dvc metrics show` shows: counts, and the means that say how good results are."""
    numbers: dict[str, dict[str, list[float]]] = {}
    for report in reports:
        for step, record in report.records.items():
            for name, value in record["numbers"].items():
                if name in _QUALITY and isinstance(value, int | float):
                    numbers.setdefault(step, {}).setdefault(name, []).append(float(value))
    failed = [r for r in reports if r.failures]
    return {
        "assets": len(reports),
        "finished": sum(1 for r in reports if _LAST_STEPS & r.folders.keys()),
        "failed": len(failed),
        "with_warnings": sum(1 for r in reports if r.warnings),
        "mean": {
            step: {name: round(sum(v) / len(v), 4) for name, v in sorted(values.items())}
            for step, values in sorted(numbers.items())
        },
    }


def _package(found: Mapping[str, Path]) -> dict[str, Any] | None:
    try:
        content = json.loads((found["export"] / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError):
        return None
    return content if isinstance(content, dict) else None


def _timings(folder: Path) -> dict[str, float]:
    try:
        path = folder.parent / ".state" / f"{folder.name}.json"
        return json.loads(path.read_text(encoding="utf-8"))["asset_seconds"]
    except (OSError, ValueError, KeyError):
        return {}

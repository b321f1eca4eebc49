"""Run sections of the quality benchmark and merge them into one JSON file."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from benchmarks.metrics import summary
from benchmarks.quality.protocol import Case, cases

#: Section name -> module and function that scores one case. Imported only when asked for.
SECTIONS = {
    "splats": "benchmarks.quality.splats:four_true_views",
    "fit": "benchmarks.quality.splats:fit_24_views",
    "mesh": "benchmarks.quality.meshes:mesh_from_true_views",
    "cutout": "benchmarks.quality.cutouts:cutout_of_scene",
    "views": "benchmarks.quality.generated_views:views_from_true_front",
    "image": "benchmarks.quality.recognition:family_recognised",
}


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--count", type=int, default=64, help="props of the trained families")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/quality.json"))
    options = parser.parse_args(arguments)
    for section in options.only:
        result = run_section(section, cases(options.count))
        merge(options.out, section, result)
        print(json.dumps({section: {k: v for k, v in result.items() if k != "cases"}}, indent=1))


def run_section(section: str, wanted: list[Case]) -> dict:
    """Score every case; return summaries for trained and held-out families, and each case's row."""
    module, function = SECTIONS[section].split(":")
    score: Callable[[Case], dict[str, float]] = getattr(importlib.import_module(module), function)
    begin = time.perf_counter()
    rows = [(case, score(case)) for case in tqdm(wanted, desc=section)]
    return {
        "known": summarise([row for case, row in rows if not case.held_out]),
        "held_out": summarise([row for case, row in rows if case.held_out]),
        "machine": machine(),
        "seconds": round(time.perf_counter() - begin, 1),
        "cases": {case.name: {k: round(v, 4) for k, v in row.items()} for case, row in rows},
    }


def summarise(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean and 10th percentile of each measure."""
    return {key: summary([row[key] for row in rows]) for key in rows[0]} if rows else {}


def merge(path: Path, section: str, result: dict) -> None:
    """Replace one section of the JSON file and keep the others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.loads(path.read_text()) if path.exists() else {}
    content[section] = result
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(dict(sorted(content.items())), indent=1) + "\n")
    temporary.replace(path)


def machine() -> dict[str, str | int]:
    """Name the machine that measured."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return {"processor": model, "cores": os.cpu_count() or 1, "python": platform.python_version()}


if __name__ == "__main__":
    main()

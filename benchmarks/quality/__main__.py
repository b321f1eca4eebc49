"""Run sections of the quality benchmark and merge each into one JSON file as it is finished.

python -m benchmarks.quality --only splats mesh --count 64 --resume
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import time
from pathlib import Path

from tqdm import tqdm

from benchmarks.metrics import summary
from benchmarks.quality.scored import Scored
from benchmarks.quality.sections import SECTIONS, Row, Section


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=sorted(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--count", type=int, default=64, help="props of the trained families")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/quality.json"))
    parser.add_argument(
        "--resume", action="store_true", help="keep cases that the same code has scored already"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    for name in options.only:
        section = SECTIONS[name]
        scored = Scored(Path("runs/.quality") / f"{name}.jsonl", section.code(), options.resume)
        result = run_section(name, section, options.count, scored)
        merge(options.out, name, result)
        print(json.dumps({name: {k: v for k, v in result.items() if k != "cases"}}, indent=1))


def run_section(name: str, section: Section, count: int, scored: Scored) -> dict:
    """Score every case that is not in `scored`; return a summary per group and each case's row."""
    score = section.score
    begin = time.perf_counter()
    groups: dict[str, list[Row]] = {}
    rows: dict[str, Row] = {}
    kept = 0
    for case in tqdm(section.cases(count), desc=name, disable=None):
        row = scored.find(case.name)
        kept += row is not None
        if row is None:
            row = score(case)
            scored.add(case.name, row)
        rows[case.name] = {key: round(value, 4) for key, value in row.items()}
        groups.setdefault(case.group, []).append(row)
    return {
        **{group: summarise(found) for group, found in groups.items()},
        "machine": machine(),
        # Of the cases that this run scored itself.
        "seconds": round(time.perf_counter() - begin, 1),
        "kept_cases": kept,
        "cases": rows,
    }


def summarise(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean and 10th percentile of each measure, over the rows that have it."""
    measures = dict.fromkeys(key for row in rows for key in row)
    return {key: summary([row[key] for row in rows if key in row]) for key in measures}


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

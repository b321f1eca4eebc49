"""Do materials tile, and are their maps right?

python -m benchmarks.materials brick_color.png brick_normal.png
    the seam numbers of any pictures; what each holds is guessed from its name, or --kind says it
python -m benchmarks.materials [--only seams maps]
    all numbers, each section merged into one JSON file as it is finished
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError
from benchmarks.materials import calibration, cost, seams, truth
from benchmarks.materials.backend import BACK_ENDS, usual_backend
from benchmarks.materials.files import KINDS, measured, table
from benchmarks.materials.tiles import NETWORK, PAINTERS, usual_painter
from benchmarks.quality.__main__ import machine, merge

RESULTS = Path(__file__).parents[1] / "results" / "materials.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run; return 0, or 1 when a file cannot be measured."""
    options = _parser().parse_args(arguments)
    if not options.files:
        _measure_sections(options)
        return 0
    try:
        rows = [measured(path, options.kind) for path in options.files]
    except AssetError as error:
        print(f"materials: {error}", file=sys.stderr)
        return 1
    print(table(rows))
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.materials",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILES", help="pictures to measure")
    parser.add_argument("--kind", choices=KINDS, help="what all FILES hold; else by their names")
    parser.add_argument("--out", type=Path, help=f"JSON; without FILES results/{RESULTS.name}")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=USUAL)
    parser.add_argument("--count", type=int, default=50, help="materials of each mode")
    parser.add_argument("--per-family", type=int, default=8, help="materials for maps, calibration")
    parser.add_argument("--size-px", type=int, default=512, help="side of the tiles for seams")
    parser.add_argument("--maps-px", type=int, default=256, help="side of the tiles for maps")
    parser.add_argument(
        "--sizes-px", nargs="+", type=int, default=list(calibration.SIZES_PX), help="to calibrate"
    )
    parser.add_argument("--modes", nargs="+", choices=seams.WAYS, default=list(seams.WAYS))
    parser.add_argument("--painter", choices=PAINTERS, default=usual_painter())
    parser.add_argument("--model", default=NETWORK, help="the painter's, where it is the network")
    parser.add_argument("--back-end", choices=BACK_ENDS, default=usual_backend())
    parser.add_argument("--repeats", type=int, default=3, help="of each timing, for the least")
    parser.add_argument("--pictures", type=Path, help="folder for sheets to look at")
    return parser


def _seams(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the modes asked for; others are kept where they were measured in the same way."""
    found = seams.section(
        given.count,
        given.size_px,
        given.back_end,
        given.painter,
        given.model,
        given.modes,
        given.pictures,
    )
    return seams.joined(_earlier(given, "seams"), found)


def _earlier(given: argparse.Namespace, section: str) -> dict[str, Any]:
    """Return a section of an earlier run's file; empty where there is none."""
    out = given.out or RESULTS
    kept = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    return kept.get(section, {})


def _maps(given: argparse.Namespace) -> dict[str, Any]:
    return truth.section(given.per_family, given.maps_px, given.back_end, given.pictures)


def _speed(given: argparse.Namespace) -> dict[str, Any]:
    return cost.speed(1024, given.repeats, given.back_end, given.pictures)


def _memory(given: argparse.Namespace) -> dict[str, Any]:
    return cost.memory(8192, given.back_end)


def _calibration(given: argparse.Namespace) -> dict[str, Any]:
    """Calibrate at the sizes that were asked for; those of earlier runs are kept."""
    earlier = _earlier(given, "calibration").get("sizes", {})
    return {"sizes": earlier | calibration.section(given.per_family, given.sizes_px)}


SECTIONS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "seams": _seams,
    "maps": _maps,
    "speed": _speed,
    "memory": _memory,
    "calibration": _calibration,
}


#: The calibration of the limits depends on no network, so it is asked for by name.
USUAL = ["seams", "maps", "speed", "memory"]


def _measure_sections(given: argparse.Namespace) -> None:
    names = ", ".join(given.only)
    print(f"no FILES: measuring the project itself ({names}), up to an hour", file=sys.stderr)
    for name in given.only:
        begin = time.perf_counter()
        result = SECTIONS[name](given)
        result |= {"run_seconds": round(time.perf_counter() - begin, 1), "measured": provenance()}
        merge(given.out or RESULTS, name, result)
        print(json.dumps({name: result}, indent=1))


def provenance() -> dict[str, Any]:
    """Say on what, with what and when a section was measured."""
    import numpy as np
    import torch

    root = Path(__file__).parents[2]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return {
        **machine(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "commit": done.stdout.strip() or None,
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    sys.exit(main())

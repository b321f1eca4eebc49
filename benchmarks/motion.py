"""How good the controller's motion is: `python -m benchmarks.motion` (long: about half an hour).

Scripted roll-outs of every gait and style, long random ones, disturbed starts, commanded against
reached, the time of an export, and any BVH files given. Results are merged into one JSON by part,
so `--parts steady` renews that alone. `benchmarks.motion_network` measures the network's speed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import motion_runs as runs

OUT = Path(__file__).parent / "results" / "motion.json"
PARTS = ("export", "gaits", "steady", "perturbations", "long")
#: What the project promises, next to which results are printed.
TARGETS = {
    "long": {"all_finite": True, "hips_outside_band_max": 0.0, "longest_freeze_s": 0.5},
    "perturbations": {"recovered": 1.0},
    "steady": {"speed_error_max": 0.1, "heading_error_deg_max": 5.0},
    "gaits": {
        "skating_m_s": 0.03,
        "skating_ratio_to_network": 0.5,
        "stance_error_max": 0.1,
        "penetration_max_m": 0.005,
        "largest_move_m": 0.03,
    },
    "export": {"total_s": 10.0, "cpu_s": 10.0},
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts asked for, merge their numbers into the file and print them."""
    options = _options(arguments)
    if options.files:
        found: dict[str, Any] = {"files": runs.files(options.files)}
        print(json.dumps(found["files"], indent=1))
    else:
        found = _measured(options)
    merge(options.out, found)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="BVH files to measure instead")
    parser.add_argument("--weights", type=Path, help="folder or file; default: embedded")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each gait and style")
    parser.add_argument("--scripts", type=int, default=20, help="random scripts")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each random script")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    if options.quick:
        options.seconds, options.scripts, options.minutes = 9.0, 1, 0.2
    return options


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    quick = options.quick
    seeds, steady_s, most = (1, 5.0, 4) if quick else (5, 10.0, None)
    disturbed = ("trot",) if quick else runs.GAITS
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        network = None
        work: dict[str, Callable[[Any], dict[str, Any]]] = {
            "gaits": lambda net: runs.gaits(net, options.seconds),
            "steady": lambda net: runs.steady(net, steady_s, most=most),
            "perturbations": lambda net: runs.perturbations(net, seeds, names=disturbed),
            "long": lambda net: runs.long_runs(net, options.scripts, options.minutes * 60),
        }
        for part in (part for part in PARTS if part in options.parts):
            start = time.perf_counter()
            if part == "export":  # first, and on its own: nothing is warm yet
                found[part] = runs.export(options.weights, Path(folder), 10.0)
            else:
                network = network or runs.load_network(options.weights)
                found[part] = work[part](network)
            took = {"took_s": round(time.perf_counter() - start, 1)}
            found[part] |= took | {"machine": machine(), "weights": weights_id(options.weights)}
            _print(part, found[part])
    return found


def _print(part: str, numbers: dict[str, Any]) -> None:
    shown = numbers.get("all", numbers)
    for key, wanted in TARGETS[part].items():
        print(f"{part:14} {key:28} {shown.get(key)!s:12} wanted {wanted}")


def weights_id(path: Path | None) -> str:
    """Return which weights were measured, so that numbers of others are seen to be old."""
    if path is None:
        from motion.weights import EMBEDDED

        path = EMBEDDED
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return f"{path.name} {digest.hexdigest()[:12]}"


def machine() -> dict[str, Any]:
    """Return what the numbers were taken on."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1min": round(os.getloadavg()[0], 1),
    }


def merge(path: Path, found: dict[str, Any]) -> None:
    """Replace the parts found in the JSON file and keep all others."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known |= found | {"targets": TARGETS}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())

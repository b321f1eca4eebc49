"""What the pipeline itself costs: seconds per stage and asset, peak memory, DVC's share.

python -m benchmarks.pipeline [--assets 10 1000] [--out benchmarks/results/pipeline.json]

Runs the whole pipeline under DVC in scratch projects: with stand-in models (five files per asset
and step) everything, nothing to do, one asset changed, killed half-way and resumed, pushed to a
remote and pulled by another project, disk use; and the example manifest with the embedded models
from nothing, as `make assets` builds it after set-up. `--only example` measures that alone;
`--only embedded`, left out otherwise, makes `--props` props from words with the embedded models.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from stages._step import ITEM_STEPS

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("standin", "example")
#: Not measured unless asked for: it takes more than half an hour.
_LONG_PARTS = ("embedded",)
_NO_ONES = ("__pycache__", "pending")
_MODELS_ONLY = ("weights", "*.so")
#: The targets for the example manifest: the whole of it; one prop's splats, or its mesh.
_TARGETS = {"example_seconds": 360, "splats_seconds_per_asset": 8, "mesh_seconds_per_asset": 8}


def standin_project(root: Path, count: int) -> None:
    """Make a project of `count` assets with stand-in models and without the example inputs."""
    scratch_project(root, "standin", (*_NO_ONES, *_MODELS_ONLY))
    text = (root / "dvc.yaml").read_text(encoding="utf-8")
    real = "${python} -m stages.inputs --out runs/inputs"
    text = text.replace(real, "mkdir -p runs/inputs && echo none > runs/inputs/none")
    (root / "dvc.yaml").write_text(text, encoding="utf-8")
    write_manifest(root, count)


def scratch_project(root: Path, profile: str, skipped: Sequence[str]) -> None:
    """Make a project of our code, settings, manifest and dvc.yaml."""
    root.mkdir()
    for name in ("assets3d", "motion", "stages", "configs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(*skipped))
    settings = yaml.safe_load((ROOT / "configs/pipeline.yaml").read_text(encoding="utf-8"))
    settings |= {"profile": profile, "python": sys.executable}
    (root / "configs/pipeline.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    shutil.copy(ROOT / "dvc.yaml", root)
    for name in ("inputs", ".dvc"):
        (root / name).mkdir()
    shutil.copy(ROOT / "inputs/README.md", root / "inputs")
    shutil.copy(ROOT / ".dvc/config", root / ".dvc")
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, root)
    subprocess.run(["git", "init", "-q", str(root)], check=True)


def write_manifest(root: Path, count: int, changed: int | None = None) -> None:
    """Write `count` prompts; `changed` is the number of one whose seed is another."""
    lines = [
        f"prop_{i:05d}: {{prompt: prop number {i}, seed: {i + count * (i == changed)}}}\n"
        for i in range(count)
    ]
    (root / "configs/assets.yaml").write_text("".join(lines), encoding="utf-8")


def dvc(root: Path, *words: str, faults: str = "") -> subprocess.CompletedProcess[str]:
    """Run DVC in a scratch project; `faults` are those of stages/_standins.py."""
    env = os.environ | {
        "PYTHONPATH": str(root),
        "DVC_SITE_CACHE_DIR": str(root / ".dvc/site"),
        "ASSETS3D_STANDIN_FAULTS": faults,
    }
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=root, env=env, text=True, capture_output=True, check=False)


def repro(root: Path) -> dict[str, Any]:
    """Run `dvc repro`; return wall and CPU seconds, and what each stage says of itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = dvc(root, "repro")
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"dvc repro failed:\n{done.stdout}\n{done.stderr}")
    said = [line for line in done.stderr.splitlines() if line.startswith(ITEM_STEPS)]
    lines = [line for line in said if ": built " in line]  # what else they say is progress
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "stages": lines}


def stage_costs(runs: Path) -> dict[str, Any]:
    """Return seconds per stage and asset, and peak memory, of the one build in a runs folder."""
    costs = {}
    for step in ITEM_STEPS:
        try:
            state = json.loads((runs / ".state" / f"{step}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        times = list(state["asset_seconds"].values())
        costs[step] = {
            "assets": len(times),
            "median_seconds_per_asset": round(median(times), 3) if times else None,
            "longest_seconds_per_asset": max(times, default=None),
            "stage_seconds": state["seconds"],
            "peak_mib": state["peak_mib"],
        }
    return costs


def measure(count: int) -> dict[str, Any]:
    """Measure full, idle and one-changed runs of a scratch project."""
    with tempfile.TemporaryDirectory(prefix="assets3d-benchmark-") as folder:
        root = Path(folder) / "project"
        standin_project(root, count)
        result = {"assets": count, "full": repro(root), "stages": stage_costs(root / "runs")}
        result["nothing_to_do"] = repro(root)
        write_manifest(root, count, changed=count // 2)
        result["one_changed"] = repro(root)
        result["disk"] = disk_use(root)
        result |= push_and_pull(root, Path(folder))
        result["killed_and_resumed"] = kill_and_resume(Path(folder) / "killed", count)
    return result


def disk_use(root: Path) -> dict[str, float]:
    """Return the MiB of results and cache: as `ls` adds them up, and what the disk holds."""
    files = [p for name in ("runs", ".dvc/cache") for p in (root / name).rglob("*") if p.is_file()]
    found = [path.stat() for path in files]
    each = {(one.st_dev, one.st_ino): one.st_size for one in found}
    return {
        "files": len(found),
        "mib_by_name": round(sum(one.st_size for one in found) / 2**20, 2),
        "mib_on_disk": round(sum(each.values()) / 2**20, 2),
    }


def push_and_pull(root: Path, folder: Path) -> dict[str, Any]:
    """Push to a remote in a folder; pull in a project that has what Git has; change one asset.

    Args:
        root: the project that pushes.
        folder: where the remote and the other project are made.
    """
    remote, other = folder / "remote", folder / "pulled"
    results = {}
    for step, words in (("push", ("push",)), ("pull", ("pull",))):
        here = root if step == "push" else other
        if step == "pull":
            left_out = shutil.ignore_patterns("runs", "export", "cache", "site", "tmp")
            shutil.copytree(root, other, ignore=_at_top(root, left_out))
        dvc(here, "remote", "add", "--force", "--default", "shared", str(remote))
        started = time.perf_counter()
        done = dvc(here, *words)
        if done.returncode:
            raise RuntimeError(f"dvc {step} failed:\n{done.stdout}\n{done.stderr}")
        results[f"{step}_seconds"] = round(time.perf_counter() - started, 2)
    results["pulled_and_nothing_to_do"] = repro(other)
    lines = (other / "configs/assets.yaml").read_text(encoding="utf-8")
    lines = lines.replace("prompt: prop number 0,", "prompt: another prop,")
    (other / "configs/assets.yaml").write_text(lines, encoding="utf-8")
    results["pulled_and_one_changed"] = repro(other)
    return results


def _at_top(root: Path, ignore: Any) -> Any:
    """Ignore names in the project's folder and in .dvc, not deeper."""
    return lambda folder, names: (
        ignore(folder, names) if Path(folder) in (root, root / ".dvc") else set()
    )


def kill_and_resume(root: Path, count: int) -> dict[str, Any]:
    """Kill the mesh step half-way; return what the next run builds and reuses."""
    standin_project(root, count)
    killed = dvc(root, "repro", faults=f"mesh/{count // 2}=kill")
    if not killed.returncode:
        raise RuntimeError("dvc repro was not killed")
    return repro(root)


def measure_example() -> dict[str, Any]:
    """Measure the example manifest from nothing, and again with nothing to do."""
    with tempfile.TemporaryDirectory(prefix="assets3d-benchmark-") as folder:
        root = Path(folder) / "project"
        scratch_project(root, "embedded", _NO_ONES)
        load = os.getloadavg()[0]
        full = repro(root)
        stages = stage_costs(root / "runs")
        return {
            "load_before": load,
            "full": full,
            "stages": stages,
            "nothing_to_do": repro(root),
            "targets": _TARGETS,
        }


def measure_embedded(count: int) -> dict[str, Any]:
    """Measure `count` props from words with the embedded models, from nothing."""
    from assets3d.props.catalogue import FAMILIES

    with tempfile.TemporaryDirectory(prefix="assets3d-benchmark-") as folder:
        root = Path(folder) / "project"
        scratch_project(root, "embedded", _NO_ONES)
        names = [str(name).replace("_", " ") for name in FAMILIES]
        lines = [
            f"prop_{i:05d}: {{prompt: a {names[i % len(names)]}, seed: {i}}}\n"
            for i in range(count)
        ]
        (root / "configs/assets.yaml").write_text("".join(lines), encoding="utf-8")
        load = os.getloadavg()[0]
        full = repro(root)
        stages = stage_costs(root / "runs")
        medians = sum(costs["median_seconds_per_asset"] or 0.0 for costs in stages.values())
        means = sum(costs["stage_seconds"] / count for costs in stages.values() if costs["assets"])
        return {
            "assets": count,
            "load_before": load,
            "full": full,
            "seconds_per_asset": round(full["seconds"] / count, 2),
            "times_the_medians": round(full["seconds"] / (count * medians), 3),
            # What DVC, pages and reading models add. A load that changes skews the medians.
            "times_the_means": round(full["seconds"] / (count * means), 3),
            "stages": stages,
            "disk": disk_use(root),
            "nothing_to_do": repro(root),
            "targets": {"times_the_medians": 1.1, "peak_mib": 3072},
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=(*PARTS, *_LONG_PARTS), default=list(PARTS))
    parser.add_argument("--assets", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--props", type=int, default=100, help="how many, with --only embedded")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/pipeline.json")
    options = parser.parse_args(arguments)
    kept = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    parts = (*PARTS, *_LONG_PARTS)
    results: dict[str, Any] = {part: kept[part] for part in parts if part in kept}
    results["machine"] = _machine()
    if "standin" in options.only:
        results["standin"] = [measure(count) for count in options.assets]
    if "example" in options.only:
        results["example"] = measure_example()
    if "embedded" in options.only:
        results["embedded"] = measure_embedded(options.props)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()

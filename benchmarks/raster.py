"""Speed of the CPU rasteriser: `python -m benchmarks.raster --out benchmarks/results/raster.json`.

Unit: CPU nanoseconds (process time of all threads, so that a busy host matters little) per pair of
a pixel and a Gaussian that adds to it; best of `--repeats`. Everything counts: projection, sort,
binning, composition, autograd. The same is given as a multiple of one vector multiply-add timed in
this run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

# Threads of torch's own operations must sleep, not spin, between uses: spinning is CPU time too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch

from assets3d.cameras import Cameras, orbit_cameras
from assets3d.native import library
from assets3d.splats import rasterise_native, rasterise_oracle
from assets3d.splats.rasterise import rasterise, view_of

NEAR, MAX_ALPHA = 0.2, 0.99
TARGETS_NS = {"forward": 13.0, "forward_backward": 33.0}
LANES = {"avx512": 16, "avx2": 8}


def scene(count: int, seed: int = 0) -> torch.Tensor:
    """Return (count, 14) splats on a bumpy sphere: anisotropic, log-normal, random colour, opacity.

    Their median size is such that any count covers the sphere as often.
    """
    scale = 0.97 / count**0.5
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    bumps = 1.0 + 0.1 * np.sin(9.0 * direction[:, :1]) * np.cos(7.0 * direction[:, 1:2])
    quaternion = rng.normal(size=(count, 4))
    columns = [
        0.47 * direction * bumps,
        rng.uniform(0.05, 0.98, (count, 1)),
        scale * np.exp(0.6 * rng.normal(size=(count, 3))),
        quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True),
        rng.uniform(size=(count, 3)),
    ]
    return torch.tensor(np.concatenate(columns, axis=1), dtype=torch.float32)


def camera(size_px: int) -> Cameras:
    """Return the benchmark's camera: the object fills about half of the frame."""
    return orbit_cameras(30.0, 20.0, size_px, fov_y_deg=50.0)


def count_agrees() -> dict[str, int]:
    """Count the pairs of a smaller scene with the kernel and with the float64 oracle."""
    values, view = scene(2000), view_of(camera(128))
    return {
        "kernel": rasterise_native.count_pairs(values, view, NEAR, MAX_ALPHA),
        "oracle": rasterise_oracle.count_pairs(values.double(), view, NEAR, MAX_ALPHA),
    }


def cpu_seconds(run: Callable[[], object], repeats: int) -> float:
    """Return the least process time of `repeats` calls, after one to warm up."""
    run()
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def fma_ns(repeats: int, rounds: int = 2_000_000) -> float:
    """Return CPU nanoseconds of one vector multiply-add of the chosen instruction set."""
    kernel, isa = library.kernel(), library.instruction_set()
    seconds = cpu_seconds(lambda: kernel.a3d_fma_loop(rounds, isa), repeats)
    return seconds * 1e9 / (12 * rounds)


def measure(count: int, size_px: int, repeats: int, threads: int) -> dict[str, float]:
    """Time one scene; return milliseconds, nanoseconds per pair and multiples of a multiply-add."""
    values, view_camera = scene(count), camera(size_px)
    pairs = rasterise_native.count_pairs(values, view_of(view_camera), NEAR, MAX_ALPHA)
    generator = torch.Generator().manual_seed(0)
    upstream = [
        torch.rand(shape, generator=generator)
        for shape in ((size_px, size_px, 3), (size_px, size_px), (size_px, size_px))
    ]
    leaf = values.clone().requires_grad_()

    def forward() -> None:
        with torch.no_grad():
            rasterise(values, None, view_camera, backend="native", threads=threads)

    def both() -> None:
        leaf.grad = None
        raster = rasterise(leaf, None, view_camera, backend="native", threads=threads)
        torch.autograd.backward(list(raster), upstream)

    fma = fma_ns(repeats)
    seconds = {"forward": cpu_seconds(forward, repeats)}
    seconds["forward_backward"] = cpu_seconds(both, repeats)
    result: dict[str, float] = {"gaussians": count, "size_px": size_px, "pairs": pairs}
    result["fma_ns"] = round(fma, 4)
    for name, value in seconds.items():
        per_pair = value * 1e9 / pairs
        result[f"{name}_cpu_ms"] = round(value * 1e3, 2)
        result[f"{name}_ns_per_pair"] = round(per_pair, 3)
        result[f"{name}_fma_per_pair"] = round(per_pair / fma, 1)
    return result


def machine() -> dict[str, object]:
    """Name the processor, its cores, and how busy the host was."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load_average_1min": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def main() -> None:
    """Measure every instruction set on the main scene, the best one on smaller scenes too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    sets = library.instruction_sets()
    result: dict[str, object] = {
        "machine": machine(),
        "threads": arguments.threads,
        "repeats": arguments.repeats,
        "best_instruction_set": sets[max(sets)],
        "count_check_2000_at_128": count_agrees(),
        "target_ns_per_pair": TARGETS_NS,
    }
    by_set = {}
    for index in sorted(sets, reverse=True):
        os.environ[library.ISA_VARIABLE] = str(index)
        by_set[sets[index]] = measure(65_536, 512, arguments.repeats, arguments.threads)
        by_set[sets[index]]["lanes"] = LANES.get(sets[index], 4)
    os.environ[library.ISA_VARIABLE] = "-1"
    result["scene_65536_at_512"] = by_set
    result["other_scenes"] = [
        measure(count, size, arguments.repeats, arguments.threads)
        for count, size in ((2048, 128), (16_384, 256), (10_000, 256), (16_384, 512))
    ]
    text = json.dumps(result, indent=1) + "\n"
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()

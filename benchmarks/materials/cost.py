"""Seconds of the material steps at 1024 px, and peak memory of the maps at 8192 px."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from assets3d.images.picture import write_png
from assets3d.textures.encoding import quantised
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.packing import write_packs
from assets3d.textures.presets import PRESETS, preset_named, with_directx
from assets3d.textures.seamless.settings import SeamlessSettings
from assets3d.textures.seamless.texture import seamless_texture
from benchmarks.materials.backend import predictor
from benchmarks.materials.samples import Sample

#: Seconds at 1024 px on two cores.
TARGETS_S = {"patch": 10.0, "maps": 12.0, "packing": 5.0}
MEMORY_TARGET_GB = 4.0
_MATERIAL = Sample("bricks", 1_000_000)


def speed(size_px: int, repeats: int, backend: str, pictures: Path | None = None) -> dict[str, Any]:
    """Time patch, maps and all packs; the least of `repeats` calls each, models loaded before."""
    photo = _MATERIAL.cropped(round(1.25 * size_px))
    predict = predictor(backend)

    def patch() -> Any:
        return seamless_texture(
            None, "", seed=0, steps=1, guidance=1.0, size_px=size_px,
            settings=SeamlessSettings("patch"), picture=photo,
        )  # fmt: skip

    tile = patch()

    def maps() -> Any:
        return quantised(material_of(tile, predict(tile), tile_m=1.0, height_m=0.05))

    material = maps()

    def packing() -> Any:
        with tempfile.TemporaryDirectory(prefix="materials-") as name:
            packs = {Path(name) / pack: preset_named(pack) for pack in PRESETS}
            packs[Path(name) / "plain"] = with_directx(preset_named("plain"))
            return write_packs(material, packs, "material")

    runs: dict[str, Callable[[], Any]] = {"patch": patch, "maps": maps, "packing": packing}
    found = {}
    for name, run in tqdm(runs.items(), desc="speed", disable=None):
        seconds, cpu_seconds = _least(run, repeats)
        found[name] = {
            "seconds": round(seconds, 2),
            "cpu_seconds": round(cpu_seconds, 2),
            "target": TARGETS_S[name],
            "holds": seconds <= TARGETS_S[name],
        }
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        write_png(pictures / "speed_patch.png", np.tile(tile, (2, 2, 1)))
    return {
        "size_px": size_px,
        "repeats": repeats,
        "back_end": backend,
        "load_average_1min": round(os.getloadavg()[0], 1),
        **found,
    }


def memory(size_px: int, backend: str) -> dict[str, Any]:
    """Return the peak memory of the maps of a large tile, made in a process of its own."""
    module = "benchmarks.materials.large"
    command = [sys.executable, "-m", module, "--size-px", str(size_px), "--back-end", backend]
    print(f"memory: the maps of {size_px} px in a process of their own", file=sys.stderr)
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{done.stderr}")
    found = json.loads(done.stdout)
    holds = max(found["peak_gb"].values()) <= MEMORY_TARGET_GB
    return {"back_end": backend, **found, "target_gb": MEMORY_TARGET_GB, "holds": holds}


def _least(run: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the least wall seconds of some calls, and the process seconds of that call."""
    times = []
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        run()
        times.append((time.perf_counter() - start, time.process_time() - cpu_start))
    return min(times)

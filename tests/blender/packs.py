"""Small packs of every kind of asset, made by the stages themselves, for tests in Blender."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from assets3d.mesh.glb import glb_bytes
from assets3d.mesh.mesh import Mesh
from motion.files.bvh import write_bvh
from motion.files.gltf import write_clip_glb
from motion.gaits import make_gaits
from motion.gaits.timeline import Part
from stages import export, maps
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages.deliver import deliver_all
from stages.manifest import Manifest, check_entry
from tests.export.shapes import textured
from tests.mesh.scenes import box

ENTRIES: dict[str, dict[str, Any]] = {
    "bench": {"prompt": "a bench with a nose", "pack": "yard"},
    "bricks": {"kind": "material", "procedural": "bricks", "size_px": 128, "pack": "yard"},
    "wolf": {"kind": "motion", "script": [{"walk": "1 s"}, {"trot": "1 s"}], "pack": "yard"},
}
FPS = 30
TURNTABLE_PX = 256
_EXPORT = {
    **{"model": "none", "budget": "desktop", "lods": [0.5, 0.25], "hull": "convex"},
    **{"splats": [], "variants": [], "renderer": "native", "thumbnail_px": 96},
    **{"turntable_frames": 2, "turntable_px": TURNTABLE_PX, "turntable_fps": 2},
    **{"threads": 1, "commercial": False},
}
_MAPS = {"model": "none", "backend": "luminance", "preview_px": 64, "threads": 1}


def bench() -> Mesh:
    """Return a textured shape that looks different from every side: 0.5 m wide, 0.25 m high."""
    seat, nose = box(0.25, 0.1, 0.15, cells=24), box(0.05, 0.1, 0.1, cells=16)
    moved = nose.vertices + np.float32([0.18, 0.15, 0.12])
    whole = Mesh(
        np.concatenate([seat.vertices, moved]),
        np.concatenate([seat.faces, nose.faces + np.int32(len(seat.vertices))]),
    )
    mesh = textured(whole, 900)
    lowest = float(mesh.bounds[0, 1])
    return replace(mesh, vertices=mesh.vertices - np.float32([0.0, lowest, 0.0]))


def make_packs(root: Path, engines: tuple[str, ...]) -> dict[str, Path]:
    """Return engine -> `manifest.json` of the pack `yard`, delivered below `root`, which is cwd."""
    runs = root / "runs"
    specs = {name: check_entry(name, entry) for name, entry in ENTRIES.items()}
    manifest = Manifest(specs, {})
    for step in ("image", "cutout", "views", "splats"):
        _record(runs / step / "bench", step)
    (runs / "splats/bench/splats.ply").write_bytes(b"")
    _record(runs / "mesh/bench", "mesh", numbers={"metres_per_unit": 1.0, "pivot": [0.0] * 3})
    (runs / "mesh/bench/bench.glb").write_bytes(glb_bytes(bench(), "bench"))
    _record(runs / "motion/wolf", "motion", spec={"enters": "script"})
    clip = make_gaits([Part(1.0, speed_mps=1.0)], fps=FPS, name="walk").clip
    write_bvh(runs / "motion/wolf/wolf.bvh", clip)
    write_clip_glb(runs / "motion/wolf/wolf.glb", clip)
    Image.new("RGB", (8, 8)).save(runs / "motion/wolf/preview.webp")
    material = Manifest({"bricks": specs["bricks"]}, {})
    run_step(maps.STEP, _MAPS, material, [], runs / "maps", LocalExecutor())
    before = [runs / s for s in ("image", "cutout", "views", "splats", "mesh", "maps", "motion")]
    found = {}
    for engine in engines:
        out = runs / f"export-{engine}"
        params = {**_EXPORT, "engine": engine}
        summary = run_step(export.STEP, params, manifest, before, out, LocalExecutor())
        assert summary.failed == 0, (out / "failures.json").read_text()
        to = root / f"export-{engine}"
        (report,) = deliver_all(specs, lambda name, out=out: out / name, to)
        assert report.failure is None, report
        found[engine] = to / "yard/manifest.json"
    return found


def _record(folder: Path, step: str, **fields: Any) -> None:
    folder.mkdir(parents=True)
    made = {"step": step, "key": "c" * 64, "spec": {"enters": "prompt"}, "seed": 1, "params": {}}
    rest: dict[str, Any] = {"inputs": {}, "models": {}, "versions": {}, "numbers": {}}
    (folder / "record.json").write_text(json.dumps({**made, **rest, "warnings": [], **fields}))

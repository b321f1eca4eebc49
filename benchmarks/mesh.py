"""Time from a PLY of 65k splats to a textured GLB: `python -m benchmarks.mesh`.

The splats are the surface of a held-out prop, as a scanner would give it. Wall and processor
seconds of the whole way: read, normalise, fuse, clean, decimate to 20k faces, unwrap, bake 1024
pixels, write. The result must pass the Khronos validator where that is installed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from assets3d.mesh import validate
from assets3d.mesh.from_splats import Settings, mesh_from_splats
from assets3d.mesh.glb import write_glb
from assets3d.props import prop_mesh, sample_prop
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import normalise
from assets3d.splats.ply import read_ply, write_ply
from benchmarks.raster import machine
from stages.inputs import surface_gaussians

PROP = ("pumpkin", 1_000_001)
SPLATS, FACES, TEXTURE_PX, TARGET_S = 65_536, 20_000, 1024, 20.0
#: A mesh of the prop this fine has more vertices than splats are wanted.
_RESOLUTION = 224


def scan(count: int) -> Gaussians:
    """Return `count` splats on the surface of the prop, chosen evenly."""
    whole = surface_gaussians(prop_mesh(sample_prop(*PROP), _RESOLUTION))
    if len(whole) < count:
        raise ValueError(f"the prop has {len(whole)} vertices, wanted {count}")
    chosen = np.random.default_rng(0).choice(len(whole), count, replace=False)
    return Gaussians(whole.values[np.sort(chosen)])


def timed(ply: Path, glb: Path) -> dict[str, Any]:
    """Turn the PLY into a GLB and return what it took."""
    wall, processor = time.perf_counter(), time.process_time()
    gaussians = normalise(read_ply(ply), "+y", 0.0)
    mesh = mesh_from_splats(
        gaussians,
        faces=FACES,
        texture_px=TEXTURE_PX,
        height_m=1.0,
        settings=Settings(threads=2),
    )
    write_glb(glb, mesh, "scan")
    return {
        "seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(time.process_time() - processor, 2),
        "faces": len(mesh.faces),
    }


def main() -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/mesh.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ply, glb = Path(folder) / "scan.ply", Path(folder) / "scan.glb"
        write_ply(ply, scan(SPLATS))
        runs = [timed(ply, glb) for _ in range(options.repeats)]
        verdict = None if validate.missing() else validate.validate_glb(glb)
    result = {
        "machine": machine(),
        "splats": SPLATS,
        "texture_px": TEXTURE_PX,
        "runs": runs,
        "best_seconds": min(run["seconds"] for run in runs),
        "target_seconds": TARGET_S,
        "validator": None if verdict is None else [verdict.errors, verdict.warnings],
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

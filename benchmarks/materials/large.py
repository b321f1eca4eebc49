"""The maps of one large tile, their files and pictures, and the most memory this process ever had.

The steps are those of the maps stage; the normals' seams stand for those of all maps.

Run by `benchmarks.materials.cost.memory` as a process of its own; prints JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.ball import write_ball
from assets3d.textures.encoding import quantised
from assets3d.textures.looks import lit_plane, lit_sphere, maps_sheet
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.packing import write_packs
from assets3d.textures.seams import seam_report
from assets3d.textures.shrink import shrunk
from benchmarks.materials.backend import BACK_ENDS, predictor
from benchmarks.materials.samples import Sample

#: The large tile is this one, repeated.
_REPEATED = Sample("cobble", 1_000_001)
_REPEATED_PX = 512
#: Sides of what pictures are made of, and of pictures, as the stage has them.
SEEN_PX, _PICTURE_PX = 1024, 512


def main() -> None:
    """Make the maps, say after each step how high the memory has been."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-px", type=int, default=8192)
    parser.add_argument("--back-end", choices=BACK_ENDS, default="small")
    given = parser.parse_args()
    _picture(given.size_px)
    peak, seconds = {"picture": _peak_gb()}, {}
    start = time.perf_counter()
    predict = predictor(given.back_end)
    # As the stage does it: nothing holds picture or relief once they are read.
    material = material_of(_picture(given.size_px), predict(_picture(given.size_px)), tile_m=4.0)
    material = quantised(material)
    del predict
    peak["maps"], seconds["maps"] = _peak_gb(), round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    seam_report(material.normals, "normal")
    peak["seams"], seconds["seams"] = _peak_gb(), round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    with TemporaryDirectory() as folder:
        write_packs(material, {Path(folder): "plain"}, "large")
        peak["files"], seconds["files"] = _peak_gb(), round(time.perf_counter() - start, 1)
        start = time.perf_counter()
        material = shrunk(material, SEEN_PX)
        write_ball(Path(folder) / "large.glb", material, "large")
    for picture_of in (maps_sheet, lit_plane, lit_sphere):
        picture_of(material, _PICTURE_PX)
    peak["pictures"], seconds["pictures"] = _peak_gb(), round(time.perf_counter() - start, 1)
    print(json.dumps({"size_px": given.size_px, "peak_gb": peak, "seconds": seconds}))


def _picture(size_px: int) -> NDArray[np.uint8]:
    """Return the large tile (size_px, size_px, 3)."""
    small = _REPEATED.tile(min(_REPEATED_PX, size_px))
    times = -(-size_px // len(small))
    return np.tile(small, (times, times, 1))[:size_px, :size_px]


def _peak_gb() -> float:
    """Return the highest resident memory so far (Linux counts it in KiB)."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2)


if __name__ == "__main__":
    main()

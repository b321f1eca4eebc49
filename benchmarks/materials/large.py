"""The maps of one large tile, and the most memory that this process ever had.

Run by `benchmarks.materials.cost.memory` as a process of its own; prints JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from assets3d.textures.encoding import quantised
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.seams import seam_report
from benchmarks.materials.backend import BACK_ENDS, predictor
from benchmarks.materials.samples import Sample

#: The large tile is this one, repeated.
_REPEATED = Sample("cobble", 1_000_001)
_REPEATED_PX = 512


def main() -> None:
    """Make the maps, say after each step how high the memory has been."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-px", type=int, default=8192)
    parser.add_argument("--back-end", choices=BACK_ENDS, default="small")
    given = parser.parse_args()
    small = _REPEATED.tile(min(_REPEATED_PX, given.size_px))
    times = -(-given.size_px // len(small))
    picture = np.tile(small, (times, times, 1))[: given.size_px, : given.size_px]
    peak, seconds = {"picture": _peak_gb()}, {}
    start = time.perf_counter()
    predict = predictor(given.back_end)
    material = quantised(material_of(picture, predict(picture), tile_m=4.0))
    peak["maps"], seconds["maps"] = _peak_gb(), round(time.perf_counter() - start, 1)
    start = time.perf_counter()
    seam_report(material.normals, "normal")
    peak["seams"], seconds["seams"] = _peak_gb(), round(time.perf_counter() - start, 1)
    print(json.dumps({"size_px": given.size_px, "peak_gb": peak, "seconds": seconds}))


def _peak_gb() -> float:
    """Return the highest resident memory so far (Linux counts it in KiB)."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2)


if __name__ == "__main__":
    main()

"""The process `unwrap` starts: reads a mesh from stdin as npz, writes its atlas to stdout as npy.

Imports nothing heavy, since its start counts against each asset's time.
"""

from __future__ import annotations

import io
import sys

import numpy as np

PADDING_TEXELS = 4


def main() -> None:
    """Unwrap one mesh."""
    import xatlas

    question = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
    faces = question["faces"]
    atlas = xatlas.Atlas()
    atlas.add_mesh(question["vertices"], faces)
    charts, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    charts.max_iterations = 1
    packing.resolution = int(question["texture_px"])
    packing.padding = PADDING_TEXELS
    packing.bilinear = True
    atlas.generate(chart_options=charts, pack_options=packing)
    _, indices, uvs = atlas[0]
    answer = io.BytesIO()
    np.save(answer, uvs[indices].astype(np.float32))
    sys.stdout.buffer.write(answer.getvalue())


if __name__ == "__main__":
    main()

"""Splats in 17 bytes each: enough to look at, a fourteenth of the PLY."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from assets3d.splats.ply import read_ply
from assets3d.viewer.blocks import block, quantised

#: More are sorted too slowly on a phone.
MOST_SPLATS = 20_000


def splat_block(
    path: Path,
    metres_per_unit: float = 1.0,
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0),
    most: int = MOST_SPLATS,
) -> dict[str, Any]:
    """Return a PLY's splats in metres, the `most` that cover the largest area.

    Scales are logarithms in 8 bits between `log_scale`'s two numbers, rotations w, x, y, z in
    signed 8 bits, colour and opacity 8 bits each.

    Raises:
        InputError: when the file cannot be read.
    """
    splats = read_ply(path)
    sides = np.sort(splats.scale, axis=1)
    cover = splats.opacity * sides[:, 1] * sides[:, 2]
    kept = np.sort(np.argsort(-cover, kind="stable")[:most])
    values = splats.values[kept].astype(np.float64)
    logs = np.log(np.maximum(values[:, 4:7] * metres_per_unit, 1e-9))
    low, high = float(logs.min()), float(logs.max())
    steps = np.round((logs - low) / max(high - low, 1e-9) * 255.0)
    shades = np.clip(values[:, [11, 12, 13, 3]], 0.0, 1.0)
    return {
        "count": len(kept),
        "of": len(splats),
        "positions": quantised((values[:, :3] - np.asarray(pivot)) * metres_per_unit),
        "log_scale": [low, high],
        "scales": block(steps.astype(np.uint8)),
        "rotations": block(np.round(127.0 * values[:, 7:11]).astype(np.int8)),
        "shades": block(np.round(255.0 * shades).astype(np.uint8)),
    }

"""The Material record: arrays that tile, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Material:
    """One tile of a material; all maps have the same square shape and are periodic in both axes.

    Attributes:
        base_colour: (S, S, 3) float32 0..1, sRGB-encoded, without light or shadow where that is
            known.
        height_m: (S, S) float32 metres; the mean is 0.
        normals: (S, S, 3) float32 unit vectors (x right, y up, z to the viewer) of `height_m`.
        roughness: (S, S) float32 0..1.
        occlusion: (S, S) float32 0..1, 1 where nothing is hidden.
        metallic: (S, S) float32 0..1.
        tile_m: side of the tile in metres.
    """

    base_colour: NDArray[np.float32]
    height_m: NDArray[np.float32]
    normals: NDArray[np.float32]
    roughness: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    metallic: NDArray[np.float32]
    tile_m: float

    @property
    def size_px(self) -> int:
        """Side of every map in pixels."""
        return len(self.height_m)

    @property
    def pixel_m(self) -> float:
        """Side of a pixel in metres."""
        return self.tile_m / self.size_px

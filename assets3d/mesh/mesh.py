"""The Mesh record: arrays, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh; faces wind counter-clockwise seen from outside.

    Attributes:
        vertices: (N, 3) float32 positions.
        faces: (F, 3) int32 vertex indices.
        uvs: (N, 2) float32, origin at the lower left of the texture, or None.
        normals: (N, 3) float32 unit normals, or None.
        colours: (N, 3) float32 sRGB-encoded vertex colours 0..1, or None.
        base_colour: (T, T, 3) uint8 sRGB texture, row 0 at the top, or None.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    uvs: NDArray[np.float32] | None = None
    normals: NDArray[np.float32] | None = None
    colours: NDArray[np.float32] | None = None
    base_colour: NDArray[np.uint8] | None = None

    @property
    def bounds(self) -> NDArray[np.float32]:
        """(2, 3) smallest and largest corner."""
        return np.stack([self.vertices.min(axis=0), self.vertices.max(axis=0)])

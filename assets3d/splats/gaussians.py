"""The Gaussians record: N splats in LGM's (N, 14) layout, all values after activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

#: position 3, opacity 1, scale 3, rotation 4 (w, x, y, z), rgb 3
WIDTH = 14


@dataclass(frozen=True)
class Gaussians:
    """N splats; `values` is (N, 14) float32, post-activation, world frame of the package.

    Opacity in 0..1, scale = standard deviations in world units (> 0), rotation a unit quaternion
    (w, x, y, z), rgb sRGB-encoded 0..1 and the same from every direction.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != WIDTH:
            raise ValueError(f"Gaussians.values: found shape {self.values.shape}, wanted (N, 14)")
        if self.values.dtype != np.float32:
            raise ValueError(f"Gaussians.values: found {self.values.dtype}, wanted float32")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def position(self) -> NDArray[np.float32]:
        """(N, 3) centres."""
        return self.values[:, 0:3]

    @property
    def opacity(self) -> NDArray[np.float32]:
        """(N,) peak opacity, 0..1."""
        return self.values[:, 3]

    @property
    def scale(self) -> NDArray[np.float32]:
        """(N, 3) standard deviations along the local axes."""
        return self.values[:, 4:7]

    @property
    def rotation(self) -> NDArray[np.float32]:
        """(N, 4) unit quaternions (w, x, y, z)."""
        return self.values[:, 7:11]

    @property
    def rgb(self) -> NDArray[np.float32]:
        """(N, 3) sRGB-encoded colour, 0..1."""
        return self.values[:, 11:14]

    def tensor(self, device: str = "cpu") -> torch.Tensor:
        """Return the values as a new (N, 14) float32 tensor."""
        import torch

        return torch.tensor(self.values, device=device)

    def selected(self, keep: NDArray) -> Gaussians:
        """Return the splats at `keep`, a boolean mask or indices."""
        return Gaussians(np.ascontiguousarray(self.values[keep]))


def from_parts(
    position: NDArray, opacity: NDArray, scale: NDArray, rotation: NDArray, rgb: NDArray
) -> Gaussians:
    """Join separate (N, ...) arrays into one record."""
    columns = [position, np.reshape(opacity, (-1, 1)), scale, rotation, rgb]
    return Gaussians(np.ascontiguousarray(np.concatenate(columns, axis=1), dtype=np.float32))

"""Gaussians to rasterise, and how gradients of the pictures are taken."""

from __future__ import annotations

import numpy as np
import torch

from assets3d.native import library
from assets3d.splats.rasterise import Raster

#: What `rasterise` uses unless told otherwise.
NEAR, MAX_ALPHA = 0.2, 0.99
#: Numbers of the instruction sets that this machine runs.
ISAS = sorted(library.instruction_sets())


def shell(count: int, seed: int = 0, scale: float = 0.03, spread: float = 0.5) -> torch.Tensor:
    """Anisotropic log-normal splats on a bumpy sphere, float64."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    bumps = 0.5 * (1.0 + 0.1 * np.sin(5.0 * direction[:, :1]))
    values = np.concatenate(
        [
            direction * bumps,
            rng.uniform(0.02, 0.98, (count, 1)),
            scale * np.exp(spread * rng.normal(size=(count, 3))),
            rng.normal(size=(count, 4)),
            rng.uniform(size=(count, 3)),
        ],
        axis=1,
    )
    return torch.tensor(values).float().double()  # exactly representable in both precisions


def one(position=(0.0, 0.0, 0.0), opacity=0.8, scale=(0.1, 0.1, 0.1), rotation=(1, 0, 0, 0)):
    return torch.tensor([[*position, opacity, *scale, *rotation, 0.9, 0.5, 0.1]]).double()


def upstream_like(raster: Raster, mask: torch.Tensor, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    random = [torch.randn(t.shape, generator=generator, dtype=torch.float64) for t in raster]
    return [t * (mask[..., None] if t.ndim == 3 else mask) for t in random]


def gradients(raster: Raster, upstream: list[torch.Tensor], inputs: list[torch.Tensor]):
    total = sum((u.to(t.dtype) * t).sum() for u, t in zip(upstream, raster, strict=True))
    return torch.autograd.grad(total, inputs)

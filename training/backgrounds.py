"""Pictures with alpha, laid on a background."""

from __future__ import annotations

import torch


def on_colour(rgba: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """Composite uint8 (B, H, W, 4) on colours (B, 3) in 0..1; return (B, 3, H, W) in -1..1."""
    rgba = rgba.permute(0, 3, 1, 2).float() / 255.0
    alpha = rgba[:, 3:]
    return (rgba[:, :3] * alpha + colour[:, :, None, None] * (1.0 - alpha)) * 2.0 - 1.0


def on_white(rgba: torch.Tensor) -> torch.Tensor:
    """Composite uint8 (B, H, W, 4) on white; return (B, 3, H, W) in -1..1."""
    return on_colour(rgba, torch.ones(len(rgba), 3, device=rgba.device))

"""The embedded shape network: what four outlines leave open, from having seen many things.

A small U-Net on a cube of voxels. It is fed what is known at each voxel (`shape.surroundings`) and
adds to the guess that `rounding` makes by rule.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

#: Voxels along a side of the cube, which is halved three times; signed distances are cut off at the
#: second number of them.
SIDE, REACH = 48, 3.0
#: Per view a distance to the outline and a colour; the guess by rule; the place.
VIEWS = 4
CHANNELS = VIEWS + 3 * VIEWS + 1 + 3
#: Channel of the guess by rule.
GUESS = 4 * VIEWS
#: At a half, a quarter and an eighth of the voxels. Nothing is convolved at full size, which would
#: cost most: eight voxels are one place with eight answers.
WIDTHS = (16, 32, 48)


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(8, channels) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv3d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, D, D, D) -> the same."""
        found = x
        for norm, conv in zip(self.norms, self.convs, strict=True):
            found = conv(F.silu(norm(found)))
        return x + found


class ShapeNetwork(nn.Module):
    """Surroundings (B, 20, 48, 48, 48) -> signed distance (B, 48, 48, 48) in `REACH` voxels."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = WIDTHS
        self.enter = nn.Conv3d(8 * CHANNELS, a, 1)
        self.at_half = nn.ModuleList([_residuals(a, 1), _residuals(a, 2)])
        self.at_quarter = nn.ModuleList([_residuals(b, 2), _residuals(b, 2)])
        self.at_eighth = _residuals(c, 2)
        self.down = nn.ModuleList([nn.Conv3d(a, b, 2, stride=2), nn.Conv3d(b, c, 2, stride=2)])
        self.up = nn.ModuleList([nn.Conv3d(b, a, 1), nn.Conv3d(c, b, 1)])
        self.leave = nn.Conv3d(a, 8, 1, bias=False)
        nn.init.zeros_(self.leave.weight)

    def forward(self, surroundings: torch.Tensor) -> torch.Tensor:
        """Return signed distances, positive inside, 1 being `REACH` voxels."""
        half = self.at_half[0](self.enter(_gathered(surroundings)))
        quarter = self.at_quarter[0](self.down[0](half))
        found = self.at_eighth(self.down[1](quarter))
        found = self.at_quarter[1](quarter + self.up[1](_twice(found)))
        found = self.at_half[1](half + self.up[0](_twice(found)))
        return surroundings[:, GUESS] + _spread(self.leave(F.silu(found)))


def _residuals(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels) for _ in range(count)))


def _twice(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="trilinear", align_corners=False)


def _gathered(x: torch.Tensor) -> torch.Tensor:
    """(B, C, 2 D, 2 D, 2 D) -> (B, 8 C, D, D, D): eight voxels become channels of one place."""
    count, channels, size = x.shape[:3]
    parts = x.reshape(count, channels, *(size // 2, 2) * 3).permute(0, 1, 3, 5, 7, 2, 4, 6)
    return parts.reshape(count, 8 * channels, *(size // 2,) * 3)


def _spread(x: torch.Tensor) -> torch.Tensor:
    """(B, 8, D, D, D) -> (B, 2 D, 2 D, 2 D): the other way."""
    count, _, size = x.shape[:3]
    parts = x.reshape(count, 2, 2, 2, size, size, size).permute(0, 4, 1, 5, 2, 6, 3)
    return parts.reshape(count, *(2 * size,) * 3)

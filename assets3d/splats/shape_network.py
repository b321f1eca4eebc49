"""The embedded shape network: what four outlines leave open, from having seen many things.

A small U-Net on a cube of voxels. It is fed what is known at each voxel (`shape.surroundings`) and
adds to the guess that `rounding` makes by rule.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

#: Voxels along a side of the cube, and signed distances are cut off at this many of them.
SIDE, REACH = 48, 3.0
#: Per view a distance to the outline and a colour; the guess by rule; the place.
VIEWS = 4
CHANNELS = VIEWS + 3 * VIEWS + 1 + 3
#: Channel of the guess by rule.
GUESS = 4 * VIEWS
#: At a half, a quarter and an eighth of the voxels, and at full size in the end.
WIDTHS, FINE = (16, 32, 48), 8


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
        self.enter = nn.Conv3d(CHANNELS, a, 4, stride=2, padding=1)
        self.at_half = nn.ModuleList([Residual(a), Residual(a)])
        self.at_quarter = nn.ModuleList([Residual(b), Residual(b)])
        self.at_eighth = nn.Sequential(Residual(c), Residual(c))
        self.down = nn.ModuleList([nn.Conv3d(a, b, 2, stride=2), nn.Conv3d(b, c, 2, stride=2)])
        self.up = nn.ModuleList([nn.Conv3d(b, a, 1), nn.Conv3d(c, b, 1)])
        self.leave = nn.ConvTranspose3d(a, FINE, 2, stride=2)
        self.mix = nn.Conv3d(FINE + 2, FINE, 3, padding=1)
        self.add = nn.Conv3d(FINE, 1, 3, padding=1, bias=False)
        nn.init.zeros_(self.add.weight)

    def forward(self, surroundings: torch.Tensor) -> torch.Tensor:
        """Return signed distances, positive inside, 1 being `REACH` voxels."""
        half = self.at_half[0](self.enter(surroundings))
        quarter = self.at_quarter[0](self.down[0](half))
        found = self.at_eighth(self.down[1](quarter))
        found = self.at_quarter[1](quarter + self.up[1](_twice(found)))
        found = self.at_half[1](half + self.up[0](_twice(found)))
        guess = surroundings[:, GUESS : GUESS + 1]
        hull = surroundings[:, :VIEWS].amin(1, keepdim=True)
        fine = self.mix(torch.cat([self.leave(F.silu(found)), guess, hull], 1))
        return (guess + self.add(F.silu(fine)))[:, 0]


def _twice(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="trilinear", align_corners=False)

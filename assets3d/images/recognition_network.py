"""The embedded recogniser: four small convolutions, from a cutout to the family it belongs to."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

#: Side of the pictures that it looks at.
SIDE_PX = 64
#: Channels at 1, 1/2, 1/4 and 1/8 of that.
WIDTHS = (32, 64, 96, 128)
#: Squares along a side of what the last layer sees: top and bottom of a thing differ.
SQUARES = 2


class Recogniser(nn.Module):
    """Cutouts on white with their alpha (B, 4, 64, 64) in -1..1 -> logits (B, families).

    With 3 channels it looks at pictures on white alone.
    """

    def __init__(self, families: int, channels: int = 4) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((channels, *WIDTHS), WIDTHS, strict=False):
            layers += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.GroupNorm(8, after),
                nn.SiLU(),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(WIDTHS[-1] * SQUARES**2, families)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the logits of the families."""
        found = F.adaptive_avg_pool2d(self.features(pictures), SQUARES)
        return self.head(found.flatten(1))

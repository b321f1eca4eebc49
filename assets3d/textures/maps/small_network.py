"""The embedded maps network: a U-Net on the torus, from a picture to slopes, roughness and colour.

Every 3x3 convolution wraps around, every other one covers exactly the pixels that it replaces, and
enlarging repeats pixels; so the maps of a picture that tiles tile too. It starts and ends on blocks
of 2x2 pixels: most of its work is done at half the size and below, which makes it fast on a CPU.
What a window of a large picture cannot know, it is told: the mean of the deepest features over the
whole torus, the network's only global quantity (light, kind of material).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

#: Sides of a picture must be multiples of this.
STRIDE_PX = 16
#: Channels at 1/2, 1/4, 1/8 and 1/16 of the picture's size, and of residual units there.
WIDTHS = (24, 48, 96, 128)
ENCODER_UNITS = (1, 2, 2, 2)
DECODER_UNITS = (1, 1, 1)
#: Of the units at 1/16: the second sees far.
DILATIONS = (1, 2)
#: Slope of the activation below 0. With 0 whole layers die in the first hundred steps, and the
#: network answers "flat" for ever.
LEAK = 0.1
#: Slopes (2), roughness, metallic, change of the colour (3).
OUTPUTS = 7


class Maps(NamedTuple):
    """What the network says of pictures (B, 3, H, W).

    Attributes:
        slopes: (B, 2, H, W) dh/dx and dh/dy (y down), metres per metre.
        roughness: (B, 1, H, W) 0..1.
        metallic_logits: (B, 1, H, W); positive is metal.
        base_colour: (B, 3, H, W) about 0..1 (not clipped), sRGB-encoded, without light and shadow.
    """

    slopes: torch.Tensor
    roughness: torch.Tensor
    metallic_logits: torch.Tensor
    base_colour: torch.Tensor


def wrapped(x: torch.Tensor, margin: int) -> torch.Tensor:
    """Return (B, C, H + 2 margin, W + 2 margin), continued around the torus.

    Copying strips is faster than `F.pad(mode="circular")`, which leaves the channels-last layout.
    """
    if margin > min(x.shape[2:]):  # a tile narrower than the margin goes around more than once
        rows = torch.arange(-margin, x.shape[2] + margin, device=x.device) % x.shape[2]
        columns = torch.arange(-margin, x.shape[3] + margin, device=x.device) % x.shape[3]
        return x[:, :, rows][:, :, :, columns]
    x = torch.cat([x[:, :, -margin:], x, x[:, :, :margin]], 2)
    return torch.cat([x[..., -margin:], x, x[..., :margin]], 3)


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions on the torus beside the identity; at first it is the identity."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.dilation = dilation
        self.first = nn.Conv2d(channels, channels, 3, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, dilation=dilation)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same."""
        change = self.first(wrapped(F.leaky_relu(x, LEAK), 2 * self.dilation))
        return x + self.second(F.leaky_relu(change, LEAK, inplace=True))


class Context(nn.Module):
    """Add to every place what the mean over the whole torus says."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels)
        )

    def forward(self, x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) and its mean (B, C) over the torus -> (B, C, H, W)."""
        return x + self.mix(mean)[:, :, None, None]


class MapsNetwork(nn.Module):
    """Pictures -> maps; see `Maps`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(12, WIDTHS[0], 3)
        self.encoder = nn.ModuleList()
        self.reduce = nn.ModuleList()
        for level, (width, count) in enumerate(zip(WIDTHS, ENCODER_UNITS, strict=True)):
            if level:
                self.reduce.append(nn.Conv2d(WIDTHS[level - 1], width, 2, stride=2))
            gaps = DILATIONS if level == len(WIDTHS) - 1 else (1,) * count
            self.encoder.append(nn.Sequential(*(ResidualUnit(width, gap) for gap in gaps)))
        self.context = Context(WIDTHS[-1])
        self.enlarge = nn.ModuleList(
            nn.Conv2d(WIDTHS[level + 1], WIDTHS[level], 1) for level in range(len(DECODER_UNITS))
        )
        self.decoder = nn.ModuleList(
            nn.Sequential(*(ResidualUnit(width) for _ in range(count)))
            for width, count in zip(WIDTHS, DECODER_UNITS, strict=False)
        )
        self.head = nn.Conv2d(WIDTHS[0], 4 * OUTPUTS, 3)

    def forward(self, pictures: torch.Tensor, context: torch.Tensor | None = None) -> Maps:
        """Return the maps of sRGB pictures (B, 3, H, W) in 0..1, sides multiples of `STRIDE_PX`.

        `context` (B, C) is the mean of `deepest` over the whole picture; None takes it from these.
        """
        skips = self._encoded(pictures)
        found = skips.pop()
        if context is None:
            context = found.mean((2, 3))
        found = self.context(found, context)
        for level in reversed(range(len(self.decoder))):
            found = F.interpolate(self.enlarge[level](found), scale_factor=2.0, mode="nearest")
            found = self.decoder[level](found + skips[level])
        out = F.pixel_shuffle(self.head(wrapped(found, 1)), 2)
        slopes, roughness, metallic, colour = out.split((2, 1, 1, 3), 1)
        return Maps(slopes, torch.sigmoid(roughness), metallic, pictures + 0.25 * colour)

    def deepest(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (B, C, H / 16, W / 16), the features whose mean over the torus is the context."""
        return self._encoded(pictures)[-1]

    def _encoded(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        found = F.pixel_unshuffle(4.0 * (pictures - 0.5), 2)
        found = self.stem(wrapped(found, 1))
        skips = []
        for level, units in enumerate(self.encoder):
            if level:
                found = self.reduce[level - 1](found)
            found = units(found)
            skips.append(found)
        return skips

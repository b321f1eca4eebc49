"""The embedded maps network: a U-Net on the torus, from a picture to slopes, roughness and colour.

Every 3x3 convolution wraps around, every other one covers exactly the pixels that it replaces, and
enlarging repeats pixels; so the maps of a picture that tiles tile too. It starts and ends on blocks
of 2x2 pixels: most of its work is done at half the size and below, which makes it fast on a CPU.
What a window of a large picture cannot know, it is told: the means of its features over the whole
torus, its only global quantities. From them it guesses where the light comes from, for which it
has a loss of its own, and that guess scales features everywhere: brightness means "leans to the
left" or "to the right" depending on the light (shape from shading). Without either, a training run
takes hours to find out that shading says anything.
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
#: Width of the summary of the whole picture.
CONTEXT = 96
#: Slopes (2), roughness, metallic, change of the colour (3).
OUTPUTS = 7


class Maps(NamedTuple):
    """What the network says of pictures (B, 3, H, W).

    Attributes:
        slopes: (B, 2, H, W) dh/dx and dh/dy (y down), metres per metre.
        roughness: (B, 1, H, W) 0..1.
        metallic_logits: (B, 1, H, W); positive is metal.
        base_colour: (B, 3, H, W) about 0..1 (not clipped), sRGB-encoded, without light and shadow.
        light: (B, 2) which way the light comes from, right and up; its length is how much brighter
            a slope of 45 degrees towards it is.
    """

    slopes: torch.Tensor
    roughness: torch.Tensor
    metallic_logits: torch.Tensor
    base_colour: torch.Tensor
    light: torch.Tensor


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
    """Two 3x3 convolutions on the torus beside the identity; at first it is the identity.

    The normalisation is that of batches: at work it is one gain and offset per channel, which
    knows nothing of where a window lies.
    """

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.dilation = dilation
        self.first_norm = nn.BatchNorm2d(channels)
        self.first = nn.Conv2d(channels, channels, 3, dilation=dilation, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, dilation=dilation)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same."""
        change = F.leaky_relu(self.first_norm(x), LEAK)
        change = self.first(wrapped(change, 2 * self.dilation))
        return x + self.second(F.leaky_relu(self.second_norm(change), LEAK, inplace=True))


class Context(nn.Module):
    """What the whole picture says: the light, and a gain and an offset for features everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(sum(WIDTHS), CONTEXT)
        self.light = nn.Linear(CONTEXT, 2)
        self.second = nn.Linear(CONTEXT + 2, CONTEXT)
        self.gains = nn.ModuleList(nn.Linear(CONTEXT, 2 * width) for width in WIDTHS)

    def forward(
        self, means: torch.Tensor, light: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Return the light found, the light used (B, 2), and gains and offsets per level.

        Args:
            means: (B, C).
            light: (B, 2) where it is known, NaN where it is not; None: nowhere.
        """
        said = F.leaky_relu(self.first(means), LEAK)
        found = self.light(said)
        used = found if light is None else torch.where(light.isnan(), found, light)
        said = F.leaky_relu(self.second(torch.cat([said, used], 1)), LEAK)
        return found, used, [layer(said)[:, :, None, None] for layer in self.gains]


def scaled(x: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """Return features with each channel's gain and offset (Perez et al. 2018, FiLM)."""
    gain, offset = gains.chunk(2, 1)
    # Bounded: gains of all levels multiply, and a training run blew up within 200 steps.
    return x * (1.0 + 2.0 * torch.tanh(gain)) + offset


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
        self.context = Context()
        self.enlarge = nn.ModuleList(
            nn.Conv2d(WIDTHS[level + 1], WIDTHS[level], 1) for level in range(len(DECODER_UNITS))
        )
        self.decoder = nn.ModuleList(
            nn.Sequential(*(ResidualUnit(width) for _ in range(count)))
            for width, count in zip(WIDTHS, DECODER_UNITS, strict=False)
        )
        self.shading = nn.Conv2d(8, WIDTHS[0], 3)
        self.head = nn.Conv2d(WIDTHS[0], 4 * OUTPUTS, 3)

    def forward(
        self,
        pictures: torch.Tensor,
        means: torch.Tensor | None = None,
        light: torch.Tensor | None = None,
    ) -> Maps:
        """Return the maps of sRGB pictures (B, 3, H, W) in 0..1, sides multiples of `STRIDE_PX`.

        Args:
            pictures: on the torus, or a window of it with a margin to throw away.
            means: (B, C) means of `levels` over the whole picture; None takes them from these.
            light: (B, 2) `Maps.light` where a person knows it, NaN or None where not.
        """
        levels = self._encoded(pictures)
        if means is None:
            means = torch.cat([level.mean((2, 3)) for level in levels], 1)
        light_found, light, gains = self.context(means, light)
        found = scaled(levels[-1], gains[-1])
        for level in reversed(range(len(self.decoder))):
            found = F.interpolate(self.enlarge[level](found), scale_factor=2.0, mode="nearest")
            found = found + levels[level]
            if level == 0:
                found = found + self.shading(wrapped(_products(pictures, light), 1))
            found = self.decoder[level](scaled(found, gains[level]))
        out = F.pixel_shuffle(self.head(wrapped(found, 1)), 2)
        slopes, roughness, metallic, colour = out.split((2, 1, 1, 3), 1)
        colour = pictures + 0.25 * colour
        return Maps(slopes, torch.sigmoid(roughness), metallic, colour, light_found)

    def levels(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Return the features at 1/2, 1/4, 1/8 and 1/16 of the size, whose means are asked for."""
        return self._encoded(pictures)

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


def _products(pictures: torch.Tensor, light: torch.Tensor) -> torch.Tensor:
    """Return (B, 8, H / 2, W / 2), brightness times the light's two parts, in blocks of 2x2.

    To first order brightness is that of level ground plus light times slope (Pentland 1990), so
    where the colour is even, these are the slopes but for a factor.
    """
    grey = F.pixel_unshuffle(4.0 * (pictures.mean(1, keepdim=True) - 0.5), 2)
    return torch.cat([grey * light[:, :1, None, None], grey * light[:, 1:, None, None]], 1)

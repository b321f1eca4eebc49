"""The embedded maps network: a U-Net on the torus, from a picture to slopes, roughness and colour.

Every 3x3 convolution wraps around, every other one covers exactly the pixels that it replaces, and
enlarging repeats pixels; so the maps of a picture that tiles tile too. Most of its work is done at
half the size and below, which makes it fast on a CPU; two narrow layers at full size end it, since
half of the angle between a true normal and its neighbours' mean lies within two pixels.

Shape from shading needs the light: brightness means "leans to the left" or "to the right". Networks
of this size do not find its direction in a picture (their guess was no better than a constant), and
what does not know it learns next to nothing: 0.93 of the error of "flat" after an hour. So light
comes from above, as the lamps and the sun of most pictures do, unless a person says otherwise. The
network works in the light's frame: it is shown how brightness changes towards the light and across,
and says slopes towards the light and across, which are turned back at the end.

Light multiplies. So the network is shown logarithms, in which a slope looks the same on black
gravel and on white plaster, and says by what factor a colour changes where the light is taken off.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

#: Sides of a picture must be multiples of this.
STRIDE_PX = 16
#: Channels at 1/2, 1/4, 1/8 and 1/16 of the picture's size.
WIDTHS = (24, 48, 96, 192)
#: Channels at the picture's own size.
FINE = 16
#: Slope of the activation below 0. With 0 whole layers die in the first hundred steps, and the
#: network answers "flat" for ever.
LEAK = 0.1
#: Slopes towards the light and across, roughness, metallic, change of the colour (3).
OUTPUTS = 7
#: Logarithms of the colour (3), how that of the brightness changes towards the light and across.
INPUTS = 5
#: Added to code values 0..1 before the logarithm, so that grain in black does not look like relief.
DARKEST = 0.05
#: Towards the light, right and up, where nobody says otherwise.
FROM_ABOVE = (0.0, 1.0)


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


class Unit(nn.Module):
    """Two 3x3 convolutions on the torus, each normalised and bent.

    The normalisation is that of batches: at work it is one gain and offset per channel, which
    knows nothing of where a window lies.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        x = F.leaky_relu(self.first_norm(self.first(wrapped(x, 2))), LEAK, inplace=True)
        return F.leaky_relu(self.second_norm(self.second(x)), LEAK, inplace=True)


class MapsNetwork(nn.Module):
    """Pictures -> maps; see `Maps`."""

    def __init__(self) -> None:
        super().__init__()
        inner = (4 * INPUTS, *WIDTHS)
        self.encoder = nn.ModuleList(Unit(*pair) for pair in itertools.pairwise(inner))
        self.decoder = nn.ModuleList(
            Unit(low + high, low) for low, high in itertools.pairwise(WIDTHS)
        )
        self.refine = nn.Conv2d(WIDTHS[0], 4 * FINE, 1)
        self.fine = Unit(FINE + INPUTS, FINE)
        self.head = nn.Conv2d(FINE, OUTPUTS, 1)

    def forward(self, pictures: torch.Tensor, light: torch.Tensor | None = None) -> Maps:
        """Return the maps of sRGB pictures (B, 3, H, W) in 0..1, sides multiples of `STRIDE_PX`.

        Args:
            pictures: on the torus, or a window of it with a margin to throw away.
            light: (B, 2) unit vectors towards the light, right and up; None: `FROM_ABOVE`.
        """
        if light is None:
            light = pictures.new_tensor(FROM_ABOVE).expand(len(pictures), 2)
        right, up = light[:, :1, None, None], light[:, 1:, None, None]
        shown = _in_frame(pictures, right, up)
        found = F.pixel_unshuffle(shown, 2)
        skips = []
        for level, unit in enumerate(self.encoder):
            found = unit(F.max_pool2d(found, 2) if level else found)
            skips.append(found)
        for level in reversed(range(len(self.decoder))):
            found = F.interpolate(found, scale_factor=2.0, mode="nearest")
            found = self.decoder[level](torch.cat([found, skips[level]], 1))
        found = self.fine(torch.cat([F.pixel_shuffle(self.refine(found), 2), shown], 1))
        slopes, roughness, metallic, colour = self.head(found).split((2, 1, 1, 3), 1)
        towards, across = slopes.chunk(2, 1)
        # y of slopes points down, the light's up.
        slopes = torch.cat([across * up - towards * right, across * right + towards * up], 1)
        # No factor beyond 20: a raw network's first guess must not overflow.
        colour = pictures * torch.exp(3.0 * torch.tanh(0.25 * colour))
        return Maps(slopes, torch.sigmoid(roughness), metallic, colour)


def _in_frame(pictures: torch.Tensor, right: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """Return (B, `INPUTS`, H, W): what the U-Net is shown of pictures in the light's frame.

    Args:
        pictures: (B, 3, H, W).
        right: (B, 1, 1, 1) of the unit vector towards the light.
        up: likewise.
    """
    centred = torch.log(pictures.clamp(min=0.0) + DARKEST) + 1.0
    grey = wrapped(4.0 * centred.mean(1, keepdim=True), 1)
    along_x = grey[:, :, 1:-1, 2:] - grey[:, :, 1:-1, :-2]
    along_y = grey[:, :, :-2, 1:-1] - grey[:, :, 2:, 1:-1]
    towards = along_x * right + along_y * up
    across = along_y * right - along_x * up
    return torch.cat([centred, towards, across], 1)

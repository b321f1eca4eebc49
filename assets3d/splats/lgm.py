"""LGM: four posed pictures to Gaussians in one pass of a U-Net (Tang et al. 2024).

Names and shapes are those of its checkpoints. The head and the activations always run in float32:
half precision would round positions near the border of the cube to 5e-4.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from assets3d.splats.gaussians import WIDTH
from assets3d.splats.lgm_blocks import VIEWS, DownBlock, MiddleBlock, UpBlock
from assets3d.splats.lgm_config import LGMConfig, Positions

#: Names (beginnings) of the parameters that stay float32.
HEAD = ("unet.norm_out.", "unet.conv_out.", "conv.")

#: How far from a ray's point nearest to the origin a splat may lie, with positions on rays.
_REACH = 0.95


class LGM(nn.Module):
    """The U-Net, a 1x1 convolution, and activations."""

    def __init__(self, config: LGMConfig):
        super().__init__()
        self.config = config
        self.unet = SplatUNet(config)
        self.conv = nn.Conv2d(WIDTH, WIDTH, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Map pictures with rays to Gaussians.

        Args:
            pictures: (batch, 4, 9, S, S): ImageNet-normalised RGB on white, moment and direction of
                each pixel's ray (`lgm_inference.network_input`). View 0 is the front.

        Returns:
            (batch, N, 14) float32 after activation, ordered by view, row, column.
        """
        batch, views = pictures.shape[:2]
        if views != VIEWS:
            raise ValueError(f"LGM: found {views} views, wanted {VIEWS}")
        flat = pictures.flatten(0, 1)
        features = self.unet(flat.to(self.unet.conv_in.weight.dtype))
        with torch.autocast(features.device.type, enabled=False):
            raw = _in_float32(self.conv, self.unet.head(features.float()))
            rays = F.adaptive_avg_pool2d(flat[:, 3:].float(), (raw.shape[-2], raw.shape[-1]))
            splats = activate(raw, rays, self.config.positions)
        return splats.flatten(2).transpose(1, 2).reshape(batch, -1, WIDTH)


class SplatUNet(nn.Module):
    """U-Net from 9 to 14 channels whose attention joins the four views."""

    def __init__(self, config: LGMConfig):
        super().__init__()
        first = config.down_channels[0]
        self.conv_in = nn.Conv2d(9, first, 3, padding=1)
        channels, skips = first, [first]
        self.down_blocks = nn.ModuleList()
        last = len(config.down_channels) - 1
        for level, wanted in enumerate(config.down_channels):
            attends = config.down_attention[level]
            self.down_blocks.append(
                DownBlock(channels, wanted, attends, config.heads, level < last)
            )
            skips += [wanted] * (2 + (level < last))
            channels = wanted
        self.mid_block = MiddleBlock(channels, config.heads)
        self.up_blocks = nn.ModuleList()
        last = len(config.up_channels) - 1
        for level, wanted in enumerate(config.up_channels):
            widths = [skips.pop() for _ in range(3)]
            attends = config.up_attention[level]
            self.up_blocks.append(
                UpBlock(channels, widths, wanted, attends, config.heads, level < last)
            )
            channels = wanted
        self.norm_out = nn.GroupNorm(32, channels)
        self.conv_out = nn.Conv2d(channels, WIDTH, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(samples * 4, 9, S, S) -> features (samples * 4, last width, splat size, splat size)."""
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            x = block(x, skips)
        x = self.mid_block(x)
        for block in self.up_blocks:
            x = block(x, skips)
        return x

    def head(self, features: torch.Tensor) -> torch.Tensor:
        """Features -> (samples * 4, 14, splat size, splat size), in float32."""
        return _in_float32(self.conv_out, F.silu(_in_float32(self.norm_out, features)))


def _in_float32(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Run a layer in float32 even where somebody made all of the network half precision."""
    weights = {name: weight.float() for name, weight in layer.named_parameters()}
    return torch.func.functional_call(layer, weights, (x,))


def activate(raw: torch.Tensor, rays: torch.Tensor, positions: Positions) -> torch.Tensor:
    """Turn the network's (batch, 14, h, w) into Gaussians' values of the same shape.

    Args:
        raw: position 3, opacity 1, scale 3, rotation 4 (w, x, y, z), colour 3.
        rays: (batch, 6, h, w) moment and direction at the same pixels; read for positions on rays.
        positions: see `LGMConfig`.
    """
    place, opacity, scale, rotation, colour = raw.split([3, 1, 3, 4, 3], dim=1)
    if positions == "world":
        place = place.clamp(-1.0, 1.0)
    else:
        moment, direction = rays.split(3, dim=1)
        direction = F.normalize(direction, dim=1)
        nearest = torch.linalg.cross(direction, moment, dim=1)
        place = nearest + _REACH * torch.tanh(place[:, :1]) * direction
    parts = [
        place,
        torch.sigmoid(opacity),
        0.1 * F.softplus(scale),
        F.normalize(rotation, dim=1),
        0.5 * torch.tanh(colour) + 0.5,
    ]
    return torch.cat(parts, dim=1)


def fresh_lgm(config: LGMConfig, seed: int) -> LGM:
    """Return an untrained network whose Gaussians start small, faint and unrotated.

    From the plain start every splat spans a fifth of the object and the pictures are one fog, which
    costs the first thousand steps.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = LGM(config)
    scale = 1.0 / config.splat_size  # about half the distance between neighbours, 1.37 / size
    bias = network.conv.bias
    assert bias is not None  # torch's types allow for convolutions without one
    with torch.no_grad():
        network.conv.weight.mul_(0.5)
        bias.zero_()
        bias[3] = -1.0
        bias[4:7] = torch.log(torch.expm1(torch.tensor(scale / 0.1)))
        bias[7] = 1.0
    return network

"""LGM: four posed pictures to Gaussians in one pass of a U-Net (Tang et al. 2024).

Names and shapes are those of its checkpoints. The head and the activations always run in float32:
half precision would round positions near the border of the cube to 5e-4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import nn

from assets3d.errors import InputError
from assets3d.splats.gaussians import WIDTH

#: The network's number of views; attention joins the tokens of all of them.
VIEWS = 4
#: Names (beginnings) of the parameters that stay float32.
HEAD = ("unet.norm_out.", "unet.conv_out.", "conv.")

_ROOT_HALF = 0.5**0.5
#: How far from a ray's point nearest to the origin a splat may lie, with positions on rays.
_REACH = 0.95

Variant = Literal["tiny", "small", "big", "embedded"]
Positions = Literal["world", "ray"]


@dataclass(frozen=True)
class LGMConfig:
    """Shape of the network.

    Attributes:
        down_channels: width of each level on the way down; all but the last halve the size.
        down_attention: which of them attend.
        up_channels: width of each level on the way up; all but the last double the size.
        up_attention: which of them attend.
        size_px: side of the input pictures.
        heads: of attention.
        positions: "world" as published, or "ray": the first channel is the place along the pixel's
            ray and the next two are unused. Small networks learn that in a fraction of the steps.
    """

    down_channels: tuple[int, ...]
    down_attention: tuple[bool, ...]
    up_channels: tuple[int, ...]
    up_attention: tuple[bool, ...]
    size_px: int = 256
    heads: int = 16
    positions: Positions = "world"

    def __post_init__(self) -> None:
        if self.positions not in get_args(Positions):
            raise InputError(f"lgm config: positions is {self.positions!r}, wanted world or ray")
        for channels in (*self.down_channels, *self.up_channels):
            if channels % 32 or channels % self.heads:
                raise InputError(
                    f"lgm config: {channels} channels, wanted a multiple of 32 and of {self.heads}"
                )

    @property
    def splat_size(self) -> int:
        """Side of the grid of Gaussians that each view gives."""
        halvings = len(self.down_channels) - len(self.up_channels)
        return self.size_px // 2**halvings

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values (tuples become lists)."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LGMConfig:
        """Read what `to_json` wrote.

        Raises:
            InputError: an unknown or missing key, or a value out of its range.
        """
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InputError(f"lgm config: unknown key {unknown[0]}")
        try:
            return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
        except TypeError as error:
            raise InputError(f"lgm config: {error}") from None


def lgm_config(variant: Variant) -> LGMConfig:
    """Return the shape of a published variant, or of the embedded one.

    The embedded one has 4 M parameters and makes 4x64x64 splats of four pictures of 128 px.
    """
    if variant == "tiny":
        return LGMConfig(
            (32, 64, 128, 256, 512),
            (False, False, False, False, True),
            (512, 256, 128),
            (True, False, False),
        )
    if variant == "embedded":
        return LGMConfig(
            (32, 32, 64, 96, 96),
            (False, False, False, True, True),
            (96, 96, 64, 32),
            (True, True, False, False),
            size_px=128,
            heads=4,
            positions="ray",
        )
    if variant not in ("small", "big"):
        raise InputError(f"lgm variant: found {variant!r}, wanted tiny, small, big or embedded")
    up: tuple[int, ...] = (1024, 1024, 512, 256)
    up_attention: tuple[bool, ...] = (True, True, True, False)
    if variant == "big":
        up, up_attention = (*up, 128), (*up_attention, False)
    return LGMConfig(
        (64, 128, 256, 512, 1024, 1024), (False, False, False, True, True, True), up, up_attention
    )


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
            raw = self.conv(self.unet.head(features.float()))
            rays = F.adaptive_avg_pool2d(flat[:, 3:].float(), raw.shape[-2:])
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
            block = DownBlock(channels, wanted, attends, config.heads, level < last)
            self.down_blocks.append(block)
            skips += [wanted] * (2 + (level < last))
            channels = wanted
        self.mid_block = MiddleBlock(channels, config.heads)
        self.up_blocks = nn.ModuleList()
        last = len(config.up_channels) - 1
        for level, wanted in enumerate(config.up_channels):
            widths = [skips.pop() for _ in range(3)]
            attends = config.up_attention[level]
            block = UpBlock(channels, widths, wanted, attends, config.heads, level < last)
            self.up_blocks.append(block)
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
        return self.conv_out(F.silu(self.norm_out(features)))


class ResidualNet(nn.Module):
    """Two normalised 3x3 convolutions; the sum is scaled to keep its variance."""

    def __init__(self, channels: int, wanted: int):
        super().__init__()
        self.norm1, self.conv1 = (
            nn.GroupNorm(32, channels),
            nn.Conv2d(channels, wanted, 3, padding=1),
        )
        self.norm2, self.conv2 = nn.GroupNorm(32, wanted), nn.Conv2d(wanted, wanted, 3, padding=1)
        self.shortcut = nn.Identity() if channels == wanted else nn.Conv2d(channels, wanted, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, h, w) -> (batch, wanted, h, w)."""
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(F.silu(self.norm2(hidden)))
        return (hidden + self.shortcut(x)) * _ROOT_HALF


class JointAttention(nn.Module):
    """Self-attention over a sequence, queries, keys and values from one matrix."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.proj = nn.Linear(channels, channels)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(samples, length, channels) -> the same."""
        parts = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        result = F.scaled_dot_product_attention(*parts.unbind(0))
        return self.proj(result.transpose(1, 2).flatten(2))


class ViewAttention(nn.Module):
    """Attention over all pixels of all four views of a sample."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.norm = nn.GroupNorm(32, channels)
        self.attn = JointAttention(channels, heads)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(samples * 4, channels, h, w) -> the same."""
        together = self.norm(x).unflatten(0, (-1, VIEWS)).permute(0, 1, 3, 4, 2)
        tokens = self.attn(together.flatten(1, 3))
        back = tokens.view(together.shape).permute(0, 1, 4, 2, 3).flatten(0, 1)
        return (back + x) * _ROOT_HALF


class DownBlock(nn.Module):
    """Two residual nets, each followed by attention if wanted, then a strided convolution."""

    def __init__(self, channels: int, wanted: int, attends: bool, heads: int, halve: bool):
        super().__init__()
        self.nets = nn.ModuleList([ResidualNet(channels, wanted), ResidualNet(wanted, wanted)])
        self.attns = _attentions(2, wanted, attends, heads)
        self.downsample = nn.Conv2d(wanted, wanted, 3, stride=2, padding=1) if halve else None

    def forward(self, x: torch.Tensor, skips: list[torch.Tensor]) -> torch.Tensor:
        """Return the result; what it pushes on `skips` is for the way up."""
        for net, attention in zip(self.nets, self.attns, strict=True):
            x = attention(net(x))
            skips.append(x)
        if self.downsample is not None:
            x = self.downsample(x)
            skips.append(x)
        return x


class MiddleBlock(nn.Module):
    """Residual net, attention, residual net."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.nets = nn.ModuleList([ResidualNet(channels, channels) for _ in range(2)])
        self.attns = nn.ModuleList([ViewAttention(channels, heads)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, h, w) -> the same."""
        return self.nets[1](self.attns[0](self.nets[0](x)))


class UpBlock(nn.Module):
    """Three residual nets that each take a skip, then doubling by repetition and a convolution."""

    def __init__(
        self,
        channels: int,
        skip_channels: list[int],
        wanted: int,
        attends: bool,
        heads: int,
        double: bool,
    ):
        super().__init__()
        widths = [channels, wanted, wanted]
        self.nets = nn.ModuleList(
            ResidualNet(width + skip, wanted)
            for width, skip in zip(widths, skip_channels, strict=True)
        )
        self.attns = _attentions(3, wanted, attends, heads)
        self.upsample = nn.Conv2d(wanted, wanted, 3, padding=1) if double else None

    def forward(self, x: torch.Tensor, skips: list[torch.Tensor]) -> torch.Tensor:
        """Return the result; three entries of `skips` are taken off."""
        for net, attention in zip(self.nets, self.attns, strict=True):
            x = attention(net(torch.cat([x, skips.pop()], dim=1)))
        if self.upsample is not None:
            x = self.upsample(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return x


def _attentions(count: int, channels: int, attends: bool, heads: int) -> nn.ModuleList:
    return nn.ModuleList(
        ViewAttention(channels, heads) if attends else nn.Identity() for _ in range(count)
    )


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
    with torch.no_grad():
        network.conv.weight.mul_(0.5)
        network.conv.bias.zero_()
        network.conv.bias[3] = -1.0
        network.conv.bias[4:7] = torch.log(torch.expm1(torch.tensor(scale / 0.1)))
        network.conv.bias[7] = 1.0
    return network

"""The parts of LGM's U-Net, with the names of its checkpoints (Tang et al. 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

#: The network's number of views; attention joins the tokens of all of them.
VIEWS = 4

_ROOT_HALF = 0.5**0.5


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

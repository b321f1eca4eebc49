"""Attention of the multi-view U-Net: self-attention over all frames of a sample, then the context.

Module and parameter names follow the MVDream and ImageDream checkpoints (Shi et al. 2023; Wang and
Shi 2023). Everything runs through `scaled_dot_product_attention`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def split_heads(tokens: torch.Tensor, head_channels: int) -> torch.Tensor:
    """(batch, length, channels) -> (batch, heads, length, head_channels)."""
    batch, length, channels = tokens.shape
    return tokens.view(batch, length, channels // head_channels, head_channels).transpose(1, 2)


def join_heads(heads: torch.Tensor) -> torch.Tensor:
    """(batch, heads, length, head_channels) -> (batch, length, channels)."""
    return heads.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Multi-head attention of `channels` queries to `context_dim` keys and values.

    With `image_tokens` > 0 the last that many context tokens are image tokens: they have keys and
    values of their own, and their result is added to that of the text tokens (ImageDream).
    """

    def __init__(self, channels: int, context_dim: int, head_channels: int, image_tokens: int = 0):
        super().__init__()
        self.head_channels, self.image_tokens = head_channels, image_tokens
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context_dim, channels, bias=False)
        self.to_v = nn.Linear(context_dim, channels, bias=False)
        if image_tokens:
            self.to_k_ip = nn.Linear(context_dim, channels, bias=False)
            self.to_v_ip = nn.Linear(context_dim, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """Attend from x (batch, length, channels) to context (batch, tokens, context_dim) or x."""
        context = x if context is None else context
        query = split_heads(self.to_q(x), self.head_channels)
        if self.image_tokens:
            words, image = context[:, : -self.image_tokens], context[:, -self.image_tokens :]
            result = self._attend(query, self.to_k(words), self.to_v(words))
            result = result + self._attend(query, self.to_k_ip(image), self.to_v_ip(image))
        else:
            result = self._attend(query, self.to_k(context), self.to_v(context))
        return self.to_out[0](result)

    def _attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        key, value = split_heads(key, self.head_channels), split_heads(value, self.head_channels)
        return join_heads(F.scaled_dot_product_attention(query, key, value))


class GatedLinear(nn.Module):
    """Linear layer whose second half of outputs gates the first through GELU (Shazeer 2020)."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.proj = nn.Linear(channels, 2 * width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., channels) -> (..., width)."""
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """Gated two-layer perceptron, `expansion` times as wide inside."""

    def __init__(self, channels: int, expansion: int):
        super().__init__()
        width = expansion * channels
        # The identity in the middle keeps the checkpoint's indices net.0 and net.2.
        self.net = nn.Sequential(
            GatedLinear(channels, width), nn.Identity(), nn.Linear(width, channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., channels) -> (..., channels)."""
        return self.net(x)


class MultiViewBlock(nn.Module):
    """Attention over all frames, attention to the context (frame by frame), feed-forward.

    Pre-normalised residuals, in this order. With `context_dim` 0 the middle part is left out.
    """

    def __init__(
        self,
        channels: int,
        context_dim: int,
        head_channels: int,
        image_tokens: int,
        expansion: int,
    ):
        super().__init__()
        self.attn1 = Attention(channels, channels, head_channels)
        self.ff = FeedForward(channels, expansion)
        self.norm1, self.norm3 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attn2: Attention | None = None
        if context_dim:
            self.attn2 = Attention(channels, context_dim, head_channels, image_tokens)
            self.norm2 = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor, context: torch.Tensor | None, frames: int) -> torch.Tensor:
        """Map x (samples * frames, length, channels), frame fastest, to the same shape."""
        batch, length, channels = x.shape
        together = self.norm1(x).view(batch // frames, frames * length, channels)
        x = x + self.attn1(together).view(batch, length, channels)
        if self.attn2 is not None:
            x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class MultiViewTransformer(nn.Module):
    """Transformer on feature maps: tokens are pixels; the blocks see all frames of a sample."""

    def __init__(
        self,
        channels: int,
        depth: int,
        context_dim: int,
        head_channels: int,
        image_tokens: int,
        expansion: int,
    ):
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.transformer_blocks = nn.ModuleList(
            MultiViewBlock(channels, context_dim, head_channels, image_tokens, expansion)
            for _ in range(depth)
        )
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor, context: torch.Tensor | None, frames: int) -> torch.Tensor:
        """Map x (samples * frames, channels, height, width) to the same shape."""
        height, width = x.shape[2:]
        tokens = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))
        for block in self.transformer_blocks:
            tokens = block(tokens, context, frames)
        tokens = self.proj_out(tokens)
        return x + tokens.transpose(1, 2).unflatten(2, (height, width))

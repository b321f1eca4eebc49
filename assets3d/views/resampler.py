"""Perceiver resampler of ImageDream: 257 CLIP image tokens become a few context tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from assets3d.views.attention import join_heads, split_heads

_HEADS, _HEAD_CHANNELS, _LAYERS = 12, 64, 4


class LatentAttention(nn.Module):
    """Latent tokens attend to image tokens and to themselves."""

    def __init__(self, channels: int):
        super().__init__()
        inner = _HEADS * _HEAD_CHANNELS
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.to_q = nn.Linear(channels, inner, bias=False)
        self.to_kv = nn.Linear(channels, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, channels, bias=False)

    def forward(self, image: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Attend from latents (batch, count, channels) to image (batch, tokens, channels) too."""
        image, latents = self.norm1(image), self.norm2(latents)
        key, value = self.to_kv(torch.cat([image, latents], dim=1)).chunk(2, dim=-1)
        query = split_heads(self.to_q(latents), _HEAD_CHANNELS)
        key, value = split_heads(key, _HEAD_CHANNELS), split_heads(value, _HEAD_CHANNELS)
        # The root of the usual scale on each side keeps half precision from overflowing.
        root = _HEAD_CHANNELS**-0.25
        result = F.scaled_dot_product_attention(query * root, key * root, value, scale=1.0)
        return self.to_out(join_heads(result))


class ResamplerLayer(nn.ModuleList):
    """Attention to the image, then feed forward; a list, for the names of the checkpoints."""

    def __init__(self, channels: int):
        super().__init__([LatentAttention(channels), _feed_forward(channels)])

    def forward(self, image: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Return the latents (batch, count, channels) with both added."""
        attention, feed_forward = self
        latents = latents + attention(image, latents)
        return latents + feed_forward(latents)


class Resampler(nn.Module):
    """Image tokens (batch, tokens, embedding_dim) -> context tokens (batch, count, channels)."""

    def __init__(self, channels: int, count: int, embedding_dim: int):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(1, count, channels) / channels**0.5)
        self.proj_in = nn.Linear(embedding_dim, channels)
        self.proj_out = nn.Linear(channels, channels)
        self.norm_out = nn.LayerNorm(channels)
        self.layers = nn.ModuleList(ResamplerLayer(channels) for _ in range(_LAYERS))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(batch, tokens, embedding_dim) -> (batch, count, channels)."""
        latents = self.latents.expand(len(image), -1, -1)
        image = self.proj_in(image)
        for layer in self.layers:
            latents = layer(image, latents)
        return self.norm_out(self.proj_out(latents))


def _feed_forward(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(channels),
        nn.Linear(channels, 4 * channels, bias=False),
        nn.GELU(),
        nn.Linear(4 * channels, channels, bias=False),
    )

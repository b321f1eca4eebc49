"""The multi-view U-Net of MVDream and ImageDream, with the names of their checkpoints.

Latents of all frames of a sample are denoised together; camera vectors tell the frames apart
(Shi et al. 2023, "MVDream"; Wang and Shi 2023, "ImageDream").
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from assets3d.views.attention import MultiViewTransformer
from assets3d.views.resampler import Resampler
from assets3d.views.unet_config import MultiViewUNetConfig


class MultiViewUNet(nn.Module):
    """U-Net over (samples * frames, channels, height, width) latents, frame fastest.

    A fresh network predicts zero: the last layer of each residual path starts at zero.
    """

    def __init__(self, config: MultiViewUNetConfig):
        super().__init__()
        self.config = config
        width = config.model_channels
        self.time_embed = _two_layers(width, 4 * width)
        self.camera_embed = _two_layers(config.camera_dim, 4 * width)
        if config.ip_dim:
            self.image_embed = Resampler(config.context_dim, config.ip_dim, config.ip_embedding_dim)
        self.input_blocks, skips, channels, factor = self._down()
        self.middle_block = Block(
            [
                ResidualBlock(channels, channels, 4 * width),
                self._transformer(channels),
                ResidualBlock(channels, channels, 4 * width),
            ]
        )
        self.output_blocks = self._up(skips, channels, factor)
        last = config.channel_mult[0] * width
        self.out = nn.Sequential(
            nn.GroupNorm(32, last), nn.SiLU(), nn.Conv2d(last, config.out_channels, 3, padding=1)
        )
        _start_at_zero(self)

    def _transformer(self, channels: int) -> MultiViewTransformer:
        c = self.config
        return MultiViewTransformer(
            channels,
            c.transformer_depth,
            c.context_dim,
            c.num_head_channels,
            c.ip_dim,
            c.feed_forward_mult,
        )

    def _down(self) -> tuple[nn.ModuleList, list[int], int, int]:
        """Build the input blocks; return them, the skips' widths, the last width and factor."""
        c = self.config
        channels, factor = c.model_channels, 1
        first = nn.Conv2d(c.in_channels, channels, 3, padding=1)
        blocks, skips = nn.ModuleList([Block([first])]), [channels]
        for level, mult in enumerate(c.channel_mult):
            for _ in range(c.num_res_blocks):
                wanted = mult * c.model_channels
                parts: list[nn.Module] = [ResidualBlock(channels, wanted, 4 * c.model_channels)]
                channels = wanted
                if factor in c.attention_resolutions:
                    parts.append(self._transformer(channels))
                blocks.append(Block(parts))
                skips.append(channels)
            if level + 1 < len(c.channel_mult):
                blocks.append(Block([Downsample(channels)]))
                skips.append(channels)
                factor *= 2
        return blocks, skips, channels, factor

    def _up(self, skips: list[int], channels: int, factor: int) -> nn.ModuleList:
        c, skips = self.config, list(skips)
        blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(c.channel_mult))):
            for index in range(c.num_res_blocks + 1):
                wanted = mult * c.model_channels
                parts: list[nn.Module] = [
                    ResidualBlock(channels + skips.pop(), wanted, 4 * c.model_channels)
                ]
                channels = wanted
                if factor in c.attention_resolutions:
                    parts.append(self._transformer(channels))
                if level and index == c.num_res_blocks:
                    parts.append(Upsample(channels))
                    factor //= 2
                blocks.append(Block(parts))
        return blocks

    def forward(
        self,
        x: torch.Tensor,
        timesteps: torch.Tensor,
        camera: torch.Tensor,
        context: torch.Tensor | None = None,
        image_features: torch.Tensor | None = None,
        image_latent: torch.Tensor | None = None,
        frames: int | None = None,
    ) -> torch.Tensor:
        """Predict noise (or v) for every frame.

        Args:
            x: (samples * frames, in_channels, height, width), frame fastest.
            timesteps: (samples * frames,) or one number, 0..999.
            camera: (samples * frames, camera_dim), see `assets3d.views.cameras`.
            context: (samples * frames, tokens, context_dim) text; None only if `context_dim` is 0.
            image_features: (samples * frames, 257, ip_embedding_dim) CLIP tokens, with `ip_dim`.
            image_latent: (samples, in_channels, height, width) that takes the last frame's place.
            frames: frames per sample; the configuration's if None.

        Returns:
            (samples * frames, out_channels, height, width).
        """
        frames = self.config.frames if frames is None else frames
        if len(x) % frames or len(camera) != len(x):
            raise ValueError(f"{len(x)} latents, {len(camera)} cameras, {frames} frames a sample")
        timesteps = torch.as_tensor(timesteps, device=x.device).reshape(-1).expand(len(x))
        embedding = self.time_embed(sinusoid(timesteps, self.config.model_channels).to(x.dtype))
        embedding = F.silu(embedding + self.camera_embed(camera.to(x.dtype)))
        if self.config.ip_dim:
            if context is None:
                raise ValueError("MultiViewUNet: no context, wanted text tokens beside the image's")
            context = torch.cat([context, self.image_embed(image_features)], dim=1)
        if image_latent is not None:
            x = x.clone()
            x[frames - 1 :: frames] = image_latent
        skips = []
        for block in self.input_blocks:
            x = block(x, embedding, context, frames)
            skips.append(x)
        x = self.middle_block(x, embedding, context, frames)
        for block in self.output_blocks:
            x = block(torch.cat([x, skips.pop()], dim=1), embedding, context, frames)
        return self.out(x)


class Block(nn.ModuleList):
    """What runs between two skips, in turn; a list, for the names of the checkpoints."""

    def forward(
        self,
        x: torch.Tensor,
        embedding: torch.Tensor,
        context: torch.Tensor | None,
        frames: int,
    ) -> torch.Tensor:
        """Map x (samples * frames, channels, height, width); see `MultiViewUNet.forward`."""
        for part in self:
            if isinstance(part, ResidualBlock):
                x = part(x, embedding)
            elif isinstance(part, MultiViewTransformer):
                x = part(x, context, frames)
            else:
                x = part(x)
        return x


class ResidualBlock(nn.Module):
    """Two normalised convolutions with the embedding added between them."""

    def __init__(self, channels: int, wanted: int, embedding_dim: int):
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(32, channels), nn.SiLU(), nn.Conv2d(channels, wanted, 3, padding=1)
        )
        # The identities keep the checkpoint's indices; the U-Net applies SiLU once for all blocks.
        self.emb_layers = nn.Sequential(nn.Identity(), nn.Linear(embedding_dim, wanted))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(32, wanted),
            nn.SiLU(),
            nn.Identity(),
            nn.Conv2d(wanted, wanted, 3, padding=1),
        )
        self.skip_connection = (
            nn.Identity() if channels == wanted else nn.Conv2d(channels, wanted, 1)
        )

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """Map x (batch, channels, height, width); embedding (batch, embedding_dim) after SiLU."""
        hidden = self.in_layers(x) + self.emb_layers(embedding)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(hidden)


class Downsample(nn.Module):
    """Halve height and width with a strided convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) -> half of both."""
        return self.op(x)


class Upsample(nn.Module):
    """Double height and width by repetition, then a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) -> twice both."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def sinusoid(timesteps: torch.Tensor, width: int) -> torch.Tensor:
    """Embed timesteps (batch,) as (batch, width) float32: cosines, then sines, period 10000."""
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angles = timesteps.float()[:, None] * torch.exp(-math.log(10000.0) / half * steps)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def _two_layers(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, width), nn.SiLU(), nn.Linear(width, width))


def _start_at_zero(network: MultiViewUNet) -> None:
    last: list[nn.Module] = [network.out[2]]
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            last.append(module.out_layers[3])
        elif isinstance(module, MultiViewTransformer):
            last.append(module.proj_out)
    for layer in last:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)

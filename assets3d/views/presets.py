"""The embedded views network: its shape, and a fresh one from a seed."""

from __future__ import annotations

import torch

from assets3d.views.unet import MultiViewUNet
from assets3d.views.unet_config import MultiViewUNetConfig


def embedded_config() -> MultiViewUNetConfig:
    """Return the shape of the embedded network, for four frames of 16x16x4 latents (128 px).

    Input is the noisy latent and, after it in the channels, the clean latent of the input picture,
    the same for every frame. There is no text. Full-size attention is left out: at the first
    halving a token covers 16 px, and a training step takes half the time. 3.6 M parameters.
    """
    return MultiViewUNetConfig(
        in_channels=8,
        model_channels=32,
        channel_mult=(2, 3, 3),
        num_res_blocks=1,
        attention_resolutions=(2, 4),
        num_head_channels=32,
        context_dim=0,
    )


def random_embedded_unet(seed: int) -> MultiViewUNet:
    """Return a fresh embedded network whose weights depend on `seed` only."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return MultiViewUNet(embedded_config())

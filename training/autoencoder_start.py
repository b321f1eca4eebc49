"""A good first autoencoder: one that already keeps the average colour of every 8x8 block.

Left to itself a small AutoencoderKL learns brightness within minutes and colours only much later,
because every normalisation layer hides them. Here the residual stream carries the three colours
(and a constant, so that normalising does not change their scale) from picture to latent and back by
averaging and smooth enlarging; training then only adds what is missing. Each value travels as a
pair (+v, -v): silu(v) - silu(-v) = v, so that the last activation passes it on unchanged.
"""

from __future__ import annotations

import torch
from torch import nn

#: The carried channels of every layer: (colour or None for the constant, sign).
_CARRIED = [
    (colour, sign)
    for rgb in range(3)
    for colour, sign in ((rgb, 1.0), (rgb, -1.0), (None, 1.0), (None, -1.0))
]
_CONSTANT = 2.0
#: What the groups' normalisation divides colours by: the constant, with average colours added.
_SPREAD = 1.35
NORM_GROUPS = 4


def start_from_block_averages(autoencoder: nn.Module) -> None:
    """Change an untrained AutoencoderKL of RGB pictures in place; widths of at least 16.

    Args:
        autoencoder: with `NORM_GROUPS` groups, at least 3 latent channels, no mid-block attention.
    """
    with torch.no_grad():
        for module in autoencoder.modules():
            if hasattr(module, "conv_shortcut"):
                module.conv2.weight.mul_(0.1)
                module.conv2.bias.zero_()
                if module.conv_shortcut is not None:
                    _carry(module.conv_shortcut, torch.ones(1, 1))
            if type(module).__name__ == "Downsample2D":
                box = torch.zeros(3, 3)
                box[:2, :2] = 0.25  # diffusers pads these at the right and the bottom
                _carry(module.conv, box)
            if type(module).__name__ == "Upsample2D":
                line = torch.tensor([0.25, 0.5, 0.25])
                _carry(module.conv, line[:, None] * line)
        _enter(autoencoder.encoder.conv_in)
        _enter(autoencoder.decoder.conv_in)
        _leave(autoencoder.encoder.conv_out)
        _leave(autoencoder.decoder.conv_out)
        latent = autoencoder.post_quant_conv.weight.shape[0]
        autoencoder.post_quant_conv.weight.copy_(torch.eye(latent)[:, :, None, None])
        autoencoder.post_quant_conv.bias.zero_()
        autoencoder.quant_conv.weight.zero_()
        autoencoder.quant_conv.weight[:latent, :latent, 0, 0] = torch.eye(latent)
        autoencoder.quant_conv.bias[:latent] = 0.0


def _carry(conv: nn.Conv2d, kernel: torch.Tensor) -> None:
    """Pass the carried channels through a convolution, each by itself."""
    count = len(_CARRIED)
    conv.weight[:count] = 0.0
    conv.bias[:count] = 0.0
    for channel in range(count):
        conv.weight[channel, channel] = kernel


def _enter(conv: nn.Conv2d) -> None:
    """Turn colours (the first three inputs) and the constant into carried channels."""
    conv.weight[: len(_CARRIED)] = 0.0
    conv.bias[: len(_CARRIED)] = 0.0
    for channel, (colour, sign) in enumerate(_CARRIED):
        if colour is None:
            conv.bias[channel] = sign * _CONSTANT
        else:
            conv.weight[channel, colour, 1, 1] = sign


def _leave(conv: nn.Conv2d) -> None:
    """Turn the carried pairs back into three outputs."""
    conv.weight[:3] = 0.0
    conv.bias[:3] = 0.0
    for channel, (colour, sign) in enumerate(_CARRIED):
        if colour is not None:
            conv.weight[colour, channel, 1, 1] = sign * _SPREAD

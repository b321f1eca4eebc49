"""The first autoencoder already keeps the average colour of every block."""

from __future__ import annotations

import pytest
import torch

from training.autoencoder import new_autoencoder
from training.run import fresh


@pytest.mark.parametrize("colour", [(-1.0, -1.0, -1.0), (0.8, -0.6, 0.1), (1.0, 1.0, 1.0)])
@torch.inference_mode()
def test_plain_colours_survive_before_any_training(colour):
    autoencoder = fresh(lambda: new_autoencoder("cpu")).eval()
    picture = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    latent = autoencoder.encode(picture).latent_dist.mode()
    found = autoencoder.decode(latent).sample.clamp(-1, 1)
    inside = found[..., 16:-16, 16:-16]  # the convolutions' zero padding shows at the rim
    assert latent.shape == (1, 4, 8, 8)
    assert (inside - picture[..., 16:-16, 16:-16]).abs().mean() < 0.25


@torch.inference_mode()
def test_a_bright_block_stays_where_it_is():
    autoencoder = fresh(lambda: new_autoencoder("cpu")).eval()
    picture = -torch.ones(1, 3, 64, 64)
    picture[:, 0, 24:40, 24:40] = 1.0
    found = autoencoder.decode(autoencoder.encode(picture).latent_dist.mode()).sample
    red = found[0, 0] - found[0, 2]
    assert red[26:38, 26:38].mean() > 4 * red[:12].abs().mean()

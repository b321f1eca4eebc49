"""Train the image autoencoder: RGB pictures of 128 px to latents of 4 x 16 x 16 and back.

    python -m training.autoencoder --total-minutes 12 --export assets3d/weights/image/vae

Most of the time goes to 64 px crops (four times as many per second), the last third to whole
pictures, so that the normalisation layers see the statistics that they will meet.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from training.autoencoder_start import NORM_GROUPS, start_from_block_averages
from training.card import write_card
from training.checkpoint import Progress
from training.data import PropPictures, load_props
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from

WIDTHS = {"cpu": (16, 32, 96, 128), "gpu": (32, 64, 128, 128)}
LATENT_CHANNELS = 4
KL_WEIGHT = 1e-4
WHOLE_PICTURES_FROM = 0.67


def new_autoencoder(preset: str, size_px: int = 128) -> nn.Module:
    """Return an untrained AutoencoderKL of factor 8."""
    from diffusers import AutoencoderKL

    widths = WIDTHS[preset]
    autoencoder = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=NORM_GROUPS,
        sample_size=size_px,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )
    # Begin with little noise in the latent, or colours are learned only once the noise has shrunk.
    nn.init.constant_(autoencoder.quant_conv.bias[LATENT_CHANNELS:].data, -5.0)
    start_from_block_averages(autoencoder)
    return autoencoder


def on_colour(rgba: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """Composite uint8 (B, H, W, 4) on colours (B, 3) in 0..1; return (B, 3, H, W) in -1..1."""
    rgba = rgba.permute(0, 3, 1, 2).float() / 255.0
    alpha = rgba[:, 3:]
    return (rgba[:, :3] * alpha + colour[:, :, None, None] * (1.0 - alpha)) * 2.0 - 1.0


def on_white(rgba: torch.Tensor) -> torch.Tensor:
    """Composite uint8 (B, H, W, 4) on white; return (B, 3, H, W) in -1..1."""
    return on_colour(rgba, torch.ones(len(rgba), 3, device=rgba.device))


def pyramid_loss(found: torch.Tensor, wanted: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted L1 of colours and of their gradients at three scales: a cheap stand-in for LPIPS.

    Args:
        found: (B, 3, H, W).
        wanted: (B, 3, H, W).
        weight: (B, 1, H, W).
    """
    difference = found - wanted
    total = (weight * difference.abs()).mean() + (weight * difference.square()).mean()
    for level in range(3):
        if level:
            difference, weight = F.avg_pool2d(difference, 2), F.avg_pool2d(weight, 2)
        rows = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weight[..., 1:, :]
        columns = (difference[..., 1:] - difference[..., :-1]).abs() * weight[..., 1:]
        total = total + 0.5 * (rows.mean() + columns.mean())
    return total


def box_psnr(found: torch.Tensor, wanted: torch.Tensor, alpha: torch.Tensor) -> list[float]:
    """PSNR in dB of each picture inside its object's bounding box; pictures in -1..1."""
    scores = []
    for mine, theirs, mask in zip(found, wanted, alpha > 0, strict=True):
        rows, columns = torch.nonzero(mask.any(1)), torch.nonzero(mask.any(0))
        if len(rows):
            box = (..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            error = ((mine[box].clamp(-1, 1) - theirs[box]) / 2.0).square().mean()
            scores.append(float(-10.0 * torch.log10(error + 1e-10)))
    return scores


def fold_normalisation(autoencoder: nn.Module, mean: torch.Tensor, std: torch.Tensor) -> None:
    """Change the 1x1 convolutions round the latent so that each channel has mean 0 and std 1.

    Args:
        autoencoder: changed in place; what it reconstructs stays the same.
        mean: (4,) of its present latents.
        std: (4,) of its present latents.
    """
    into, out, channels = autoencoder.quant_conv, autoencoder.post_quant_conv, len(mean)
    with torch.no_grad():
        out.bias += out.weight[:, :, 0, 0] @ mean
        out.weight *= std[None, :, None, None]
        into.bias[:channels] -= mean
        into.bias[:channels] /= std
        into.weight[:channels] /= std[:, None, None, None]
        into.bias[channels:] -= 2.0 * std.log()
    autoencoder.register_to_config(scaling_factor=1.0)


class AutoencoderTask:
    """Reconstruct crops, later whole pictures, on white and on plain colours."""

    def __init__(
        self,
        training: PropPictures,
        validation: PropPictures,
        *,
        preset: str,
        batch: int,
        device: str,
    ):
        self.networks = fresh(lambda: new_autoencoder(preset, training.rgba.shape[2]))
        self.training = torch.from_numpy(training.rgba)
        chosen = np.arange(min(48, len(validation)))
        self.validation = torch.from_numpy(validation.rgba[chosen, chosen % 5])
        self.batch, self.device, self.count = batch, device, len(training)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        whole = progress >= WHOLE_PICTURES_FROM
        batch = max(1, self.batch // 4) if whole else self.batch
        rgba = self._draw(batch, whole, generator).to(self.device)
        colour = torch.rand(batch, 3, generator=generator)
        colour[torch.rand(batch, generator=generator) < 0.7] = 1.0
        wanted = on_colour(rgba, colour.to(self.device))
        posterior = self.networks.encode(wanted).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator).to(self.device)
        found = self.networks.decode(posterior.mean + posterior.std * noise).sample
        near = F.max_pool2d((rgba[..., 3] > 0).float()[:, None], 5, stride=1, padding=2)
        loss = pyramid_loss(found, wanted, 0.2 + 0.8 * near)
        kl = posterior.mean.square() + posterior.var - 1.0 - posterior.logvar
        return loss + KL_WEIGHT * 0.5 * kl.mean(), batch

    def _draw(self, batch: int, whole: bool, generator: torch.Generator) -> torch.Tensor:
        props = torch.randint(self.count, (batch,), generator=generator)
        views = torch.randint(self.training.shape[1], (batch,), generator=generator)
        size = self.training.shape[2]
        if whole:
            return self.training[props, views]
        crop = size // 2
        corners = torch.randint(size - crop + 1, (batch, 2), generator=generator)
        return torch.stack(
            [
                self.training[p, v, y : y + crop, x : x + crop]
                for p, v, (y, x) in zip(props, views, corners.tolist(), strict=True)
            ]
        )

    def _reconstruct(self, networks: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        wanted = on_white(self.validation)
        found = [
            networks.decode(networks.encode(part.to(self.device)).latent_dist.mode()).sample.cpu()
            for part in wanted.split(8)
        ]
        return torch.cat(found), wanted

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """PSNR in the bounding box, mean and worst tenth, at full size on white."""
        found, wanted = self._reconstruct(networks)
        scores = box_psnr(found, wanted, self.validation[..., 3])
        return {"psnr_db": float(np.mean(scores)), "psnr_db_p10": float(np.percentile(scores, 10))}

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Rows of originals above their reconstructions."""
        found, wanted = (x[:16] for x in self._reconstruct(networks))
        rows = [part for pair in zip(wanted.split(8), found.split(8), strict=True) for part in pair]
        pictures = (torch.cat(rows).clamp(-1, 1) + 1.0) * 127.5
        return contact_sheet(pictures.round().byte().permute(0, 2, 3, 1).numpy(), 8)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Normalise the latents inside the weights, then write them as fp16."""
        fronts = on_white(self.training[:256, 0])
        latents = torch.cat(
            [networks.encode(x.to(self.device)).latent_dist.mode() for x in fronts.split(16)]
        )
        fold_normalisation(networks, latents.mean((0, 2, 3)), latents.std((0, 2, 3)))
        networks.half().cpu().save_pretrained(folder)
        write_card(
            folder,
            "Image autoencoder",
            what="AutoencoderKL, RGB 128 px to 4x16x16 latents of mean 0, deviation 1 a channel.",
            data=f"{self.count} procedural props of `assets3d.props`, 5 views each.",
            note=note,
            progress=progress,
            limits="knows smooth shading and plain backgrounds; photographs come back simplified.",
            command="python -m training.autoencoder",
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0], "autoencoder", batch=8, rate=1e-3, total_minutes=12.0, minutes=8.0
    )
    options = parser.parse_args(arguments)
    task = AutoencoderTask(
        load_props(options.data, "training", options.limit),
        load_props(options.data, "validation", options.limit),
        preset=options.preset,
        batch=options.batch,
        device=options.device,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

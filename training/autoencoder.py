"""Train the image autoencoder: RGB pictures to four latents for every 8 x 8 pixels, and back.

    python -m training.autoencoder --start assets3d/weights/image/vae --export training/out/vae

Fronts of props and tiles of materials, at full size (as the image model draws) and at half of it
(as the four views are). Most of the time goes to crops, the last third to whole pictures, so that
the normalisation layers see the statistics that they will meet.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from training.autoencoder_start import NORM_GROUPS, start_from_block_averages
from training.backgrounds import on_colour, on_white
from training.card import write_card
from training.checkpoint import Progress
from training.latents import load_autoencoder
from training.pictures import FOLDER, Pictures, load_pictures
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from

WIDTHS = {"cpu": (16, 32, 96, 128), "gpu": (32, 64, 128, 128)}
LATENT_CHANNELS = 4
KL_WEIGHT = 1e-4
CROP_PX = 64
WHOLE_PICTURES_FROM = 0.75
#: Share of the steps that see materials, and of those that see pictures at half their size.
TILES, HALVED = 0.25, 0.35


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
        training: Pictures,
        validation: Pictures,
        *,
        preset: str,
        batch: int,
        device: str,
        start: Path | None = None,
    ):
        size = training.rgba.shape[2]
        self.networks = (
            fresh(lambda: new_autoencoder(preset, size))
            if start is None
            else load_autoencoder(start, "cpu").train().requires_grad_(True)
        )
        self.networks.register_to_config(sample_size=size)
        self.training, self.is_tile = training.rgba, training.is_tile
        self.validation, self.tile_places = _few_of_both(validation)
        self.batch, self.device = batch, device

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
        """Return (B, S, S, 4) uint8: pictures or crops of one kind, at full size or at half."""
        chance = torch.rand(2, generator=generator)
        places = np.flatnonzero(self.is_tile == bool(chance[0] < TILES))
        factor = 2 if chance[1] < HALVED else 1
        size = self.training.shape[1]
        side = size if whole else min(size, factor * CROP_PX)
        chosen = places[torch.randint(len(places), (batch,), generator=generator)]
        corners = torch.randint(size - side + 1, (batch, 2), generator=generator)
        pieces = [
            torch.from_numpy(self.training[place, y : y + side, x : x + side])
            for place, (y, x) in zip(chosen.tolist(), corners.tolist(), strict=True)
        ]
        return halved(torch.stack(pieces)) if factor == 2 else torch.stack(pieces)

    def _reconstruct(self, networks: nn.Module, rgba: torch.Tensor) -> torch.Tensor:
        wanted = on_white(rgba)
        found = [
            networks.decode(networks.encode(part.to(self.device)).latent_dist.mode()).sample.cpu()
            for part in wanted.split(8)
        ]
        return torch.cat(found)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """PSNR of props in their bounding box (mean, worst tenth, at half size), and of tiles."""
        scores = []
        for rgba in (self.validation, halved(self.validation)):
            found = self._reconstruct(networks, rgba)
            scores.append(np.array(box_psnr(found, on_white(rgba), rgba[..., 3])))
        props = [part[~self.tile_places] for part in scores]
        return {
            "psnr_db": float(props[0].mean()),
            "psnr_db_p10": float(np.percentile(props[0], 10)),
            "half_size_psnr_db": float(props[1].mean()),
            "tiles_psnr_db": float(scores[0][self.tile_places].mean()),
        }

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Rows of originals above their reconstructions, props and tiles."""
        rgba = self.validation[:: max(1, len(self.validation) // 16)][:16]
        found, wanted = self._reconstruct(networks, rgba), on_white(rgba)
        rows = [part for pair in zip(wanted.split(8), found.split(8), strict=True) for part in pair]
        pictures = (torch.cat(rows).clamp(-1, 1) + 1.0) * 127.5
        return contact_sheet(pictures.round().byte().permute(0, 2, 3, 1).numpy(), 8)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Normalise the latents inside the weights, then write them as fp16."""
        fronts = np.flatnonzero(~self.is_tile)[:256]
        pictures = on_white(torch.from_numpy(self.training[fronts]))
        latents = torch.cat(
            [networks.encode(x.to(self.device)).latent_dist.mode() for x in pictures.split(16)]
        )
        fold_normalisation(networks, latents.mean((0, 2, 3)), latents.std((0, 2, 3)))
        networks.half().cpu().save_pretrained(folder)
        write_card(
            folder,
            "Image autoencoder",
            what="AutoencoderKL, RGB to four latents for every 8x8 pixels, of mean 0 and deviation "
            "1 a channel over props on white.",
            data=f"fronts of {int((~self.is_tile).sum())} procedural props of `assets3d.props` and "
            f"{int(self.is_tile.sum())} tiles of `assets3d.textures.world`.",
            note=note,
            progress=progress,
            limits="knows smooth shading and plain backgrounds; photographs come back simplified.",
            command="python -m training.autoencoder",
        )


def _few_of_both(validation: Pictures) -> tuple[torch.Tensor, NDArray[np.bool_]]:
    """Return at most 32 props and 24 tiles (N, S, S, 4), and which are tiles."""
    places = [
        np.flatnonzero(validation.is_tile == kind)[
            np.linspace(0, (validation.is_tile == kind).sum() - 1, count).round().astype(int)
        ]
        for kind, count in ((False, 32), (True, 24))
    ]
    chosen = np.unique(np.concatenate(places))
    return torch.from_numpy(validation.rgba[chosen]), validation.is_tile[chosen]


def halved(rgba: torch.Tensor) -> torch.Tensor:
    """Return uint8 (B, S, S, 4) pictures at half their size; colours are weighted by alpha."""
    planes = rgba.permute(0, 3, 1, 2).float()
    alpha = F.avg_pool2d(planes[:, 3:], 2)
    colour = F.avg_pool2d(planes[:, :3] * planes[:, 3:], 2) / alpha.clamp_min(1e-3)
    return torch.cat([colour, alpha], 1).round().clamp(0, 255).byte().permute(0, 2, 3, 1)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0],
        "autoencoder",
        data=FOLDER,
        batch=8,
        rate=1e-3,
        total_minutes=12.0,
        minutes=8.0,
    )
    parser.add_argument("--start", type=Path, default=None, help="an exported one to go on from")
    options = parser.parse_args(arguments)
    task = AutoencoderTask(
        load_pictures(options.data, "training", options.limit),
        load_pictures(options.data, "validation", options.limit),
        preset=options.preset,
        batch=options.batch,
        device=options.device,
        start=options.start,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

"""Train the autoencoder of textures: RGB pictures to latents at a quarter of their side, and back.

    python -m training.texture_autoencoder --total-minutes 15 --export training/out/texture_vae

The props' autoencoder, an eighth of the side, washes grain and joints out. Most of the time goes to
crops (many per second), the rest to whole tiles, half of them with padding that wraps, as in use:
so that the layers see both borders and the normalisation sees whole pictures.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assets3d.textures.seamless.circular import circular_padding
from training.autoencoder import fold_normalisation, pyramid_loss
from training.autoencoder_start import NORM_GROUPS, start_from_block_averages
from training.card import write_card
from training.checkpoint import Progress
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from
from training.texture_data import FOLDER, Textures, load_textures

WIDTHS = {"cpu": (16, 24, 32), "gpu": (16, 24, 32)}
#: diffusers' pipelines that repaint, as the modes roll and canvas do, take no other number.
LATENT_CHANNELS = 4
#: Deviation of the latents. The first three carry colours; what lies between their means, joints
#: and stones, has a deviation of 0.4. Grain in the fourth must not be louder, or the diffusion,
#: which decides loud things first, would lay it down before there is a wall to lie on.
LATENT_STD = (1.0, 1.0, 1.0, 0.4)
#: Pixels of a side per latent.
FACTOR = 4
KL_WEIGHT = 1e-4
CROP_PX = 64
WHOLE_TILES_FROM = 0.6
WHOLE_BATCH = 4


def new_autoencoder(preset: str, size_px: int = 128) -> nn.Module:
    """Return an untrained AutoencoderKL of factor 4 that already keeps average colours."""
    from diffusers import AutoencoderKL

    widths = WIDTHS[preset]
    autoencoder = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=NORM_GROUPS,
        sample_size=size_px,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )
    # As for props: little noise in the latent at first.
    nn.init.constant_(autoencoder.quant_conv.bias[LATENT_CHANNELS:].data, -5.0)
    start_from_block_averages(autoencoder)
    return autoencoder


def on_torus(*, unet: nn.Module | None = None, vae: nn.Module | None = None) -> Any:
    """Return a context in which the networks' padding wraps, as the stage's mode circular does."""
    nothing = nn.Identity()
    return circular_padding(SimpleNamespace(unet=unet or nothing, vae=vae or nothing))


def as_tensor(pictures: NDArray[np.uint8] | torch.Tensor) -> torch.Tensor:
    """Turn uint8 (B, H, W, 3) into (B, 3, H, W) in -1..1."""
    return torch.as_tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def as_pictures(found: torch.Tensor) -> NDArray[np.uint8]:
    """Turn (B, 3, H, W) in -1..1 into uint8 (B, H, W, 3)."""
    pictures = ((found.clamp(-1, 1) + 1.0) * 127.5).round().byte()
    return pictures.permute(0, 2, 3, 1).cpu().numpy()


def encode_tiles(autoencoder: nn.Module, pictures: NDArray[np.uint8], device: str) -> torch.Tensor:
    """Encode tiles (N, S, S, 3) on the torus; return mean latents (N, C, S/4, S/4) float16."""
    parts = []
    with torch.no_grad(), on_torus(vae=autoencoder):
        for part in torch.as_tensor(pictures).split(8):
            latents = autoencoder.encode(as_tensor(part).to(device)).latent_dist.mode()
            parts.append(latents.half().cpu())
    return torch.cat(parts)


def decode_tiles(autoencoder: nn.Module, latents: torch.Tensor) -> NDArray[np.uint8]:
    """Decode latents (N, C, h, w) on the torus to tiles (N, 4 h, 4 w, 3)."""
    device = next(autoencoder.parameters()).device
    with torch.no_grad(), on_torus(vae=autoencoder):
        parts = [autoencoder.decode(x.to(device).float()).sample for x in latents.split(8)]
    return as_pictures(torch.cat(parts))


def psnr_db(found: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the PSNR of each of N pictures."""
    error = np.square(found.astype(np.float64) - wanted).mean((1, 2, 3))
    return -10.0 * np.log10(error / 255.0**2 + 1e-10)


class TextureAutoencoderTask:
    """Reconstruct crops, later whole tiles."""

    def __init__(
        self,
        training: Textures,
        validation: Textures,
        *,
        preset: str,
        batch: int,
        device: str,
    ):
        self.networks = fresh(lambda: new_autoencoder(preset, training.pictures.shape[1]))
        self.training = torch.from_numpy(training.pictures)
        places = np.linspace(0, len(validation) - 1, min(38, len(validation))).round().astype(int)
        self.validation = validation.pictures[places]
        self.batch, self.device = batch, device

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        whole = progress >= WHOLE_TILES_FROM
        wraps = whole and float(torch.rand(1, generator=generator)) < 0.5
        batch = min(WHOLE_BATCH, self.batch) if whole else self.batch
        wanted = as_tensor(self._draw(batch, whole, generator)).to(self.device)
        with on_torus(vae=self.networks) if wraps else nullcontext():
            posterior = self.networks.encode(wanted).latent_dist
            noise = torch.randn(posterior.mean.shape, generator=generator).to(self.device)
            found = self.networks.decode(posterior.mean + posterior.std * noise).sample
        loss = pyramid_loss(found, wanted, torch.ones_like(wanted[:, :1]))
        kl = posterior.mean.square() + posterior.var - 1.0 - posterior.logvar
        return loss + KL_WEIGHT * 0.5 * kl.mean(), batch

    def _draw(self, batch: int, whole: bool, generator: torch.Generator) -> torch.Tensor:
        """Return pieces of tiles, cut across their edges as well."""
        count, size = self.training.shape[:2]
        side = size if whole else min(CROP_PX, size)
        chosen = torch.randint(count, (batch,), generator=generator)
        corners = torch.randint(size, (batch, 2), generator=generator)
        pieces = []
        for tile, corner in zip(chosen, corners, strict=True):
            rows, columns = ((torch.arange(side) + start) % size for start in corner)
            pieces.append(self.training[tile][rows][:, columns])
        return torch.stack(pieces)

    def _reconstruct(self, networks: nn.Module) -> NDArray[np.uint8]:
        latents = encode_tiles(networks, self.validation, self.device)
        return decode_tiles(networks, latents)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """PSNR of whole tiles on the torus, mean and worst tenth."""
        scores = psnr_db(self._reconstruct(networks), self.validation)
        return {"psnr_db": float(scores.mean()), "psnr_db_p10": float(np.percentile(scores, 10))}

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Rows of originals above their reconstructions."""
        found, wanted = self._reconstruct(networks)[::3][:12], self.validation[::3][:12]
        rows = []
        for start in range(0, len(wanted), 6):
            rows += [wanted[start : start + 6], found[start : start + 6]]
        return contact_sheet(np.concatenate(rows), 6)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Normalise the latents inside the weights, then write them as fp16."""
        places = np.linspace(0, len(self.training) - 1, min(256, len(self.training))).astype(int)
        latents = encode_tiles(networks, self.training[places].numpy(), self.device).float()
        std = latents.std((0, 2, 3)) / torch.tensor(LATENT_STD)
        fold_normalisation(networks, latents.mean((0, 2, 3)), std)
        networks.half().cpu().save_pretrained(folder)
        write_card(
            folder,
            "Autoencoder of textures",
            what=f"AutoencoderKL, RGB to {LATENT_CHANNELS} latents for every "
            f"{FACTOR}x{FACTOR} pixels, of mean 0 and deviations {LATENT_STD}.",
            data=f"{len(self.training)} tiles of the procedural material world "
            "(`assets3d.textures.world`), softly lit.",
            note=note,
            progress=progress,
            limits="fine grain comes back a little smoother than it was.",
            command="python -m training.texture_autoencoder",
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0],
        "texture_autoencoder",
        data=FOLDER,
        batch=8,
        rate=2e-3,
        total_minutes=15.0,
        minutes=15.0,
        decay=0.998,
        validate_minutes=2.5,
    )
    options = parser.parse_args(arguments)
    task = TextureAutoencoderTask(
        load_textures(options.data, "training", options.limit),
        load_textures(options.data, "validation"),
        preset=options.preset,
        batch=options.batch,
        device=options.device,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

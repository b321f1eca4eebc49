"""Train the small LGM: four views of a prop to Gaussians, in one pass.

    python -m training.lgm --total-minutes 60 --minutes 8 --export assets3d/weights/lgm

What it makes is drawn by the rasteriser at the four cameras that it saw and at one that it did not,
and compared in colour and alpha (Tang et al. 2024, without the perceptual loss). Half of the props
are mirrored; half of the inputs are spoiled a little, as views that a network painted are.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from assets3d.cameras import Cameras, four_views, orbit_cameras
from assets3d.splats.lgm import HEAD, fresh_lgm
from assets3d.splats.lgm_config import LGMConfig, lgm_config
from assets3d.splats.lgm_inference import lgm_rays
from assets3d.splats.rasterise import Raster, rasterise
from training.card import write_card
from training.checkpoint import Progress
from training.cutout_network import DEVIATION, MEAN
from training.data import PropPictures, load_props
from training.latents import mirror_views
from training.plots import contact_sheet
from training.run import command_line, run, settings_from

ALPHA_WEIGHT = 1.0
#: How many of the four seen views supervise a step; the unseen one always does.
SEEN_VIEWS = 2
#: Share of inputs that are spoiled; greatest noise and shift in pixels of their views.
SPOILED, NOISE, SHIFT_PX = 0.5, 0.04, 2
VALIDATION_PROPS = 8


class LGMTask:
    """Fit the network's Gaussians to pictures of the props."""

    def __init__(
        self,
        training: PropPictures,
        validation: PropPictures,
        config: LGMConfig,
        *,
        batch: int,
        device: str,
    ):
        self.networks = fresh_lgm(config, 0)
        self.training, self.validation = training, validation
        self.batch, self.device = batch, device
        self.size_px = config.size_px
        self.four = four_views(self.size_px)
        self.rays = torch.from_numpy(lgm_rays(self.four))

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        chosen = torch.randint(len(self.training), (self.batch,), generator=generator).tolist()
        mirrored = torch.randint(2, (self.batch,), generator=generator).tolist()
        rgba = [self._pictures(self.training, *pair) for pair in zip(chosen, mirrored, strict=True)]
        inputs = [spoil(p[:4], generator) for p in rgba]
        values = self.networks(self._input(torch.stack(inputs)))
        parts = []
        for row, (prop, mirror) in enumerate(zip(chosen, mirrored, strict=True)):
            seen = torch.randperm(4, generator=generator)[:SEEN_VIEWS].tolist()
            cameras = self._cameras(self.training, prop, mirror)
            parts += [_difference(values[row], cameras[v], rgba[row][v]) for v in (*seen, 4)]
        return torch.stack(parts).mean(), self.batch

    def _pictures(self, props: PropPictures, prop: int, mirror: int) -> torch.Tensor:
        """Return the five pictures of a prop (5, 4, S, S) in 0..1, straight alpha."""
        rgba = torch.from_numpy(props.rgba[prop])
        if mirror:
            seen = mirror_views(rgba[None, :4])[0]
            rgba = torch.cat([seen, rgba[4:].flip(2)])
        return rgba.permute(0, 3, 1, 2).float() / 255.0

    def _cameras(self, props: PropPictures, prop: int, mirror: int) -> list[Cameras]:
        azimuth, elevation = props.orbit_deg[prop]
        azimuth = -azimuth if mirror else azimuth
        orbit = orbit_cameras([azimuth], [elevation], self.size_px)
        return [*(self.four[v] for v in range(4)), orbit]

    def _input(self, rgb: torch.Tensor) -> torch.Tensor:
        """Normalise (B, 4, 3, S, S) and append the rays."""
        mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
        rays = self.rays.expand(len(rgb), *self.rays.shape)
        return torch.cat([(rgb - mean) / deviation, rays], 2).to(self.device)

    def _drawn(self, networks: nn.Module) -> tuple[NDArray, NDArray]:
        """Draw the validation props; return made and true RGBA on white, (N, 5, S, S, 4)."""
        made, true = [], []
        for prop in range(min(VALIDATION_PROPS, len(self.validation))):
            pictures = self._pictures(self.validation, prop, 0)
            values = networks(self._input(on_white(pictures[:4])[None]))[0]
            rasters = [draw(values, camera) for camera in self._cameras(self.validation, prop, 0)]
            made.append(
                torch.stack([torch.cat([r.features, r.alpha[..., None]], 2).cpu() for r in rasters])
            )
            shown = torch.cat([on_white(pictures), pictures[:, 3:]], 1)
            true.append(shown.permute(0, 2, 3, 1))
        return torch.stack(made).numpy(), torch.stack(true).numpy()

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """PSNR on white and mask IoU, at the four seen cameras and at the unseen one."""
        made, true = self._drawn(networks)
        error = ((made[..., :3] - true[..., :3]) ** 2).mean((2, 3, 4))
        psnr_db = -10.0 * np.log10(error + 1e-10)
        here, there = made[..., 3] > 0.5, true[..., 3] > 0.5
        iou = (here & there).sum((2, 3)) / (here | there).sum((2, 3)).clip(min=1)
        return {
            "psnr_db_seen": float(psnr_db[:, :4].mean()),
            "psnr_db_unseen": float(psnr_db[:, 4].mean()),
            "mask_iou_seen": float(iou[:, :4].mean()),
            "mask_iou_unseen": float(iou[:, 4].mean()),
        }

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Per prop two rows: true, then drawn; four seen views and the unseen one."""
        both = np.stack(self._drawn(networks)[::-1], 1)[..., :3]
        pictures = np.round(both.clip(0.0, 1.0) * 255.0).astype(np.uint8)
        return contact_sheet(pictures.reshape(-1, *pictures.shape[3:]), 5)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write config.json and model.safetensors: fp16, the head float32."""
        write_lgm(folder, networks)
        write_card(
            folder,
            f"LGM from four views, {self.size_px} px",
            what="LGM (Tang et al. 2024, its names) of "
            f"{sum(p.numel() for p in networks.parameters()) / 1e6:.1f} M parameters: four views "
            f"to {4 * networks.config.splat_size**2} Gaussians, each on the ray of its pixel.",
            data=f"five pictures each of {len(self.training)} procedural props of "
            "`assets3d.props`, mirrored half of the time.",
            note=note,
            progress=progress,
            limits="the object must fill the frame as the standard cameras show it.",
            command="python -m training.lgm",
        )


def on_white(rgba: torch.Tensor) -> torch.Tensor:
    """Composite (..., 4, S, S) in 0..1 on white; return (..., 3, S, S)."""
    alpha = rgba[..., 3:, :, :]
    return rgba[..., :3, :, :] * alpha + (1.0 - alpha)


def spoil(rgba: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return four views (4, 4, S, S) on white (4, 3, S, S), some of them spoiled.

    Views that a network painted disagree a little in place, colour and sharpness. The front is the
    picture itself and stays where it is.
    """
    rgb = on_white(rgba)
    if float(torch.rand(1, generator=generator)) >= SPOILED:
        return rgb
    shifts = torch.randint(-SHIFT_PX, SHIFT_PX + 1, (3, 2), generator=generator).tolist()
    moved = [rgb[0]] + [
        torch.roll(view, shift, (1, 2)) for view, shift in zip(rgb[1:], shifts, strict=True)
    ]
    rgb = torch.stack(moved)
    if float(torch.rand(1, generator=generator)) < 0.5:
        small = F.interpolate(rgb, scale_factor=0.5, mode="area")
        rgb = F.interpolate(small, size=rgb.shape[-2:], mode="bilinear", align_corners=False)
    gain = 1.0 + 0.1 * (torch.rand(4, 1, 1, 1, generator=generator) - 0.5)
    # White stays white: only what is darker is scaled.
    rgb = 1.0 - (1.0 - rgb) * gain
    level = NOISE * float(torch.rand(1, generator=generator))
    return (rgb + level * torch.randn(rgb.shape, generator=generator)).clamp(0.0, 1.0)


def draw(values: torch.Tensor, camera: Cameras) -> Raster:
    """Draw (N, 14) on white; on the CPU's kernel where the GPU has no rasteriser."""
    if values.is_cuda and not _has_cuda_rasteriser():
        values = values.cpu()
    return rasterise(values, None, camera, background=(1.0, 1.0, 1.0))


def _has_cuda_rasteriser() -> bool:
    import importlib.util

    names = ("gsplat", "diff_gaussian_rasterization")
    return any(importlib.util.find_spec(name) is not None for name in names)


def _difference(values: torch.Tensor, camera: Cameras, rgba: torch.Tensor) -> torch.Tensor:
    """Mean square difference in colour on white and in alpha from a true picture (4, S, S)."""
    raster = draw(values, camera)
    true = rgba.to(raster.alpha.device)
    colour = (raster.features.permute(2, 0, 1) - on_white(true)).square().mean()
    return colour + ALPHA_WEIGHT * (raster.alpha - true[3]).square().mean()


def write_lgm(folder: Path, network: nn.Module) -> None:
    """Write what `load_lgm(folder, "embedded")` reads; each file appears whole or not at all."""
    import json

    from safetensors.torch import save_file

    weights = {
        name: (value.float() if name.startswith(HEAD) else value.half()).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    unfinished = folder / "model.unfinished"
    save_file(weights, unfinished)
    unfinished.replace(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(network.config.to_json(), indent=1) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(__doc__.split("\n")[0], "lgm", batch=4, rate=4e-4)
    options = parser.parse_args(arguments)
    training = load_props(options.data, "training", options.limit)
    config = dataclasses.replace(lgm_config("embedded"), size_px=training.rgba.shape[2])
    task = LGMTask(
        training,
        load_props(options.data, "validation", VALIDATION_PROPS),
        config,
        batch=options.batch,
        device=options.device,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

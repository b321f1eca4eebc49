"""Train the views U-Net: from the latent of the front picture to right, back and left.

    python -m training.views --total-minutes 60 --minutes 8 --export assets3d/weights/views

Four frames of a prop are noised alike; the front's clean latent enters every frame's channels. Half
of the samples are mirrored props: pictures flipped, right and left swapped.

`--sampling-steps 1` trains the first step of sampling alone, from pure noise: the network then says
at once what is most likely, rather than drawing one of all possible sides. `--error absolute`
makes that the median, whose outlines are sharper than the mean's.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.backgrounds import on_white
from training.card import gone_on_from, write_card
from training.checkpoint import Progress
from training.data import load_props
from training.diffusion import Noising, sampled_steps, spread_steps
from training.latents import AUTOENCODER, FOLDER, Latents, load_autoencoder, load_latents
from training.plots import contact_sheet
from training.run import command_line, run, settings_from

#: The front is given, so learning to denoise it matters little.
FRAME_WEIGHTS = (0.1, 1.0, 1.0, 1.0)
#: Share of samples whose picture is noised (a generated or photographed front is not quite a
#: render), its greatest deviation, and share of samples without a picture.
NOISED_PICTURES, PICTURE_NOISE, DROPPED_PICTURES = 0.5, 0.2, 0.05
VALIDATION_PROPS = 12


def new_unet(start: Path | None = None) -> nn.Module:
    """Return a network of the embedded shape: untrained, or one that was exported before."""
    from assets3d.views.model import load_views_model
    from assets3d.views.presets import random_embedded_unet

    if start is None:
        return random_embedded_unet(0)
    return load_views_model(start).unet.train().requires_grad_(True)


def only_steps(start: Path) -> int | None:
    """Return the one number of steps that an exported network was trained for, if it was."""
    from assets3d.views.embedded import CONFIG_FILE, EmbeddedViewsConfig

    values = json.loads((start / CONFIG_FILE).read_text(encoding="utf-8"))
    return EmbeddedViewsConfig.from_json(values).only_steps


class ViewsTask:
    """Predict the velocity of four latents from the noisy four and the front's clean one."""

    def __init__(
        self,
        training: Latents,
        validation: Latents,
        validation_rgba: NDArray[np.uint8],
        autoencoder: Path,
        *,
        batch: int,
        device: str,
        start: Path | None = None,
        sampling_steps: int | None = None,
        absolute: bool = False,
    ):
        from assets3d.views.cameras import view_vectors

        self.networks, self.before = new_unet(start), gone_on_from(start)
        self.latents = torch.stack([training.plain, training.mirrored], 1)
        self.validation = validation.plain[:64].float()
        self.validation_rgba = validation_rgba[:VALIDATION_PROPS, :4]
        self.autoencoder, self.batch, self.device = autoencoder, batch, device
        self.noising = Noising(device)
        self.cameras = torch.from_numpy(view_vectors()).to(device)
        self.sampling_steps, self.absolute = sampling_steps, absolute
        self.visited = None if sampling_steps is None else sampled_steps(sampling_steps)
        self.frame_weights = torch.tensor(FRAME_WEIGHTS, device=device)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        props = torch.randint(len(self.latents), (self.batch,), generator=generator)
        mirrored = torch.randint(2, (self.batch,), generator=generator)
        clean = self.latents[props, mirrored].float()
        noise = torch.randn(clean.shape, generator=generator)
        picture = self._picture(clean[:, 0], generator)
        steps = self._steps(self.batch, generator)
        return self._velocity_loss(self.networks, clean, picture, noise, steps), self.batch

    def _steps(self, count: int, generator: torch.Generator) -> torch.Tensor:
        if self.visited is None:
            return spread_steps(count, generator)
        return self.visited[torch.randint(len(self.visited), (count,), generator=generator)]

    def _picture(self, front: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        chance = torch.rand(len(front), 3, generator=generator)
        level = torch.where(chance[:, 0] < NOISED_PICTURES, PICTURE_NOISE * chance[:, 1], 0.0)
        noise = torch.randn(front.shape, generator=generator)
        picture = front + level[:, None, None, None] * noise
        return picture * (chance[:, 2] >= DROPPED_PICTURES)[:, None, None, None]

    def _velocity_loss(
        self,
        network: nn.Module,
        clean: torch.Tensor,
        picture: torch.Tensor,
        noise: torch.Tensor,
        steps: torch.Tensor,
    ) -> torch.Tensor:
        from assets3d.views.embedded import network_input

        clean, picture, noise, steps = (x.to(self.device) for x in (clean, picture, noise, steps))
        noisy, target = self.noising.mix(clean, noise, steps)
        frames = clean.shape[1]
        found = network(
            network_input(noisy.flatten(0, 1), picture),
            steps.repeat_interleave(frames),
            self.cameras.repeat(len(clean), 1),
        ).unflatten(0, (-1, frames))
        error = (found - target).abs() if self.absolute else (found - target).square()
        error = error.mean((2, 3, 4))
        error = (error * self.frame_weights).sum(1) / self.frame_weights.sum()
        return (self.noising.weight(steps) * error).mean()

    def _views(self, network: nn.Module) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return made and true views of the validation props, both (N, 4, H, W, 3)."""
        from assets3d.views.embedded import EmbeddedViewsConfig
        from assets3d.views.model import ViewsModel
        from assets3d.views.pipeline import make_views

        config = EmbeddedViewsConfig(steps=self.sampling_steps or 10)
        autoencoder = load_autoencoder(self.autoencoder, self.device)
        size = self.validation_rgba.shape[2]
        scale = autoencoder.config.scaling_factor
        model = ViewsModel(
            "embedded", network, autoencoder, config.noise_scheduler(), size, scale, config
        )
        made = [
            make_views(model, rgba[0], seed=seed) for seed, rgba in enumerate(self.validation_rgba)
        ]
        true = on_white(torch.from_numpy(self.validation_rgba).flatten(0, 1))
        true = ((true + 1.0) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        return np.stack(made), true.reshape(-1, 4, size, size, 3)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """Loss with fixed noise; PSNR and mask IoU of right, back and left."""
        generator = torch.Generator().manual_seed(1)
        clean = self.validation
        noise = torch.randn(clean.shape, generator=generator)
        steps = self._steps(len(clean), generator)
        loss = self._velocity_loss(networks, clean, clean[:, 0], noise, steps)
        made, true = self._views(networks)
        error = ((made[:, 1:] / 255.0 - true[:, 1:] / 255.0) ** 2).mean((2, 3, 4))
        mask = self.validation_rgba[:, 1:, ..., 3] > 127
        # A white prop loses some of its mask here; the benchmark cuts the views out instead.
        found = made[:, 1:].min(-1) < 240
        union = (found | mask).sum((2, 3)).clip(min=1)
        return {
            "validation_loss": float(loss),
            "psnr_db": float((-10.0 * np.log10(error + 1e-10)).mean()),
            "mask_iou": float(((found & mask).sum((2, 3)) / union).mean()),
        }

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Per row two props: their true four views, then (next row) the made ones."""
        made, true = self._views(networks)
        rows = np.stack([true, made], 1)[: VALIDATION_PROPS // 2 * 2]
        return contact_sheet(rows.reshape(-1, *rows.shape[3:]), 8)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write config.json and fp16 weights."""
        from assets3d.views.embedded import EmbeddedViewsConfig, write_embedded

        config = EmbeddedViewsConfig(
            size_px=self.validation_rgba.shape[2],
            steps=self.sampling_steps or 20,
            only_steps=self.sampling_steps,
        )
        write_embedded(folder, networks, config)
        write_card(
            folder,
            "Four views from one picture, 128 px",
            what="MultiViewUNet (MVDream's architecture and names) of "
            f"{sum(p.numel() for p in networks.parameters()) / 1e6:.1f} M parameters on four "
            f"frames of 16x16x4 latents; v-prediction{self._way()}; the autoencoder is the image "
            "model's.",
            data=f"four views of {len(self.latents)} procedural props of `assets3d.props`, "
            "mirrored half of the time.",
            note=note + self.before,
            progress=progress,
            limits="the back of a prop of a known family is plausible; anything else is a guess.",
            command=f"python -m training.views{self._options()}",
        )

    def _options(self) -> str:
        steps = "" if self.sampling_steps is None else f" --sampling-steps {self.sampling_steps}"
        return steps + (" --error absolute" if self.absolute else "")

    def _way(self) -> str:
        steps = {None: "", 1: " from pure noise in one step"}.get(
            self.sampling_steps, f" at the {self.sampling_steps} steps of sampling"
        )
        return steps + (", mean absolute error" if self.absolute else "")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(__doc__.split("\n")[0], "views", batch=8, rate=8e-4)
    parser.add_argument("--latents", type=Path, default=FOLDER)
    parser.add_argument("--autoencoder", type=Path, default=AUTOENCODER)
    parser.add_argument("--start", type=Path, default=None, help="an exported one to go on from")
    parser.add_argument(
        "--sampling-steps",
        type=int,
        default=None,
        help="train only what sampling with so many steps asks; default: all 1000",
    )
    parser.add_argument("--error", choices=("square", "absolute"), default="square")
    options = parser.parse_args(arguments)
    if options.sampling_steps is not None and options.sampling_steps < 1:
        parser.error(f"--sampling-steps: found {options.sampling_steps}, wanted at least 1")
    only = None if options.start is None else only_steps(options.start)
    if only not in (None, options.sampling_steps):
        parser.error(f"--start: {options.start} knows {only} steps, wanted --sampling-steps {only}")
    task = ViewsTask(
        *(
            load_latents(options.latents, split, options.autoencoder)
            for split in ("training", "validation")
        ),
        load_props(options.data, "validation", VALIDATION_PROPS).rgba,
        options.autoencoder,
        batch=options.batch,
        device=options.device,
        start=options.start,
        sampling_steps=options.sampling_steps,
        absolute=options.error == "absolute",
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

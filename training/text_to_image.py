"""Train the text-to-image model: a small CLIP text encoder and a latent diffusion U-Net, jointly.

    python -m training.text_to_image --total-minutes 60 --minutes 8 --export assets3d/weights/image

Pictures are fronts of props on white, and in every fifth step tiles of materials, so that one model
draws what the steps image and texture ask for. The exported folder is a StableDiffusionPipeline,
loadable by `AutoPipelineForText2Image`, with `words.json`, the words that the captions used.

A CPU gets farther by learning words and shapes small: train on pictures of half the size
(`training.picture_latents --halved`), export, and go on from there with `--start` and `--small`:
then two of three steps are small ones, which costs as much time as the third, and the large ones
learn what is left to do when a small picture has been enlarged, up to two fifths of the noise.
After equal minutes large pictures alone had lost the shapes that the small ones had.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from assets3d.textures.seamless.settings import NEGATIVE_PROMPT
from training.card import gone_on_from, write_card
from training.checkpoint import Progress
from training.diffusion import Noising, spread_steps
from training.image_networks import (
    REFINE_FROM,
    draw_latents,
    load_start,
    new_text_encoder,
    new_unet,
    save_pipeline,
    token_ids,
    velocity_loss,
)
from training.latents import decode, load_autoencoder
from training.picture_latents import (
    AUTOENCODER,
    FOLDER,
    PictureLatents,
    load_picture_latents,
    on_torus,
)
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from
from training.tokens import new_tokenizer, words_in

CAPTION_DROPOUT = 0.1
#: With `--small`: share of small steps. Large fronts then see no more noise than `REFINE_FROM`.
SMALL = 0.65
#: Share of the steps that see tiles, and of those whose padding wraps: the stage draws both ways.
TILES, ON_TORUS = 0.2, 0.5
#: What the caption of a tile is dropped for: guidance compares the words with either of them.
NO_WORDS = ("", NEGATIVE_PROMPT)
VALIDATION_PROPS, VALIDATION_TILES = 64, 24


class TextToImageTask:
    """Predict the velocity of the latents of fronts and tiles from captions."""

    def __init__(
        self,
        training: PictureLatents,
        validation: PictureLatents,
        autoencoder: Path,
        *,
        preset: str,
        batch: int,
        device: str,
        out: Path,
        start: Path | None = None,
        small: PictureLatents | None = None,
    ):
        if small is not None and not np.array_equal(small.captions, training.captions):
            raise ValueError("small: found other pictures than the large ones, wanted the same")
        self.small = None if small is None else small.latents
        self.last = 1000 if small is None else REFINE_FROM
        self.out, self.before = out, gone_on_from(start)
        captions = training.captions.reshape(-1).tolist()
        self.words = words_in([*captions, NEGATIVE_PROMPT])
        self.tokenizer = new_tokenizer(self.words)
        size = training.latents.shape[-1]
        if start is not None:
            self.networks = load_start(start, self.words, size)
        else:
            self.networks = fresh(
                lambda: nn.ModuleDict(
                    {"unet": new_unet(preset, size), "text": new_text_encoder(self.tokenizer)}
                )
            )
        variants = training.captions.shape[1]
        self.ids = token_ids(self.tokenizer, captions).unflatten(0, (-1, variants))
        self.nothing = token_ids(self.tokenizer, list(NO_WORDS))
        self.latents = training.latents
        self.places = [torch.from_numpy(np.flatnonzero(training.is_tile == k)) for k in (0, 1)]
        chosen = np.concatenate(
            [
                _spread(np.flatnonzero(~validation.is_tile), VALIDATION_PROPS),
                _spread(np.flatnonzero(validation.is_tile), VALIDATION_TILES),
            ]
        )
        self.prompts = [str(caption) for caption in validation.captions[chosen, 0]]
        self.validation_is_tile = torch.from_numpy(validation.is_tile[chosen])
        self.validation = validation.latents[chosen, 0].float()
        self.autoencoder, self.batch, self.device = autoencoder, batch, device
        self.noising = Noising(device)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        tiles, wraps = (
            torch.rand(2, generator=generator) < torch.tensor([TILES, ON_TORUS])
        ).tolist()
        is_small = self.small is not None and torch.rand(1, generator=generator).item() < SMALL
        latents = self.small if is_small else self.latents
        # A tile has no layout that would have to be drawn small first.
        last = 1000 if is_small or tiles else self.last
        places = self.places[int(tiles)]
        chosen = places[torch.randint(len(places), (self.batch,), generator=generator)]
        mirrored = torch.randint(latents.shape[1], (self.batch,), generator=generator)
        clean = latents[chosen, mirrored].float()
        ids = self.ids[chosen, torch.randint(self.ids.shape[1], (self.batch,), generator=generator)]
        dropped = torch.rand(self.batch, generator=generator) < CAPTION_DROPOUT
        which = torch.randint(len(NO_WORDS), (self.batch,), generator=generator)
        ids[dropped] = self.nothing[which[dropped] if tiles else 0 * which[dropped]]
        if tiles:
            # A tile may begin anywhere.
            turns = torch.randint(clean.shape[-1], (self.batch, 2), generator=generator).tolist()
            clean = torch.stack([x.roll(t, (1, 2)) for x, t in zip(clean, turns, strict=True)])
        noise = torch.randn(clean.shape, generator=generator)
        steps = spread_steps(self.batch, generator, last)
        loss = self._velocity_loss(self.networks, clean, ids, noise, steps, tiles and wraps)
        return loss, self.batch

    def _velocity_loss(
        self,
        networks: nn.Module,
        clean: torch.Tensor,
        ids: torch.Tensor,
        noise: torch.Tensor,
        steps: torch.Tensor,
        wraps: bool = False,
    ) -> torch.Tensor:
        clean, ids, noise, steps = (x.to(self.device) for x in (clean, ids, noise, steps))
        with on_torus(unet=networks["unet"]) if wraps else nullcontext():
            return velocity_loss(networks, self.noising, clean, ids, noise, steps)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """The loss on held-out seeds, with fixed noise and steps, of props and of tiles."""
        generator = torch.Generator().manual_seed(1)
        ids = token_ids(self.tokenizer, self.prompts)
        losses = {}
        for name, kind in (("validation_loss", False), ("tiles_validation_loss", True)):
            places = self.validation_is_tile == kind
            clean = self.validation[places]
            noise = torch.randn(clean.shape, generator=generator)
            steps = spread_steps(len(clean), generator, 1000 if kind else self.last)
            losses[name] = float(
                self._velocity_loss(networks, clean, ids[places], noise, steps, kind)
            )
        return losses

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Sixteen held-out captions of props, eight of materials; 16 steps, guidance 3."""
        props, tiles = (
            [p for p, tile in zip(self.prompts, self.validation_is_tile, strict=True) if tile == k]
            for k in (False, True)
        )
        prompts = props[:16] + tiles[:: max(1, len(tiles) // 8)][:8]
        (self.out / "samples.txt").write_text("\n".join(prompts) + "\n")
        latents = self.generate(networks, prompts, steps=16, guidance=3.0, seed=0)
        return contact_sheet(decode(load_autoencoder(self.autoencoder, self.device), latents), 8)

    def generate(
        self, networks: nn.Module, prompts: list[str], *, steps: int, guidance: float, seed: int
    ) -> torch.Tensor:
        """Sample latents (N, 4, h, w) of prompts with DDIM and classifier-free guidance.

        With small pictures: first small ones, then what is left to do when they are enlarged.
        """
        generator = torch.Generator().manual_seed(seed)
        ids = token_ids(self.tokenizer, [""] * len(prompts) + prompts).to(self.device)
        settings = {"steps": steps, "guidance": guidance}

        def noise(of: torch.Tensor) -> torch.Tensor:
            shape = (len(prompts), *of.shape[2:])
            return torch.randn(shape, generator=generator).to(self.device)

        if self.small is None:
            return draw_latents(networks, noise(self.latents), ids, **settings)
        first = draw_latents(networks, noise(self.small), ids, **settings)
        autoencoder = load_autoencoder(self.autoencoder, self.device)
        pictures = F.interpolate(autoencoder.decode(first).sample, scale_factor=2, mode="bicubic")
        enlarged = autoencoder.encode(pictures.clamp(-1.0, 1.0)).latent_dist.mean
        return draw_latents(networks, noise(self.latents), ids, refined=enlarged, **settings)

    def _mirrored(self) -> str:
        return "mirrored half of the time, " if self.latents.shape[1] > 1 else ""

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write the whole pipeline, fp16, and words.json."""
        save_pipeline(networks, self.tokenizer, self.autoencoder, self.words, folder)
        side = 8 * self.latents.shape[-1]
        write_card(
            folder,
            f"Text to image, {side} px",
            what="StableDiffusionPipeline: CLIP text encoder of 2 layers, U-Net of "
            f"{sum(p.numel() for p in networks['unet'].parameters()) / 1e6:.1f} M parameters, "
            "v-prediction with zero terminal SNR, 10 % caption dropout.",
            data=f"front views on white of {len(self.places[0])} procedural props of "
            f"`assets3d.props`, and {len(self.places[1])} tiles of the procedural materials of "
            f"`assets3d.textures.world`, {self._mirrored()}with generated captions.",
            note=note + self.before,
            progress=progress,
            limits=f"knows the {len(self.words)} words of `words.json` and the things they "
            "name; any other word is spelt in letters that mean nothing to it.",
            command="python -m training.text_to_image",
        )


def _spread(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return at most `count` of the places, evenly spread, in order."""
    return places[np.unique(np.linspace(0, len(places) - 1, count).round().astype(int))]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser: argparse.ArgumentParser = command_line(
        __doc__.split("\n")[0], "text_to_image", batch=16, rate=4e-4
    )
    parser.add_argument("--latents", type=Path, default=FOLDER)
    parser.add_argument("--autoencoder", type=Path, default=AUTOENCODER)
    parser.add_argument("--start", type=Path, default=None, help="an exported one to go on from")
    parser.add_argument("--small", type=Path, default=None, help="latents of half the size")
    options = parser.parse_args(arguments)
    small = None
    if options.small is not None:
        small = load_picture_latents(options.small, "training", options.autoencoder)
    task = TextToImageTask(
        *(
            load_picture_latents(options.latents, split, options.autoencoder)
            for split in ("training", "validation")
        ),
        options.autoencoder,
        preset=options.preset,
        batch=options.batch,
        device=options.device,
        out=options.out,
        start=options.start,
        small=small,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

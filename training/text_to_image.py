"""Train the text-to-image model: a small CLIP text encoder and a latent diffusion U-Net, jointly.

    python -m training.text_to_image --total-minutes 60 --minutes 8 --export assets3d/weights/image

Pictures are fronts of props on white, and in every fifth step tiles of materials, so that one model
draws what the steps image and texture ask for. The exported folder is a StableDiffusionPipeline,
loadable by `AutoPipelineForText2Image`, with `words.json`, the words that the captions used.

A CPU gets farther by learning words and shapes small first: train on pictures of half the size
(`training.picture_latents --halved`), export, and go on from there with `--start`.
"""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assets3d.textures.seamless.settings import NEGATIVE_PROMPT
from training.card import gone_on_from, write_card
from training.checkpoint import Progress
from training.diffusion import Noising, new_scheduler, spread_steps
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
from training.tokens import END, MAX_TOKENS, START, new_tokenizer, words_in

TEXT_WIDTH = 128
#: From full size down. The first level is thin: at 32 x 32 latents it costs most and decides least.
WIDTHS = {"cpu": (48, 96, 128, 128), "gpu": (48, 96, 128, 128)}
CAPTION_DROPOUT = 0.1
#: Share of the steps that see tiles, and of those whose padding wraps: the stage draws both ways.
TILES, ON_TORUS = 0.2, 0.5
#: What the caption of a tile is dropped for: guidance compares the words with either of them.
NO_WORDS = ("", NEGATIVE_PROMPT)
VALIDATION_PROPS, VALIDATION_TILES = 64, 24


def new_text_encoder(tokenizer: Any, width: int = TEXT_WIDTH, layers: int = 2) -> nn.Module:
    """Return an untrained CLIPTextModel for the tokenizer's vocabulary.

    CLIP's own start (words of deviation 0.02, layers that add fifty times as much) needs the
    millions of pairs that CLIP has: here it left "a red apple" and "a blue apple" the same context
    after 100,000 samples. So words start as large random vectors, told apart from the first step,
    and the layers add little at first.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    ids = tokenizer.get_vocab()
    config = CLIPTextConfig(
        vocab_size=len(ids),
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        bos_token_id=ids[START],
        eos_token_id=ids[END],
        pad_token_id=ids[END],
    )
    encoder = CLIPTextModel(config)
    with torch.no_grad():
        for name, weight in encoder.named_parameters():
            if "token_embedding" in name:
                weight.normal_(0.0, 1.0)
            elif "position_embedding" in name:
                weight.normal_(0.0, 0.1)
            elif name.endswith(("out_proj.weight", "fc2.weight")):
                weight.mul_(0.1)
    return encoder


def new_unet(preset: str, size: int) -> nn.Module:
    """Return an untrained U-Net for latents of size x size.

    Words enter by cross-attention after two halvings, and all of them together through the time
    embedding, which scales and shifts every level: what a whole caption says (the thing, its
    colour) is learnt several times as fast. So it is with half the usual rate: after five minutes
    of one core the error at pure noise was 0.67 of 0.79 without words; without the scale 0.70, at
    twice the rate 0.72, at five times 0.75.
    """
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=size,
        in_channels=4,
        out_channels=4,
        block_out_channels=WIDTHS[preset],
        layers_per_block=1,
        down_block_types=("DownBlock2D",) * 2 + ("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2 + ("UpBlock2D",) * 2,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )


def token_ids(tokenizer: Any, captions: list[str]) -> torch.Tensor:
    """Tokenise captions to (N, 32) int64, padded and cut."""
    return tokenizer(
        captions,
        padding="max_length",
        max_length=MAX_TOKENS,
        truncation=True,
        return_tensors="pt",
    ).input_ids


def velocity_loss(
    networks: nn.Module,
    noising: Noising,
    clean: torch.Tensor,
    ids: torch.Tensor,
    noise: torch.Tensor,
    steps: torch.Tensor,
) -> torch.Tensor:
    """Return the weighted error of the velocity that the networks see in noisy latents.

    Args:
        networks: `unet` and `text`.
        noising: the forward process.
        clean: (B, C, h, w) latents.
        ids: (B, 32) tokens of their captions.
        noise: like `clean`.
        steps: (B,) time steps.
    """
    noisy, target = noising.mix(clean, noise, steps)
    context = networks["text"](ids).last_hidden_state
    found = networks["unet"](noisy, steps, encoder_hidden_states=context).sample
    error = (found - target).square().mean((1, 2, 3))
    return (noising.weight(steps) * error).mean()


def draw_latents(
    networks: nn.Module, noise: torch.Tensor, ids: torch.Tensor, *, steps: int, guidance: float
) -> torch.Tensor:
    """Sample latents like `noise` (N, C, h, w) with DDIM and classifier-free guidance.

    Args:
        networks: `unet` and `text`.
        noise: where to begin.
        ids: (2 N, 32) tokens: of empty captions, then of the prompts.
        steps: how many.
        guidance: strength; 1 does without the empty captions' answer.
    """
    latents, context = noise, networks["text"](ids).last_hidden_state
    scheduler = new_scheduler()
    scheduler.set_timesteps(steps)
    for step in scheduler.timesteps:
        both = networks["unet"](
            torch.cat([latents, latents]), step, encoder_hidden_states=context
        ).sample
        without, given = both.chunk(2)
        velocity = without + guidance * (given - without)
        latents = scheduler.step(velocity, step, latents).prev_sample
    return latents


def save_pipeline(
    networks: nn.Module, tokenizer: Any, autoencoder: Path, words: list[str], folder: Path
) -> None:
    """Write a StableDiffusionPipeline, fp16, and words.json, the words that its captions used."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=load_autoencoder(autoencoder, "cpu").half(),
        text_encoder=networks["text"].half().cpu(),
        tokenizer=tokenizer,
        unet=networks["unet"].half().cpu(),
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    vocabulary = folder / "tokenizer" / "tokenizer.json"  # half of it is indentation
    packed = json.dumps(json.loads(vocabulary.read_text()), separators=(",", ":"))
    vocabulary.write_text(packed + "\n")
    (folder / "words.json").write_text(json.dumps({"words": words}, indent=1) + "\n")


def load_start(folder: Path, words: list[str], size: int) -> nn.ModuleDict:
    """Load exported networks to go on from, for latents of size x size, as float32.

    Raises:
        ValueError: they were trained on other words, whose tokens have other numbers.
    """
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    if (found := json.loads((folder / "words.json").read_text())["words"]) != words:
        odd = sorted(set(found) ^ set(words))
        raise ValueError(f"{folder}: knows other words than the captions, such as {odd[:3]}")
    unet = UNet2DConditionModel.from_pretrained(
        folder / "unet", torch_dtype=torch.float32, local_files_only=True
    )
    unet.register_to_config(sample_size=size)
    text = CLIPTextModel.from_pretrained(
        folder / "text_encoder", dtype=torch.float32, local_files_only=True
    )
    return nn.ModuleDict({"unet": unet, "text": text})


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
    ):
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
        places = self.places[int(tiles)]
        chosen = places[torch.randint(len(places), (self.batch,), generator=generator)]
        mirrored = torch.randint(self.latents.shape[1], (self.batch,), generator=generator)
        clean = self.latents[chosen, mirrored].float()
        ids = self.ids[chosen, torch.randint(self.ids.shape[1], (self.batch,), generator=generator)]
        dropped = torch.rand(self.batch, generator=generator) < CAPTION_DROPOUT
        which = torch.randint(len(NO_WORDS), (self.batch,), generator=generator)
        ids[dropped] = self.nothing[which[dropped] if tiles else 0 * which[dropped]]
        if tiles:
            # A tile may begin anywhere.
            turns = torch.randint(clean.shape[-1], (self.batch, 2), generator=generator).tolist()
            clean = torch.stack([x.roll(t, (1, 2)) for x, t in zip(clean, turns, strict=True)])
        noise = torch.randn(clean.shape, generator=generator)
        steps = spread_steps(self.batch, generator)
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
            steps = spread_steps(len(clean), generator)
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
        """Sample latents (N, 4, h, w) of prompts with DDIM and classifier-free guidance."""
        generator = torch.Generator().manual_seed(seed)
        shape = (len(prompts), *self.latents.shape[2:])
        latents = torch.randn(shape, generator=generator).to(self.device)
        ids = token_ids(self.tokenizer, [""] * len(prompts) + prompts).to(self.device)
        return draw_latents(networks, latents, ids, steps=steps, guidance=guidance)

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
    options = parser.parse_args(arguments)
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
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

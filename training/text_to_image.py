"""Train the text-to-image model: a small CLIP text encoder and a latent diffusion U-Net, jointly.

    python -m training.text_to_image --total-minutes 60 --minutes 8 --export assets3d/weights/image

Pictures are the front views on white. The exported folder is a StableDiffusionPipeline, loadable by
`AutoPipelineForText2Image`, with `words.json`, the words that the captions used.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.card import write_card
from training.checkpoint import Progress
from training.diffusion import Noising, new_scheduler, spread_steps
from training.latents import Latents, decode, load_autoencoder, read_command
from training.plots import contact_sheet
from training.run import fresh, run, settings_from
from training.tokens import END, MAX_TOKENS, START, new_tokenizer, words_in

TEXT_WIDTH = 128
WIDTHS = {"cpu": (96, 128, 128), "gpu": (96, 128, 128)}
CAPTION_DROPOUT = 0.1


def new_text_encoder(tokenizer: Any, width: int = TEXT_WIDTH, layers: int = 2) -> nn.Module:
    """Return an untrained CLIPTextModel for the tokenizer's vocabulary."""
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
    return CLIPTextModel(config)


def new_unet(preset: str, size: int) -> nn.Module:
    """Return an untrained U-Net for latents of size x size; attention after the first halving."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=size,
        in_channels=4,
        out_channels=4,
        block_out_channels=WIDTHS[preset],
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=32,
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


class TextToImageTask:
    """Predict the velocity of front-view latents from captions."""

    def __init__(
        self,
        training: Latents,
        validation: Latents,
        autoencoder: Path,
        *,
        preset: str,
        batch: int,
        device: str,
        out: Path,
    ):
        self.out = out
        self.captions = training.captions.reshape(-1).tolist()
        self.words = words_in(self.captions)
        self.tokenizer = new_tokenizer(self.words)
        size = training.plain.shape[-1]
        self.networks = fresh(
            lambda: nn.ModuleDict(
                {"unet": new_unet(preset, size), "text": new_text_encoder(self.tokenizer)}
            )
        )
        variants = training.captions.shape[1]
        self.ids = token_ids(self.tokenizer, self.captions).unflatten(0, (-1, variants))
        self.empty = token_ids(self.tokenizer, [""])[0]
        self.fronts = torch.stack([training.plain[:, 0], training.mirrored[:, 0]], 1).float()
        self.prompts = [str(c) for c in validation.captions[:64, 0]]
        self.validation = validation.plain[:64, 0].float()
        self.autoencoder, self.batch, self.device = autoencoder, batch, device
        self.noising = Noising(device)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        count, variants = self.ids.shape[:2]
        props = torch.randint(count, (self.batch,), generator=generator)
        clean = self.fronts[props, torch.randint(2, (self.batch,), generator=generator)]
        ids = self.ids[props, torch.randint(variants, (self.batch,), generator=generator)]
        ids[torch.rand(self.batch, generator=generator) < CAPTION_DROPOUT] = self.empty
        noise = torch.randn(clean.shape, generator=generator)
        steps = spread_steps(self.batch, generator)
        return self._velocity_loss(self.networks, clean, ids, noise, steps), self.batch

    def _velocity_loss(
        self,
        networks: nn.Module,
        clean: torch.Tensor,
        ids: torch.Tensor,
        noise: torch.Tensor,
        steps: torch.Tensor,
    ) -> torch.Tensor:
        clean, ids, noise, steps = (x.to(self.device) for x in (clean, ids, noise, steps))
        return velocity_loss(networks, self.noising, clean, ids, noise, steps)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """The loss on held-out seeds, with fixed noise and steps."""
        generator = torch.Generator().manual_seed(1)
        noise = torch.randn(self.validation.shape, generator=generator)
        steps = spread_steps(len(self.validation), generator)
        ids = token_ids(self.tokenizer, self.prompts)
        loss = self._velocity_loss(networks, self.validation, ids, noise, steps)
        return {"validation_loss": float(loss)}

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Sixteen held-out captions in order, 16 steps, guidance 4."""
        prompts = self.prompts[:16]
        (self.out / "samples.txt").write_text("\n".join(prompts) + "\n")
        latents = self.generate(networks, prompts, steps=16, guidance=4.0, seed=0)
        return contact_sheet(decode(load_autoencoder(self.autoencoder, self.device), latents), 8)

    def generate(
        self, networks: nn.Module, prompts: list[str], *, steps: int, guidance: float, seed: int
    ) -> torch.Tensor:
        """Sample latents (N, 4, h, w) of prompts with DDIM and classifier-free guidance."""
        generator = torch.Generator().manual_seed(seed)
        shape = (len(prompts), *self.fronts.shape[2:])
        latents = torch.randn(shape, generator=generator).to(self.device)
        ids = token_ids(self.tokenizer, [""] * len(prompts) + prompts).to(self.device)
        return draw_latents(networks, latents, ids, steps=steps, guidance=guidance)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write the whole pipeline, fp16, and words.json."""
        save_pipeline(networks, self.tokenizer, self.autoencoder, self.words, folder)
        write_card(
            folder,
            "Text to image, 128 px",
            what="StableDiffusionPipeline: CLIP text encoder of 2 layers, U-Net of "
            f"{sum(p.numel() for p in networks['unet'].parameters()) / 1e6:.1f} M parameters, "
            "v-prediction with zero terminal SNR, 10 % caption dropout.",
            data=f"front views on white of {len(self.fronts)} procedural props "
            "of `assets3d.props`, mirrored half of the time, with generated captions.",
            note=note,
            progress=progress,
            limits=f"knows the {len(self.words)} words of `words.json` and the props they "
            "name; any other word is spelt in letters that mean nothing to it.",
            command="python -m training.text_to_image",
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    options, training, validation = read_command(
        __doc__.split("\n")[0], "text_to_image", arguments, batch=16, rate=8e-4
    )
    task = TextToImageTask(
        training,
        validation,
        options.autoencoder,
        preset=options.preset,
        batch=options.batch,
        device=options.device,
        out=options.out,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()

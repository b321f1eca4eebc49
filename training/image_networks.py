"""The text-to-image networks: made anew, gone on from, drawn with, written as a pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.diffusion import Noising, new_scheduler
from training.latents import load_autoencoder
from training.tokens import END, MAX_TOKENS, START

TEXT_WIDTH = 128
#: From full size down. The first level is thin: at 32 x 32 latents it costs most and decides least.
WIDTHS = {"cpu": (48, 96, 128, 128), "gpu": (48, 96, 128, 128)}
#: Where sampling takes an enlarged picture up.
REFINE_FROM = 400


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
    networks: nn.Module,
    noise: torch.Tensor,
    ids: torch.Tensor,
    *,
    steps: int,
    guidance: float,
    refined: torch.Tensor | None = None,
) -> torch.Tensor:
    """Sample latents like `noise` (N, C, h, w) with DDIM and classifier-free guidance.

    Args:
        networks: `unet` and `text`.
        noise: where to begin.
        ids: (2 N, 32) tokens: of empty captions, then of the prompts.
        steps: how many.
        guidance: strength; 1 does without the empty captions' answer.
        refined: latents to go on from, with noise from `REFINE_FROM` down.
    """
    latents, context = noise, networks["text"](ids).last_hidden_state
    scheduler = new_scheduler()
    scheduler.set_timesteps(steps)
    times = scheduler.timesteps
    if refined is not None:
        times = times[times <= REFINE_FROM]
        latents = scheduler.add_noise(refined, noise, times[:1].expand(len(noise)))
    for step in times:
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

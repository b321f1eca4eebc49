"""The two ways of sampling four views: MVDream and ImageDream, and the embedded network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from assets3d.views.cameras import FRONT_FIRST, frame_vectors, view_vectors
from assets3d.views.embedded import network_input

if TYPE_CHECKING:
    from assets3d.views.model import ViewsModel

#: Seed of the generator behind the input picture's latent: the latent depends on the picture only.
_IMAGE_LATENT_SEED = 0


@dataclass(frozen=True)
class SamplingSettings:
    """Number of steps and the scale of classifier-free guidance (off at 1 or less)."""

    steps: int
    guidance: float

    @property
    def guided(self) -> bool:
        """Whether each step needs the second pass without the condition."""
        return self.guidance > 1.0


def embedded(
    model: ViewsModel,
    picture: NDArray[np.uint8],
    settings: SamplingSettings,
    generator: torch.Generator,
) -> NDArray[np.uint8]:
    """Sample with the embedded network; the first returned view is the picture itself.

    The front's latent is known, so at every step it is overwritten by the picture's latent with
    that step's noise, as in inpainting (Lugmayr et al. 2022, "RePaint", without its jumps back).
    """
    device, dtype = model.device, model.dtype
    known = image_latent(model, picture, sampled=False)
    latents = _noise(model, (4, *known.shape[1:]), generator)
    front_noise = latents[:1].clone()
    passes = 2 if settings.guided else 1
    camera = torch.from_numpy(view_vectors()).to(device, dtype).repeat(passes, 1)
    # The pass without the condition comes first, as in the official pipelines.
    pictures = torch.cat([torch.zeros_like(known), known]) if settings.guided else known
    scheduler = model.scheduler
    scheduler.set_timesteps(settings.steps)
    for step in _with_bar(scheduler.timesteps):
        latents[:1] = scheduler.add_noise(known, front_noise, step.reshape(1))
        joined = network_input(latents.repeat(passes, 1, 1, 1).to(dtype), pictures.to(dtype))
        predicted = model.unet(joined, step.to(device), camera).float()
        predicted = _guide(predicted, settings)
        latents = scheduler.step(predicted, step, latents).prev_sample
    views = decode(model, latents[1:])
    return np.concatenate([picture[None], views])


def official(
    model: ViewsModel,
    picture: NDArray[np.uint8] | None,
    texts: tuple[str, str],
    settings: SamplingSettings,
    generator: torch.Generator,
) -> NDArray[np.uint8]:
    """Sample with MVDream (picture None) or ImageDream; `texts` are the negative and the prompt.

    ImageDream has a fifth frame whose latent is the picture's at every step (zeros without the
    condition); what the network makes of it is discarded.
    """
    device, dtype = model.device, model.dtype
    frames = 4 if picture is None else 5
    camera = torch.from_numpy(frame_vectors(image_frame=picture is not None)).to(device, dtype)
    context = encode_texts(model, texts)
    image_parts = {}
    if picture is not None:
        image_parts["image_features"] = _with_zeros(clip_features(model, picture))
        image_parts["image_latent"] = _with_zeros(image_latent(model, picture, sampled=True))
    passes = 2 if settings.guided else 1
    if not settings.guided:
        context = context[1:]
        image_parts = {name: part[1:] for name, part in image_parts.items()}
    conditions = {"context": context.repeat_interleave(frames, dim=0).to(dtype)}
    for name, part in image_parts.items():
        repeats = frames if name == "image_features" else 1
        conditions[name] = part.repeat_interleave(repeats, dim=0).to(dtype)
    side = model.size_px // _factor(model)
    channels = model.unet.config.in_channels
    latents = _noise(model, (frames, channels, side, side), generator)
    scheduler = model.scheduler
    scheduler.set_timesteps(settings.steps)
    latents = latents * scheduler.init_noise_sigma
    for step in _with_bar(scheduler.timesteps):
        doubled = scheduler.scale_model_input(latents.repeat(passes, 1, 1, 1), step)
        predicted = model.unet(
            doubled.to(dtype),
            step.to(device),
            camera.repeat(passes, 1),
            frames=frames,
            **conditions,
        ).float()
        predicted = _guide(predicted, settings)
        latents = scheduler.step(predicted, step, latents).prev_sample
    return decode(model, latents[list(FRONT_FIRST)])


def image_latent(model: ViewsModel, picture: NDArray[np.uint8], sampled: bool) -> torch.Tensor:
    """Encode a picture (H, W, 3) on white; return (1, 4, h, w) float32, scaled.

    `sampled` draws from the autoencoder's distribution, as ImageDream was trained, with a fixed
    generator; otherwise it is the distribution's mode.
    """
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1.0
    latents = model.autoencoder.encode(pixels.to(model.device, model.dtype)).latent_dist
    if sampled:
        found = latents.sample(torch.Generator("cpu").manual_seed(_IMAGE_LATENT_SEED))
    else:
        found = latents.mode()
    return found.float() * model.latent_scale


def decode(model: ViewsModel, latents: torch.Tensor) -> NDArray[np.uint8]:
    """Decode scaled latents (V, 4, h, w) to pictures (V, H, W, 3)."""
    latents = (latents / model.latent_scale).to(model.dtype)
    pictures = torch.cat([model.autoencoder.decode(part).sample for part in latents.split(1)])
    pictures = ((pictures.float().clamp(-1, 1) + 1.0) * 127.5).round().byte()
    return pictures.permute(0, 2, 3, 1).cpu().numpy()


def encode_texts(model: ViewsModel, texts: tuple[str, str]) -> torch.Tensor:
    """Return (2, 77, context_dim): last hidden states after the final norm."""
    tokens = model.tokenizer(
        list(texts),
        padding="max_length",
        max_length=model.tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    return model.text_encoder(tokens.input_ids.to(model.device)).last_hidden_state


def clip_features(model: ViewsModel, picture: NDArray[np.uint8]) -> torch.Tensor:
    """Return (1, tokens, width): the last hidden states but one of the CLIP image encoder."""
    pixels = model.feature_extractor(images=picture, return_tensors="pt").pixel_values
    pixels = pixels.to(model.device, model.dtype)
    return model.image_encoder(pixels, output_hidden_states=True).hidden_states[-2]


def _with_bar(timesteps: torch.Tensor) -> Iterable[torch.Tensor]:
    """Show progress on a terminal when it takes longer than two seconds."""
    return tqdm(timesteps, desc="views", unit="step", leave=False, disable=None, delay=2.0)


def _with_zeros(condition: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.zeros_like(condition), condition])


def _noise(model: ViewsModel, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=generator).to(model.device)


def _factor(model: ViewsModel) -> int:
    return 2 ** (len(model.autoencoder.config.block_out_channels) - 1)


def _guide(predicted: torch.Tensor, settings: SamplingSettings) -> torch.Tensor:
    if not settings.guided:
        return predicted
    without, with_condition = predicted.chunk(2)
    return without + settings.guidance * (with_condition - without)

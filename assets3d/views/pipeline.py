"""Loading a views model and making the four views of an object with it.

A model folder has one of two layouts:

- official: the diffusers folders of MVDream (text) or ImageDream (picture and text). Each subfolder
  is loaded with its stock class and the U-Net with ours, so no code from the folder ever runs;
- embedded: config.json with `"kind": "embedded"` and the U-Net's weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.checkpoints import build_with, find_weights, read_weights
from assets3d.errors import InputError
from assets3d.images.picture import on_background, resize_premultiplied
from assets3d.views import sampling
from assets3d.views.embedded import CONFIG_FILE, WEIGHTS_STEM, EmbeddedViewsConfig
from assets3d.views.unet import MultiViewUNet, MultiViewUNetConfig

#: What MVDream and ImageDream were trained at.
OFFICIAL_SIZE_PX = 256

Kind = Literal["embedded", "mvdream", "imagedream"]


@dataclass(frozen=True)
class ViewsModel:
    """A views network and what goes round it.

    Attributes:
        kind: which way of sampling it needs.
        unet: the network.
        autoencoder: diffusers' AutoencoderKL.
        scheduler: a diffusers scheduler; its timesteps are set anew for each asset.
        size_px: side of the pictures that the network makes.
        latent_scale: latents are the autoencoder's times this.
        config: of the embedded network, else None.
        tokenizer: and the three below: transformers' CLIP parts; None where the kind needs none.
        text_encoder: 77 tokens to the context.
        feature_extractor: picture to the image encoder's input.
        image_encoder: CLIP vision model.
    """

    kind: Kind
    unet: MultiViewUNet
    autoencoder: Any
    scheduler: Any
    size_px: int
    latent_scale: float
    config: EmbeddedViewsConfig | None = None
    tokenizer: Any = None
    text_encoder: Any = None
    feature_extractor: Any = None
    image_encoder: Any = None

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return next(self.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of the network's parameters."""
        return next(self.unet.parameters()).dtype


def load_views_model(
    folder: str | Path, device: str = "cpu", dtype: torch.dtype | None = None
) -> ViewsModel:
    """Load a model folder of either layout; nothing is fetched from anywhere.

    Args:
        folder: the model's folder.
        device: "cpu", "cuda", ...
        dtype: of the networks; None for float32 on a CPU and float16 elsewhere.

    Raises:
        InputError: a part is missing, is a pickle, is cut off, or has unexpected names or shapes.
    """
    folder = Path(folder)
    if dtype is None:
        dtype = torch.float32 if torch.device(device).type == "cpu" else torch.float16
    if (folder / "unet").is_dir():
        return _load_official(folder, device, dtype)
    values = _read_json(folder / CONFIG_FILE, "views model")
    if values.get("kind") != "embedded":
        raise InputError(
            f"views model: kind is {values.get('kind')!r} in {folder.name}/{CONFIG_FILE}, wanted"
            " 'embedded', or a folder with unet/, vae/ and so on"
        )
    return _load_embedded(folder, EmbeddedViewsConfig.from_json(values), device, dtype)


def make_views(
    model: ViewsModel,
    cutout_rgba: NDArray[np.uint8] | None,
    *,
    prompt: str = "",
    seed: int,
    steps: int | None = None,
    guidance: float | None = None,
    size_px: int | None = None,
    negative_prompt: str = "",
) -> NDArray[np.uint8]:
    """Make front, right, back and left of an object at elevation 0, as `four_views` orders them.

    The same model, input and seed give the same pictures on the same device. Noise comes from a CPU
    generator, so that a GPU starts from the same noise; the input picture's latent comes from a
    generator of its own and depends on the picture only.

    Args:
        model: from `load_views_model`.
        cutout_rgba: (S, S, 4) uint8 front view, straight alpha, object at 80 % of the frame. None
            for MVDream, which knows text only.
        prompt: what the object is; the embedded network does not read it.
        seed: of the noise.
        steps: sampling steps; the model's own number if None.
        guidance: classifier-free guidance; at 1 or less it is off. The model's own if None.
        size_px: side of the returned pictures; the network's own if None. The network always works
            at its own size.
        negative_prompt: what to keep away from, with guidance.

    Returns:
        (4, size_px, size_px, 3) uint8 on white.
    """
    settings = _settings(model, steps, guidance)
    generator = torch.Generator("cpu").manual_seed(seed)
    picture = None
    if model.kind != "mvdream":
        if cutout_rgba is None:
            raise InputError("views: no picture, wanted a cutout of the front (or a text model)")
        picture = on_background(resize_premultiplied(cutout_rgba, model.size_px))
    with torch.inference_mode():
        if model.kind == "embedded":
            pictures = sampling.embedded(model, picture, settings, generator)
        else:
            texts = (negative_prompt, prompt)
            pictures = sampling.official(model, picture, texts, settings, generator)
    if size_px is not None and size_px != model.size_px:
        pictures = np.stack([resize_premultiplied(p, size_px) for p in pictures])
    return pictures


def _settings(
    model: ViewsModel, steps: int | None, guidance: float | None
) -> sampling.SamplingSettings:
    if model.config is not None:
        own = (model.config.steps, model.config.guidance)
    else:
        own = (30, 5.0 if model.kind == "imagedream" else 7.5)
    steps = own[0] if steps is None else steps
    if steps < 1:
        raise InputError(f"views.steps: found {steps}, wanted at least 1")
    return sampling.SamplingSettings(steps, own[1] if guidance is None else guidance)


def _read_json(path: Path, what: str) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{what}: no {path.name} in {path.parent.name}/") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{what}: {path.name} cannot be read ({error})") from None
    if not isinstance(values, dict):
        raise InputError(f"{what}: {path.name} holds no object of keys and values")
    return values


def _load_unet(
    folder: Path, config: MultiViewUNetConfig, device: str, dtype: torch.dtype
) -> MultiViewUNet:
    weights = read_weights(find_weights(folder, WEIGHTS_STEM, "views unet"), "views unet")
    return build_with(lambda: MultiViewUNet(config), weights, "views unet", dtype).to(device)


def _load_embedded(
    folder: Path, config: EmbeddedViewsConfig, device: str, dtype: torch.dtype
) -> ViewsModel:
    unet = _load_unet(folder, config.unet, device, dtype)
    autoencoder = _load_autoencoder(folder / config.autoencoder, device, dtype)
    scale = config.latent_scale
    return ViewsModel(
        "embedded",
        unet,
        autoencoder,
        config.noise_scheduler(),
        config.size_px,
        autoencoder.config.scaling_factor if scale is None else scale,
        config,
    )


def _load_autoencoder(folder: Path, device: str, dtype: torch.dtype) -> Any:
    from diffusers import AutoencoderKL

    find_weights(folder, WEIGHTS_STEM, "views vae")
    autoencoder = _stock(
        "views vae",
        lambda: AutoencoderKL.from_pretrained(
            folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True
        ),
    )
    return autoencoder.eval().requires_grad_(False).to(device)


def _load_official(folder: Path, device: str, dtype: torch.dtype) -> ViewsModel:
    from diffusers import DDIMScheduler
    from transformers import CLIPTextModel, CLIPTokenizer

    values = _read_json(folder / "unet" / "config.json", "views unet")
    config = MultiViewUNetConfig.from_json(values)
    autoencoder = _load_autoencoder(folder / "vae", device, dtype)
    tokenizer = _stock(
        "views tokenizer",
        lambda: CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
    )
    scheduler = _stock(
        "views scheduler",
        lambda: DDIMScheduler.from_pretrained(folder / "scheduler", local_files_only=True),
    )
    extractor, image_encoder = None, None
    if config.ip_dim:
        from transformers import CLIPImageProcessorPil, CLIPVisionModel

        extractor = _stock(
            "views feature_extractor",
            lambda: CLIPImageProcessorPil.from_pretrained(
                folder / "feature_extractor", local_files_only=True
            ),
        )
        image_encoder = _clip(CLIPVisionModel, folder / "image_encoder", device, dtype)
    return ViewsModel(
        "imagedream" if config.ip_dim else "mvdream",
        _load_unet(folder / "unet", config, device, dtype),
        autoencoder,
        scheduler,
        OFFICIAL_SIZE_PX,
        autoencoder.config.scaling_factor,
        tokenizer=tokenizer,
        text_encoder=_clip(CLIPTextModel, folder / "text_encoder", device, dtype),
        feature_extractor=extractor,
        image_encoder=image_encoder,
    )


def _clip(model_class: Any, folder: Path, device: str, dtype: torch.dtype) -> Any:
    what = f"views {folder.name}"
    find_weights(folder, "model", what)
    model = _stock(
        what,
        lambda: model_class.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True
        ),
    )
    return model.eval().requires_grad_(False).to(device)


def _stock(what: str, load: Callable[[], Any]) -> Any:
    """Run a stock class's loader; whatever it raises becomes one line."""
    try:
        return load()
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{what}: cannot be loaded ({reason}), wanted its diffusers folder"
        ) from None

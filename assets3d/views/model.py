"""A views model and how it is loaded.

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

import torch

from assets3d.checkpoints import build_with, find_weights, read_weights
from assets3d.errors import InputError
from assets3d.views.embedded import CONFIG_FILE, WEIGHTS_STEM, EmbeddedViewsConfig
from assets3d.views.unet import MultiViewUNet
from assets3d.views.unet_config import MultiViewUNetConfig

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

"""The embedded views network's file format and its input, shared by training and use.

The network sees four frames (front, right, back, left). The front is the input picture itself and
so known; its latent also goes, clean, into the input channels of every frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from assets3d.errors import InputError
from assets3d.views.presets import embedded_config
from assets3d.views.unet import MultiViewUNet
from assets3d.views.unet_config import MultiViewUNetConfig

Prediction = Literal["v_prediction", "epsilon", "sample"]
Sampler = Literal["ddim", "dpm++"]

CONFIG_FILE = "config.json"
WEIGHTS_STEM = "diffusion_pytorch_model"


@dataclass(frozen=True)
class EmbeddedViewsConfig:
    """What config.json of the embedded network holds.

    Attributes:
        unet: shape of the network.
        autoencoder: folder of the AutoencoderKL, relative to the configuration's own.
        size_px: side of the pictures.
        prediction_type: what the network predicts.
        beta_schedule: noise schedule of diffusers, 1000 steps, rescaled to end in pure noise.
        sampler: "ddim" or "dpm++" (DPM-Solver++ 2M).
        steps: sampling steps when the caller names none.
        only_steps: the one number of sampling steps that the network was trained for; None: any.
        guidance: guidance scale when the caller names none; 1 needs no second pass.
        latent_scale: latents are the autoencoder's times this; None for its own scaling factor.
    """

    unet: MultiViewUNetConfig = field(default_factory=embedded_config)
    autoencoder: str = "../image/vae"
    size_px: int = 128
    prediction_type: Prediction = "v_prediction"
    beta_schedule: str = "scaled_linear"
    sampler: Sampler = "ddim"
    steps: int = 20
    only_steps: int | None = None
    guidance: float = 1.0
    latent_scale: float | None = None

    def __post_init__(self) -> None:
        for name, kind in (("prediction_type", Prediction), ("sampler", Sampler)):
            if getattr(self, name) not in get_args(kind):
                found, wanted = getattr(self, name), ", ".join(get_args(kind))
                raise InputError(f"views config: {name} is {found!r}, wanted one of {wanted}")

    def to_json(self) -> dict[str, Any]:
        """Return what is written to config.json."""
        return {"kind": "embedded", **asdict(self), "unet": self.unet.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EmbeddedViewsConfig:
        """Read config.json's content.

        Raises:
            InputError: an unknown key or a value out of its range.
        """
        rest = {name: value for name, value in values.items() if name != "kind"}
        unknown = sorted(set(rest) - {f.name for f in fields(cls)})
        if unknown:
            raise InputError(f"views config: unknown key {unknown[0]}")
        if "unet" in rest:
            rest["unet"] = MultiViewUNetConfig.from_json(rest["unet"])
        return cls(**rest)

    def noise_scheduler(self) -> Any:
        """Return a new diffusers scheduler; training uses its `add_noise` and `get_velocity`."""
        from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

        shared = {
            "num_train_timesteps": 1000,
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": self.beta_schedule,
            "prediction_type": self.prediction_type,
            # A schedule that stops short of pure noise leaks the mean colour of the training data.
            "rescale_betas_zero_snr": self.prediction_type != "epsilon",
            "timestep_spacing": "trailing",
        }
        if self.sampler == "dpm++":
            return DPMSolverMultistepScheduler(**shared)
        return DDIMScheduler(clip_sample=False, set_alpha_to_one=True, **shared)


def network_input(noisy: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Join noisy latents and the input picture's latent.

    Args:
        noisy: (samples * frames, 4, h, w), frame fastest.
        picture: (samples, 4, h, w) clean latents of the input pictures; zeros for "no picture".

    Returns:
        (samples * frames, 8, h, w).
    """
    return torch.cat([noisy, picture.repeat_interleave(len(noisy) // len(picture), dim=0)], dim=1)


def write_embedded(folder: Path, unet: MultiViewUNet, config: EmbeddedViewsConfig) -> None:
    """Write config.json and fp16 weights; each file appears whole or not at all."""
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().half().cpu().contiguous() for k, v in unet.state_dict().items()}
    unfinished = folder / f"{WEIGHTS_STEM}.unfinished"
    save_file(weights, unfinished)
    unfinished.replace(folder / f"{WEIGHTS_STEM}.safetensors")
    unfinished = folder / f"{CONFIG_FILE}.unfinished"
    unfinished.write_text(json.dumps(config.to_json(), indent=1) + "\n")
    unfinished.replace(folder / CONFIG_FILE)

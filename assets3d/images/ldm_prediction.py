"""What the U-Net of a single-file checkpoint predicts: noise or velocity. No shape tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from assets3d.errors import InputError
from assets3d.images.ldm_configs import UNET, Layout
from assets3d.weight_files import Shapes

# Which of SD 2's checkpoints predict velocity shows in how far this bias spreads; ComfyUI and the
# WebUI go by the same number.
_TELLING = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
_VELOCITY_SPREAD = 0.09


@dataclass(frozen=True)
class Prediction:
    """`kind` is diffusers' prediction_type; trained down to pure noise or not."""

    kind: str = "epsilon"
    zero_terminal_noise: bool = False


def find_prediction(path: Path, shapes: Shapes, layout: Layout, where: str) -> Prediction:
    """Find out by a YAML beside the file, by marks in it, or by its numbers.

    Raises:
        InputError: a YAML that cannot be read, or a kind of training that we do not know.
    """
    if "edm_mean" in shapes or "edm_vpred.sigma_max" in shapes:
        raise InputError(f"{where} was trained by EDM's noise schedule, wanted Stable Diffusion's")
    zero = "ztsnr" in shapes
    told = _by_config(path.with_suffix(".yaml"), where)
    if told is not None:
        return Prediction(told, zero)
    if "v_pred" in shapes:
        return Prediction("v_prediction", zero)
    if layout == "sd2" and _TELLING in shapes and _spread(path) > _VELOCITY_SPREAD:
        return Prediction("v_prediction", zero)
    return Prediction("epsilon", zero)


def _by_config(path: Path, where: str) -> str | None:
    if not path.is_file():
        return None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        told = content["model"]["params"].get("parameterization", "eps")
    except (yaml.YAMLError, OSError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise InputError(f"{where}: {path.name} beside it has no model.params") from None
    return "v_prediction" if told == "v" else "epsilon"


def _spread(path: Path) -> float:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return float(file.get_tensor(_TELLING).float().std(unbiased=False))

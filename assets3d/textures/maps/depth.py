"""Relief from networks of relative depth: Depth Anything V2 and MiDaS (DPT), by transformers.

Both answer with inverse depth in no unit: more is nearer, so it is taken for height. They were
trained on scenes (Ranftl et al. 2021, Yang et al. 2024): large relief they see, flat materials not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError, PassingError
from assets3d.textures.maps.network_relief import relief_of_height
from assets3d.textures.maps.relief import Relief

#: The field that error messages begin with.
FIELD = "maps.network"
_KINDS = ("depth_anything", "dpt")


@dataclass(frozen=True)
class DepthModel:
    """A network of relative depth, ready to be asked.

    Attributes:
        network: of transformers.
        processor: its image processor; only its normalisation is used.
        working_px: the side that it was trained at.
        cell_px: sides must be multiples of this.
        sign: 1 where more is nearer, -1 for a network of metric depth.
    """

    network: Any
    processor: Any
    working_px: int
    cell_px: int
    sign: float


def load_depth(folder: Path, *, device: str = "cpu", dtype: str = "float32") -> DepthModel:
    """Load a folder with config.json, preprocessor_config.json and model.safetensors.

    Raises:
        InputError: another kind of network, weights that are missing, damaged or pickled.
        PassingError: the memory failed.
    """
    import torch
    import transformers

    from assets3d.hub import one_line
    from assets3d.textures.maps.marigold import DTYPES
    from assets3d.weight_files import read_shapes, safetensors_in

    if dtype not in DTYPES:
        raise InputError(f"maps.dtype: found {dtype!r}, wanted one of {', '.join(DTYPES)}")
    if not (folder / "config.json").is_file():
        raise InputError(f"{FIELD}: no config.json in {folder.name}/, wanted a transformers folder")
    files = safetensors_in(folder, FIELD)
    if not files:
        raise InputError(f"{FIELD}: {folder.name}/ holds no safetensors file, wanted its weights")
    for file in files:
        read_shapes(file, FIELD)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    here = {"local_files_only": True}
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **here)
        if config.model_type not in _KINDS:
            raise InputError(
                f"{FIELD}: {folder.name}/ is a {config.model_type}, wanted {' or '.join(_KINDS)}"
            )
        processor = transformers.AutoImageProcessor.from_pretrained(folder, **here)
        network, report = transformers.AutoModelForDepthEstimation.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            output_loading_info=True,
            **here,
        )
    except MemoryError:
        raise PassingError(f"{FIELD}: not enough memory to load {folder.name}/") from None
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise InputError(f"{FIELD}: {folder.name}/ cannot be loaded ({one_line(error)})") from None
    for key in sorted(report["missing_keys"]):
        raise InputError(f"{FIELD}: {folder.name}/: {key} is missing, wanted whole weights")
    metric = getattr(config, "depth_estimation_type", "relative") == "metric"
    return DepthModel(
        network.eval().requires_grad_(False).to(device),
        processor,
        working_px=int(processor.size["height"]),
        cell_px=_cell_px(config, processor),
        sign=-1.0 if metric else 1.0,
    )


def predict(
    model: DepthModel, picture: NDArray[np.uint8], *, working_px: int | None = None
) -> Relief:
    """Return the relief of a picture (S, S, 3); only its pattern is known, not its strength.

    Args:
        model: of `load_depth`.
        picture: (S, S, 3), it tiles.
        working_px: the side that the network is shown, made a multiple of its patches; by default
            the one that it was trained at. More shows it finer grain, and less of the whole.
    """
    cells = max(1, round((working_px or model.working_px) / model.cell_px))
    return relief_of_height(lambda window: _height(model, window), picture, cells * model.cell_px)


def _height(model: DepthModel, window: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (H, W), more is nearer, of a window (H, W, 3) whose size the network can take."""
    import torch

    inputs = model.processor(images=window, do_resize=False, return_tensors="pt")
    pixels = inputs["pixel_values"].to(model.network.device, model.network.dtype)
    with torch.inference_mode():
        try:
            depth = model.network(pixel_values=pixels).predicted_depth
        except torch.OutOfMemoryError:
            raise PassingError(
                f"{FIELD}: not enough GPU memory at {len(window)} px, wanted a smaller working_px"
            ) from None
    found = model.sign * depth[0].float().cpu().numpy()
    if not np.isfinite(found).all():
        raise InputError(f"{FIELD}: the network answers with NaN, wanted dtype float32")
    return found


def _cell_px(config: Any, processor: Any) -> int:
    """Return what sides must be multiples of: the patch, or what the processor says."""
    patch = getattr(config, "patch_size", None)
    backbone = getattr(config, "backbone_config", None)
    patch = patch or getattr(backbone, "patch_size", None) or 16
    wanted = getattr(processor, "ensure_multiple_of", None) or 1
    return int(np.lcm(int(patch), int(wanted)))

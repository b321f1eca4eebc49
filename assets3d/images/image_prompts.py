"""IP-Adapter: a picture as part of the prompt (Ye et al. 2023), in the published file layouts.

The adapter's own shapes say which model it was made for and which image encoder it sees through:
the plain one reads CLIP's projected vector, `plus` and `plus-face` read its last hidden layer but
one. All `plus` files, those for SDXL too, want CLIP ViT-H/14; only the plain SDXL adapter wants
ViT-bigG/14. Importing this module imports no torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.hub import one_line
from assets3d.images.picture import on_background
from assets3d.weight_files import load_into, read_shapes, read_tensors, safetensors_in

if TYPE_CHECKING:
    import torch

#: The manifest's field that error messages begin with.
FIELD = "ip_adapter"

# (what the adapter reads, its width) -> the published encoder of that width.
_ENCODERS = {
    ("projection", 1024): "CLIP ViT-H/14",
    ("hidden", 1280): "CLIP ViT-H/14",
    ("projection", 1280): "CLIP ViT-bigG/14",
    ("hidden", 1664): "CLIP ViT-bigG/14",
}


@dataclass(frozen=True)
class ImagePrompt:
    """A picture that shows what is wanted.

    Attributes:
        picture: uint8 (H, W, 3|4).
        adapter: the adapter's safetensors file.
        image_encoder: folder (config.json and safetensors) or single file of the CLIP encoder.
        weight: 0 leaves the picture out, 1 lets it speak as loudly as the words.
    """

    picture: NDArray[np.uint8]
    adapter: Path
    image_encoder: Path
    weight: float = 0.6


@contextmanager
def with_image_prompt(pipeline: Any, prompt: ImagePrompt | None) -> Iterator[dict[str, Any]]:
    """Add an adapter to a pipeline inside a `with`; afterwards it is as before.

    Yields:
        Arguments for the pipeline's call.

    Raises:
        InputError: a file that is no adapter, is for another model, or another image encoder.
    """
    if prompt is None:
        yield {}
        return
    if not hasattr(pipeline, "load_ip_adapter"):
        raise InputError(f"{FIELD}: {type(pipeline).__name__} takes none, wanted SD 1.5 or SDXL")
    tensors = _adapter_tensors(prompt.adapter)
    _check_made_for(prompt.adapter, tensors["ip_adapter"], pipeline.unet)
    encoder = load_image_encoder(prompt.image_encoder, pipeline.unet.dtype)
    _check_encoder(prompt, tensors["image_proj"], encoder.config)
    before = (pipeline.image_encoder, pipeline.feature_extractor)
    processors = dict(pipeline.unet.attn_processors)
    pipeline.register_modules(
        image_encoder=encoder.to(pipeline.unet.device),
        feature_extractor=_image_processor(encoder.config.image_size),
    )
    try:
        _load(pipeline, tensors, prompt)
        yield {"ip_adapter_image": _as_pil(prompt.picture)}
    finally:
        pipeline.unet.encoder_hid_proj = None
        pipeline.unet.config.encoder_hid_dim_type = None
        pipeline.unet.set_attn_processor(processors)
        pipeline.register_modules(image_encoder=before[0], feature_extractor=before[1])


def _load(pipeline: Any, tensors: Any, prompt: ImagePrompt) -> None:
    # The adapter's own attention takes the place of sliced attention; diffusers cannot mix them.
    pipeline.unet.set_default_attn_processor()
    try:
        pipeline.load_ip_adapter(tensors, "", prompt.adapter.name, image_encoder_folder=None)
    except (NotImplementedError, RuntimeError, KeyError, ValueError) as error:
        # What is missing in image_proj stays on the meta device, which cannot be moved.
        raise InputError(
            f"{FIELD}: {prompt.adapter.name} is not whole ({one_line(error)}), wanted all of it"
        ) from None
    pipeline.set_ip_adapter_scale(prompt.weight)


def _adapter_tensors(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Return the two groups of tensors of an adapter's file."""
    groups: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in read_tensors(path, FIELD).items():
        group, _, name = key.partition(".")
        if group not in groups:
            raise InputError(f"{FIELD}: {path.name} is no IP-Adapter (it holds {key})")
        groups[group][name] = value
    if not all(groups.values()):
        raise InputError(f"{FIELD}: {path.name} is no IP-Adapter, wanted image_proj and ip_adapter")
    projection = groups["image_proj"]
    named = "norm.weight" in projection and "proj.weight" not in projection
    if named or any(key.startswith("perceiver") for key in projection):
        raise InputError(
            f"{FIELD}: {path.name} is a FaceID adapter, which reads a face recogniser's numbers, "
            "wanted plain, plus or plus-face"
        )
    return groups


def _check_made_for(path: Path, tensors: Mapping[str, torch.Tensor], unet: Any) -> None:
    """Compare the adapter's matrices with the U-Net's cross-attention layers, one by one."""
    layers = [n for n in unet.attn_processors if not n.endswith("attn1.processor")]
    for number, name in enumerate(layers):
        weight = unet.get_submodule(name.removesuffix(".processor")).to_k.weight
        key = f"{2 * number + 1}.to_k_ip.weight"  # the odd numbers, in the U-Net's own order
        found = tuple(tensors[key].shape) if key in tensors else None
        if found != tuple(weight.shape):
            raise InputError(
                f"{FIELD}: {path.name} was made for another model ({key} is {found or 'missing'}, "
                f"wanted {tuple(weight.shape)})"
            )
    if len(tensors) != 2 * len(layers):
        raise InputError(
            f"{FIELD}: {path.name} was made for another model (it has {len(tensors) // 2} layers, "
            f"wanted {len(layers)})"
        )


def _check_encoder(prompt: ImagePrompt, projection: Mapping[str, Any], config: Any) -> None:
    if "proj.weight" in projection:  # plain
        reads, wanted, found = "projection", projection["proj.weight"], config.projection_dim
    else:
        first = "proj_in.weight" if "proj_in.weight" in projection else "proj.0.weight"
        if first not in projection:
            raise InputError(f"{FIELD}: {prompt.adapter.name} is no IP-Adapter of a known kind")
        reads, wanted, found = "hidden", projection[first], config.hidden_size
    width = wanted.shape[1]
    if width != found:
        right = _ENCODERS.get((reads, width), "another")
        other = _ENCODERS.get((reads, found), "another one")
        raise InputError(
            f"{FIELD}: {prompt.adapter.name} sees through {right} (width {width}), found {other} "
            f"(width {found}) in {prompt.image_encoder.name}, wanted the right image encoder"
        )


def load_image_encoder(path: Path, dtype: torch.dtype) -> Any:
    """Load a CLIP image encoder from its folder or its single file.

    Raises:
        InputError: not there, not whole, or another kind of network.
    """
    import torch
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    if path.is_dir():
        files = safetensors_in(path, FIELD)
        # A folder can hold a half precision copy beside the whole one.
        halves = [file for file in files if ".fp16." in file.name]
        chosen = halves[:1] or files[:1]
        if not chosen:
            raise InputError(f"{FIELD}: {path.name}/ holds no safetensors file, wanted an encoder")
        config = _folder_config(path)
        file = chosen[0]
    else:
        file = path
        config = encoder_config(read_shapes(path, FIELD), path.name)
    with torch.device("meta"):
        encoder: Any = CLIPVisionModelWithProjection(CLIPVisionConfig(**config))
    encoder = encoder.to(dtype).to_empty(device="cpu")
    embeddings = encoder.vision_model.embeddings
    # No part of the file in newer versions, and `to_empty` left it undefined.
    embeddings.position_ids = torch.arange(embeddings.num_positions).expand((1, -1))
    load_into(encoder, file, FIELD, ignored=("vision_model.embeddings.position_ids",))
    return encoder.eval()


def _folder_config(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{FIELD}: {folder.name}/config.json cannot be read ({one_line(error)})"
        ) from None


def encoder_config(shapes: Mapping[str, tuple[int, ...]], name: str) -> dict[str, Any]:
    """Return the configuration of a CLIP image encoder from its tensors' shapes.

    The number of heads and the activation leave no trace in them: OpenCLIP's H and bigG, the ones
    that adapters use, have 16 heads and the exact GELU.

    Raises:
        InputError: the tensors are not those of such an encoder.
    """
    stem = "vision_model.embeddings."
    try:
        hidden, _, patch, _ = shapes[f"{stem}patch_embedding.weight"]
        positions = shapes[f"{stem}position_embedding.weight"][0]
        inner = shapes["vision_model.encoder.layers.0.mlp.fc1.weight"][0]
        projection = shapes["visual_projection.weight"][0]
    except (KeyError, ValueError):
        raise InputError(
            f"{FIELD}: {name} is no CLIP image encoder with a projection, wanted one"
        ) from None
    layers = {key.split(".")[3] for key in shapes if key.startswith("vision_model.encoder.layers.")}
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": len(layers),
        "num_attention_heads": 16,
        "hidden_act": "gelu",
        "projection_dim": projection,
        "patch_size": patch,
        "image_size": patch * math.isqrt(positions - 1),
    }


def _image_processor(side_px: int) -> Any:
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor(
        size={"shortest_edge": side_px}, crop_size={"height": side_px, "width": side_px}
    )


def _as_pil(picture: NDArray[np.uint8]) -> Any:
    """Return the picture on white as a square: CLIP would cut the ends off a tall or wide one."""
    from PIL import Image

    rgb = on_background(picture)
    side = max(rgb.shape[:2])
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    top, left = (side - rgb.shape[0]) // 2, (side - rgb.shape[1]) // 2
    square[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return Image.fromarray(square)

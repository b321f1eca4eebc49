"""Checkpoints in one safetensors file, as artists share them, loaded without any network call.

Configurations come from the shapes in the file (`ldm_configs`), names are mapped to diffusers' own
(`single_file_names`), and every network is loaded strictly: a tensor that is missing, too many or
of another shape is named. Only the tokenizer's vocabulary is not in such files; it comes from a
folder.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets3d.errors import InputError, PassingError
from assets3d.hub import one_line
from assets3d.images.ldm_configs import AUTOENCODER, NOISE, UNET, Described, describe
from assets3d.images.ldm_prediction import Prediction, find_prediction
from assets3d.images.single_file_names import autoencoder_names, open_clip_names, unet_names
from assets3d.weight_files import Shapes, read_shapes

if TYPE_CHECKING:
    import torch

    from assets3d.images.pipeline_files import TextToImagePipeline

FIELD = "image.model"

_log = logging.getLogger(__name__)

# Buffers, and what only training or image search needs.
_LEFT_OUT = re.compile(r"embeddings\.position_ids|logit_scale|attn_mask|loss\..*|model_ema\..*")


@dataclass(frozen=True)
class _Part:
    """One network of the pipeline: how it is made, and its name of a tensor -> the file's name."""

    name: str
    make: Callable[[], Any]
    tensors: Mapping[str, str]


def load_single_file(
    path: Path, tokenizer: Path, *, dtype: torch.dtype, prediction: str | None = None
) -> TextToImagePipeline:
    """Load an SD 1.x, SD 2.x or SDXL checkpoint on the CPU.

    Args:
        path: the file. A YAML of the same name beside it, as the WebUI uses, may say that the model
            predicts velocity.
        tokenizer: folder with the CLIP vocabulary (vocab.json and merges.txt, or tokenizer.json).
        dtype: of all networks.
        prediction: "epsilon" or "v_prediction"; None finds out.

    Raises:
        InputError: a pickle, cut off, no such checkpoint, a tensor that does not fit, no tokenizer.
        PassingError: the disk or the memory failed.
    """
    where = f"{FIELD}: {path.name}"
    shapes = read_shapes(path, FIELD)
    described = describe(shapes, where)
    tokenizers = _tokenizers(tokenizer, described)
    networks = {
        part.name: _loaded(part, path, shapes, dtype, where) for part in _parts(shapes, described)
    }
    predicted = find_prediction(path, shapes, described.layout, where)
    if prediction is not None:
        predicted = Prediction(prediction, predicted.zero_terminal_noise)
    _log.info("%s is %s and predicts %s", path.name, described.layout, predicted.kind)
    return _pipeline(described, networks, tokenizers, predicted)


def _parts(shapes: Shapes, described: Described) -> list[_Part]:
    """Return the networks in a fixed order, each with the tensors that the file has for it."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    def unet() -> Any:
        return UNet2DConditionModel(**described.unet)

    def autoencoder() -> Any:
        return AutoencoderKL(**described.autoencoder)

    levels = len(described.autoencoder["block_out_channels"])
    maps = {
        UNET: unet_names(_names(shapes, UNET), described.unet),
        AUTOENCODER: autoencoder_names(_names(shapes, AUTOENCODER), levels),
    }
    parts = [
        _Part("unet", unet, _rooted(maps[UNET], UNET)),
        _Part("vae", autoencoder, _rooted(maps[AUTOENCODER], AUTOENCODER)),
    ]
    for index, root in enumerate(described.text_roots):
        name = "text_encoder" if index == 0 else f"text_encoder_{index + 1}"
        tensors = _rooted(_text_names(shapes, root, described.texts[index]), root)
        parts.append(_Part(name, _text_maker(described, index), tensors))
    return parts


def _names(shapes: Shapes, root: str) -> list[str]:
    """Return the names below a root, without what no network reads."""
    below = (key[len(root) :] for key in shapes if key.startswith(root))
    return [name for name in below if not _LEFT_OUT.fullmatch(name)]


def _rooted(names: Mapping[str, str], root: str) -> dict[str, str]:
    return {new: root + old for new, old in names.items()}


def _text_names(shapes: Shapes, root: str, config: Mapping[str, Any]) -> dict[str, str]:
    names = _names(shapes, root)
    if not root.endswith(".model."):
        return {name: name for name in names}
    layers = int(config["num_hidden_layers"])
    projected = root.startswith("conditioner.")  # SD 2 reads no pooled text

    def is_read(name: str) -> bool:
        layer = re.match(r"encoder\.layers\.(\d+)\.", name)
        if layer is not None:
            return int(layer[1]) < layers
        return projected or name != "text_projection.weight"

    return {new: old for new, old in open_clip_names(names).items() if is_read(new)}


def _text_maker(described: Described, index: int) -> Callable[[], Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    kind = CLIPTextModel if index == 0 else CLIPTextModelWithProjection
    config = CLIPTextConfig(**described.texts[index])
    return lambda: kind(config)


def _loaded(part: _Part, path: Path, shapes: Shapes, dtype: torch.dtype, where: str) -> Any:
    """Build a network without memory, check every tensor, then read them one by one."""
    from accelerate import init_empty_weights
    from safetensors import SafetensorError, safe_open

    with init_empty_weights(include_buffers=False):
        network = part.make()
    # transformers has moved `text_model.` in and out of its names; the file's names lack it here.
    own = {key.removeprefix("text_model."): key for key in network.state_dict()}
    _check(part, shapes, {k: tuple(network.state_dict()[own[k]].shape) for k in own}, where)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {
                own[new]: _converted(new, old, file.get_tensor(old)).to(dtype).contiguous()
                for new, old in part.tensors.items()
            }
    except SafetensorError as error:
        raise InputError(f"{where} is damaged ({one_line(error)}), wanted a whole file") from None
    except (OSError, MemoryError) as error:
        raise PassingError(f"{where} could not be read ({one_line(error)})") from None
    network.load_state_dict(tensors, strict=True, assign=True)
    return network.to(dtype).eval().requires_grad_(False)


def _check(part: _Part, shapes: Shapes, wanted: Shapes, where: str) -> None:
    """Compare names and shapes before anything is read; the file's own names are reported."""
    import torch

    for new, old in part.tensors.items():
        if new not in wanted:
            raise InputError(f"{where}: {old} is not part of the {part.name} of this family")
        found = tuple(_converted(new, old, torch.empty(shapes[old], device="meta")).shape)
        if found != wanted[new]:
            raise InputError(f"{where}: {old} has shape {found}, wanted {wanted[new]}")
    for new in wanted:
        if new not in part.tensors:
            raise InputError(f"{where}: the {part.name}'s tensor {new} is missing")


def _converted(new: str, old: str, tensor: torch.Tensor) -> torch.Tensor:
    """Bring one tensor of the file into the shape that the network's own has.

    OpenCLIP keeps query, key and value in one tensor and its projection transposed; the autoencoder
    of the file has 1x1 convolutions where diffusers has linear layers.
    """
    if old.endswith((".attn.in_proj_weight", ".attn.in_proj_bias")):
        which = "qkv".index(new.rpartition("_proj.")[0][-1])
        return tensor.chunk(3, dim=0)[which]
    if old.endswith(".text_projection"):
        return tensor.T
    if old.startswith(AUTOENCODER) and ".attn_1." in old and tensor.ndim == 4:
        return tensor[:, :, 0, 0]
    return tensor


def _tokenizers(folder: Path, described: Described) -> list[Any]:
    """Return one tokenizer per text encoder; OpenCLIP was trained with "!" as padding."""
    from transformers import CLIPTokenizer

    where = "image.tokenizer"
    if not folder.is_dir():
        raise InputError(f"{where}: no folder {folder}, wanted vocab.json and merges.txt in it")
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        raise InputError(f"{where}: {folder.name}/ holds no CLIP vocabulary, wanted vocab.json")
    loaded = []
    for root, config in zip(described.text_roots, described.texts, strict=True):
        padding = "!" if root.endswith(".model.") else "<|endoftext|>"
        try:
            tokenizer = CLIPTokenizer.from_pretrained(
                folder, local_files_only=True, pad_token=padding, model_max_length=77
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{where}: {folder.name}/ holds no CLIP vocabulary ({one_line(error)}), "
                "wanted vocab.json and merges.txt"
            ) from None
        if len(tokenizer) != config["vocab_size"]:
            raise InputError(
                f"{where}: {folder.name}/ knows {len(tokenizer)} tokens, "
                f"wanted {config['vocab_size']} for this checkpoint"
            )
        loaded.append(tokenizer)
    return loaded


def _pipeline(
    described: Described,
    networks: Mapping[str, Any],
    tokenizers: list[Any],
    prediction: Prediction,
) -> Any:
    import diffusers

    noise: dict[str, Any] = {**NOISE, "steps_offset": 1, "prediction_type": prediction.kind}
    if prediction.zero_terminal_noise:
        noise |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    parts = {**networks, "tokenizer": tokenizers[0]}
    if described.layout == "sdxl":
        return diffusers.StableDiffusionXLPipeline(
            **parts,
            tokenizer_2=tokenizers[1],
            scheduler=diffusers.EulerDiscreteScheduler(**noise),
            force_zeros_for_empty_prompt=True,
            add_watermarker=False,
        )
    scheduler = diffusers.DDIMScheduler(**noise, clip_sample=False, set_alpha_to_one=False)
    return diffusers.StableDiffusionPipeline(
        **parts,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )

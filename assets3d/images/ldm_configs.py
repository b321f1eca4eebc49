"""What a single-file checkpoint is, and its networks' configurations, from the shapes in it.

Known layouts: SD 1.x (CLIP text encoder), SD 2.x (OpenCLIP ViT-H) and SDXL (both CLIP and OpenCLIP
ViT-bigG). The few numbers that no shape shows are the family's own: heads per level, the latents'
scale, the noise schedule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assets3d.errors import InputError
from assets3d.weight_files import Shapes

UNET, AUTOENCODER = "model.diffusion_model.", "first_stage_model."
_CLIP_KEY = "embeddings.token_embedding.weight"
_OPEN_CLIP_KEY = "model.token_embedding.weight"

Layout = Literal["sd15", "sd2", "sdxl"]

#: Noise schedule of all three families.
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}

# CLIP's tensors lie under one of two names: an older transformers wrote them without `text_model`.
_CLIP_ROOTS = ("transformer.text_model.", "transformer.")
_HEAD_WIDTH = 64  # of every CLIP text encoder, and of the U-Nets since SD 2


@dataclass(frozen=True)
class Described:
    """A single-file checkpoint, as its header describes it.

    Attributes:
        layout: which family.
        unet, autoencoder: diffusers configurations.
        texts: transformers configurations of the text encoders, in the pipeline's order.
        text_roots: where each begins in the file.
    """

    layout: Layout
    unet: Mapping[str, Any]
    autoencoder: Mapping[str, Any]
    texts: tuple[Mapping[str, Any], ...]
    text_roots: tuple[str, ...]


def describe(shapes: Shapes, where: str) -> Described:
    """Derive every configuration.

    Args:
        shapes: name -> shape of all tensors of the file.
        where: field and file name that messages begin with.

    Raises:
        InputError: not a whole checkpoint of a known layout; the message says what it looks like.
    """
    layout = layout_of(shapes, where)
    roots = _text_roots(shapes, layout)
    missing = [r for r in (UNET, AUTOENCODER, *roots) if not any(k.startswith(r) for k in shapes)]
    if missing:
        raise InputError(f"{where} holds no {missing[0]}*, wanted a whole checkpoint")
    try:
        texts = tuple(_text(shapes, root, layout) for root in roots)
        unet = _unet(_below(shapes, UNET), layout, texts)
        autoencoder = _autoencoder(_below(shapes, AUTOENCODER), layout)
    except KeyError as error:
        raise InputError(f"{where}: {error.args[0]} is missing") from None
    if unet["in_channels"] != 4:
        raise InputError(
            f"{where} takes {unet['in_channels']} channels (an inpainting checkpoint has 9), "
            "wanted one that draws from words (4)"
        )
    return Described(layout, unet, autoencoder, texts, roots)


def layout_of(shapes: Shapes, where: str) -> Layout:
    """Say which family the names belong to; see `describe` for errors."""
    if _clip_root(shapes, "conditioner.embedders.0."):
        return "sdxl"
    if _clip_root(shapes, "cond_stage_model."):
        return "sd15"
    if f"cond_stage_model.{_OPEN_CLIP_KEY}" in shapes:
        return "sd2"
    looks = _looks_like(shapes)
    raise InputError(
        f"{where} {looks}, wanted a whole SD 1.x, SD 2.x or SDXL checkpoint in one file, "
        "or a diffusers folder"
    )


def _clip_root(shapes: Shapes, above: str) -> str | None:
    return next((above + r for r in _CLIP_ROOTS if f"{above}{r}{_CLIP_KEY}" in shapes), None)


def _text_roots(shapes: Shapes, layout: Layout) -> tuple[str, ...]:
    """Return where the text encoders begin, in the pipeline's order."""
    if layout == "sd2":
        return ("cond_stage_model.model.",)
    if layout == "sd15":
        return (str(_clip_root(shapes, "cond_stage_model.")),)
    return (str(_clip_root(shapes, "conditioner.embedders.0.")), "conditioner.embedders.1.model.")


def _looks_like(shapes: Shapes) -> str:
    names = list(shapes)
    if any("lora_" in name for name in names):
        return "is a LoRA (it goes under `lora`, or `loras` in the manifest)"
    if any(name.startswith("control_model.") for name in names):
        return "is a ControlNet"
    if f"conditioner.embedders.0.{_OPEN_CLIP_KEY}" in shapes:
        return "is the SDXL refiner, which draws nothing from words alone"
    if any(".joint_blocks." in name for name in names):
        return "is an SD3 checkpoint, which is loaded as a diffusers folder (sd3-medium)"
    if any(name.startswith(UNET) for name in names):
        return "holds a U-Net without text encoder"
    if any(name.startswith(("down_blocks.", "conv_in.")) for name in names):
        return "holds a single network in diffusers' names"
    return f"holds other tensors ({names[0]}, ...)" if names else "is empty"


def _below(shapes: Shapes, root: str) -> Shapes:
    return {key[len(root) :]: shape for key, shape in shapes.items() if key.startswith(root)}


def _count(names: Iterable[str], pattern: str) -> int:
    """Return one more than the largest number that the pattern's group finds; 0 for none."""
    found = [int(m[1]) for m in (re.match(pattern, name) for name in names) if m]
    return max(found) + 1 if found else 0


def _unet(shapes: Shapes, layout: Layout, texts: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Derive UNet2DConditionModel's configuration; `shapes` are those below the U-Net's root."""
    blocks = _count(shapes, r"input_blocks\.(\d+)\.")
    downs = [i for i in range(blocks) if f"input_blocks.{i}.0.op.weight" in shapes]
    levels, layers = len(downs) + 1, (downs[0] if downs else blocks) - 1
    widths, depths = [], []
    for level in range(levels):
        first = 1 + level * (layers + 1)
        widths.append(shapes[f"input_blocks.{first}.0.out_layers.3.weight"][0])
        depths.append(_count(shapes, rf"input_blocks\.{first}\.1\.transformer_blocks\.(\d+)\."))
    middle = _count(shapes, r"middle_block\.1\.transformer_blocks\.(\d+)\.")
    down_types = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths]
    up_types = ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)]
    heads: Any = 8 if layout == "sd15" else [width // _HEAD_WIDTH for width in widths]
    attention = "middle_block.1."
    config: dict[str, Any] = {
        "sample_size": {"sd15": 64, "sd2": 96, "sdxl": 128}[layout],
        "in_channels": shapes["input_blocks.0.0.weight"][1],
        "out_channels": shapes["out.2.weight"][0],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": down_types,
        "up_block_types": up_types,
        # The middle block takes the last level's depth, whether that level has attention or not.
        "transformer_layers_per_block": [*(max(depth, 1) for depth in depths[:-1]), middle],
        "cross_attention_dim": shapes[f"{attention}transformer_blocks.0.attn2.to_k.weight"][1],
        "attention_head_dim": heads,
        "use_linear_projection": len(shapes[f"{attention}proj_in.weight"]) == 2,
        "upcast_attention": layout == "sd2",  # its attention overflows in half precision
    }
    if layout == "sdxl":
        inputs = shapes["label_emb.0.0.weight"][1]
        config["addition_embed_type"] = "text_time"
        config["projection_class_embeddings_input_dim"] = inputs
        config["addition_time_embed_dim"] = (inputs - texts[1]["projection_dim"]) // 6
    return config


def _autoencoder(shapes: Shapes, layout: Layout) -> dict[str, Any]:
    levels = _count(shapes, r"encoder\.down\.(\d+)\.")
    widths = [shapes[f"encoder.down.{i}.block.0.conv1.weight"][0] for i in range(levels)]
    return {
        "in_channels": shapes["encoder.conv_in.weight"][1],
        "out_channels": shapes["decoder.conv_out.weight"][0],
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "block_out_channels": widths,
        "layers_per_block": _count(shapes, r"encoder\.down\.0\.block\.(\d+)\."),
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "sample_size": {"sd15": 512, "sd2": 768, "sdxl": 1024}[layout],
        "scaling_factor": 0.13025 if layout == "sdxl" else 0.18215,
        "force_upcast": layout == "sdxl",  # its decoder overflows in half precision
    }


def _text(shapes: Shapes, root: str, layout: Layout) -> dict[str, Any]:
    found = _below(shapes, root)
    open_clip = root.endswith(".model.")
    if open_clip:
        rows, width = found["token_embedding.weight"]
        positions = found["positional_embedding"][0]
        layers = _count(found, r"transformer\.resblocks\.(\d+)\.")
        inner = found["transformer.resblocks.0.mlp.c_fc.weight"][0]
        # SD 2 was trained on the output of the last layer but one.
        layers -= layout == "sd2"
    else:
        rows, width = found["embeddings.token_embedding.weight"]
        positions = found["embeddings.position_embedding.weight"][0]
        layers = _count(found, r"encoder\.layers\.(\d+)\.")
        inner = found["encoder.layers.0.mlp.fc1.weight"][0]
    projected = layout == "sdxl" and open_clip
    return {
        "vocab_size": rows,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": width // _HEAD_WIDTH,
        "max_position_embeddings": positions,
        "projection_dim": found["text_projection"][1] if projected else width,
        "hidden_act": "gelu" if open_clip else "quick_gelu",
        # CLIP's pooled output is read at the end of the text, its largest token.
        "bos_token_id": rows - 2,
        "eos_token_id": rows - 1,
        "pad_token_id": 0 if open_clip else rows - 1,
    }

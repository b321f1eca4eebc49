"""Names of tensors in single-file checkpoints (latent-diffusion's layout) and in diffusers.

One function per network: it takes the file's names below that network's root and returns
diffusers' name -> file's name. A name that has no counterpart keeps its own, so that the strict
check that follows reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assets3d.images.ldm_blocks import ldm_block_names, ldm_name

_AUTOENCODER_ATTENTION = {
    "norm": "group_norm",
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "proj_out": "to_out.0",
}
_OPEN_CLIP = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
    "text_projection": "text_projection.weight",
}
_OPEN_CLIP_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def unet_names(names: Iterable[str], config: Mapping[str, Any]) -> dict[str, str]:
    """Return diffusers' name -> the file's name (below `model.diffusion_model.`).

    Args:
        names: of the file.
        config: of the U-Net, see `ldm_blocks`.
    """
    ours = {ldm: name for name, ldm in ldm_block_names(config).items()}
    return {ldm_name(name, ours): name for name in names}


def autoencoder_names(names: Iterable[str], levels: int) -> dict[str, str]:
    """Return diffusers' name -> the file's name (below `first_stage_model.`)."""
    return {_autoencoder_name(name, levels): name for name in names}


def _autoencoder_name(name: str, levels: int) -> str:
    changed = re.sub(
        r"mid\.block_(\d)", lambda m: f"mid_block.resnets.{int(m[1]) - 1}", name, count=1
    )
    found = re.fullmatch(r"(.*)mid\.attn_1\.(\w+)\.(\w+)", changed)
    if found is not None and found[2] in _AUTOENCODER_ATTENTION:
        attention = _AUTOENCODER_ATTENTION[found[2]]
        return f"{found[1]}mid_block.attentions.0.{attention}.{found[3]}"
    changed = re.sub(r"encoder\.down\.(\d+)\.block\.", r"encoder.down_blocks.\1.resnets.", changed)
    changed = re.sub(
        r"encoder\.down\.(\d+)\.downsample\.", r"encoder.down_blocks.\1.downsamplers.0.", changed
    )
    # The decoder counts its levels from the finest in the file, from the coarsest in diffusers.
    changed = re.sub(
        r"decoder\.up\.(\d+)\.(block|upsample)\.",
        lambda m: (
            f"decoder.up_blocks.{levels - 1 - int(m[1])}."
            f"{'resnets' if m[2] == 'block' else 'upsamplers.0'}."
        ),
        changed,
    )
    changed = changed.replace(".nin_shortcut.", ".conv_shortcut.")
    return changed.replace("coder.norm_out.", "coder.conv_norm_out.")


def open_clip_names(names: Iterable[str]) -> dict[str, str]:
    """Return transformers' name -> the file's name of an OpenCLIP text encoder.

    The three projections that the file keeps in one tensor are named `...in_proj` three times:
    `...self_attn.{q,k,v}_proj.weight` -> `...attn.in_proj_weight`; `split_projections` cuts them.
    """
    mapped: dict[str, str] = {}
    for name in names:
        found = re.fullmatch(r"transformer\.resblocks\.(\d+)\.(.+)\.(\w+)", name)
        if name in _OPEN_CLIP:
            mapped[_OPEN_CLIP[name]] = name
        elif found is not None and found[2] in _OPEN_CLIP_LAYER:
            layer = f"encoder.layers.{found[1]}.{_OPEN_CLIP_LAYER[found[2]]}"
            mapped[f"{layer}.{found[3]}"] = name
        elif found is not None and found[3] in ("in_proj_weight", "in_proj_bias"):
            for part in "qkv":
                layer = f"encoder.layers.{found[1]}.self_attn.{part}_proj"
                mapped[f"{layer}.{found[3].removeprefix('in_proj_')}"] = name
        else:
            mapped[name] = name
    return mapped

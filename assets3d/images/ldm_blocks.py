"""How the layers of a U-Net or ControlNet are called in LDM, from which LoRAs take their names.

LDM numbers the blocks one after the other (input_blocks.4.1); diffusers groups them by resolution
(down_blocks.1.attentions.0). Everything inside an attention block is called the same in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Inside one residual block: diffusers' name -> LDM's.
_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_AROUND = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def ldm_block_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Return diffusers' name of every block or layer -> LDM's, for a U-Net's configuration.

    Args:
        config: of a UNet2DConditionModel or ControlNetModel: `down_block_types`,
            `up_block_types` where there are any, `layers_per_block` (an int, or one per level).
    """
    names = dict(_AROUND)
    down, up = list(config["down_block_types"]), list(config.get("up_block_types") or ())
    layers = config["layers_per_block"]
    per_level = list(layers) if isinstance(layers, Sequence) else [layers] * len(down)
    names.update(_down(down, per_level))
    names.update(_residual("mid_block.resnets.0", "middle_block.0"))
    names["mid_block.attentions.0"] = "middle_block.1"
    names.update(_residual("mid_block.resnets.1", "middle_block.2"))
    if up:  # a ControlNet has none
        names.update(_up(up, per_level[::-1]))
    return names


def ldm_name(name: str, blocks: Mapping[str, str]) -> str:
    """Return LDM's name of a layer or tensor; one that is called the same keeps its name.

    Args:
        name: diffusers' name.
        blocks: from `ldm_block_names`.
    """
    head = name
    while head:
        if head in blocks:
            return blocks[head] + name[len(head) :]
        head = head.rpartition(".")[0]
    return name


def ldm_control_names(config: Mapping[str, Any], zero_convolutions: int) -> dict[str, str]:
    """Return the names of a ControlNet's blocks: those of its half U-Net and its own."""
    hints = len(config["conditioning_embedding_out_channels"])
    own = {"controlnet_mid_block": "middle_block_out.0"}
    own |= {f"controlnet_down_blocks.{i}": f"zero_convs.{i}.0" for i in range(zero_convolutions)}
    own |= {"controlnet_cond_embedding.conv_in": "input_hint_block.0"}
    # Two convolutions lead from each width to the next; the activations between them count too.
    convolutions = 2 * (hints - 1)
    for number in range(convolutions):
        own[f"controlnet_cond_embedding.blocks.{number}"] = f"input_hint_block.{2 * number + 2}"
    own["controlnet_cond_embedding.conv_out"] = f"input_hint_block.{2 * convolutions + 2}"
    return {**ldm_block_names(config), **own}


def _down(kinds: Sequence[str], layers: Sequence[int]) -> Iterator[tuple[str, str]]:
    number = 1  # 0 is conv_in
    for level, (kind, count) in enumerate(zip(kinds, layers, strict=True)):
        for layer in range(count):
            ours, ldm = f"down_blocks.{level}", f"input_blocks.{number}"
            yield from _residual(f"{ours}.resnets.{layer}", f"{ldm}.0")
            if "Attn" in kind:
                yield f"{ours}.attentions.{layer}", f"{ldm}.1"
            number += 1
        if level < len(kinds) - 1:
            yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{number}.0.op"
            number += 1


def _up(kinds: Sequence[str], layers: Sequence[int]) -> Iterator[tuple[str, str]]:
    number = 0
    for level, (kind, count) in enumerate(zip(kinds, layers, strict=True)):
        for layer in range(count + 1):
            ours, ldm = f"up_blocks.{level}", f"output_blocks.{number}"
            yield from _residual(f"{ours}.resnets.{layer}", f"{ldm}.0")
            if "Attn" in kind:
                yield f"{ours}.attentions.{layer}", f"{ldm}.1"
            if layer == count and level < len(kinds) - 1:
                place = 2 if "Attn" in kind else 1
                yield f"{ours}.upsamplers.0.conv", f"{ldm}.{place}.conv"
            number += 1


def _residual(ours: str, ldm: str) -> Iterator[tuple[str, str]]:
    for name, other in _RESIDUAL.items():
        yield f"{ours}.{name}", f"{ldm}.{other}"

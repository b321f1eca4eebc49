"""Where a pipeline's networks lie while it draws, and how it saves memory.

In order of what they cost: `vae_slicing` and `vae_tiling` (the picture is decoded in parts, tiles
overlap), `attention_slicing`, `offload: model` (one network at a time on the GPU), and `offload:
sequential` (one layer at a time, ten times slower). Importing this module imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast, get_args

from assets3d.errors import InputError

Offload = Literal["none", "model", "sequential"]


@dataclass(frozen=True)
class Memory:
    """The switches of a profile's `image` section.

    Attributes:
        offload: which parts wait in the computer's memory: none, all networks but the one at work
            (model), all layers but the one at work (sequential).
        vae_slicing: decode one picture of a batch after the other.
        vae_tiling: decode a large picture in overlapping tiles; changes it a little.
        attention_slicing: compute attention in two halves; slower where the GPU has a fused kernel,
            and without effect on a picture that an IP-Adapter steers.
    """

    offload: Offload = "none"
    vae_slicing: bool = False
    vae_tiling: bool = False
    attention_slicing: bool = False


def read_memory(params: Mapping[str, Any], field: str = "image") -> Memory:
    """Return the switches that a profile's section gives.

    Raises:
        InputError: a value that is none; offloading where there is no GPU to save the memory of.
    """
    given = {one.name: params[one.name] for one in fields(Memory) if one.name in params}
    offload = given.pop("offload", None) or "none"
    if offload not in get_args(Offload):
        wanted = ", ".join(get_args(Offload))
        raise InputError(f"{field}.offload: found {offload!r}, wanted one of {wanted}")
    for name, value in given.items():
        if not isinstance(value, bool):
            raise InputError(f"{field}.{name}: found {value!r}, wanted true or false")
    if offload != "none" and str(params.get("device", "cpu")).startswith("cpu"):
        raise InputError(f"{field}.offload: found {offload} on the CPU, wanted none, or a GPU")
    return Memory(cast(Offload, offload), **given)


def place(pipeline: Any, memory: Memory, device: str) -> Any:
    """Bring a pipeline to where it draws, with the switches set; return it.

    It may have been placed before: hooks of an earlier placement go first.

    Args:
        pipeline: any diffusers pipeline.
        memory: the switches.
        device: "cpu", "cuda", "cuda:1", ...
    """
    vae = getattr(pipeline, "vae", None)
    if memory.vae_slicing and vae is not None:
        vae.enable_slicing()
    if memory.vae_tiling and vae is not None:
        vae.enable_tiling()
    if memory.attention_slicing:
        pipeline.enable_attention_slicing()
    if memory.offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif memory.offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return pipeline


def gather(pipeline: Any, memory: Memory) -> None:
    """Undo offloading, so that all weights are real ones and may be changed."""
    if memory.offload != "none":
        pipeline.remove_all_hooks()

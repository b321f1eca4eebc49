"""LoRA files: low-rank changes of a model's weights, merged in and taken out again.

A layer's weight W becomes W + weight * (alpha / rank) * up @ down. Read are the three layouts in
which the files come: kohya (`lora_unet_...lora_down.weight`, with the layer names of diffusers or
of LDM), diffusers (`unet....lora.down.weight`) and peft (`unet....lora_A.weight`). Merged weights
cost no time while drawing, and no further library. Importing this module imports no torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets3d.errors import InputError
from assets3d.images.ldm_blocks import ldm_block_names, ldm_name
from assets3d.weight_files import read_tensors

if TYPE_CHECKING:
    import torch

#: The manifest's field that error messages begin with.
FIELD = "loras"

_KOHYA = {"lora_unet": "unet", "lora_te1": "text_encoder", "lora_te2": "text_encoder_2"}
_KOHYA |= {"lora_te": "text_encoder", "lora_transformer": "transformer"}
_PARTS = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")

# The ends of a tensor's name in all layouts -> which of the three tensors of a layer it is.
_ROLES = {
    ".lora_down.weight": "down",
    ".lora.down.weight": "down",
    "_lora.down.weight": "down",
    ".lora_linear_layer.down.weight": "down",
    ".lora_A.weight": "down",
    ".lora_A.default.weight": "down",
    ".lora_up.weight": "up",
    ".lora.up.weight": "up",
    "_lora.up.weight": "up",
    ".lora_linear_layer.up.weight": "up",
    ".lora_B.weight": "up",
    ".lora_B.default.weight": "up",
    ".alpha": "alpha",
}
# Relatives of LoRA that need other arithmetic.
_RELATIVES = {"hada_": "LoHa", "lokr_": "LoKr", "dora_scale": "DoRA", "lora_mid": "a LoCon core"}


@dataclass(frozen=True)
class Lora:
    """A LoRA and how strongly it acts.

    Attributes:
        path: its safetensors file.
        weight: 1 as it was trained, 0 not at all, negative the opposite.
    """

    path: Path
    weight: float = 1.0


@dataclass(frozen=True)
class _Layer:
    """The change of one layer: `scale * up @ down`."""

    down: torch.Tensor
    up: torch.Tensor
    scale: float

    def matrix(self) -> torch.Tensor:
        """Return the change as a float32 matrix (out, in * kernel)."""
        down = self.down.float().reshape(self.down.shape[0], -1)
        return self.scale * (self.up.float().reshape(self.up.shape[0], -1) @ down)


@contextmanager
def merged_loras(pipeline: Any, loras: Sequence[Lora]) -> Iterator[None]:
    """Let LoRAs act on a pipeline inside a `with`; afterwards its weights are as before, exactly.

    Raises:
        InputError: see `merge_loras`; the pipeline is then as it was.
    """
    before = merge_loras(pipeline, loras)
    try:
        yield
    finally:
        restore(pipeline, before)


def merge_loras(pipeline: Any, loras: Sequence[Lora]) -> dict[tuple[str, str], torch.Tensor]:
    """Add LoRAs to a pipeline's weights; the answer is what `restore` needs to take them out.

    Sums are formed in float32 whatever the weights' type, and rounded once.

    Args:
        pipeline: any diffusers pipeline whose weights are in memory (no sequential offload).
        loras: all that shall act together.

    Returns:
        (component, layer) -> its weight before, on the CPU.

    Raises:
        InputError: not a safetensors file, no LoRA, a relative of LoRA, or made for another model.
    """
    import torch

    changes: dict[tuple[str, str], torch.Tensor] = {}
    modules = _weighted_modules(pipeline)
    for lora in loras:
        for place, layer in _read(lora.path, pipeline, modules).items():
            change = lora.weight * layer.matrix()
            _check_shape(lora.path, place, change, modules[place])
            changes[place] = changes[place] + change if place in changes else change
    before = {}
    with torch.no_grad():
        for place, change in changes.items():
            weight = modules[place].weight
            before[place] = weight.detach().to("cpu", copy=True)
            added = weight.float() + change.reshape(weight.shape).to(weight.device)
            weight.copy_(added.to(weight.dtype))
    return before


def restore(pipeline: Any, before: Mapping[tuple[str, str], torch.Tensor]) -> None:
    """Put weights back that `merge_loras` changed."""
    import torch

    with torch.no_grad():
        for (part, name), weight in before.items():
            getattr(pipeline, part).get_submodule(name).weight.copy_(weight)


def _weighted_modules(pipeline: Any) -> dict[tuple[str, str], Any]:
    """Return (component, layer name) -> layer for all layers that a LoRA can change."""
    import torch

    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    found = {}
    for part in _PARTS:
        network = getattr(pipeline, part, None)
        if network is not None:
            named = network.named_modules()
            found.update({(part, name): layer for name, layer in named if isinstance(layer, kinds)})
    return found


def _read(
    path: Path, pipeline: Any, modules: Mapping[tuple[str, str], Any]
) -> dict[tuple[str, str], _Layer]:
    tensors, alphas = _tensors(path)
    places = _known_names(pipeline, modules)
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        base, role = _split(path, key)
        groups.setdefault(base, {})[role] = value
    if not groups:
        raise InputError(f"{FIELD}: {path.name} holds no tensors, wanted a LoRA")
    layers, strangers = {}, []
    for base, group in groups.items():
        place = places.get(_flat(base))
        if place is None:
            strangers.append(base)
            continue
        if not {"up", "down"} <= group.keys():
            missing = " and ".join(sorted({"up", "down"} - group.keys()))
            raise InputError(f"{FIELD}: {path.name} lacks the {missing} matrix of {base}")
        rank = group["down"].shape[0]
        alpha = group["alpha"].item() if "alpha" in group else alphas.get(place[0], rank)
        layers[place] = _Layer(group["down"], group["up"], alpha / rank)
    if strangers:
        raise InputError(
            f"{FIELD}: {path.name} was made for another kind of model than "
            f"{type(pipeline).__name__} ({len(strangers)} of its {len(groups)} layers are not "
            f"there, e.g. {min(strangers)}), wanted one for this model's family"
        )
    return layers


def _tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Return a file's tensors, and the alphas that newer diffusers notes in the header instead."""
    from safetensors import safe_open

    tensors = read_tensors(path, FIELD)
    with safe_open(path, framework="np") as file:
        header = file.metadata() or {}
    try:
        noted = json.loads(header.get("lora_adapter_metadata", "{}"))
    except ValueError as error:
        raise InputError(
            f"{FIELD}: {path.name}: lora_adapter_metadata is no JSON ({error})"
        ) from None
    alphas = {part: noted.get(f"{part}.lora_alpha") for part in _PARTS}
    return tensors, {part: float(alpha) for part, alpha in alphas.items() if alpha is not None}


def _split(path: Path, key: str) -> tuple[str, str]:
    for end, role in _ROLES.items():
        if key.endswith(end):
            return key.removesuffix(end), role
    for mark, kind in _RELATIVES.items():
        if mark in key:
            raise InputError(
                f"{FIELD}: {path.name} is {kind} ({key}), wanted a plain LoRA or LoCon"
            )
    raise InputError(
        f"{FIELD}: {path.name} is no LoRA (it holds {key}), wanted up and down matrices"
    )


def _flat(base: str) -> str:
    """Return one form for a layer's name in all layouts: component, then names joined by _."""
    base = base.removeprefix("base_model.model.")
    # An older layout of diffusers: ...attn1.processor.to_out_lora.down.weight
    base = re.sub(r"\.processor\.to_out$", ".to_out.0", base).replace(".processor.", ".")
    for prefix, part in _KOHYA.items():
        if base.startswith(f"{prefix}_"):
            base = f"{part}.{base.removeprefix(f'{prefix}_')}"
            break
    return base.replace(".", "_")


def _known_names(
    pipeline: Any, modules: Mapping[tuple[str, str], Any]
) -> dict[str, tuple[str, str]]:
    """Return every flat name that a layer can have -> its place."""
    config = getattr(getattr(pipeline, "unet", None), "config", {})
    ldm = ldm_block_names(config) if "down_block_types" in config else {}
    names: dict[str, tuple[str, str]] = {}
    for part, name in modules:
        forms = [name]
        if part.startswith("text_encoder"):
            # transformers dropped the prefix `text_model` from one of the two classes.
            bare = name.removeprefix("text_model.")
            forms += [bare, f"text_model.{bare}"]
        elif part == "unet" and ldm:
            forms += [ldm_name(name, ldm)]
        names |= {f"{part}.{form}".replace(".", "_"): (part, name) for form in forms}
    return names


def _check_shape(path: Path, place: tuple[str, str], change: Any, layer: Any) -> None:
    if change.numel() != layer.weight.numel() or change.shape[0] != layer.weight.shape[0]:
        raise InputError(
            f"{FIELD}: {path.name} was made for another model: {'.'.join(place)} would get "
            f"{tuple(change.shape)}, wanted {tuple(layer.weight.shape)}"
        )

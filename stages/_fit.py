"""Which profile this machine can run, and what is missing for it, in plain words.

Steps run one after the other, each in a process of its own, so the largest one decides. Weights are
known (configs/models.yaml); the memory that the work itself takes is an estimate and is called one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from stages._machine import Machine
from stages._models import read_registry
from stages._models_verbs import named_models
from stages._project import Project
from stages._step import ITEM_STEPS

#: Profiles that are no choice for a person.
_FOR_TESTS = ("standin",)
# Working memory in GB: of any network, and of a picture of 1024 px in half precision.
_BASE_GB, _PICTURE_GB = 1.0, 4.0
_PICTURE_PX = 1024
# SDXL's U-Net as a share of all weights: what `offload: model` keeps on the card.
_LARGEST_SHARE = 0.75
_LAYER_GB = 0.3
_TILE_PX = 512
#: Changes of the image section that save memory, the cheapest first.
_SWITCHES: tuple[dict[str, Any], ...] = (
    {"vae_tiling": True},
    {"vae_tiling": True, "offload": "model"},
    {"vae_tiling": True, "offload": "sequential"},
)


@dataclass(frozen=True)
class Need:
    """What a profile needs.

    Attributes:
        profile: its name.
        on_gpu: whether any step wants a CUDA card.
        memory_gb: of the card, or of the machine where there is none; an estimate.
        step: the step that needs the most.
        models: the registered models that it names, in the order of the steps.
    """

    profile: str
    on_gpu: bool
    memory_gb: float
    step: str
    models: tuple[str, ...]


def profiles(folder: Path = Path("configs/profiles")) -> list[str]:
    """Return the names of the profiles that a person may choose."""
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in _FOR_TESTS)


def read_need(project: Project, profile: str, image: Mapping[str, Any] | None = None) -> Need:
    """Work out what a profile needs.

    Args:
        project: the project.
        profile: the profile's name.
        image: changes of its image section.

    Raises:
        InputError: the profile cannot be read.
    """
    project = replace(project, settings={**project.settings, "profile": profile})
    params = {step: project.params(step) for step in _steps_of(project)}
    if image is not None and "image" in params:
        params["image"] = {**params["image"], **image}
    on_gpu = any(_on_gpu(section) for section in params.values())
    needs = {
        step: _step_gb(step, section)
        for step, section in params.items()
        if _on_gpu(section) or not on_gpu
    }
    step = max(needs, key=lambda name: needs[name])
    models = {name: None for s, section in params.items() for name in named_models(s, section)}
    return Need(profile, on_gpu, needs[step], step, tuple(models))


def fits(need: Need, machine: Machine) -> bool:
    """Tell whether a profile's memory is there; of a machine that does not say, yes."""
    if need.on_gpu:
        return machine.gpu is not None and need.memory_gb <= machine.gpu.memory_gb
    return machine.memory_gb is None or need.memory_gb <= machine.memory_gb


def advice(project: Project, need: Need, machine: Machine) -> str:
    """Say why a profile does not run here, and what would help."""
    if need.on_gpu and machine.gpu is None:
        if machine.gpus:
            return (
                f"needs CUDA, and torch is built for the {machine.torch_build}: install PyTorch's "
                "build for your driver (docs/gpu.md)"
            )
        return f"needs an NVIDIA card with about {need.memory_gb:.0f} GB, none was found"
    found = machine.gpu.memory_gb if machine.gpu and need.on_gpu else machine.memory_gb
    text = f"the {need.step} step needs about {need.memory_gb:.0f} GB, here are {found:.0f}"
    if need.on_gpu and need.step == "image":
        for switches in _SWITCHES:
            smaller = read_need(project, need.profile, switches)
            if fits(smaller, machine):
                words = ", ".join(f"{k}: {str(v).lower()}" for k, v in switches.items())
                slow = " (slow)" if switches.get("offload") == "sequential" else ""
                return f"{text}; write {words} into its image section{slow}"
        text += f", and the {smaller.step} step {smaller.memory_gb:.0f} GB whatever is offloaded"
    return text


def _steps_of(project: Project) -> list[str]:
    """Return the steps that a profile has sections for; the first is tried where there are none."""
    try:
        sections = yaml.safe_load(project.profile_path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError):
        sections = {}
    return [step for step in ITEM_STEPS if step in sections] or [ITEM_STEPS[0]]


def _on_gpu(section: Mapping[str, Any]) -> bool:
    return str(section.get("device", "cpu")).startswith("cuda")


def _step_gb(step: str, section: Mapping[str, Any]) -> float:
    """Return about how many GB a step needs where it computes."""
    registry = read_registry()
    weights = sum(
        float(registry[name].get("gpu_gb") or 0.0) for name in named_models(step, section)
    )
    if not _on_gpu(section):
        return _BASE_GB + 2.0 * weights  # float32
    if step != "image":
        return _BASE_GB + weights
    if section.get("dtype") == "float32":
        weights *= 2.0
    offload = section.get("offload", "none")
    weights = {"model": _LARGEST_SHARE * weights, "sequential": _LAYER_GB}.get(offload, weights)
    side = section.get("size_px", _PICTURE_PX)
    side_px = min(side, _TILE_PX) if section.get("vae_tiling") else side
    return weights + _BASE_GB + _PICTURE_GB * (side_px / _PICTURE_PX) ** 2


def download_gb(names: list[str]) -> float:
    """Return how many GB a download of these models brings."""
    registry = read_registry()
    return sum(float(registry[name].get("download_gb") or 0.0) for name in names)

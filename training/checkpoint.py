"""Checkpoints without pickles: one safetensors file of weights, EMA, optimiser, progress."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

FILE = "checkpoint.safetensors"


@dataclass(frozen=True)
class Progress:
    """How far a training is: optimiser steps, samples seen, seconds spent, newest scores."""

    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)


def save(
    folder: Path,
    networks: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write a whole checkpoint, or leave the old one: the file is renamed into place."""
    tensors: dict[str, torch.Tensor] = {}
    for prefix, module in (("networks", networks), ("average", average)):
        for name, value in module.state_dict().items():
            tensors[f"{prefix}.{name}"] = value.detach().cpu().contiguous().clone()
    for place, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimiser.{place}.{name}"] = torch.as_tensor(value).detach().cpu().clone()
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / (FILE + ".unfinished")
    save_file(tensors, unfinished, metadata={"progress": json.dumps(asdict(progress))})
    unfinished.replace(folder / FILE)
    (folder / "progress.json").write_text(json.dumps(asdict(progress), indent=1) + "\n")


def load(
    folder: Path,
    networks: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer | None,
) -> Progress:
    """Fill the networks, their average and the optimiser; return the progress, 0 without a file.

    Raises:
        RuntimeError: the checkpoint is of another network.
    """
    path = folder / FILE
    if not path.exists():
        return Progress()
    groups: dict[str, dict[str, torch.Tensor]] = {"networks": {}, "average": {}, "optimiser": {}}
    with safe_open(path, framework="pt") as file:
        progress = Progress(**json.loads(file.metadata()["progress"]))
        for key in file.keys():
            group, name = key.split(".", 1)
            groups[group][name] = file.get_tensor(key)
    networks.load_state_dict(groups["networks"])
    average.load_state_dict(groups["average"])
    if optimiser is not None:
        _load_optimiser(optimiser, groups["optimiser"])
    return progress


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        place, name = key.split(".", 1)
        state.setdefault(int(place), {})[name] = value
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})

"""What a training command hands to the loop: its task and its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.checkpoint import Progress


class Task(Protocol):
    """What a command trains."""

    networks: nn.Module

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """Draw a batch; return the loss and the number of samples. `progress` runs from 0 to 1."""

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """Score averaged networks on the fixed validation set."""

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Draw a contact sheet (H, W, 3)."""

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write fp16 weights and a model card."""


@dataclass(frozen=True)
class Settings:
    """How to train. `steps` and `total_minutes` both bound all slices together."""

    out: Path
    minutes: float = 8.0
    total_minutes: float = 60.0
    steps: int = 1_000_000
    rate: float = 1e-3
    warm_up: int = 200
    weight_decay: float = 0.01
    decay: float = 0.9995
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    precision: str = "auto"
    validate_minutes: float = 4.0
    export: Path | None = None
    #: learning rate by step, for a recipe of its own; None: warm-up and half a cosine
    schedule: Callable[[int], float] | None = None

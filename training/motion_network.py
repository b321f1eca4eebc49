"""The trainable MANN: gating and experts whose outputs are blended (equal to blended weights)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from motion.features import INPUT_SIZE, OUTPUT_SIZE
from motion.weights.record import GATING_441, GATING_HIDDEN, Experts, Linear, Weights
from training.motion_data import Scaling


class ExpertLayer(nn.Module):
    """E linear maps, as one (E, out, in) matrix and (E, out) biases."""

    def __init__(self, experts: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = math.sqrt(1.0 / inputs)
        self.a = nn.Parameter(torch.zeros(experts, outputs, inputs).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.zeros(experts, outputs))

    def forward(self, x: torch.Tensor, blend: torch.Tensor) -> torch.Tensor:
        """Return the blend (B, E) of the experts' outputs for x (B, in)."""
        experts, outputs, inputs = self.a.shape
        each = (x @ self.a.reshape(-1, inputs).T).view(-1, experts, outputs)
        return torch.bmm(blend[:, None], each)[:, 0] + blend @ self.b


class MotionNetwork(nn.Module):
    """The network on normalised vectors, with its scaling kept beside it."""

    input_mean: torch.Tensor
    input_std: torch.Tensor
    output_mean: torch.Tensor
    output_std: torch.Tensor
    gating_inputs: torch.Tensor

    def __init__(self, scaling: Scaling, hidden: int, experts: int, dropout: float) -> None:
        super().__init__()
        for name in ("input_mean", "input_std", "output_mean", "output_std"):
            self.register_buffer(name, torch.from_numpy(getattr(scaling, name).copy()))
        self.register_buffer("gating_inputs", torch.tensor(GATING_441))
        sizes = (len(GATING_441), GATING_HIDDEN, GATING_HIDDEN, experts)
        self.gating = nn.ModuleList(
            nn.Linear(before, after) for before, after in itertools.pairwise(sizes)
        )
        sizes = (INPUT_SIZE, hidden, hidden, OUTPUT_SIZE)
        self.experts = nn.ModuleList(
            ExpertLayer(experts, before, after) for before, after in itertools.pairwise(sizes)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return normalised outputs (B, 363) of normalised inputs (B, 480)."""
        x = self.dropout(x)
        g = x[:, self.gating_inputs]
        for layer in self.gating[:-1]:
            g = self.dropout(functional.elu(layer(g)))
        blend = torch.softmax(self.gating[-1](g), dim=1)
        for layer in self.experts[:-1]:
            x = self.dropout(functional.elu(layer(x, blend)))
        return self.experts[-1](x, blend)

    def normalised(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return inputs in metres as the network sees them."""
        return (inputs - self.input_mean) / self.input_std

    def weights(self) -> Weights:
        """Return the record that files are written from."""

        def array(value: torch.Tensor) -> np.ndarray:
            return value.detach().float().cpu().numpy().copy()

        first, second, third = (
            Linear(array(layer.weight), array(layer.bias))
            for layer in self.gating
            if isinstance(layer, nn.Linear)
        )
        below, middle, above = (
            Experts(array(layer.a), array(layer.b))
            for layer in self.experts
            if isinstance(layer, ExpertLayer)
        )
        return Weights(
            (first, second, third),
            (below, middle, above),
            array(self.input_mean),
            array(self.input_std),
            array(self.output_mean),
            array(self.output_std),
        )

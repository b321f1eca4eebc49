"""The mode-adaptive network: gating blends the experts of three layers, once a frame.

n = (x - mean) / std; w = softmax of a small gating network on 19 of n; every layer is
h = ELU(sum_e w_e (A_e h + b_e)), the last one linear; y = h * std + mean. Zhang et al., "Mode-
adaptive neural networks for quadruped motion control", SIGGRAPH 2018.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError, PassingError
from motion.features import INPUT_SIZE
from motion.weights import GATING_341, GATING_441, Weights, trimmed
from motion.weights.record import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GATING_341", "GATING_441", "Network", "Prediction"]

_log = logging.getLogger(__name__)

Backend = Literal["auto", "native", "numpy", "torch"]
Precision = Literal["float32", "half", "compact", "sparse"]

#: Bits that the native backend stores a weight of the experts in.
BITS = {"float32": 32, "half": 16, "compact": 11, "sparse": 11}


class Prediction(NamedTuple):
    """What the network says: output (..., 363) in the data's units, experts (..., E) sum to 1."""

    output: Array
    experts: Array


class Runner(Protocol):
    """One way to compute the pass: x (B, 480) float32 -> output (B, 363), experts (B, used)."""

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Return outputs and blend weights."""


class Network:
    """A callable network; equal inputs give equal bytes.

    Args:
        weights: of any size; padding that cannot matter is left out of the computation.
        gating: the 19 inputs that the gating network sees.
        backend: "native" is the C++ kernel, "auto" the same, or numpy where it cannot be built.
        precision: of the stored experts; arithmetic is float32 throughout. "half" takes 16 bits a
            weight, "compact" 11; "sparse" is compact and also leaves out experts with a share under
            `sparse_threshold`, the others' shares being scaled to sum to 1. These need the
            native backend.
        threads: of a batch in the native backend; results do not depend on it.
        sparse_threshold: see precision.

    Raises:
        InputError: a gating list that has not 19 entries of 0..479, or a precision that the
            backend lacks.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        gating: Sequence[int] = GATING_441,
        backend: Backend = "auto",
        precision: Precision = "float32",
        threads: int = 1,
        sparse_threshold: float = 1e-3,
    ) -> None:
        self.gating = _checked_gating(gating)
        self.precision = precision
        #: (480,) spread of the inputs in the training data, what perturbations are measured in.
        self.input_std = weights.input_std
        self._expert_count = weights.expert_count
        self.runner: Runner = _runner(
            trimmed(weights), self.gating, backend, precision, threads, sparse_threshold
        )
        self.backend = type(self.runner).__name__.removesuffix("Runner").lower()

    def __call__(self, x: NDArray[np.floating]) -> Prediction:
        """Predict the next frame of one character (480,) or of a batch (B, 480).

        Raises:
            ValueError: another shape.
        """
        values = np.ascontiguousarray(x, np.float32)
        if values.ndim not in (1, 2) or values.shape[-1] != INPUT_SIZE:
            raise ValueError(
                f"network: x has shape {values.shape}, wanted ({INPUT_SIZE},) or (B, …)"
            )
        output, used = self.runner(values.reshape(-1, INPUT_SIZE))
        if used.shape[1] != self._expert_count:
            used = np.pad(used, ((0, 0), (0, self._expert_count - used.shape[1])))
        if values.ndim == 1:
            return Prediction(output[0], used[0])
        return Prediction(output, used)


class NumpyRunner:
    """Plain arrays: every expert's result, then the weighted sum."""

    def __init__(self, weights: Weights, gating: NDArray[np.int64]) -> None:
        self._weights, self._gating = weights, gating
        # One matrix of all experts' rows: a single pass over memory for each layer.
        self._rows = [layer.a.reshape(-1, layer.a.shape[2]) for layer in weights.experts]

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Return outputs (B, 363) and blend weights (B, E)."""
        weights = self._weights
        hidden = (x - weights.input_mean) / weights.input_std
        shares = _softmax(self._logits(hidden[:, self._gating]))
        for number, (rows, layer) in enumerate(zip(self._rows, weights.experts, strict=True)):
            results = (hidden @ rows.T).reshape(len(x), *layer.b.shape) + layer.b
            hidden = np.matmul(shares[:, None, :], results)[:, 0]
            hidden = _elu(hidden) if number < 2 else hidden
        return hidden * weights.output_std + weights.output_mean, shares

    def _logits(self, values: Array) -> Array:
        first, second, last = self._weights.gating
        values = _elu(values @ first.w.T + first.b)
        values = _elu(values @ second.w.T + second.b)
        return np.asarray(values @ last.w.T + last.b, np.float32)


class TorchRunner:
    """The same in torch: the check on the others, and the base line of the benchmark."""

    def __init__(self, weights: Weights, gating: NDArray[np.int64]) -> None:
        import torch

        def tensors(layers: Sequence[tuple[Array, Array]]) -> list[tuple[Tensor, Tensor]]:
            return [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in layers]

        self._gating = torch.from_numpy(gating)
        self._gates, self._experts = tensors(weights.gating), tensors(weights.experts)
        self._input = torch.from_numpy(weights.input_mean), torch.from_numpy(weights.input_std)
        self._output = torch.from_numpy(weights.output_mean), torch.from_numpy(weights.output_std)

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Return outputs (B, 363) and blend weights (B, E)."""
        import torch

        with torch.inference_mode():
            output, shares = self.forward(torch.from_numpy(x))
        return output.numpy(), shares.numpy()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and blend weights of a tensor (B, 480)."""
        from torch.nn.functional import elu, linear

        hidden = (x - self._input[0]) / self._input[1]
        values = hidden[:, self._gating]
        for number, (w, b) in enumerate(self._gates):
            values = linear(values, w, b)
            values = elu(values) if number < 2 else values.softmax(-1)
        for number, (a, b) in enumerate(self._experts):
            results = (hidden @ a.flatten(0, 1).T).unflatten(1, b.shape) + b
            hidden = (values[:, None, :] @ results)[:, 0]
            hidden = elu(hidden) if number < 2 else hidden
        return hidden * self._output[1] + self._output[0], values


def _runner(
    weights: Weights,
    gating: NDArray[np.int64],
    backend: Backend,
    precision: Precision,
    threads: int,
    threshold: float,
) -> Runner:
    if precision not in BITS:
        raise InputError(f"network: precision {precision}, wanted one of {', '.join(BITS)}")
    if backend not in ("auto", "native", "numpy", "torch"):
        raise InputError(f"network: backend {backend}, wanted auto, native, numpy or torch")
    if backend == "torch" and precision == "float32":
        return TorchRunner(weights, gating)
    if backend == "numpy" and precision == "float32":
        return NumpyRunner(weights, gating)
    if backend in ("numpy", "torch"):
        raise InputError(f"network: precision {precision} needs the native backend, not {backend}")
    from motion.network.native import NativeRunner

    try:
        return NativeRunner(
            weights,
            gating,
            bits=BITS[precision],
            threshold=threshold if precision == "sparse" else 0.0,
            threads=threads,
        )
    except PassingError as error:
        if backend == "native" or precision != "float32":
            raise
        _log.warning("network: computed in NumPy (%s)", error)
        return NumpyRunner(weights, gating)


def _checked_gating(gating: Sequence[int]) -> NDArray[np.int64]:
    indices = np.asarray(gating, np.int64)
    wanted = len(GATING_441)
    if indices.shape != (wanted,) or indices.min() < 0 or indices.max() >= INPUT_SIZE:
        raise InputError(
            f"network: gating list {list(gating)}, wanted {wanted} numbers of 0 to {INPUT_SIZE - 1}"
        )
    return indices


def _elu(values: Array) -> Array:
    return np.maximum(values, 0) + np.expm1(np.minimum(values, 0))


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)

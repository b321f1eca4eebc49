"""The network on the C++ kernel: weights laid out in the order in which the kernel reads them."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import PassingError
from assets3d.native import library
from motion.weights.record import Array, Experts, Weights

#: As in mann.h: outputs side by side in a panel, inputs padded to a multiple, kinds of storage.
PANEL, STEP = 32, 4
STORAGES = {32: 0, 16: 1, 12: 2}


class NativeRunner:
    """The kernel with its weights; safe to call from several threads.

    Args:
        weights: of any size.
        gating: the 19 inputs of the gating network.
        bits: of each weight of the experts. 32 is float; 16 and 12 are integers times a factor
            that each row of each expert has of its own, so that rounding errs at most by half a
            step of the row's largest weight / 32767 or / 2047. Arithmetic stays float32.
        threshold: experts with a smaller weight are left out, the others scaled to sum 1.
        threads: that share a batch.
    """

    def __init__(
        self,
        weights: Weights,
        gating: NDArray[np.int64],
        *,
        bits: int = 32,
        threshold: float = 0.0,
        threads: int = 1,
    ) -> None:
        self._kernel, self._isa = library.kernel(), library.instruction_set()
        self._threads, self._experts = threads, weights.expert_count
        self._outputs = len(weights.output_mean)
        struct = library.MannStruct()
        streams = [_stream(layer, bits) for layer in weights.experts]
        #: All experts as stored, one block read from front to end: what one pass reads.
        self.memory = np.concatenate(streams)
        place = self.memory.ctypes.data
        for number, (layer, stream) in enumerate(zip(weights.experts, streams, strict=True)):
            _, outputs, inputs = layer.a.shape
            struct.layers[number] = library.MannLayerStruct(
                place, inputs + -inputs % STEP, outputs, -(-outputs // PANEL)
            )
            place += stream.nbytes
        small = _small_parts(weights, gating)
        self._small = np.concatenate([part.view(np.uint8).ravel() for part in small])
        places = self._small.ctypes.data + np.cumsum([0, *(part.nbytes for part in small)])
        struct.small, struct.small_bytes = self._small.ctypes.data, self._small.nbytes
        for number in range(3):
            struct.gate_weights[number] = int(places[2 * number])
            struct.gate_biases[number] = int(places[2 * number + 1])
        names = ("input_mean", "input_std", "output_mean", "output_std", "gating")
        for name, address in zip(names, places[6:], strict=False):
            setattr(struct, name, int(address))
        struct.inputs, struct.gates = len(weights.input_mean), len(gating)
        struct.gating_hidden, struct.experts = len(weights.gating[0].b), self._experts
        struct.storage, struct.threshold = STORAGES[bits], threshold
        self._struct = struct
        self._reference = ctypes.byref(struct)

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Return outputs (B, 363) and blend weights (B, E)."""
        count, outputs = len(x), self._outputs
        # One array for both results: each address that Python asks for costs a microsecond.
        results = np.zeros(count * (outputs + self._experts), np.float32)
        place = results.ctypes.data
        done = self._kernel.a3d_mann(
            self._reference,
            x.ctypes.data,
            count,
            place,
            place + 4 * count * outputs,
            self._threads,
            self._isa,
        )
        if not done:
            raise PassingError(f"network: the kernel has not the memory for {count} characters")
        split = count * outputs
        return (
            results[:split].reshape(count, outputs),
            results[split:].reshape(count, self._experts),
        )


def _small_parts(weights: Weights, gating: NDArray[np.int64]) -> list[NDArray]:
    """Return what is not experts: gating matrices (in, out) and biases, normalisation, the list."""
    parts: list[NDArray] = []
    for linear in weights.gating:
        parts += [np.ascontiguousarray(linear.w.T), linear.b]
    parts += [weights.input_mean, weights.input_std, weights.output_mean, weights.output_std]
    return [np.ascontiguousarray(part, "<f4") for part in parts] + [gating.astype("<i4")]


def _stream(layer: Experts, bits: int) -> NDArray[np.uint8]:
    """Return a layer's bytes as mann.h wants them: panels, experts, then biases and weights."""
    count, outputs, inputs = layer.a.shape
    more = -outputs % PANEL
    matrices = np.pad(layer.a, ((0, 0), (0, more), (0, -inputs % STEP)))
    heads = [np.pad(layer.b, ((0, 0), (0, more)))]
    if bits < 32:
        largest = np.abs(matrices).max(axis=2)
        steps = largest / np.float32(2 ** (bits - 1) - 1)
        # Rows of zeros get the scale 0, whatever their neighbours leave in their low bits.
        heads.append(steps * np.float32(2.0 ** (bits - 32)))
        divisors = np.where(steps > 0, steps, np.float32(1))
        matrices = np.asarray(matrices / divisors[..., None], np.float32)
    # (E, panels * 32, inputs) -> (panels, E, inputs, 32)
    panels = matrices.reshape(count, -1, PANEL, matrices.shape[2]).transpose(1, 0, 3, 2)
    parts: list[NDArray] = [head.reshape(count, -1, PANEL).transpose(1, 0, 2) for head in heads]
    parts = [part.astype("<f4") for part in parts]
    parts.append(panels.astype("<f4") if bits == 32 else _words(panels.astype(np.float64), bits))
    rows = [np.ascontiguousarray(part).view(np.uint8) for part in parts]
    return np.concatenate([row.reshape(*row.shape[:2], -1) for row in rows], axis=2).ravel()


def _words(panels: NDArray[np.float64], bits: int) -> NDArray[np.uint32]:
    """Pack numbers (..., inputs, 32) in steps into words, 16 side by side, as drawn in mann.h."""
    low, high = panels[..., :16], panels[..., 16:]
    if bits == 16:
        rest = _rounded(low, 0, 16)
        return np.asarray(_rounded(high, rest, 16) << 16 | rest, np.uint32)
    low, high = (half.reshape(*half.shape[:-2], -1, STEP, 16) for half in (low, high))
    last_high = _rounded(high[..., 3, :], 0, 12)
    # Below the fourth input's bits of output j come the first four of output j + 16.
    last_low = _rounded(low[..., 3, :], np.asarray(last_high >> 8, np.uint32), 12, 4)
    fourth = last_low << 12 | last_high
    bytes_ = np.stack([fourth >> 16, fourth >> 8, fourth], axis=-2) & 0xFF
    rest = np.asarray(bytes_, np.uint32)
    rest = np.asarray(_rounded(high[..., :3, :], rest, 12, 8) << 8 | rest, np.uint32)
    return np.asarray(_rounded(low[..., :3, :], rest, 12, 20) << 20 | rest, np.uint32)


def _rounded(
    values: NDArray[np.float64], rest: NDArray[np.uint32] | int, bits: int, rest_bits: int = 16
) -> NDArray[np.uint32]:
    """Return `bits` bits that, followed by `rest` of `rest_bits`, come nearest to the values."""
    integers = np.rint(values - np.asarray(rest) / 2.0**rest_bits).astype(np.int64)
    return np.asarray(integers & (2**bits - 1), "<u4")

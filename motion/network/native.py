"""The network on the C++ kernel: weights laid out in the order in which the kernel reads them."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import PassingError
from assets3d.native import library
from motion.weights.record import Array, Experts, Weights

#: As in mann.h: outputs side by side in a panel; by bits a weight, storage and inputs in a group.
PANEL = 32
STORAGES = {32: (0, 4), 16: (1, 4), 11: (2, 3)}
CACHE_LINE = 64
#: Three weights share a word: bits, and bits of what follows them.
THIRDS = ((11, 21), (11, 10), (10, 0))


class NativeRunner:
    """The kernel with its weights; safe to call from several threads.

    Args:
        weights: of any size.
        gating: the 19 inputs of the gating network.
        bits: of each weight of the experts. 32 is float; 16 and 11 (11, 11 and 10 in a word) are
            integers times a factor that each row of each expert has of its own, so that rounding
            errs by at most 1/65534 or 1/1022 of the row's largest weight, half of that where 11
            bits are stored. Arithmetic stays float32.
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
        self.memory = _aligned(sum(stream.nbytes for stream in streams))
        np.concatenate(streams, out=self.memory)
        place = self.memory.ctypes.data
        for number, (layer, stream) in enumerate(zip(weights.experts, streams, strict=True)):
            _, outputs, inputs = layer.a.shape
            struct.layers[number] = library.MannLayerStruct(
                place, inputs + -inputs % STORAGES[bits][1], outputs, -(-outputs // PANEL)
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
        struct.storage, struct.threshold = STORAGES[bits][0], threshold
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


def _aligned(size: int) -> NDArray[np.uint8]:
    """Return zeroed bytes that begin with a cache line: no vector of weights then lies on two."""
    space = np.zeros(size + CACHE_LINE, np.uint8)
    first = -space.ctypes.data % CACHE_LINE
    return space[first : first + size]


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
    matrices = np.pad(layer.a, ((0, 0), (0, more), (0, -inputs % STORAGES[bits][1])))
    heads = [np.pad(layer.b, ((0, 0), (0, more)))]
    if bits < 32:
        largest = np.abs(matrices).max(axis=2)
        # Numbers are parts of 2^31; the shortest integer's largest value bounds what fits.
        room = np.float32(1.0 - 2.0 ** -(15 if bits == 16 else 9))
        # Rows of zeros get the scale 0, whatever their neighbours leave in their low bits.
        heads.append(largest / room * np.float32(2.0**-31))
        divisors = np.where(largest > 0, largest / room, np.float32(1))
        matrices = np.asarray(matrices / divisors[..., None], np.float32)
    # (E, panels * 32, inputs) -> (panels, E, inputs, 32)
    panels = matrices.reshape(count, -1, PANEL, matrices.shape[2]).transpose(1, 0, 3, 2)
    parts: list[NDArray] = [head.reshape(count, -1, PANEL).transpose(1, 0, 2) for head in heads]
    parts = [part.astype("<f4") for part in parts]
    parts.append(panels.astype("<f4") if bits == 32 else _words(panels.astype(np.float64), bits))
    rows = [np.ascontiguousarray(part).view(np.uint8) for part in parts]
    return np.concatenate([row.reshape(*row.shape[:2], -1) for row in rows], axis=2).ravel()


def _words(panels: NDArray[np.float64], bits: int) -> NDArray[np.uint32]:
    """Pack numbers (..., inputs, 32) between -1 and 1 into words, side by side as in mann.h."""
    if bits == 16:
        low, high = panels[..., :16], panels[..., 16:]
        fields = [(high, 16, 16), (low, 16, 0)]
    else:
        groups = panels.reshape(*panels.shape[:-2], -1, len(THIRDS), PANEL)
        fields = [(groups[..., i, :], size, below) for i, (size, below) in enumerate(THIRDS)]
    words = np.zeros(fields[0][0].shape, np.int64)
    for values, size, below in reversed(fields):
        # The bits below stay in the word when it is read: round so that both come nearest.
        wanted = values * 2.0 ** (size - 1) - words / 2.0**below
        words |= (np.rint(wanted).astype(np.int64) & (2**size - 1)) << below
    return words.astype("<u4")

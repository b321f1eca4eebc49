"""The record of one network's weights, and what makes it sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from motion.features import INPUT_NAMES, INPUT_SIZE, OUTPUT_NAMES, OUTPUT_SIZE

Array = NDArray[np.float32]

#: Sizes of the published network.
EXPERTS, HIDDEN, GATING_HIDDEN = 8, 512, 32

#: The normalised inputs that the gating network sees: velocities of the four paws, then speed and
#: styles of the present sample. The files do not say with which list they were trained.
GATING_441 = (
    *(285, 286, 287),
    *(345, 346, 347),
    *(393, 394, 395),
    *(441, 442, 443),
    *range(84, 91),
)
#: With the slip of a widely copied version: 341 where the right hind paw's 441 is meant.
GATING_341 = (
    *(285, 286, 287),
    *(345, 346, 347),
    *(393, 394, 395),
    *(341, 342, 343),
    *range(84, 91),
)


class Linear(NamedTuple):
    """y = w x + b: w (out, in), b (out,)."""

    w: Array
    b: Array


class Experts(NamedTuple):
    """One layer of E experts: a (E, out, in), b (E, out)."""

    a: Array
    b: Array


@dataclass(frozen=True)
class Weights:
    """All parameters, float32. Sizes of the hidden layers and the number of experts are free.

    Attributes:
        gating: three layers, 19 -> G -> G -> E; ELU between, softmax at the end.
        experts: three layers, 480 -> H -> H -> 363; each is blended before ELU.
        input_mean: (480,) and input_std (480,) > 0: x is normalised by them.
        output_mean: (363,) and output_std (363,) > 0: the result is scaled back by them.

    Raises:
        InputError: naming the part whose shape, sign or finiteness is wrong.
    """

    gating: tuple[Linear, Linear, Linear]
    experts: tuple[Experts, Experts, Experts]
    input_mean: Array
    input_std: Array
    output_mean: Array
    output_std: Array

    def __post_init__(self) -> None:
        _check_shapes(self)
        for name, values in named_arrays(self):
            check_finite(name, values)
        check_std("Xstd", self.input_std)
        check_std("Ystd", self.output_std)

    @property
    def expert_count(self) -> int:
        """E, the number of experts."""
        return int(self.experts[0].a.shape[0])

    @property
    def hidden(self) -> int:
        """H, the width of both hidden layers."""
        return int(self.experts[0].a.shape[1])


def named_arrays(weights: Weights) -> Iterator[tuple[str, Array]]:
    """Yield (name, array) of each part; names are those of the binary files without suffix."""
    for layer, linear in enumerate(weights.gating):
        yield from ((f"wc{layer}_w", linear.w), (f"wc{layer}_b", linear.b))
    for layer, experts in enumerate(weights.experts):
        for number in range(len(experts.a)):
            yield f"cp{layer}_a{number}", experts.a[number]
            yield f"cp{layer}_b{number}", experts.b[number]
    yield from (("Xmean", weights.input_mean), ("Xstd", weights.input_std))
    yield from (("Ymean", weights.output_mean), ("Ystd", weights.output_std))


def from_named(arrays: dict[str, Array], where: str) -> Weights:
    """Build the record from arrays under the names of `named_arrays`.

    Args:
        arrays: matrices (out, in), vectors (out,); any number of experts, counted by cp0_a*.
        where: file name, the beginning of an error message.
    """
    count = sum(name.startswith("cp0_a") for name in arrays)
    wanted = [f"cp{layer}_{part}{e}" for layer in range(3) for part in "ab" for e in range(count)]
    wanted += [f"wc{layer}_{part}" for layer in range(3) for part in "wb"]
    wanted += ["Xmean", "Xstd", "Ymean", "Ystd"]
    missing, unknown = sorted({*wanted} - {*arrays}), sorted({*arrays} - {*wanted})
    if not count or missing or unknown:
        found = f"{missing[0]} is missing" if missing else f"found {(unknown or ['no experts'])[0]}"
        raise InputError(f"{where}: {found}, wanted the parts of one network and nothing else")
    data = {name: np.ascontiguousarray(value, np.float32) for name, value in arrays.items()}

    def stacked(layer: int, part: str) -> Array:
        parts = [data[f"cp{layer}_{part}{number}"] for number in range(count)]
        for number, value in enumerate(parts):
            if value.shape != parts[0].shape:
                raise InputError(
                    f"{where}: cp{layer}_{part}{number} has shape {value.shape}, "
                    f"wanted {parts[0].shape} as cp{layer}_{part}0"
                )
        return np.stack(parts)

    gating = tuple(Linear(data[f"wc{k}_w"], data[f"wc{k}_b"]) for k in range(3))
    experts = tuple(Experts(stacked(k, "a"), stacked(k, "b")) for k in range(3))
    try:
        return Weights(
            (gating[0], gating[1], gating[2]),
            (experts[0], experts[1], experts[2]),
            *(data[name] for name in ("Xmean", "Xstd", "Ymean", "Ystd")),
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def check_finite(name: str, values: Array) -> None:
    """Raise InputError naming the first value that is infinite or not a number."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        place = [int(i) for i in np.unravel_index(bad[0], values.shape)]
        raise InputError(
            f"{name}: value {place} is {values.ravel()[bad[0]]} and {len(bad)} of {values.size} "
            "are not finite, wanted finite numbers"
        )


def check_std(name: str, values: Array) -> None:
    """Raise InputError naming the first column whose standard deviation is not positive."""
    bad = np.flatnonzero(~(values > 0))
    if len(bad):
        column = int(bad[0])
        names = INPUT_NAMES if name.startswith("X") else OUTPUT_NAMES
        negative = int((values < 0).sum())
        hint = f" ({negative} negative values: is it {name[0]}mean?)" if negative else ""
        raise InputError(
            f"{name}: column {column} ({names[column]}) is {values[column]:g}, wanted a standard "
            f"deviation above 0, and 1 for a constant column{hint}"
        )


def random_weights(
    seed: int, *, hidden: int = HIDDEN, experts: int = EXPERTS, gating_scale: float = 1.0
) -> Weights:
    """Return random weights that keep activations near unit variance.

    Args:
        seed: of the generator.
        hidden: width of the main network's hidden layers.
        experts: number of experts.
        gating_scale: factor of the last gating layer; larger makes fewer experts share a pose.
    """
    rng = np.random.default_rng(seed)

    def normal(*shape: int, scale: float) -> Array:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    def positive(size: int) -> Array:
        return np.abs(normal(size, scale=1.0)) + np.float32(0.5)

    def layer(size: int, inputs: int, scale: float = 1.0) -> Linear:
        return Linear(
            normal(size, inputs, scale=scale / inputs**0.5), normal(size, scale=0.1 * scale)
        )

    def expert_layer(size: int, inputs: int) -> Experts:
        parts = [layer(size, inputs) for _ in range(experts)]
        return Experts(np.stack([part.w for part in parts]), np.stack([part.b for part in parts]))

    return Weights(
        (
            layer(GATING_HIDDEN, len(GATING_441)),
            layer(GATING_HIDDEN, GATING_HIDDEN),
            layer(experts, GATING_HIDDEN, gating_scale),
        ),
        (
            expert_layer(hidden, INPUT_SIZE),
            expert_layer(hidden, hidden),
            expert_layer(OUTPUT_SIZE, hidden),
        ),
        normal(INPUT_SIZE, scale=0.1),
        positive(INPUT_SIZE),
        normal(OUTPUT_SIZE, scale=0.1),
        positive(OUTPUT_SIZE),
    )


def _check_shapes(weights: Weights) -> None:
    if len(weights.gating) != 3 or len(weights.experts) != 3:
        raise InputError(
            f"weights: found {len(weights.gating)} gating and {len(weights.experts)} expert "
            "layers, wanted 3 and 3"
        )
    shape = weights.experts[0].a.shape
    count, hidden = shape[:2] if len(shape) == 3 else (0, 0)
    gating_hidden = len(weights.gating[0].b)
    sizes = (len(GATING_441), gating_hidden, gating_hidden, count)
    widths = (INPUT_SIZE, hidden, hidden, OUTPUT_SIZE)
    wanted: dict[str, tuple[int, ...]] = {}
    for layer in range(3):
        wanted[f"wc{layer}_w"] = (sizes[layer + 1], sizes[layer])
        wanted[f"wc{layer}_b"] = (sizes[layer + 1],)
        for number in range(count):
            wanted[f"cp{layer}_a{number}"] = (widths[layer + 1], widths[layer])
            wanted[f"cp{layer}_b{number}"] = (widths[layer + 1],)
    wanted |= {"Xmean": (INPUT_SIZE,), "Xstd": (INPUT_SIZE,)}
    wanted |= {"Ymean": (OUTPUT_SIZE,), "Ystd": (OUTPUT_SIZE,)}
    if not count:
        raise InputError(f"cp0_a: shape {shape}, wanted (experts, hidden, {INPUT_SIZE})")
    found = {}
    for name, values in named_arrays(weights):
        found[name] = values.shape
        if values.dtype != np.float32:
            raise InputError(f"{name}: found numbers of type {values.dtype}, wanted float32")
        if values.shape != wanted.get(name):
            raise InputError(f"{name}: shape {values.shape}, wanted {wanted.get(name, 'nothing')}")
    for name, size in wanted.items():
        if name not in found:
            raise InputError(f"{name}: missing, wanted shape {size}")

"""Weights that anyone can make from a formula: networks are compared without checkpoints.

For a tensor of name k and shape s: n = default_rng(crc32(salt + k)).standard_normal(s); matrices
and kernels are n / sqrt(prod(s[1:])); vectors 1 + 0.1 n if k ends in "weight", else 0.1 n. Of the
motion network, deviations ("std") are 0.5 + |n|.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assets3d.checkpoints import build_with
from motion.weights import Weights, file_names
from motion.weights.record import from_named

Network = TypeVar("Network", bound=nn.Module)


def golden_noise(name: str, shape: tuple[int, ...], salt: str = "") -> NDArray[np.float32]:
    """Return the formula's n: standard normal numbers that depend on salt, name and shape only."""
    generator = np.random.default_rng(zlib.crc32((salt + name).encode()))
    return generator.standard_normal(shape, dtype=np.float32)


def golden_weight(name: str, shape: tuple[int, ...], salt: str = "") -> NDArray[np.float32]:
    """Return the weight of this name and shape."""
    noise = golden_noise(name, shape, salt)
    if noise.ndim >= 2:
        return noise / np.float32(np.sqrt(np.prod(shape[1:])))
    return np.float32(1.0) + np.float32(0.1) * noise if name.endswith("weight") else 0.1 * noise


def shapes_of(make: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of a network's weights, without making any."""
    with torch.device("meta"):
        return {name: tuple(t.shape) for name, t in make().state_dict().items()}


def golden_network(make: Callable[[], Network], salt: str = "") -> Network:
    """Build a float32 network with the formula's weights."""
    weights = {
        name: torch.from_numpy(np.ascontiguousarray(golden_weight(name, shape, salt), np.float32))
        for name, shape in shapes_of(make).items()
    }
    return build_with(make, weights, "golden network", torch.float32)


def golden_motion_weights(salt: str = "") -> Weights:
    """Return the motion network's weights; names are the binary files' without suffix."""
    arrays = {}
    for file, shape in file_names().items():
        name = file.removesuffix(".bin")
        values = golden_weight(name, shape, salt)
        if name.endswith("std"):
            values = np.float32(0.5) + np.abs(golden_noise(name, shape, salt))
        arrays[name] = np.asarray(values, np.float32)
    return from_named(arrays, "golden weights")

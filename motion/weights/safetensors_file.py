"""One safetensors file: the binary files' names, any number of experts and hidden units."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assets3d.errors import InputError
from motion.weights.record import Weights, from_named, named_arrays

_TYPES = ("F32", "F16")


def read_safetensors(path: Path) -> Weights:
    """Read the file as `write_safetensors` leaves it; half-precision parts become float32.

    Raises:
        InputError: one line naming the file and the part that is missing, unknown, of a wrong
            type or shape, or not finite.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise InputError(f"weights: no file {path.name}")
    arrays = {}
    try:
        with safe_open(path, framework="np") as file:
            for name in file.keys():
                kind = file.get_slice(name).get_dtype()
                if kind not in _TYPES:
                    raise InputError(f"weights {path.name}: {name} is {kind}, wanted F32 or F16")
                arrays[name] = file.get_tensor(name).astype(np.float32)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"weights {path.name}: cannot be read ({error}), wanted a whole safetensors file"
        ) from None
    return from_named(arrays, f"weights {path.name}")


def write_safetensors(path: Path, weights: Weights, *, half: bool = False) -> None:
    """Write one file, byte for byte the same each time.

    Args:
        path: of the file.
        weights: as they are; pass `trimmed(weights)` for a small file.
        half: store the experts' matrices as float16 (numbers above 65504 are refused); biases,
            gating and normalisation stay float32.
    """
    from safetensors.numpy import save

    arrays = {}
    for name, values in named_arrays(weights):
        if half and values.ndim == 2 and name.startswith("cp"):
            if np.abs(values).max() > np.finfo(np.float16).max:
                raise InputError(f"weights: {name} has values above 65504, too large for half")
            arrays[name] = values.astype(np.float16)
        else:
            arrays[name] = np.ascontiguousarray(values)
    # Not save_file: it leaves a file that only its owner may read.
    Path(path).write_bytes(save(arrays, metadata={"format": "mann"}))

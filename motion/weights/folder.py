"""The raw binary files: float32, little-endian, row by row, no header; 58 of them.

Biases of one width, means and last-layer biases have the same size on disk, so an exchange of two
such files can be told only where the numbers themselves speak (a standard deviation below zero).
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np

from assets3d.errors import InputError
from motion.features import INPUT_SIZE, OUTPUT_SIZE
from motion.weights.record import (
    EXPERTS,
    GATING_441,
    GATING_HIDDEN,
    HIDDEN,
    Array,
    Weights,
    check_finite,
    check_std,
    from_named,
    named_arrays,
)
from motion.weights.trimming import expanded

#: The trainer's own folders: experts and gating in one, means and deviations in the other.
TRAINER_FOLDERS = ("nn", "normalization")

_log = logging.getLogger(__name__)


def file_names() -> dict[str, tuple[int, ...]]:
    """Return the shape of each of the 58 arrays by file name, such as cp0_a0.bin."""
    widths = (INPUT_SIZE, HIDDEN, HIDDEN, OUTPUT_SIZE)
    sizes = (len(GATING_441), GATING_HIDDEN, GATING_HIDDEN, EXPERTS)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(3):
        for number in range(EXPERTS):
            shapes[f"cp{layer}_a{number}.bin"] = (widths[layer + 1], widths[layer])
            shapes[f"cp{layer}_b{number}.bin"] = (widths[layer + 1],)
        shapes[f"wc{layer}_w.bin"] = (sizes[layer + 1], sizes[layer])
        shapes[f"wc{layer}_b.bin"] = (sizes[layer + 1],)
    for part in ("mean", "std"):
        shapes[f"X{part}.bin"], shapes[f"Y{part}.bin"] = (INPUT_SIZE,), (OUTPUT_SIZE,)
    return shapes


def read_folder(path: Path) -> Weights:
    """Read 58 files from one flat folder, or from the trainer's `nn` and `normalization` in it.

    Raises:
        InputError: one line naming the first file that is missing, of a wrong size, not finite or,
            among deviations, not positive; sizes found and wanted in bytes.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(
            f"weights: no folder {path.name}, wanted one with {len(file_names())} files"
        )
    arrays = {}
    for name, shape in file_names().items():
        arrays[name.removesuffix(".bin")] = _read_file(_find(path, name, shape), shape)
    _warn_of_copies(arrays, path.name)
    return from_named(arrays, f"weights {path.name}")


def write_folder(path: Path, weights: Weights) -> None:
    """Write the 58 files into one flat folder; a smaller network is padded to full size, exactly.

    Raises:
        InputError: the network is larger than the files can say.
    """
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    for name, values in named_arrays(expanded(weights)):
        values.astype("<f4").tofile(path / f"{name}.bin")


def _find(folder: Path, name: str, shape: tuple[int, ...]) -> Path:
    normalisation = name[0] in "XY"
    places = [folder / name, folder / TRAINER_FOLDERS[normalisation] / name]
    for place in places:
        if place.is_file():
            return place
    part = TRAINER_FOLDERS[normalisation]
    raise InputError(
        f"weights: {name} is missing, wanted {_bytes(shape)} in {folder.name}/ or "
        f"{folder.name}/{part}/"
    )


def _read_file(path: Path, shape: tuple[int, ...]) -> Array:
    wanted, found = 4 * math.prod(shape), path.stat().st_size
    where = f"weights: {path.parent.name}/{path.name}"
    if found != wanted:
        raise InputError(
            f"{where}: found {found} bytes, wanted {_bytes(shape)}{_hint(found, path.name)}"
        )
    values = np.fromfile(path, "<f4").astype(np.float32).reshape(shape)
    check_finite(where, values)
    if path.stem in ("Xstd", "Ystd"):
        try:
            check_std(path.stem, values)
        except InputError as error:
            raise InputError(f"{where.removesuffix(path.name)}{error}") from None
    return values


def _bytes(shape: tuple[int, ...]) -> str:
    return f"{4 * math.prod(shape)} bytes ({' x '.join(map(str, shape))} float32)"


def _hint(size: int, name: str) -> str:
    """Say which file has the size found, so that an exchange shows itself."""
    owners = [other for other, shape in file_names().items() if 4 * math.prod(shape) == size]
    owners = [other for other in owners if other != name]
    if not owners:
        return ""
    rest = f" and {len(owners) - 1} more" if len(owners) > 1 else ""
    return f"; that is the size of {owners[0]}{rest}: exchanged?"


def _warn_of_copies(arrays: dict[str, Array], folder: str) -> None:
    """Two experts alike are legal, but more often one file copied over another."""
    seen: dict[bytes, str] = {}
    for name, values in arrays.items():
        if values.ndim != 2 or not name.startswith("cp") or not values.any():
            continue
        first = seen.setdefault(values.tobytes(), name)
        if first != name:
            _log.warning("weights %s: %s.bin and %s.bin are the same", folder, first, name)

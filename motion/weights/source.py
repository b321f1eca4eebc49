"""Whatever form the weights come in."""

from __future__ import annotations

from pathlib import Path

from assets3d.errors import InputError
from assets3d.models import EMBEDDED_FOLDER
from motion.weights.folder import read_folder
from motion.weights.onnx_file import read_onnx
from motion.weights.record import Weights
from motion.weights.safetensors_file import read_safetensors
from motion.weights.trimming import expanded

#: The controller that ships: trained on this project's own procedural gaits.
EMBEDDED = EMBEDDED_FOLDER / "motion" / "controller.safetensors"


def read_weights(path: Path) -> Weights:
    """Read a folder of binary files, a .safetensors or an .onnx file, by what is there.

    Raises:
        InputError: one line, naming the file that is wrong or the form that is unknown.
    """
    path = Path(path)
    if path.is_dir():
        return read_folder(path)
    if not path.exists():
        raise InputError(f"weights: {path.name} does not exist, wanted a folder or a file")
    readers = {".safetensors": read_safetensors, ".onnx": read_onnx}
    if path.suffix.lower() not in readers:
        raise InputError(
            f"weights: {path.name}, wanted a folder of binary files, .safetensors or .onnx"
        )
    return readers[path.suffix.lower()](path)


def embedded_weights() -> Weights:
    """Return the embedded controller at full size, padded with zeros where it is smaller."""
    return expanded(read_safetensors(EMBEDDED))

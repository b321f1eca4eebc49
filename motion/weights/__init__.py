"""The network's weights: one record, and every file that holds it.

Forms: the 58 raw binary files in one folder or in the trainer's two, one safetensors file, ONNX.
The raw files say neither their shape nor the gating list that they were trained with: shapes are
checked by size, the list is a setting of the network.
"""

from motion.weights.folder import file_names, read_folder, write_folder
from motion.weights.onnx_file import onnx_gating, read_onnx, write_onnx
from motion.weights.record import (
    GATING_341,
    GATING_441,
    Experts,
    Linear,
    Weights,
    random_weights,
)
from motion.weights.safetensors_file import read_safetensors, write_safetensors
from motion.weights.source import EMBEDDED, embedded_weights, read_weights
from motion.weights.trimming import expanded, trimmed

__all__ = [
    "EMBEDDED",
    "GATING_341",
    "GATING_441",
    "Experts",
    "Linear",
    "Weights",
    "embedded_weights",
    "expanded",
    "file_names",
    "onnx_gating",
    "random_weights",
    "read_folder",
    "read_onnx",
    "read_safetensors",
    "read_weights",
    "trimmed",
    "write_folder",
    "write_onnx",
    "write_safetensors",
]

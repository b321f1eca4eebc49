"""ONNX: the whole network with its normalisation, raw vector in, raw vector and experts out.

The graph keeps every parameter as it is (mean and deviation are steps of the graph, not multiplied
into the matrices), so that reading it back gives the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assets3d.errors import InputError, PassingError
from motion.features import INPUT_SIZE, OUTPUT_SIZE
from motion.weights.record import GATING_441, Array, Weights, from_named, named_arrays

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 17, 8


def write_onnx(path: Path, weights: Weights, *, gating: Sequence[int] = GATING_441) -> None:
    """Write a graph x (batch, 480) -> y (batch, 363), experts (batch, E), opset 17.

    Args:
        path: of the file.
        weights: of any size.
        gating: the 19 inputs the gating network sees; they become part of the graph.

    Raises:
        PassingError: the `onnx` package is not installed.
    """
    onnx = _package()
    from onnx import TensorProto, helper

    nodes = _gating_nodes() + _expert_nodes()
    graph = helper.make_graph(
        nodes,
        "mann",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", INPUT_SIZE])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", OUTPUT_SIZE]),
            helper.make_tensor_value_info(
                "experts", TensorProto.FLOAT, ["batch", weights.expert_count]
            ),
        ],
        _initialisers(weights, gating),
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="assets3d"
    )
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    Path(path).write_bytes(model.SerializeToString(deterministic=True))


def read_onnx(path: Path) -> Weights:
    """Return the weights of a graph that `write_onnx` made.

    Raises:
        InputError: the file is no ONNX, or lacks a part under our names.
        PassingError: the `onnx` package is not installed.
    """
    values = _stored(Path(path))
    arrays: dict[str, Array] = {}
    for name, value in values.items():
        if name.startswith("cp") and name[4:] == "a":
            for number, matrix in enumerate(value):
                arrays[f"{name}{number}"] = matrix.T
        elif name.startswith("cp") and name[4:] == "b":
            for number, row in enumerate(value[:, 0]):
                arrays[f"{name}{number}"] = row
        elif name.startswith("wc") or name in ("Xmean", "Xstd", "Ymean", "Ystd"):
            arrays[name] = value
    return from_named(arrays, f"weights {Path(path).name}")


def onnx_gating(path: Path) -> tuple[int, ...]:
    """Return the 19 inputs that the graph's gating network sees."""
    values = _stored(Path(path))
    if "gating" not in values:
        raise InputError(f"weights {Path(path).name}: gating is missing, wanted 19 numbers")
    return tuple(int(index) for index in values["gating"])


def _initialisers(weights: Weights, gating: Sequence[int]) -> list[onnx.TensorProto]:
    from onnx import numpy_helper

    arrays: dict[str, np.ndarray] = {
        name: values for name, values in named_arrays(weights) if not name.startswith("cp")
    }
    for layer, experts in enumerate(weights.experts):
        arrays[f"cp{layer}_a"] = experts.a.transpose(0, 2, 1)
        arrays[f"cp{layer}_b"] = experts.b[:, None, :]
    arrays["gating"] = np.asarray(gating, np.int64)
    arrays["expert_axis"] = np.array([0], np.int64)
    return [
        numpy_helper.from_array(np.ascontiguousarray(values), name)
        for name, values in arrays.items()
    ]


def _gating_nodes() -> list[onnx.NodeProto]:
    from onnx.helper import make_node

    nodes = [
        make_node("Sub", ["x", "Xmean"], ["centred"]),
        make_node("Div", ["centred", "Xstd"], ["h0"]),
        make_node("Gather", ["h0", "gating"], ["g0"], axis=1),
    ]
    for layer in range(3):
        inputs = [f"g{layer}", f"wc{layer}_w", f"wc{layer}_b"]
        nodes.append(make_node("Gemm", inputs, [f"logits{layer}"], transB=1))
        if layer < 2:
            nodes.append(make_node("Elu", [f"logits{layer}"], [f"g{layer + 1}"]))
    nodes.append(make_node("Softmax", ["logits2"], ["experts"], axis=1))
    # (batch, E) -> (E, batch, 1), to weight the experts' results.
    nodes.append(make_node("Transpose", ["experts"], ["shares_flat"], perm=[1, 0]))
    nodes.append(
        make_node("Constant", [], ["last_axis"], value_ints=[2]),
    )
    nodes.append(make_node("Unsqueeze", ["shares_flat", "last_axis"], ["shares"]))
    return nodes


def _expert_nodes() -> list[onnx.NodeProto]:
    """Every expert's result, then their weighted sum: one pass over the weights for any batch."""
    from onnx.helper import make_node

    nodes = []
    for layer in range(3):
        nodes += [
            make_node("MatMul", [f"h{layer}", f"cp{layer}_a"], [f"products{layer}"]),
            make_node("Add", [f"products{layer}", f"cp{layer}_b"], [f"results{layer}"]),
            make_node("Mul", [f"results{layer}", "shares"], [f"weighted{layer}"]),
            make_node(
                "ReduceSum", [f"weighted{layer}", "expert_axis"], [f"blend{layer}"], keepdims=0
            ),
        ]
        if layer < 2:
            nodes.append(make_node("Elu", [f"blend{layer}"], [f"h{layer + 1}"]))
    nodes.append(make_node("Mul", ["blend2", "Ystd"], ["scaled"]))
    nodes.append(make_node("Add", ["scaled", "Ymean"], ["y"]))
    return nodes


def _stored(path: Path) -> dict[str, Array]:
    onnx = _package()
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    if not path.is_file():
        raise InputError(f"weights: no file {path.name}")
    try:
        model = onnx.load_model(path)
    except (DecodeError, ValueError, OSError) as error:
        raise InputError(
            f"weights {path.name}: cannot be read ({error}), wanted a whole ONNX file"
        ) from None
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _package():  # type: ignore[no-untyped-def]
    try:
        import onnx
        import onnx.checker
    except ImportError:
        raise PassingError("weights: ONNX wants the onnx package: pip install onnx") from None
    return onnx

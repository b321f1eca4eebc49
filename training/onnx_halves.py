"""ONNX files whose weights lie as 16-bit floats and are computed with as 32-bit ones.

Half the size; onnxruntime widens the weights once, when it loads the file, so nothing is slower.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

#: Smaller tensors (biases, shapes) stay as they are.
_SMALLEST = 256


def store_weights_as_halves(path: Path) -> None:
    """Rewrite an ONNX file in place; weights that are no 16-bit floats are rounded to them."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _SMALLEST:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))

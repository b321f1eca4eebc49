"""Tiny ONNX files that tests build themselves: pictures that carry their own truth, and networks
that read it off, by arithmetic that one can check by hand.

`truthful(height)` writes a height into the picture's colours: red and green are the slopes, blue is
the height. Networks here are pointwise tables of those, so what they say is exactly known.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from assets3d.textures.fields import slopes_of_height

#: Slopes from -2 to 2 are red and green from 0 to 255.
STEEPEST = 2.0


def truthful(height, pixel=1.0):
    """Return a picture (S, S, 3) whose red and green are dh/dx and dh/dy, and blue the height."""
    slopes = slopes_of_height(np.asarray(height, np.float64), pixel)
    picture = np.zeros((*height.shape, 3))
    for channel, slope in enumerate(slopes):
        picture[..., channel] = 0.5 + slope / (2.0 * STEEPEST)
    picture[..., 2] = (height - height.min()) / np.ptp(height)
    return np.rint(255.0 * picture.clip(0.0, 1.0)).astype(np.uint8)


def mixing(path, matrix, offset, *, size=("height", "width"), layout="nchw", name="mixed"):
    """Write a 1x1 convolution: channels out = matrix @ channels in + offset.

    With layout "nhwc" the picture's channels come last, going in and out.
    """
    matrix, offset = np.asarray(matrix, np.float32), np.asarray(offset, np.float32)
    weights = [
        numpy_helper.from_array(matrix[:, :, None, None], "weight"),
        numpy_helper.from_array(offset, "bias"),
    ]
    middle = [helper.make_node("Conv", ["planes", "weight", "bias"], ["found"])]
    if layout == "nchw":
        nodes = [
            helper.make_node("Identity", ["picture"], ["planes"]),
            *middle,
            helper.make_node("Identity", ["found"], [name]),
        ]
        shapes = ([1, matrix.shape[1], *size], [1, len(matrix), *size])
    else:
        nodes = [
            helper.make_node("Transpose", ["picture"], ["planes"], perm=[0, 3, 1, 2]),
            *middle,
            helper.make_node("Transpose", ["found"], [name], perm=[0, 2, 3, 1]),
        ]
        shapes = ([1, *size, matrix.shape[1]], [1, *size, len(matrix)])
    return written(path, nodes, weights, shapes[0], {name: shapes[1]})


def normals_network(path, signs=(1.0, 1.0, 1.0), mean=0.0, std=1.0, output_range=(-1, 1), **form):
    """Write a network that reads the slopes off a truthful picture and answers with normals.

    (-dh/dx, +dh/dy, 1), not of length 1, times `signs`, said in `output_range` (scaled so that
    nothing leaves it). It wants colours of 0..1 from which `mean` was taken, divided by `std`.
    """
    gain = 2.0 * STEEPEST
    # slope = gain * (std * x + mean - 0.5); a third of the vector keeps it within -1..1.
    low, high = output_range
    half = (high - low) / 2.0
    scale = half / 3.0 * np.asarray(signs, np.float64)
    matrix = np.zeros((3, 3))
    matrix[0, 0], matrix[1, 1] = -gain * std * scale[0], gain * std * scale[1]
    level = gain * (mean - 0.5)
    offset = np.array([-level * scale[0], level * scale[1], scale[2]]) + (low + half)
    return mixing(path, matrix, offset, **form)


def depth_network(path, gain=1.0, zero=0.0, **form):
    """Write a network that answers with gain * (the blue of the picture) + zero."""
    return mixing(path, [[0.0, 0.0, gain]], [zero], **form)


def blurring(path, channels=3, reach=4):
    """Write a mean over (2 reach + 1)^2 pixels that takes zero beyond the edge, as most do."""
    side = 2 * reach + 1
    weight = np.zeros((channels, 1, side, side), np.float32) + np.float32(1 / side**2)
    node = helper.make_node(
        "Conv", ["picture", "weight"], ["mixed"], group=channels, pads=[reach] * 4
    )
    shape = [1, channels, "height", "width"]
    weights = [numpy_helper.from_array(weight, "weight")]
    return written(path, [node], weights, shape, {"mixed": shape})


def enlarging(path, factor, reach=2, size=("height", "width")):
    """Write an upscaler: a zero-padded mean over (2 reach + 1)^2, then each pixel repeated."""
    side = 2 * reach + 1
    kernel = np.zeros((3, 1, side, side), np.float32) + np.float32(1 / side**2)
    weights = [
        numpy_helper.from_array(kernel, "weight"),
        numpy_helper.from_array(np.array([1, 1, factor, factor], np.float32), "scales"),
    ]
    nodes = [
        helper.make_node("Conv", ["picture", "weight"], ["found"], group=3, pads=[reach] * 4),
        helper.make_node("Resize", ["found", "", "scales"], ["large"], mode="nearest"),
    ]
    return written(path, nodes, weights, [1, 3, *size], {"large": [1, 3, "h", "w"]})


def written(path, nodes, weights, shape_in, shapes_out, kind=TensorProto.FLOAT):
    """Write a graph with one picture in; return the path."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", kind, shape_in)],
        [helper.make_tensor_value_info(name, kind, s) for name, s in shapes_out.items()],
        weights,
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), str(path))
    return path

"""Go on from an exported cutout network: from its ONNX file back to one that can be trained.

The file's convolutions have their normalisation folded in. It is unfolded by looking at pictures:
each BatchNorm is told to give back what it takes away (the mean and deviation of what it sees), so
that the network answers as the file does and learns as one that was never folded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.cutout_network import CutoutNetwork


def start_from_exported(network: CutoutNetwork, path: Path, pictures: torch.Tensor) -> None:
    """Change an untrained network in place.

    Args:
        network: of the file's shape.
        path: `cutout.onnx` as `export_onnx` writes it.
        pictures: (B, 3, S, S) as rembg feeds them, what it is trained on, some dozens.

    Raises:
        ValueError: the file has other convolutions than the network.
    """
    folded = _convolutions(path)
    names = {module: name for name, module in network.named_modules()}
    #: What the convolution before a BatchNorm added in the file.
    added: list[torch.Tensor] = []

    def fill(module: nn.Module, _: tuple[torch.Tensor, ...]) -> None:
        assert isinstance(module, nn.Conv2d)
        weight, bias = folded.pop(0) if folded else (np.zeros(0), np.zeros(0))
        if weight.shape != tuple(module.weight.shape):
            found, wanted = weight.shape, tuple(module.weight.shape)
            raise ValueError(f"{path.name}: {names[module]}: found {found}, wanted {wanted}")
        module.weight.copy_(torch.from_numpy(weight))
        if module.bias is None:
            added[:] = [torch.from_numpy(bias)]
        else:
            module.bias.copy_(torch.from_numpy(bias))

    def unfold(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d)
        variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.copy_((variance + module.eps).sqrt())
        module.bias.copy_(added[0] + mean)

    hooks = [
        module.register_forward_pre_hook(fill if isinstance(module, nn.Conv2d) else unfold)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    with torch.no_grad():
        network.eval()(pictures)
    network.train()
    for hook in hooks:
        hook.remove()
    if folded:
        raise ValueError(f"{path.name}: found {len(folded)} more convolutions, wanted none")


def _convolutions(path: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return weight and bias of the file's convolutions, in the order of their use."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    values = {
        tensor.name.removesuffix(".half"): numpy_helper.to_array(tensor).astype(np.float32)
        for tensor in graph.initializer
    }
    return [
        (values[node.input[1]], values[node.input[2]])
        for node in graph.node
        if node.op_type == "Conv"
    ]

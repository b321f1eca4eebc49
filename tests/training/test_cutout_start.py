"""An exported cutout network answers as before when it is opened for more training."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
import torch

from training.cutout_network import CutoutNetwork, Exported
from training.cutout_start import start_from_exported

SHIPPED = Path("assets3d/weights/cutout/cutout.onnx")


def pictures(seed: int) -> torch.Tensor:
    return torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def test_it_answers_as_the_file():
    network = CutoutNetwork()
    start_from_exported(network, SHIPPED, pictures(0))
    given = torch.randn(1, 3, 320, 320, generator=torch.Generator().manual_seed(1))
    session = onnxruntime.InferenceSession(str(SHIPPED), providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"picture": given.numpy()})
    with torch.no_grad():
        found = Exported(network).eval()(given)
    assert (found - torch.from_numpy(wanted)).abs().max() < 1e-3
    assert wanted.std() > 0.01


def test_it_learns_from_where_it_was():
    """In training BatchNorm sees the batch: with the same pictures it says the same."""
    network, seen = CutoutNetwork(), pictures(0)
    start_from_exported(network, SHIPPED, seen)
    assert network.training
    with torch.no_grad():
        learning = network(seen)
        answer = network.eval()(seen)
    torch.testing.assert_close(learning, answer, atol=2e-2, rtol=1e-2)


def test_another_network_is_named(tmp_path):
    network = CutoutNetwork()
    network.logits = torch.nn.Conv2d(8, 2, 1)
    with pytest.raises(ValueError, match=r"logits: found \(1, 8, 1, 1\), wanted \(2, 8, 1, 1\)"):
        start_from_exported(network, SHIPPED, pictures(0))

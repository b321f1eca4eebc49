"""The motion benchmark: its base line is the same network, its result spares its neighbours."""

from __future__ import annotations

import json

import numpy as np
import torch

from benchmarks import motion_network
from motion.network import Network
from motion.weights import random_weights


def test_the_base_line_is_the_same_network():
    weights = random_weights(0, hidden=40, experts=3)
    x = np.random.default_rng(1).standard_normal(480).astype(np.float32)
    found = motion_network.plain_torch(weights)(torch.from_numpy(x)).numpy()
    assert np.abs(found - Network(weights)(x).output).max() < 1e-5


def test_merge_keeps_other_keys(tmp_path):
    path = tmp_path / "motion.json"
    motion_network.merge(path, "network", {"a": 1})
    motion_network.merge(path, "gaits", [2])
    motion_network.merge(path, "network", {"a": 3})
    assert json.loads(path.read_text()) == {"network": {"a": 3}, "gaits": [2]}
    assert list(tmp_path.iterdir()) == [path]

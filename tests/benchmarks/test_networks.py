"""The networks' benchmark: its plain formulation is the same network, and is taken back after."""

import json

import torch
import torch.nn.functional as F

from benchmarks import networks


def test_plain_attention_is_attention_and_is_taken_back():
    query, key, value = torch.randn(3, 2, 4, 16, 8, generator=torch.Generator().manual_seed(0))
    fused = F.scaled_dot_product_attention
    wanted = [fused(query, key, value), fused(query, key, value, scale=1.0)]
    with networks.plain_attention():
        found = [
            F.scaled_dot_product_attention(query, key, value),
            F.scaled_dot_product_attention(query, key, value, scale=1.0),
        ]
        assert F.scaled_dot_product_attention is not fused
    assert F.scaled_dot_product_attention is fused
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_every_way_gives_the_same_result(tmp_path):
    out = tmp_path / "networks.json"
    ways = ("reference", "channels_last")
    options = ["--small", "--device", "cpu", "--repeats", "1", "--out", str(out)]
    assert networks.main([*options, "--ways", *ways]) == 0
    (found,) = json.loads(out.read_text()).values()
    for name in ("lgm", "imagedream_step"):
        assert set(found[name]["ms"]) == {"ours", *ways}
        assert max(found[name]["difference_to_ours"].values()) < 1e-3
        assert found[name]["reference_over_ours"] > 0

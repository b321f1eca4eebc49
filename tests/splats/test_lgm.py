"""LGM: names, shapes, golden numbers, activations."""

import json
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch

from assets3d.cameras import four_views
from assets3d.errors import InputError
from assets3d.splats.lgm import HEAD, LGM, activate, fresh_lgm
from assets3d.splats.lgm_config import LGMConfig, lgm_config
from assets3d.splats.lgm_inference import join_rays, lgm_rays
from benchmarks.golden import golden_network, golden_noise, golden_weight, shapes_of

PARITY = Path(__file__).parents[3] / "shared" / "parity"
TINY = LGMConfig((32, 64), (False, True), (64, 32), (True, False), size_px=16, heads=4)


@pytest.mark.parametrize(
    ("variant", "tensors", "parameters"),
    [("tiny", 244, 59_743_360), ("small", 344, 412_958_240), ("big", 376, 415_042_848)],
)
def test_published_sizes(variant, tensors, parameters):
    shapes = shapes_of(lambda: LGM(lgm_config(variant)))
    assert len(shapes) == tensors
    assert sum(prod(shape) for shape in shapes.values()) == parameters


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
@pytest.mark.parametrize("variant", ["tiny", "small", "big"])
def test_published_names_and_shapes(variant):
    shapes = shapes_of(lambda: LGM(lgm_config(variant)))
    wanted = json.loads((PARITY / f"lgm_{variant}_keys.json").read_text())
    assert {key: list(shape) for key, shape in shapes.items()} == wanted


@pytest.mark.parametrize(("variant", "side"), [("tiny", 64), ("small", 64), ("big", 128)])
def test_splats_per_view(variant, side):
    assert lgm_config(variant).splat_size == side


def _tiny_input(size_px=16):
    views = golden_noise("views", (4, size_px, size_px, 3)) * 0.1 + 0.5
    return join_rays(views, four_views(size_px))


def _run(network, pictures):
    with torch.inference_mode():
        return network(pictures)


def test_own_golden_numbers():
    found = _run(golden_network(lambda: LGM(TINY)), _tiny_input())
    assert found.shape == (1, 4 * 16 * 16, 14)
    position = [-0.231974, -0.341437, 0.771895]
    wanted = [*position, 0.416043, 0.052347, 0.184068, 0.059976]
    wanted += [-0.792120, 0.461115, -0.067329, -0.394190, 0.402101, 0.637425, 0.907939]
    assert found[0, 300].numpy() == pytest.approx(wanted, abs=1e-4)


def test_activation_ranges():
    found = _run(golden_network(lambda: LGM(TINY)), _tiny_input())[0]
    assert found[:, :3].abs().max() <= 1.0
    assert ((found[:, 3] > 0.0) & (found[:, 3] < 1.0)).all()
    assert (found[:, 4:7] > 0.0).all()
    # Over the four components, not over the splats: the older checkpoint's mistake.
    assert torch.allclose(found[:, 7:11].norm(dim=1), torch.ones(len(found)), atol=1e-6)
    assert ((found[:, 11:] >= 0.0) & (found[:, 11:] <= 1.0)).all()


def test_order_is_view_row_column():
    """A network that passes nothing but a bias still orders its output: probe with activate."""
    raw = torch.zeros(4, 14, 2, 3)
    raw[:, 0] = torch.arange(24.0).view(4, 2, 3) / 100.0
    values = activate(raw, torch.zeros(4, 6, 2, 3), "world")
    splats = values.flatten(2).transpose(1, 2).reshape(1, -1, 14)
    assert splats[0, :, 0].numpy() == pytest.approx(np.arange(24) / 100.0)


def test_all_views_see_each_other_but_not_other_samples():
    network = golden_network(lambda: LGM(TINY))
    pictures = torch.cat([_tiny_input(), _tiny_input()])
    before = _run(network, pictures)
    pictures[0, 2, :3] += 0.5
    change = (_run(network, pictures) - before).abs().amax(2).view(2, 4, -1).amax(2)
    assert (change[0] > 1e-4).all()
    assert (change[1] < 1e-5).all()


def test_positions_on_rays_project_to_their_own_pixel():
    rays = torch.from_numpy(lgm_rays(four_views(8)))
    raw = torch.from_numpy(golden_noise("raw", (4, 14, 8, 8)))
    place = activate(raw, rays, "ray")[:, :3]
    moment = torch.linalg.cross(place, rays[:, 3:], dim=1)
    assert torch.allclose(moment, rays[:, :3], atol=1e-5)


def test_head_stays_float32_in_half_precision():
    from assets3d.checkpoints import build_with

    shapes = shapes_of(lambda: LGM(TINY))
    weights = {k: torch.from_numpy(golden_weight(k, s)).half() for k, s in shapes.items()}
    network = build_with(lambda: LGM(TINY), weights, "lgm", torch.bfloat16, HEAD)
    assert network.unet.conv_in.weight.dtype == torch.bfloat16
    for layer in (network.unet.norm_out, network.unet.conv_out, network.conv):
        assert layer.weight.dtype == torch.float32
    found = _run(network, _tiny_input())
    assert found.dtype == torch.float32 and torch.isfinite(found).all()


def test_head_runs_in_float32_even_when_all_weights_are_half(monkeypatch):
    """Positions at the border of the cube are not rounded to the half-precision grid."""
    network = fresh_lgm(TINY, 1).half()
    features = torch.from_numpy(
        golden_noise("features", (4, network.unet.norm_out.num_channels, 8, 8))
    )
    monkeypatch.setattr(network.unet, "forward", lambda flat: features.half())
    found = network(_tiny_input())
    assert found.dtype == torch.float32
    assert not torch.equal(found, found.half().float())


def test_a_fresh_network_starts_with_small_faint_splats():
    first, again = fresh_lgm(TINY, 1), fresh_lgm(TINY, 1)
    assert torch.equal(first.conv.weight, again.conv.weight)
    found = _run(first, _tiny_input())[0]
    assert 0.2 / 16 < found[:, 4:7].median() < 3.0 / 16
    assert found[:, 3].median() < 0.5
    assert found[:, 7].median() > 0.5, "most are hardly turned"


def test_embedded_variant_is_small():
    shapes = shapes_of(lambda: LGM(lgm_config("embedded")))
    assert sum(prod(shape) for shape in shapes.values()) < 5_000_000
    assert lgm_config("embedded").splat_size == 64


def test_config_survives_json():
    config = lgm_config("embedded")
    assert LGMConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_bad_configs_are_input_errors():
    with pytest.raises(InputError, match="large"):
        lgm_config("large")
    with pytest.raises(InputError, match="unknown key levels"):
        LGMConfig.from_json({**TINY.to_json(), "levels": 3})
    with pytest.raises(InputError, match="up_attention"):
        LGMConfig.from_json({k: v for k, v in TINY.to_json().items() if k != "up_attention"})
    with pytest.raises(InputError, match="multiple of 32"):
        LGMConfig((48,), (False,), (48,), (False,))


def test_three_views_are_an_error():
    with pytest.raises(ValueError, match="3 views"):
        golden_network(lambda: LGM(TINY))(_tiny_input()[:, :3])

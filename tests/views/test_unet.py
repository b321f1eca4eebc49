"""The multi-view U-Net: names, shapes, golden numbers, and what sees what."""

import json
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch

from assets3d.errors import InputError
from assets3d.views.cameras import frame_vectors
from assets3d.views.presets import embedded_config, random_embedded_unet
from assets3d.views.unet import MultiViewUNet, sinusoid
from assets3d.views.unet_config import MultiViewUNetConfig
from benchmarks.golden import golden_network, golden_noise, shapes_of

PARITY = Path(__file__).parents[3] / "shared" / "parity"

SMALL = {
    "model_channels": 32,
    "channel_mult": (1, 2),
    "num_res_blocks": 1,
    "attention_resolutions": (2,),
    "num_head_channels": 32,
    "context_dim": 24,
    "ip_embedding_dim": 20,
}


def _small(image_tokens):
    config = MultiViewUNetConfig(**SMALL, ip_dim=image_tokens, frames=5 if image_tokens else 4)
    network = golden_network(lambda: MultiViewUNet(config))
    rows = 2 * config.frames
    camera = np.tile(frame_vectors(image_frame=bool(image_tokens)), (2, 1))
    inputs = {
        "x": golden_noise("x", (rows, 4, 8, 8)),
        "camera": camera,
        "context": golden_noise("context", (rows, 5, 24)),
    }
    if image_tokens:
        inputs["image_features"] = golden_noise("features", (rows, 7, 20))
        inputs["image_latent"] = golden_noise("latent", (2, 4, 8, 8))
    return network, {name: torch.from_numpy(value) for name, value in inputs.items()}


def _run(network, inputs, timestep=321.0):
    with torch.inference_mode():
        return network(timesteps=torch.tensor(timestep), **inputs)


@pytest.mark.parametrize(
    ("tokens", "tensors", "parameters"), [(0, 690, 867_572_164), (16, 773, 941_672_900)]
)
def test_official_size(tokens, tensors, parameters):
    shapes = shapes_of(lambda: MultiViewUNet(MultiViewUNetConfig(ip_dim=tokens)))
    assert len(shapes) == tensors
    assert sum(prod(shape) for shape in shapes.values()) == parameters


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
@pytest.mark.parametrize(("name", "tokens"), [("mvdream", 0), ("imagedream", 16)])
def test_official_names_and_shapes(name, tokens):
    shapes = shapes_of(lambda: MultiViewUNet(MultiViewUNetConfig(ip_dim=tokens)))
    wanted = json.loads((PARITY / f"{name}_unet_keys.json").read_text())
    assert {key: list(shape) for key, shape in shapes.items()} == wanted


@pytest.mark.parametrize(
    ("tokens", "first", "second", "mean"),
    [
        (0, (-0.932739, -0.541199, 0.109313, -1.332169), (0.149701, 0.016637, -0.271349), 0.417116),
        (
            4,
            (-0.816027, -0.522519, 0.280626, -1.243197),
            (0.236190, -0.212505, -0.346147),
            0.408827,
        ),
    ],
)
def test_own_golden_numbers(tokens, first, second, mean):
    out = _run(*_small(tokens)).numpy()
    assert out[1, 2, 3, :4] == pytest.approx(first, abs=1e-4)
    assert out[-2, 0, :3, 5] == pytest.approx(second, abs=1e-4)
    assert np.abs(out).mean() == pytest.approx(mean, abs=1e-4)


def test_frames_of_a_sample_see_each_other_and_no_other_sample():
    network, inputs = _small(0)
    before = _run(network, inputs)
    inputs["x"] = inputs["x"].clone()
    inputs["x"][1] += 1.0
    change = (_run(network, inputs) - before).abs().amax((1, 2, 3))
    assert (change[:4] > 1e-4).all()
    assert (change[4:] < 1e-5).all()


def test_the_context_of_one_frame_reaches_the_others_only_through_it():
    network, inputs = _small(0)
    before = _run(network, inputs)
    inputs["context"] = inputs["context"].clone()
    inputs["context"][5] = 0.0
    change = (_run(network, inputs) - before).abs().amax((1, 2, 3))
    assert change[5] > change[4] > 0.0
    assert (change[:4] < 1e-5).all()


def test_the_image_latent_takes_the_last_frame_of_each_sample():
    network, inputs = _small(4)
    before = _run(network, inputs)
    inputs["x"] = inputs["x"].clone()
    inputs["x"][4::5] = 7.0
    assert torch.equal(_run(network, inputs), before)
    assert (inputs["x"][4::5] == 7.0).all(), "the caller's latents must stay as they are"


def test_sinusoid_has_cosines_first():
    row = sinusoid(torch.tensor([3.0]), 8)[0].numpy()
    rates = 10000.0 ** (-np.arange(4) / 4)
    assert row == pytest.approx([*np.cos(3.0 * rates), *np.sin(3.0 * rates)], abs=1e-6)


def test_a_fresh_network_predicts_zero_and_depends_on_its_seed_only():
    before = torch.get_rng_state()
    first, again, other = (random_embedded_unet(seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [n.input_blocks[0][0].weight for n in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    out = first(torch.ones(4, 8, 16, 16), torch.tensor(5), torch.ones(4, 16))
    assert out.shape == (4, 4, 16, 16) and not out.any()


def test_the_embedded_network_is_small():
    shapes = shapes_of(lambda: MultiViewUNet(embedded_config()))
    assert 2_500_000 < sum(prod(shape) for shape in shapes.values()) < 4_000_000
    assert not any("attn2" in name for name in shapes)


def test_config_survives_json():
    config = MultiViewUNetConfig(**SMALL, ip_dim=4, frames=5)
    assert MultiViewUNetConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_the_reference_configuration_is_read():
    values = {
        "_class_name": "MultiViewUNetModel",
        "image_size": 32,
        "num_heads": -1,
        "attention_resolutions": [4, 2, 1],
        "channel_mult": [1, 2, 4, 4],
        "ip_dim": 16,
        "use_scale_shift_norm": False,
        "num_classes": None,
    }
    assert MultiViewUNetConfig.from_json(values) == MultiViewUNetConfig(ip_dim=16, frames=5)


def test_another_kind_of_network_is_refused():
    with pytest.raises(InputError, match="use_scale_shift_norm"):
        MultiViewUNetConfig.from_json({"use_scale_shift_norm": True})
    with pytest.raises(InputError, match="multiple of 32"):
        MultiViewUNetConfig(model_channels=48, num_head_channels=16)


def test_a_wrong_number_of_frames_is_an_error():
    network, inputs = _small(0)
    with pytest.raises(ValueError, match="3 frames"):
        _run(network, {**inputs, "frames": 3})

"""LoRA files: merged as the arithmetic says, taken out exactly, refused when not for the model."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assets3d.errors import InputError
from assets3d.images.ldm_blocks import ldm_block_names
from assets3d.images.loras import Lora, merge_loras, merged_loras, restore
from assets3d.images.text_to_image import generate, load_pipeline
from tests.images.tiny_pipelines import tiny_lora, tiny_pipeline

LAYER = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline(tiny_pipeline("sd15"))


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    return tiny_lora(tmp_path_factory.mktemp("loras") / "style.safetensors")


def _weights(pipeline):
    return {k: v.clone() for k, v in pipeline.unet.state_dict().items()}


def _picture(pipeline):
    return generate(pipeline, "a crate", seed=1, steps=1, guidance=1.0, size_px=64)


def test_weights_are_what_the_arithmetic_says(pipeline, lora):
    before = _weights(pipeline)[f"{LAYER}.weight"]
    tensors = load_file(lora)
    key = "lora_unet_" + LAYER.replace(".", "_")
    change = tensors[f"{key}.lora_up.weight"] @ tensors[f"{key}.lora_down.weight"]
    with merged_loras(pipeline, [Lora(lora, 0.5)]):
        inside = pipeline.unet.get_submodule(LAYER).weight
        assert torch.allclose(inside, before + 0.5 * change, atol=1e-6)


def test_a_pipeline_is_the_same_afterwards(pipeline, lora):
    before, picture = _weights(pipeline), _picture(pipeline)
    with merged_loras(pipeline, [Lora(lora, 2.0)]):
        assert not np.array_equal(_picture(pipeline), picture)
    after = _weights(pipeline)
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert np.array_equal(_picture(pipeline), picture)


def test_opposite_weights_cancel_and_alpha_scales(pipeline, lora, tmp_path):
    before = _weights(pipeline)[f"{LAYER}.weight"]
    with merged_loras(pipeline, [Lora(lora, 0.7), Lora(lora, -0.7)]):
        assert torch.allclose(pipeline.unet.get_submodule(LAYER).weight, before, atol=1e-5)
    tensors = load_file(lora)
    halved = {k: v / 2 if k.endswith(".alpha") else v for k, v in tensors.items()}
    save_file(halved, tmp_path / "half.safetensors")
    with merged_loras(pipeline, [Lora(lora, 0.5)]):
        wanted = pipeline.unet.get_submodule(LAYER).weight.clone()
    with merged_loras(pipeline, [Lora(tmp_path / "half.safetensors")]):
        assert torch.allclose(pipeline.unet.get_submodule(LAYER).weight, wanted, atol=1e-6)


def _peft(name):
    name = name.replace("lora_down", "lora_A").replace("lora_up", "lora_B")
    return "unet." + name


def _diffusers(name):
    return "unet." + name.replace("lora_down", "lora.down").replace("lora_up", "lora.up")


def _processors(name):
    name = name.replace(".to_out.0.", ".to_out.")
    head, _, tail = name.partition(".to_")
    tail = tail.replace(".lora_down", "_lora.down").replace(".lora_up", "_lora.up")
    return f"unet.{head}.processor.to_{tail}"


@pytest.mark.parametrize("renamed", [_peft, _diffusers, _processors])
def test_other_layouts_mean_the_same(pipeline, lora, tmp_path, renamed):
    dotted = {
        "lora_unet_" + name.replace(".", "_"): name
        for name, _ in pipeline.unet.named_modules()
        if name
    }
    other = {}
    for key, value in load_file(lora).items():
        base, _, end = key.partition(".")
        if end != "alpha":  # equal to the rank in this file
            other[renamed(f"{dotted[base]}.{end}")] = value
    save_file(other, tmp_path / "other.safetensors")
    with merged_loras(pipeline, [Lora(lora)]):
        wanted = _weights(pipeline)
    with merged_loras(pipeline, [Lora(tmp_path / "other.safetensors")]):
        found = _weights(pipeline)
    assert all(torch.equal(wanted[key], found[key]) for key in wanted)


def test_names_of_ldm_and_text_encoders(tmp_path):
    pipeline = load_pipeline(tiny_pipeline("sdxl"))
    second = "text_model.encoder.layers.0.self_attn.q_proj"
    layers = {
        # The tiny U-Net has one layer a level, so its second level begins at input block 3.
        "lora_unet_input_blocks_3_1_transformer_blocks_0_attn2_to_k": ("unet", LAYER),
        "lora_te1_text_model_encoder_layers_0_mlp_fc1": (
            "text_encoder",
            "encoder.layers.0.mlp.fc1",
        ),
        "lora_te2_text_model_encoder_layers_0_self_attn_q_proj": ("text_encoder_2", second),
        "lora_unet_output_blocks_1_2_conv": ("unet", "up_blocks.0.upsamplers.0.conv"),
        "lora_unet_middle_block_2_out_layers_3": ("unet", "mid_block.resnets.1.conv2"),
    }
    tensors = {}
    for key, (part, name) in layers.items():
        weight = getattr(pipeline, part).get_submodule(name).weight
        out_, in_, *kernel = weight.shape
        tensors[f"{key}.lora_down.weight"] = torch.ones(1, in_, *kernel)
        tensors[f"{key}.lora_up.weight"] = torch.ones(out_, 1, *(1 for _ in kernel))
    save_file(tensors, tmp_path / "all.safetensors")
    before = merge_loras(pipeline, [Lora(tmp_path / "all.safetensors")])
    assert set(before) == set(layers.values())
    for (part, name), old in before.items():
        assert torch.allclose(getattr(pipeline, part).get_submodule(name).weight, old + 1)
    restore(pipeline, before)


def test_ldm_numbers_of_the_published_networks():
    # SD 1.5 and SDXL as everybody knows them: where the last attention block of each side sits.
    sd15 = {
        "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
        "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
        "layers_per_block": 2,
    }
    names = ldm_block_names(sd15)
    assert names["down_blocks.2.attentions.1"] == "input_blocks.8.1"
    assert names["up_blocks.3.attentions.2"] == "output_blocks.11.1"
    assert names["up_blocks.0.upsamplers.0.conv"] == "output_blocks.2.1.conv"
    sdxl = {
        "down_block_types": ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2,
        "up_block_types": ["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"],
        "layers_per_block": 2,
    }
    names = ldm_block_names(sdxl)
    assert names["down_blocks.2.attentions.1"] == "input_blocks.8.1"
    assert names["up_blocks.0.attentions.0"] == "output_blocks.0.1"
    assert names["up_blocks.1.upsamplers.0.conv"] == "output_blocks.5.2.conv"


def test_files_for_other_models_are_refused(pipeline, lora, tmp_path):
    before = _weights(pipeline)
    xl = load_pipeline(tiny_pipeline("sdxl"))
    with pytest.raises(InputError, match=r"loras: style\.safetensors .*would get \(.*\), wanted"):
        merge_loras(xl, [Lora(lora)])
    stranger = {f"lora_unet_elsewhere.lora_{k}.weight": torch.ones(2, 2) for k in ("up", "down")}
    save_file(stranger, tmp_path / "stranger.safetensors")
    with pytest.raises(InputError, match=r"another kind of model .*1 of its 1 layers"):
        merge_loras(pipeline, [Lora(lora), Lora(tmp_path / "stranger.safetensors")])
    assert all(torch.equal(before[k], v) for k, v in _weights(pipeline).items())


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("lora_unet_a.hada_w1_a", "is LoHa"),
        ("lora_unet_a.lokr_w1", "is LoKr"),
        ("lora_unet_a.dora_scale", "is DoRA"),
        ("model.weight", "is no LoRA"),
        ("lora_unet_mid_block_attentions_0_proj_in.lora_up.weight", "lacks the down matrix"),
    ],
)
def test_other_files_are_named(pipeline, tmp_path, key, message):
    save_file({key: torch.ones(2, 2)}, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=message):
        merge_loras(pipeline, [Lora(tmp_path / "x.safetensors")])


def test_damaged_files_are_named(pipeline, lora, tmp_path):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(lora.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"loras: cut\.safetensors cannot be read .*whole"):
        merge_loras(pipeline, [Lora(cut)])
    with pytest.raises(InputError, match="is a pickle"):
        merge_loras(pipeline, [Lora(tmp_path / "x.pt")])
    with pytest.raises(InputError, match="no weight file"):
        merge_loras(pipeline, [Lora(tmp_path / "gone.safetensors")])

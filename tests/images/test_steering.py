"""Steering acts, leaves nothing behind, and refuses what does not fit; all offline and tiny."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assets3d.errors import InputError
from assets3d.images.ldm_blocks import ldm_control_names, ldm_name
from assets3d.images.steering import (
    Control,
    Embedding,
    ImagePrompt,
    Lora,
    Steering,
    generate_steered,
    shaped_like,
)
from assets3d.images.text_to_image import generate, load_pipeline
from tests.images import tiny_adapters
from tests.images.tiny_pipelines import tiny_lora, tiny_pipeline

OPTIONS = {"seed": 3, "steps": 2, "guidance": 3.0, "size_px": 64}
PROMPT = "a red crate"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Everything that steers, for both families."""
    folder = tmp_path_factory.mktemp("adapters")
    tiny_adapters.image_encoder(folder / "encoder")
    for kind in ("sd15", "sdxl"):
        tiny_lora(folder / f"lora-{kind}.safetensors", kind)
        tiny_adapters.ip_adapter(folder / f"plus-{kind}.safetensors", kind)
        tiny_adapters.ip_adapter(folder / f"plain-{kind}.safetensors", kind, plus=False)
        tiny_adapters.controlnet(folder / f"control-{kind}", kind)
        tiny_adapters.t2i_adapter(folder / f"t2i-{kind}", xl=kind == "sdxl")
    return folder


@pytest.fixture(scope="module")
def pipelines():
    return {kind: load_pipeline(tiny_pipeline(kind)) for kind in ("sd15", "sdxl", "lcm")}


def _picture(seed, shape=(64, 64, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _steerings(files, kind):
    first, second = _picture(1), _picture(2)
    encoder = files / "encoder"

    def control(**options):
        return Control("depth", first, files / f"control-{kind}", **options)

    return {
        "lora": Steering(loras=(Lora(files / f"lora-{kind}.safetensors"),)),
        "plus": Steering(
            image_prompt=ImagePrompt(first, files / f"plus-{kind}.safetensors", encoder)
        ),
        "plain": Steering(
            image_prompt=ImagePrompt(first, files / f"plain-{kind}.safetensors", encoder)
        ),
        "controlnet": Steering(controls=(control(),)),
        "two controlnets": Steering(controls=(control(weight=0.5), control(weight=0.5))),
        "img2img": Steering(init_picture=second),
        "img2img with controlnet": Steering(init_picture=second, controls=(control(),)),
        "all": Steering(
            loras=(Lora(files / f"lora-{kind}.safetensors", 0.5),),
            image_prompt=ImagePrompt(first, files / f"plus-{kind}.safetensors", encoder, 0.5),
            init_picture=second,
            controls=(control(),),
        ),
    }


WAYS = "lora,plus,plain,controlnet,two controlnets,img2img,img2img with controlnet,all".split(",")


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
@pytest.mark.parametrize("way", WAYS)
def test_steering_acts_is_repeatable_and_leaves_nothing(files, pipelines, kind, way):
    pipeline = pipelines[kind]
    plain = generate(pipeline, PROMPT, **OPTIONS)
    steering = _steerings(files, kind)[way]
    first = generate_steered(pipeline, PROMPT, steering, **OPTIONS)
    assert first.shape == plain.shape
    assert not np.array_equal(first, plain)
    assert np.array_equal(generate_steered(pipeline, PROMPT, steering, **OPTIONS), first)
    assert np.array_equal(generate(pipeline, PROMPT, **OPTIONS), plain)


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
def test_t2i_adapters(files, pipelines, kind, tmp_path):
    pipeline = pipelines[kind]
    if kind == "sd15":
        pipeline = load_pipeline(tiny_adapters.crossing_first_pipeline(tmp_path / "model"))
    plain = generate(pipeline, PROMPT, **OPTIONS)
    control = Control("openpose", _picture(1), files / f"t2i-{kind}")
    found = generate_steered(pipeline, PROMPT, Steering(controls=(control,)), **OPTIONS)
    assert not np.array_equal(found, plain)
    none = Control("openpose", _picture(1), files / f"t2i-{kind}", weight=0.0)
    found = generate_steered(pipeline, PROMPT, Steering(controls=(none,)), **OPTIONS)
    # Adding a map of zeros may still round another way.
    assert np.abs(found.astype(int) - plain).max() <= 1


def test_what_weighs_nothing_changes_nothing(files, pipelines):
    pipeline = pipelines["sd15"]
    plain = generate(pipeline, PROMPT, **OPTIONS)
    for steering in (
        Steering(),
        Steering(loras=(Lora(files / "lora-sd15.safetensors", 0.0),)),
        Steering(controls=(Control("depth", _picture(1), files / "control-sd15", 0.0),)),
    ):
        assert np.array_equal(generate_steered(pipeline, PROMPT, steering, **OPTIONS), plain)


def _through_the_autoencoder(pipeline, grey):
    """Return the picture as the pipeline's autoencoder gives it back, which redraws nothing."""
    x = torch.full((1, 3, 64, 64), 2.0 * grey / 255.0 - 1.0)
    with torch.no_grad():
        found = pipeline.vae.decode(pipeline.vae.encode(x).latent_dist.mode()).sample[0]
    return (found.permute(1, 2, 0).numpy() / 2.0 + 0.5).clip(0.0, 1.0) * 255.0


def test_the_less_is_drawn_anew_the_nearer_is_the_picture_to_start_from(pipelines):
    grey = np.full((64, 64, 3), 128, np.uint8)
    for kind in ("sd15", "sdxl", "lcm"):
        pipeline, options = pipelines[kind], {**OPTIONS, "steps": 10}
        nothing = _through_the_autoencoder(pipeline, 128)
        distances = []
        for strength in (0.2, 0.6, 1.0):
            steering = Steering(init_picture=grey, strength=strength)
            found = generate_steered(pipeline, PROMPT, steering, **options)
            assert found.shape == (64, 64, 3)
            distances.append(np.abs(found - nothing).mean())
        assert distances == sorted(distances), kind


def test_the_shape_comes_from_the_picture(files, pipelines):
    tall = _picture(1, (96, 48, 3))
    steering = Steering(init_picture=tall)
    found = generate_steered(pipelines["sd15"], PROMPT, steering, **OPTIONS)
    assert found.shape == (88, 48, 3)
    assert shaped_like((1000, 1000), 1024) == (1024, 1024)
    assert shaped_like((2000, 1000), 1024) == (1472, 704)
    assert shaped_like((10, 1000), 512) == (64, 5120)


def test_learned_words_reach_the_picture(pipelines, tmp_path):
    random = tiny_adapters.Random()
    save_file({"emb_params": random(3, 768)}, tmp_path / "dots.safetensors")
    save_file({"<dots>": random(768)}, tmp_path / "diffusers.safetensors")
    clip = {"clip_l": random(2, 768), "clip_g": random(2, 1280)}
    save_file(clip, tmp_path / "xl.safetensors")
    for kind, name in (("sd15", "dots"), ("sd15", "diffusers"), ("sdxl", "xl")):
        pipeline = pipelines[kind]
        tokenizer = pipeline.tokenizer
        prompt = "a crate with Dotty dots"
        plain = generate(pipeline, prompt, **OPTIONS)
        learned = Steering(embeddings=(Embedding(tmp_path / f"{name}.safetensors", "dotty"),))
        found = generate_steered(pipeline, prompt, learned, **OPTIONS)
        assert not np.array_equal(found, plain)
        other = generate_steered(pipeline, "a crate", learned, **OPTIONS)
        assert np.array_equal(other, generate(pipeline, "a crate", **OPTIONS))
        assert pipeline.tokenizer is tokenizer
        assert np.array_equal(generate(pipeline, prompt, **OPTIONS), plain)


def test_each_vector_takes_one_token(pipelines, tmp_path):
    from assets3d.images.embeddings import added_embeddings

    save_file({"emb_params": torch.ones(3, 768)}, tmp_path / "three.safetensors")
    pipeline = pipelines["sd15"]
    one = Embedding(tmp_path / "three.safetensors", "three")
    with added_embeddings(pipeline, [one]) as learned:
        pieces = learned.expanded("a Three, threefold")
        assert [text for text, is_learned in pieces if not is_learned] == ["a ", ", threefold"]
        ids = pipeline.tokenizer(pieces[1][0]).input_ids
        assert len(ids) == 5  # begin, three vectors, end
        rows = pipeline.text_encoder.get_input_embeddings().weight[ids[1:-1]]
        assert torch.equal(rows, torch.ones(3, 768))


def test_a_padded_text_ends_where_it_ends_with_learned_words(tmp_path):
    # Official text encoders say eos_token_id: 2, which makes the end the highest token id.
    from assets3d.images.embeddings import added_embeddings

    pipeline = load_pipeline(tiny_pipeline("sdxl"))
    encoder = pipeline.text_encoder_2.text_model
    encoder.eos_token_id = 2
    clip = {"clip_l": torch.ones(1, 768), "clip_g": torch.ones(1, 1280)}
    save_file(clip, tmp_path / "xl.safetensors")
    with added_embeddings(pipeline, [Embedding(tmp_path / "xl.safetensors", "xl")]) as learned:
        text = "a crate " + learned.by_word["xl"]
        ids = torch.tensor([pipeline.tokenizer_2(text).input_ids])
        output = encoder(ids)
        assert torch.equal(output.pooler_output, output.last_hidden_state[:, -1])
    assert encoder.eos_token_id == 2


def test_encoder_as_a_single_file(files, pipelines):
    pipeline = pipelines["sd15"]
    adapter, file = files / "plus-sd15.safetensors", files / "encoder/model.safetensors"
    folder = Steering(image_prompt=ImagePrompt(_picture(1), adapter, files / "encoder"))
    single = Steering(image_prompt=ImagePrompt(_picture(1), adapter, file))
    wanted = generate_steered(pipeline, PROMPT, folder, **OPTIONS)
    assert np.array_equal(generate_steered(pipeline, PROMPT, single, **OPTIONS), wanted)


@pytest.mark.parametrize("prefix", ["control_model.", ""])
def test_controlnet_as_a_single_file_of_its_authors(files, pipelines, tmp_path, prefix):
    from diffusers import ControlNetModel

    pipeline = pipelines["sd15"]
    unet = tiny_adapters.load_unet("sd15")
    with tiny_adapters.seeded():
        # As from the U-Net's configuration, which a single file does not carry.
        network = ControlNetModel.from_unet(unet)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    network.save_pretrained(tmp_path / "folder")
    names = ldm_control_names(network.config, len(network.controlnet_down_blocks))
    tensors = {prefix + ldm_name(key, names): v for key, v in network.state_dict().items()}
    assert f"{prefix}input_hint_block.14.weight" in tensors
    save_file(tensors, tmp_path / "control.safetensors")
    pictures = [
        generate_steered(
            pipeline,
            PROMPT,
            Steering(controls=(Control("lineart", _picture(1), tmp_path / name),)),
            **OPTIONS,
        )
        for name in ("folder", "control.safetensors")
    ]
    assert np.array_equal(*pictures)


def _refused(pipeline, steering, message):
    with pytest.raises(InputError, match=message):
        generate_steered(pipeline, PROMPT, steering, **OPTIONS)


def test_the_wrong_image_encoder_is_named(files, pipelines, tmp_path):
    adapter = tiny_adapters.ip_adapter(tmp_path / "x.safetensors", "sd15", hidden=1280)
    wrong = Steering(image_prompt=ImagePrompt(_picture(1), adapter, files / "encoder"))
    _refused(pipelines["sd15"], wrong, r"ip_adapter: x\.safetensors sees through CLIP ViT-H/14")
    adapter = tiny_adapters.ip_adapter(
        tmp_path / "y.safetensors", "sdxl", plus=False, projection=1280
    )
    wrong = Steering(image_prompt=ImagePrompt(_picture(1), adapter, files / "encoder"))
    _refused(pipelines["sdxl"], wrong, "sees through CLIP ViT-bigG/14")


def test_files_for_the_other_family_are_named(files, pipelines):
    for kind, other in (("sd15", "sdxl"), ("sdxl", "sd15")):
        for way in ("lora", "plus", "controlnet"):
            steering = _steerings(files, other)[way]
            _refused(pipelines[kind], steering, "was made for another")
            plain = generate(pipelines[kind], PROMPT, **OPTIONS)
            assert np.array_equal(generate(pipelines[kind], PROMPT, **OPTIONS), plain)


def test_what_does_not_go_together_is_named(files, pipelines):
    both = tuple(Control("depth", _picture(1), files / f"{n}-sdxl") for n in ("control", "t2i"))
    _refused(pipelines["sdxl"], Steering(controls=both), "ControlNet and T2I-Adapter")
    t2i = (both[1],)
    _refused(pipelines["sdxl"], Steering(controls=t2i, init_picture=_picture(2)), "cannot do t2i_")
    control = Control("depth", _picture(1), files / "control-sd15")
    _refused(pipelines["lcm"], Steering(controls=(control,)), "cannot do controlnet, wanted .*img2")
    _refused(pipelines["sd15"], Steering(init_picture=_picture(2), strength=0.1), "at least 0.5")


def test_damaged_files_are_named(files, pipelines, tmp_path):
    sd15 = pipelines["sd15"]
    shutil.copytree(files / "control-sd15", tmp_path / "cut")
    weights = tmp_path / "cut/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    cut = Steering(controls=(Control("depth", _picture(1), tmp_path / "cut"),))
    _refused(sd15, cut, r"control: diffusion_pytorch_model\.safetensors cannot be read")
    (tmp_path / "cut/config.json").write_text('{"_class_name": "UNet2DConditionModel"}')
    _refused(sd15, cut, "control: cut is a UNet2DConditionModel, wanted ControlNetModel or")
    tensors = load_file(files / "plus-sd15.safetensors")
    tensors.pop("ip_adapter.1.to_k_ip.weight")
    save_file(tensors, tmp_path / "x.safetensors")
    prompt = ImagePrompt(_picture(1), tmp_path / "x.safetensors", files / "encoder")
    _refused(sd15, Steering(image_prompt=prompt), "1.to_k_ip.weight is missing, wanted")
    save_file({"a.b": torch.ones(2), "c": torch.ones(2)}, tmp_path / "x.safetensors")
    _refused(sd15, Steering(image_prompt=prompt), "is no IP-Adapter")
    words = Steering(embeddings=(Embedding(tmp_path / "x.safetensors", "x"),))
    _refused(sd15, words, "embeddings: x.safetensors is no textual inversion")
    save_file({"emb_params": torch.ones(2, 1024)}, tmp_path / "x.safetensors")
    _refused(sd15, words, r"its vectors are \(2, 1024\)\), wanted width 768")
    save_file({"emb_params": torch.ones(2, 768)}, tmp_path / "x.safetensors")
    twice = Steering(embeddings=(*words.embeddings, *words.embeddings))
    _refused(sd15, twice, "found 'x' twice")

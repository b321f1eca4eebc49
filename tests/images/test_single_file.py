"""Single-file checkpoints: configurations from shapes, strict loading, no network."""

import functools

import numpy as np
import pytest
import torch

from assets3d.errors import InputError
from assets3d.images import single_file
from assets3d.images.ldm_configs import describe
from assets3d.images.single_file import load_single_file
from assets3d.images.text_to_image import generate
from tests.images.tiny import tiny_tokenizer
from tests.images.tiny_single_files import (
    official_networks,
    single_file_tensors,
    tiny_pipeline_for,
    write_single_file,
)

LAYOUTS = ("sd15", "sd2", "sdxl")
pipeline_for = functools.cache(tiny_pipeline_for)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a network call")

    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("single_files")
    tiny_tokenizer().save_pretrained(folder / "tokenizer")
    for layout in LAYOUTS:
        tensors = single_file_tensors(pipeline_for(layout), layout)
        write_single_file(folder / f"{layout}.safetensors", tensors)
    return folder


def load(files, path, **options):
    return load_single_file(path, files / "tokenizer", dtype=torch.float32, **options)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_tensor_and_the_picture_are_those_of_the_pipeline(files, layout):
    wanted, found = pipeline_for(layout), load(files, files / f"{layout}.safetensors")
    assert type(found) is type(wanted)
    names = ["unet", "vae", "text_encoder"] + ["text_encoder_2"] * (layout == "sdxl")
    for name in names:
        theirs = getattr(wanted, name).state_dict()
        ours = getattr(found, name).state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name
    assert found.vae.config.scaling_factor == wanted.vae.config.scaling_factor
    drawing = {"seed": 3, "steps": 2, "guidance": 4.0, "size_px": 32}
    found.scheduler = type(wanted.scheduler).from_config(wanted.scheduler.config)
    pictures = [generate(p, "a red", negative_prompt="re", **drawing) for p in (wanted, found)]
    assert np.array_equal(*pictures)
    assert pictures[0].std() > 1  # not a plain one


@pytest.mark.parametrize("layout", LAYOUTS)
def test_diffusers_reads_the_same_networks_from_the_same_file(files, layout, tmp_path):
    """The other reader there is; it is given the configurations that ours derived."""
    ours = load(files, files / f"{layout}.safetensors")
    ours.save_pretrained(tmp_path / "config")
    theirs = type(ours).from_single_file(
        str(files / f"{layout}.safetensors"),
        config=str(tmp_path / "config"),
        local_files_only=True,
        text_encoder=ours.text_encoder,  # its reader drops the unused layer of real sizes only
    )
    for name in ("unet", "vae"):
        wanted = getattr(theirs, name).state_dict()
        assert all(torch.equal(getattr(ours, name).state_dict()[k], wanted[k]) for k in wanted)
    if layout == "sdxl":
        wanted = theirs.text_encoder_2.state_dict()
        assert all(torch.equal(ours.text_encoder_2.state_dict()[k], wanted[k]) for k in wanted)


@pytest.mark.parametrize(
    ("layout", "parameters"),
    [("sd15", 859_520_964), ("sd2", 865_910_724), ("sdxl", 2_567_463_684)],
)
def test_published_sizes_give_the_published_networks(layout, parameters):
    networks = official_networks(layout)
    assert sum(v.numel() for v in networks.unet.state_dict().values()) == parameters
    shapes = {k: tuple(v.shape) for k, v in single_file_tensors(networks, layout).items()}
    found = describe(shapes, "x")
    assert found.layout == layout
    parts = single_file._parts(shapes, found)
    assert {part.name for part in parts} == vars(networks).keys()
    for part in parts:
        with torch.device("meta"):
            own = part.make().state_dict()
        wanted = getattr(networks, part.name).state_dict()
        assert {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in wanted.items()}
        bare = {k.removeprefix("text_model."): tuple(v.shape) for k, v in wanted.items()}
        single_file._check(part, shapes, bare, "x")  # every tensor has its place
    heads = networks.unet.config["attention_head_dim"]
    assert list(np.atleast_1d(found.unet["attention_head_dim"])) == list(np.atleast_1d(heads))
    for index, text in enumerate(found.texts):
        theirs = getattr(networks, parts[2 + index].name).config
        assert text["num_attention_heads"] == theirs.num_attention_heads
        assert text["eos_token_id"] == 49407


def changed(files, tmp_path, change, layout="sd15"):
    from safetensors.torch import load_file

    tensors = load_file(files / f"{layout}.safetensors")
    change(tensors)
    return write_single_file(tmp_path / "changed.safetensors", tensors)


OUT = "model.diffusion_model.out.2.weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("model.diffusion_model.time_embed.0.bias"), "linear_1.bias is missing"),
        (lambda t: t.update({f"{OUT}_2": torch.zeros(1)}), r"out\.2\.weight_2 is not part of"),
        (lambda t: t.update({OUT: torch.zeros(4, 32, 3, 3)}), r"shape \(4, 32, 3, 3\), wanted"),
        (lambda t: [t.pop(k) for k in list(t) if k.startswith("first_")], r"holds no first_stage"),
        (lambda t: [t.pop(k) for k in list(t) if k.startswith("cond_")], "without text encoder"),
        (lambda t: t.update({"edm_mean": torch.zeros(1)}), "EDM's noise schedule"),
    ],
)
def test_what_does_not_fit_is_named(files, tmp_path, change, words):
    path = changed(files, tmp_path, change)
    with pytest.raises(InputError, match=words) as error:
        load(files, path)
    assert str(error.value).startswith("image.model: changed.safetensors")
    assert "\n" not in str(error.value)


def test_cut_off_files_and_pickles_are_refused(files, tmp_path):
    whole = (files / "sd15.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.safetensors cannot be read .* wanted a whole"):
        load(files, tmp_path / "cut.safetensors")
    (tmp_path / "old.ckpt").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"old\.ckpt is a pickle"):
        load(files, tmp_path / "old.ckpt")


def test_a_lora_is_told_from_a_checkpoint(files, tmp_path):
    path = write_single_file(tmp_path / "x.safetensors", {"lora_unet_a.alpha": torch.ones(1)})
    with pytest.raises(InputError, match=r"x\.safetensors is a LoRA"):
        load(files, path)


def test_the_tokenizer_must_be_there_and_fit(files, tmp_path):
    path = files / "sd15.safetensors"
    with pytest.raises(InputError, match=r"image\.tokenizer: no folder"):
        load_single_file(path, tmp_path / "none", dtype=torch.float32)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no CLIP vocabulary"):
        load_single_file(path, tmp_path / "empty", dtype=torch.float32)
    bigger = tiny_tokenizer()
    bigger.add_tokens(["new"])
    bigger.save_pretrained(tmp_path / "bigger")
    with pytest.raises(InputError, match=r"bigger/ knows \d+ tokens, wanted \d+"):
        load_single_file(path, tmp_path / "bigger", dtype=torch.float32)


def test_text_encoders_of_older_files_are_found(files, tmp_path):
    def older(tensors):
        for key in [k for k in tensors if ".text_model." in k]:
            tensors[key.replace(".text_model.", ".")] = tensors.pop(key)

    found = load(files, changed(files, tmp_path, older)).text_encoder.state_dict()
    wanted = pipeline_for("sd15").text_encoder.state_dict()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def test_a_preset_refuses_a_file_of_another_family(files):
    from assets3d.images.text_to_image import load_pipeline

    path, tokenizer = files / "sd15.safetensors", files / "tokenizer"
    with pytest.raises(InputError, match=r"sdxl-base wants a StableDiffusionXLPipeline, found"):
        load_pipeline(path, family="sdxl-base", tokenizer=tokenizer)
    with pytest.raises(InputError, match=r"has no tokenizer, wanted .* models fetch clip-token"):
        load_pipeline(path)


def test_what_the_network_predicts(files, tmp_path):
    assert load(files, files / "sdxl.safetensors").scheduler.config.prediction_type == "epsilon"
    marks = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    path = changed(files, tmp_path, lambda t: t.update(marks), "sdxl")
    config = load(files, path).scheduler.config
    assert config.prediction_type == "v_prediction"
    assert config.rescale_betas_zero_snr
    path = changed(files, tmp_path, lambda t: None, "sd2")
    assert load(files, path).scheduler.config.prediction_type == "epsilon"
    path.with_suffix(".yaml").write_text("model: {params: {parameterization: v}}\n")
    assert load(files, path).scheduler.config.prediction_type == "v_prediction"
    path.with_suffix(".yaml").write_text("nothing: here\n")
    with pytest.raises(InputError, match=r"has no model\.params"):
        load(files, path)

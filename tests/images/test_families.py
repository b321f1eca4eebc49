"""Every image family: the preset fits its pipeline's class, loads it and draws offline."""

import functools
import inspect
import io
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.torch import load_file

from assets3d.errors import InputError
from assets3d.images.families import (
    FAMILIES,
    check_folder,
    check_pipeline,
    find_family,
    pipeline_class,
    with_family,
)
from assets3d.images.samplers import choose
from assets3d.images.text_to_image import generate, load_pipeline
from assets3d.models import ModelFiles
from tests.images.tiny_pipelines import copy_of, tiny_lora, tiny_pipeline

KINDS = {
    "StableDiffusionXLPipeline": "sdxl",
    "LatentConsistencyModelPipeline": "lcm",
    "StableDiffusion3Pipeline": "sd3",
    "HunyuanDiTPipeline": "hunyuan-dit",
}
# The list.
WANTED = {"sd15", "sd21", "sdxl-base", "sd-turbo", "sdxl-turbo", "lcm-dreamshaper-v7"}
WANTED |= {f"sdxl-lightning-{steps}" for steps in (1, 2, 4, 8)}
WANTED |= {f"sdxl-lightning-{steps}-lora" for steps in (2, 4, 8)}
WANTED |= {"lcm-lora-sd15", "lcm-lora-sdxl", "sd3-medium", "hunyuan-dit"}


def _kind(family):
    by_width = {768: "sd15", 1024: "sd21"}
    return KINDS.get(family.pipeline.name) or by_width[family.text_width]


def _load(family, tmp_path):
    folder = tiny_pipeline(_kind(family))
    unet = folder / "unet/diffusion_pytorch_model.safetensors"
    parts = {"unet": unet} if family.name.startswith("sdxl-lightning") and not family.lora else {}
    lora = tiny_lora(tmp_path / "lora.safetensors", _kind(family)) if family.lora else None
    model = ModelFiles("image", family.defaults["model"], "local", folder, (), parts)
    return load_pipeline(model, family=family.name, lora=lora, scheduler=family.scheduler)


def _picture(pipeline, family, prompt="a red crate", **options):
    options = {"seed": 5, "guidance": family.guidance, "steps": family.steps, **options}
    return generate(pipeline, prompt, **{"size_px": 64, **options})


def test_all_families_are_there():
    assert {family.name for family in FAMILIES} == WANTED


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_preset_makes_an_image_offline(family, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    pipeline = _load(family, tmp_path)
    assert type(pipeline).__name__ == family.pipeline.name
    # Fifty steps say no more than four.
    picture = _picture(pipeline, family, steps=min(family.steps, 4))
    assert picture.shape == (64, 64, 3)
    assert picture.std() > 1.0


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_class_takes_every_argument_that_the_preset_passes(family):
    import diffusers

    taken = inspect.signature(getattr(diffusers, family.pipeline.name).__call__).parameters
    assert set(family.pipeline.arguments) <= set(taken)
    assert ("negative_prompt" in taken) == family.pipeline.negative_prompt
    assert family.size_px % family.pipeline.multiple_px == 0


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_call_passes_what_the_record_says(family, tmp_path, monkeypatch):
    pipeline = _load(family, tmp_path)
    passed = {}

    @functools.wraps(type(pipeline).__call__)  # so that it shows the same signature
    def record(self, **arguments):
        passed.update(arguments)
        raise InterruptedError

    monkeypatch.setattr(type(pipeline), "__call__", record)
    with pytest.raises(InterruptedError):
        _picture(pipeline, family)
    assert set(passed) == set(family.pipeline.arguments)


@pytest.mark.parametrize(
    ("name", "scheduler", "steps", "guidance", "size_px"),
    [
        ("sd15", "DPMSolverMultistepScheduler", 25, 7.5, 512),
        ("sd21", "DPMSolverMultistepScheduler", 25, 7.5, 768),
        ("sdxl-base", "EulerDiscreteScheduler", 30, 6.0, 1024),
        ("sd-turbo", "EulerDiscreteScheduler", 1, 0.0, 512),
        ("sdxl-turbo", "EulerAncestralDiscreteScheduler", 1, 0.0, 512),
        ("sdxl-lightning-1", "EulerDiscreteScheduler", 1, 0.0, 1024),
        ("sdxl-lightning-4", "EulerDiscreteScheduler", 4, 0.0, 1024),
        ("sdxl-lightning-8-lora", "EulerDiscreteScheduler", 8, 0.0, 1024),
        ("lcm-dreamshaper-v7", "LCMScheduler", 4, 1.5, 768),
        ("lcm-lora-sd15", "LCMScheduler", 4, 1.5, 512),
        ("lcm-lora-sdxl", "LCMScheduler", 4, 1.5, 1024),
        ("sd3-medium", "FlowMatchEulerDiscreteScheduler", 28, 7.0, 1024),
        ("hunyuan-dit", "DDPMScheduler", 50, 5.0, 1024),
    ],
)
def test_what_the_presets_are(name, scheduler, steps, guidance, size_px, tmp_path):
    family = find_family(name)
    assert (family.steps, family.guidance, family.size_px) == (steps, guidance, size_px)
    assert type(_load(family, tmp_path).scheduler).__name__ == scheduler


def test_distilled_families_start_at_the_noisiest_step(tmp_path):
    for name in ("sd-turbo", "sdxl-turbo", *(f"sdxl-lightning-{steps}" for steps in (1, 2, 4, 8))):
        family = find_family(name)
        scheduler = _load(family, tmp_path).scheduler
        scheduler.set_timesteps(family.steps)
        assert scheduler.timesteps[0] == 999, name
        predicts = "sample" if name == "sdxl-lightning-1" else "epsilon"
        if name != "sd-turbo":  # whose stand-in predicts velocity as SD 2.1 does
            assert scheduler.config.prediction_type == predicts


def test_sd21_predicts_velocity(tmp_path):
    assert _load(find_family("sd21"), tmp_path).scheduler.config.prediction_type == "v_prediction"


def test_a_lora_family_changes_the_unet_and_nothing_else(tmp_path):
    pipeline = _load(find_family("lcm-lora-sd15"), tmp_path)
    for part, changes in (("unet", True), ("vae", False)):
        file = tiny_pipeline("sd15") / part / "diffusion_pytorch_model.safetensors"
        stored, loaded = load_file(file), getattr(pipeline, part).state_dict()
        same = [bool((stored[key] == loaded[key]).all()) for key in stored]
        assert all(same) != changes


@pytest.mark.parametrize("prompt", ["a red mushroom", "红色的蘑菇"])
def test_hunyuan_reads_english_and_chinese(prompt, tmp_path):
    family = find_family("hunyuan-dit")
    pipeline = _load(family, tmp_path)
    first = _picture(pipeline, family, prompt, steps=2)
    assert np.array_equal(first, _picture(pipeline, family, prompt, steps=2))
    assert not np.array_equal(first, _picture(pipeline, family, "剑", steps=2))


def test_hunyuan_reads_its_second_vocabulary_as_its_repository_has_it(tmp_path):
    """One SentencePiece file and no tokenizer.json."""
    import sentencepiece

    family, folder = find_family("hunyuan-dit"), copy_of("hunyuan-dit", tmp_path / "model")
    vocabulary = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red mushroom", "红色的蘑菇", "木箱子"]),
        model_writer=vocabulary,
        vocab_size=50,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    tokenizer = folder / "tokenizer_2"
    (tokenizer / "tokenizer.json").unlink()
    (tokenizer / "spiece.model").write_bytes(vocabulary.getvalue())
    pipeline = load_pipeline(folder, family=family.name)
    tokens = pipeline.tokenizer_2("红色的蘑菇").input_ids
    assert pipeline.tokenizer_2.unk_token_id not in tokens
    assert len(set(tokens)) >= 5
    assert _picture(pipeline, family, "红色的蘑菇", steps=1).std() > 1.0


def test_hunyuan_keeps_the_size_asked_for(tmp_path):
    family = find_family("hunyuan-dit")
    pipeline = _load(family, tmp_path)
    assert _picture(pipeline, family, steps=1, size_px=(96, 64)).shape == (64, 96, 3)
    with pytest.raises(InputError, match=r"image\.size_px: found 72, wanted multiples of 16"):
        _picture(pipeline, family, size_px=72)


def test_a_taught_guidance_is_told_and_has_no_negative_prompt(tmp_path, caplog):
    family = find_family("lcm-dreamshaper-v7")
    pipeline = _load(family, tmp_path)
    first = _picture(pipeline, family)
    assert not np.array_equal(first, _picture(pipeline, family, guidance=8.0))
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(first, _picture(pipeline, family, negative_prompt="dark"))
    assert "negative_prompt: not read" in caplog.text


def test_sd3_runs_without_t5(tmp_path):
    family = find_family("sd3-medium")
    folder = copy_of("sd3", tmp_path / "sd3")
    for part in ("text_encoder_3", "tokenizer_3"):
        shutil.rmtree(folder / part)
    pipeline = load_pipeline(folder, family=family.name)
    assert pipeline.text_encoder_3 is None
    assert _picture(pipeline, family, steps=2).std() > 1.0


def test_a_profile_is_filled_in_unless_it_says_otherwise():
    section = {"family": "sdxl-lightning-4", "size_px": 768, "dtype": "float16"}
    filled = with_family(section)
    assert filled["model"] == "sdxl-lightning-4"
    assert (filled["steps"], filled["guidance"], filled["size_px"]) == (4, 0.0, 768)
    assert choose(filled["scheduler"]).options["timestep_spacing"] == "trailing"
    assert filled["family"] == "sdxl-lightning-4"
    assert with_family({"steps": 3}) == {"steps": 3}
    lora = with_family({"family": "lcm-lora-sdxl"})
    assert (lora["model"], lora["lora"]) == ("sdxl-base", "lcm-lora-sdxl")


def test_the_stage_reads_a_profile_with_a_family(tmp_path):
    from stages._harness import read_params

    path = tmp_path / "profile.yaml"
    path.write_text("image: {family: sd15, device: cpu}\nmesh: {family: sd15}\n")
    assert read_params(path, "image")["steps"] == 25
    assert "steps" not in read_params(path, "mesh")
    path.write_text("image: {family: sdxl-lightening-4}\n")
    with pytest.raises(InputError, match=r"image\.family: .*did you mean sdxl-lightning-4\?"):
        read_params(path, "image")


@pytest.mark.parametrize("name", ["lcm-lora-sd15", "lcm-dreamshaper-v7", "hunyuan-dit"])
def test_the_stage_draws_with_a_family_and_files_of_ones_own(name, tmp_path, monkeypatch):
    from assets3d.images.steering import Steering, generate_steered
    from stages import image
    from stages._harness import read_params

    family, profile = find_family(name), tmp_path / "profile.yaml"
    section = {"family": name, "model": str(tiny_pipeline(_kind(family))), "steps": 2}
    section |= {"dtype": "float32", "device": "cpu", "size_px": 64}
    if family.lora:
        section["lora"] = str(tiny_lora(tmp_path / "mine.safetensors", _kind(family)))
    profile.write_text(yaml.safe_dump({"image": section}))
    monkeypatch.chdir(tmp_path)
    params = read_params(profile, "image")
    pipelines = image.load(params)
    options = {key: params[key] for key in ("steps", "guidance", "size_px")}
    picture = generate_steered(pipelines.drawing(), "a crate", Steering(), seed=1, **options)
    assert type(pipelines.drawing()).__name__ == family.pipeline.name
    assert picture.std() > 1.0


def test_the_full_profile_is_whole():
    from stages._harness import read_params

    params = read_params(Path(__file__).parents[2] / "configs/profiles/full.yaml", "image")
    assert (params["model"], params["steps"], params["size_px"]) == ("sdxl-lightning-4", 4, 1024)
    assert {"scheduler", "guidance", "dtype", "device"} <= set(params)


def test_every_preset_names_models_of_the_registry():
    path = Path(__file__).parents[2] / "configs/models.yaml"
    registry = yaml.safe_load(path.read_text(encoding="utf-8"))
    for family in FAMILIES:
        for role in ("model", "lora"):
            name = family.defaults.get(role)
            assert name is None or registry[name]["step"] == "image", family.name


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("sd15", "sd21", r"width 768, found 1024 in .*which is for sd21 or sd-turbo"),
        ("sd21", "sd15", r"width 1024, found 768 in .*which is for sd15"),
        ("sdxl-base", "sd15", r"wants a StableDiffusionXLPipeline, found StableDiffusionPipeline"),
        ("sd3-medium", "sdxl", r"found StableDiffusionXLPipeline in .*which is for sdxl-base"),
        ("lcm-dreamshaper-v7", "sd15", r"wants a LatentConsistencyModelPipeline"),
        ("hunyuan-dit", "sd3", r"wants a HunyuanDiTPipeline, found StableDiffusion3Pipeline"),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(name, kind, said):
    with pytest.raises(InputError, match=said):
        check_folder(find_family(name), tiny_pipeline(kind))
    with pytest.raises(InputError, match=said):
        check_pipeline(find_family(name), load_pipeline(tiny_pipeline(kind)), "model/")


def test_a_folder_that_is_no_pipeline(tmp_path):
    with pytest.raises(InputError, match=r"image\.family: no model_index.json"):
        check_folder(find_family("sd15"), tmp_path)
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(InputError, match=r"image\.family: model_index.json is not JSON"):
        check_folder(find_family("sd15"), tmp_path)


def test_classes_of_no_family_are_called_as_most_are():
    assert pipeline_class(object()).arguments == find_family("sd15").pipeline.arguments

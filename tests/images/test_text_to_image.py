"""Loading and running text-to-image pipelines: tiny random ones stand in for trained ones."""

import json
import shutil
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assets3d.errors import InputError
from assets3d.images.text_to_image import generate, load_pipeline, new_scheduler, vocabulary_words
from assets3d.models import ModelFiles
from tests.images.tiny import build_tiny_pipeline

PROMPT = "a red mushroom"
EULER = "euler-trailing"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return build_tiny_pipeline(tmp_path_factory.mktemp("sd"), dtype=torch.float16)


@pytest.fixture(scope="module")
def pipeline(saved):
    return load_pipeline(saved)


@pytest.fixture
def copy(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "model")
    return tmp_path / "model"


def _picture(pipeline, seed=7, guidance=5.0, **options):
    options = {"steps": 2, "size_px": 64, **options}
    return generate(pipeline, PROMPT, seed=seed, guidance=guidance, **options)


def test_same_seed_same_bytes(saved, pipeline):
    first = _picture(pipeline)
    assert first.dtype == np.uint8
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, _picture(load_pipeline(saved)))
    assert not np.array_equal(first, _picture(pipeline, seed=8))
    _picture(pipeline, seed=2**63 - 1)


def test_no_global_randomness(pipeline):
    state = torch.random.get_rng_state()
    first = _picture(pipeline)
    assert torch.equal(state, torch.random.get_rng_state())
    torch.rand(5)
    assert np.array_equal(first, _picture(pipeline))


def test_half_precision_files_run_in_float32_on_the_cpu(saved, pipeline):
    assert (
        load_file(saved / "unet/diffusion_pytorch_model.safetensors")["conv_in.weight"].dtype
        == torch.float16
    )
    for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        assert {p.dtype for p in part.parameters()} == {torch.float32}


def test_guidance_off(pipeline):
    off = _picture(pipeline, guidance=0.0)
    assert np.array_equal(off, _picture(pipeline, guidance=1.0, negative_prompt="dark"))
    assert not np.array_equal(off, _picture(pipeline))
    assert not np.array_equal(_picture(pipeline), _picture(pipeline, negative_prompt="dark"))


def test_sizes(pipeline):
    assert _picture(pipeline, size_px=(96, 64)).shape == (64, 96, 3)
    with pytest.raises(InputError, match=r"image\.size_px: found 100, wanted multiples of 8"):
        _picture(pipeline, size_px=100)


def test_empty_prompt(pipeline):
    with pytest.raises(InputError, match="prompt: found nothing"):
        generate(pipeline, "  ", seed=1, steps=1, guidance=1.0, size_px=64)


@pytest.mark.parametrize("kind", ["ddim", "euler", "dpm++", "lcm", "unipc", "DDPMScheduler"])
def test_schedulers_run(pipeline, kind):
    own = pipeline.scheduler
    try:
        pipeline.scheduler = new_scheduler(own, kind)
        assert _picture(pipeline, steps=3).shape == (64, 64, 3)
        assert pipeline.scheduler.config.beta_start == own.config.beta_start
    finally:
        pipeline.scheduler = own


def test_euler_trailing_as_lightning_wants(saved):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        pipeline = load_pipeline(saved, scheduler=EULER)
    pipeline.scheduler.set_timesteps(4)
    assert pipeline.scheduler.config.timestep_spacing == "trailing"
    assert pipeline.scheduler.timesteps.tolist() == [999, 749, 499, 249]


def test_scheduler_options_win_over_the_short_name(pipeline):
    options = {"class": "euler-trailing", "timestep_spacing": "linspace", "use_karras_sigmas": True}
    config = new_scheduler(pipeline.scheduler, options).config
    assert (config.timestep_spacing, config.use_karras_sigmas) == ("linspace", True)
    assert config.steps_offset == 1


def test_wrong_schedulers_are_named(pipeline):
    with pytest.raises(InputError, match=r"found 'eular' \(did you mean Euler"):
        new_scheduler(pipeline.scheduler, "eular")
    with pytest.raises(InputError, match=r"image\.scheduler\.timestep_spacin: .*timestep_spacing"):
        new_scheduler(pipeline.scheduler, {"class": "euler", "timestep_spacin": "trailing"})
    with pytest.raises(InputError, match=r"image\.dtype: found 'half'"):
        load_pipeline("nowhere/at-all", dtype="half", local_files_only=True)


def test_words_reach_the_prompt(copy, saved, pipeline):
    (copy / "words.json").write_text(
        json.dumps({"words": ["a", "red", "mushroom"], "synonyms": {"toadstool": "mushroom"}})
    )
    taught = load_pipeline(copy)
    assert vocabulary_words(taught).words == {"a", "red", "mushroom"}
    assert vocabulary_words(pipeline) is None
    options = {"seed": 7, "steps": 2, "guidance": 5.0, "size_px": 64}
    found = generate(taught, "A red Toadstool, very shiny", **options)
    assert np.array_equal(found, generate(pipeline, "a red mushroom very", **options))


def test_long_prompts_warn(pipeline, caplog):
    generate(pipeline, "mushroom " * 40, seed=1, steps=1, guidance=1.0, size_px=64)
    assert "the model reads the first 77" in caplog.text


def test_sdxl_with_another_unet(tmp_path):
    # As SDXL-Lightning comes: a base in the fp16 variant without its U-Net, and one U-Net file.
    base = build_tiny_pipeline(tmp_path / "base", xl=True, variant="fp16", dtype=torch.float16)
    other = build_tiny_pipeline(tmp_path / "other", xl=True, seed=1, dtype=torch.float16)
    whole = _picture(load_pipeline(base, scheduler=EULER), guidance=0.0)
    (base / "unet/diffusion_pytorch_model.fp16.safetensors").unlink()
    with pytest.raises(InputError, match="unet/ holds no safetensors file"):
        load_pipeline(base)
    unet = tmp_path / "lightning_unet.safetensors"
    shutil.copy(other / "unet/diffusion_pytorch_model.safetensors", unet)
    swapped = load_pipeline(base, unet=unet, scheduler=EULER)
    assert {p.dtype for p in swapped.unet.parameters()} == {torch.float32}
    picture = _picture(swapped, guidance=0.0)
    assert picture.shape == (64, 64, 3)
    assert not np.array_equal(picture, whole)
    resolved = ModelFiles("image", "tiny", "local", base, (), parts={"unet": unet})
    assert np.array_equal(_picture(load_pipeline(resolved, scheduler=EULER), guidance=0.0), picture)


def test_pickles_are_refused_in_one_line(copy):
    weights = copy / "unet/diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(InputError, match=r"unet: diffusion_pytorch_model\.bin is a pickle"):
        load_pipeline(copy)
    with pytest.raises(InputError, match="is a pickle"):
        load_pipeline(copy, unet=weights.with_suffix(".bin"))


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize("keep", [4, 0.6, -1])
def test_truncated_weights_are_named(copy, part, keep):
    (path,) = (copy / part).glob("*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(InputError, match=rf"image\.model: {path.name} cannot be read .*whole"):
        load_pipeline(copy)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize("damage", ["shape", "missing"])
def test_wrong_weights_name_file_and_key(copy, part, damage):
    (path,) = (copy / part).glob("*.safetensors")
    tensors = load_file(path)
    key = sorted(k for k in tensors if tensors[k].ndim == 2)[0]
    if damage == "shape":
        tensors[key] = torch.zeros(3, 5)
    else:
        del tensors[key]
    save_file(tensors, path, metadata={"format": "pt"})
    wanted = rf"has shape \(3, 5\), wanted \({'.*'}\)" if damage == "shape" else "is missing"
    with pytest.raises(InputError, match=rf"^image\.model: {part}/[^\n]*{key} {wanted}[^\n]*$"):
        load_pipeline(copy)


def test_wrong_folders_are_named(copy, tmp_path):
    with pytest.raises(InputError, match=r"no model_index\.json in empty/"):
        (tmp_path / "empty").mkdir()
        load_pipeline(tmp_path / "empty")
    with pytest.raises(InputError, match="no folder"):
        load_pipeline(tmp_path / "gone")
    shutil.rmtree(copy / "vae")
    with pytest.raises(InputError, match="vae/ is missing"):
        load_pipeline(copy)


def test_hub_models_are_not_fetched_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"nobody/nothing is not on this .*models fetch nobody"):
        load_pipeline("nobody/nothing")

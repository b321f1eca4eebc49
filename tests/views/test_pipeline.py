"""Sampling four views with models of both layouts."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from assets3d.errors import InputError
from assets3d.views import pipeline as views_pipeline
from assets3d.views.embedded import EmbeddedViewsConfig, network_input
from assets3d.views.model import load_views_model
from assets3d.views.pipeline import make_views
from tests.views.tiny_models import write_embedded_model, write_official_model


@pytest.fixture(scope="module")
def embedded_folder(tmp_path_factory):
    return write_embedded_model(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="module")
def embedded(embedded_folder):
    return load_views_model(embedded_folder)


@pytest.fixture(scope="module", params=["mvdream", "imagedream"])
def official(request, tmp_path_factory):
    folder = write_official_model(tmp_path_factory.mktemp("m"), request.param == "imagedream")
    model = load_views_model(folder)
    assert model.kind == request.param
    return dataclasses.replace(model, size_px=32)


def _cutout(size=64, colour=(200, 30, 30)):
    rgba = np.zeros((size, size, 4), np.uint8)
    rgba[size // 4 : -size // 4, size // 8 : -size // 8] = (*colour, 255)
    return rgba


def test_embedded_views_start_with_the_picture_on_white(embedded):
    pictures = make_views(embedded, _cutout(), seed=1)
    assert pictures.shape == (4, 32, 32, 3) and pictures.dtype == np.uint8
    assert (pictures[0, 0, 0] == 255).all()
    assert (pictures[0, 16, 16] == (200, 30, 30)).all()


def test_same_seed_same_bytes(embedded):
    first, again, other = (make_views(embedded, _cutout(), seed=s) for s in (1, 1, 2))
    assert (first == again).all()
    assert (first[1:] != other[1:]).any()


def test_the_picture_matters(embedded):
    first = make_views(embedded, _cutout(), seed=1)
    other = make_views(embedded, _cutout(colour=(20, 200, 220)), seed=1)
    assert (first[1:] != other[1:]).any()


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_guidance_of_1_or_less_is_one_pass(embedded, guidance):
    batches = _count_batches(embedded, guidance)
    assert set(batches) == {4}


def test_guidance_above_1_is_two_passes(embedded):
    assert set(_count_batches(embedded, 2.0)) == {8}


def _count_batches(model, guidance):
    batches = []
    handle = model.unet.register_forward_pre_hook(lambda _, args: batches.append(len(args[0])))
    try:
        make_views(model, _cutout(), seed=1, guidance=guidance)
    finally:
        handle.remove()
    return batches


def test_the_front_frame_is_known_at_every_step(embedded):
    """Without the known frame's noise, its latent is the picture's latent at each step."""
    seen = []
    handle = embedded.unet.register_forward_pre_hook(
        lambda _, args: seen.append((args[0].clone(), args[1].clone()))
    )
    make_views(embedded, _cutout(), seed=1)
    handle.remove()
    first_noise = torch.randn((4, 4, 4, 4), generator=torch.Generator().manual_seed(1))[:1]
    for joined, step in seen:
        picture = joined[:1, 4:]
        assert torch.equal(joined[:, 4:], picture.expand(4, -1, -1, -1))
        wanted = embedded.scheduler.add_noise(picture, first_noise, step.reshape(1))
        assert torch.allclose(joined[:1, :4], wanted, atol=1e-6)


def test_any_size_comes_out(embedded):
    assert make_views(embedded, _cutout(), seed=1, size_px=50).shape == (4, 50, 50, 3)


@pytest.mark.parametrize(
    "options",
    [{"sampler": "dpm++"}, {"prediction_type": "epsilon"}, {"prediction_type": "sample"}],
)
def test_every_sampler_and_prediction_runs(tmp_path, options):
    model = load_views_model(write_embedded_model(tmp_path, **options))
    pictures = make_views(model, _cutout(), seed=1, guidance=1.5)
    assert pictures.shape == (4, 32, 32, 3)


def test_official_layout_runs_without_the_folders_own_code(official):
    cutout = None if official.kind == "mvdream" else _cutout()
    first, again = (make_views(official, cutout, prompt="a cat", seed=3, steps=2) for _ in "ab")
    assert first.shape == (4, 32, 32, 3)
    assert (first == again).all()
    other = make_views(official, cutout, prompt="my dog", seed=3, steps=2)
    assert (first != other).any(), "the prompt must matter"


def test_official_guidance_of_1_is_one_pass(official):
    batches = []
    handle = official.unet.register_forward_pre_hook(lambda _, args: batches.append(len(args[0])))
    cutout = None if official.kind == "mvdream" else _cutout()
    make_views(official, cutout, prompt="a cat", seed=3, steps=2, guidance=1.0)
    handle.remove()
    assert set(batches) == {4 if official.kind == "mvdream" else 5}


def test_official_frames_come_out_front_first(official, monkeypatch):
    """LGM's order is frames 1, 2, 3, 0 of theirs; the image frame is dropped."""
    decoded = []

    def decode(model, latents):
        decoded.append(latents)
        return np.zeros((len(latents), 32, 32, 3), np.uint8)

    monkeypatch.setattr(views_pipeline.sampling, "decode", decode)
    predicted = torch.arange(10.0)[:, None, None, None].expand(-1, 4, 4, 4)
    frames = 4 if official.kind == "mvdream" else 5
    monkeypatch.setattr(
        type(official.unet), "forward", lambda self, x, *_, **__: predicted[:frames].clone()
    )
    cutout = None if official.kind == "mvdream" else _cutout()
    make_views(official, cutout, prompt="a", seed=3, steps=1, guidance=1.0)
    noise = torch.randn((frames, 4, 4, 4), generator=torch.Generator().manual_seed(3))
    scheduler = official.scheduler
    scheduler.set_timesteps(1)
    stepped = scheduler.step(predicted[:frames], scheduler.timesteps[0], noise).prev_sample
    assert torch.allclose(decoded[0], stepped[[1, 2, 3, 0]])


def test_imagedream_condition_layout(official):
    """Zeros first, then the condition; the image latent does not depend on the asset's seed."""
    if official.kind != "imagedream":
        pytest.skip("MVDream has no picture")
    seen = []
    handle = official.unet.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs), with_kwargs=True
    )
    for seed in (1, 2):
        make_views(official, _cutout(), prompt="a", seed=seed, steps=1)
    handle.remove()
    latents, features = seen[0]["image_latent"], seen[0]["image_features"]
    assert latents.shape == (2, 4, 4, 4) and not latents[0].any() and latents[1].any()
    assert features.shape[0] == 10 and not features[:5].any() and features[5:].any()
    assert torch.equal(latents, seen[1]["image_latent"])


def test_an_image_model_without_a_picture_is_an_input_error(embedded):
    with pytest.raises(InputError, match="no picture"):
        make_views(embedded, None, seed=1)


def test_no_steps_is_an_input_error(embedded):
    with pytest.raises(InputError, match=r"views\.steps"):
        make_views(embedded, _cutout(), seed=1, steps=0)


def test_a_network_that_knows_one_number_of_steps_takes_no_other(embedded):
    config = dataclasses.replace(embedded.config, steps=1, only_steps=1)
    model = dataclasses.replace(embedded, config=config)
    usual, named = (make_views(model, _cutout(), seed=1, steps=steps) for steps in (None, 1))
    assert (usual == named).all()
    with pytest.raises(InputError, match=r"views\.steps: found 20, wanted 1"):
        make_views(model, _cutout(), seed=1, steps=20)


def test_embedded_config_survives_json():
    config = EmbeddedViewsConfig(steps=7, only_steps=7, guidance=2.0, sampler="dpm++")
    values = json.loads(json.dumps(config.to_json()))
    assert values["kind"] == "embedded"
    assert EmbeddedViewsConfig.from_json(values) == config
    with pytest.raises(InputError, match="prediction_type"):
        EmbeddedViewsConfig(prediction_type="velocity")


def test_network_input_repeats_each_samples_picture():
    noisy, pictures = torch.zeros(8, 4, 2, 2), torch.arange(2.0)[:, None, None, None]
    joined = network_input(noisy, pictures.expand(2, 4, 2, 2))
    assert joined[:4, 4:].eq(0.0).all() and joined[4:, 4:].eq(1.0).all()

"""Laws of progressive distillation: steps compose, and a perfect teacher has a perfect pupil."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from training.diffusion import Noising, new_scheduler
from training.distillation import distilled_target, stepped, target_velocity, trailing_steps

STEPS = 8


@pytest.fixture(scope="module")
def noising():
    return Noising("cpu")


def latents(seed):
    return torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(seed))


def test_the_steps_are_those_of_the_exported_scheduler():
    scheduler = new_scheduler()
    for count in (4, 8, 16):
        scheduler.set_timesteps(count)
        assert trailing_steps(count) == scheduler.timesteps.tolist()


def test_a_step_is_the_scheduler_s(noising):
    scheduler = new_scheduler()
    scheduler.set_timesteps(STEPS)
    noisy, velocity = latents(0), latents(1)
    for i in (0, 3, 7):
        now, later = ([*trailing_steps(STEPS), -1][i + k] for k in (0, 1))
        wanted = scheduler.step(velocity, now, noisy).prev_sample
        found = stepped(
            noising, noisy, velocity, torch.tensor([now] * 4), torch.tensor([later] * 4)
        )
        torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)


def test_the_target_leads_where_it_should(noising):
    noisy, arrived = latents(0), latents(1)
    start, end = torch.tensor([999, 874, 499, 124]), torch.tensor([874, 749, 374, -1])
    velocity = target_velocity(noising, noisy, arrived, start, end)
    torch.testing.assert_close(
        stepped(noising, noisy, velocity, start, end), arrived, atol=1e-4, rtol=1e-4
    )


def test_of_a_teacher_who_knows_the_only_picture_the_pupil_learns_the_same(noising):
    clean, noise = latents(0), latents(1)
    places = torch.tensor([0, 2, 5, 7])
    start = torch.tensor(trailing_steps(STEPS))[places]
    noisy, truth = noising.mix(clean, noise, start)

    def teacher(z, steps):
        power = noising.signal[steps].view(-1, 1, 1, 1)
        return (power.sqrt() * z - clean) / (1.0 - power).sqrt()

    steps, target = distilled_target(teacher, noising, noisy, places, STEPS)
    assert torch.equal(steps, start)
    torch.testing.assert_close(target, truth, atol=1e-3, rtol=1e-3)


@pytest.mark.slow
def test_a_distilled_pipeline_loads_and_draws(pictures, vae, picture_latents, tmp_path):
    from diffusers import AutoPipelineForText2Image

    from tests.training.conftest import options
    from training.distil import main as distil
    from training.text_to_image import main

    more = ["--latents", str(picture_latents), "--autoencoder", str(vae)]
    teacher, student = tmp_path / "image", tmp_path / "student"
    main([*options(pictures, tmp_path / "out", 1), *more, "--export", str(teacher)])
    given = options(pictures, tmp_path / "few", 2)
    named = ["image", "--weights", str(teacher), "--student-steps", "4"]
    distil([*named, *given, *more, "--export", str(student)])
    scores = json.loads((tmp_path / "few/progress.json").read_text())["scores"]
    assert scores["student_error"] > 0.0
    pipeline = AutoPipelineForText2Image.from_pretrained(
        student, local_files_only=True, dtype=torch.float32
    )
    picture = pipeline("a red disc", num_inference_steps=4, guidance_scale=1.0, output_type="np")
    assert np.isfinite(picture.images).all()
    assert "red" in json.loads((student / "words.json").read_text())["words"]
    assert "4 steps" in (student / "README.md").read_text()


def test_distilled_views_load(data, vae, latents, tmp_path):
    from assets3d.views.model import load_views_model
    from tests.training.conftest import options
    from training.distil import main as distil
    from training.views import main

    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "vae").symlink_to(vae)
    more = ["--latents", str(latents), "--autoencoder", str(vae)]
    main([*options(data, tmp_path / "out", 1), *more, "--export", str(tmp_path / "views")])
    named = ["views", "--weights", str(tmp_path / "views"), "--latents", str(latents)]
    given = options(data, tmp_path / "few", 1)
    distil([*named, *given, "--export", str(tmp_path / "student")])
    assert load_views_model(tmp_path / "student").config.steps == 8

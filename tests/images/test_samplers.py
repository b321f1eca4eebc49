"""Samplers by familiar names: what each means, and that each draws."""

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.images.samplers import FLOW_NAMES, SAMPLERS, choose, names, new_scheduler
from assets3d.images.text_to_image import generate, load_pipeline
from tests.images.tiny_pipelines import tiny_pipeline

# The issue's list, word by word.
WANTED = (
    "Euler,Euler a,LMS,LMS Karras,Heun,DDIM,PLMS,DPM2,DPM2 a,DPM++ 2S a,DPM++ 2M,DPM++ 2M Karras,"
    "DPM++ SDE,DPM++ SDE Karras,DPM++ 2M SDE,DPM++ 2M SDE Karras,DPM++ 2M SDE Exponential,"
    "DPM++ 3M SDE,DPM++ 3M SDE Karras,DPM++ 3M SDE Exponential,DPM fast,DPM adaptive,UniPC,Restart,"
    "LCM,Euler sgm_uniform"
).split(",")
LACKING = {"DPM++ 2S a", "DPM fast", "DPM adaptive", "Restart"}
MAPPED = [name for name in names() if not any(name.startswith(lack) for lack in LACKING)]
FLOW = [*FLOW_NAMES.split(", "), "Euler Karras"]


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline(tiny_pipeline("sd15"))


@pytest.fixture(scope="module")
def flow():
    return load_pipeline(tiny_pipeline("sd3"))


def _drawn(pipeline, name):
    own = pipeline.scheduler
    try:
        pipeline.scheduler = new_scheduler(own, name)
        options = {"seed": 3, "steps": 4, "guidance": 0.0, "size_px": 32}
        return [generate(pipeline, "a red crate", **options) for _ in range(2)]
    finally:
        pipeline.scheduler = own


def test_every_name_of_the_issue_is_known():
    assert set(WANTED) <= set(names())
    assert {s.name for s in SAMPLERS if s.scheduler is None} == LACKING
    assert set(QUICK) <= set(MAPPED)


# One of every class and kind of spacing at once, the rest with the slow ones.
QUICK = {"Euler sgm_uniform", "Euler a", "LMS Karras", "Heun", "DDIM", "PLMS", "DPM2", "DPM2 a"}
QUICK |= {
    "DPM++ 2M Karras",
    "DPM++ SDE",
    "DPM++ 2M SDE Exponential",
    "DPM++ 3M SDE",
    "UniPC",
    "LCM",
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in MAPPED],
)
def test_every_mapped_sampler_draws_the_same_picture_again(pipeline, name):
    first, second = _drawn(pipeline, name)
    assert first.std() > 1.0
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", sorted(LACKING))
def test_what_diffusers_lacks_names_the_nearest_that_it_has(name):
    with pytest.raises(InputError, match=r"diffusers has no .* the nearest it has is '") as caught:
        choose(name)
    choose(str(caught.value).split("nearest it has is ")[1].strip("'"))


def test_a_lacking_sampler_keeps_its_schedule_in_the_advice():
    with pytest.raises(InputError, match=r"the nearest it has is 'DPM\+\+ SDE Karras'"):
        choose("DPM++ 2S a Karras")


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("DPM++ 2M Karras", "DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
        (
            "DPM++ 2M SDE Exponential",
            "DPMSolverMultistepScheduler",
            {"algorithm_type": "sde-dpmsolver++", "use_exponential_sigmas": True},
        ),
        (
            "DPM++ 3M SDE Karras",
            "DPMSolverMultistepScheduler",
            {"algorithm_type": "sde-dpmsolver++", "solver_order": 3, "use_karras_sigmas": True},
        ),
        ("DPM++ SDE", "DPMSolverSinglestepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
        ("PLMS", "PNDMScheduler", {"skip_prk_steps": True}),
        (
            "Euler a sgm_uniform",
            "EulerAncestralDiscreteScheduler",
            {"timestep_spacing": "trailing"},
        ),
        ("euler_ancestral", "EulerAncestralDiscreteScheduler", {}),
        ("dpmpp_2m_sde_karras", "DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
        (
            "DPMSolverMultistepScheduler-Karras-SDE",
            "DPMSolverMultistepScheduler",
            {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
        ),
        ("DPMSolverMultistepScheduler-Karras", "DPMSolverMultistepScheduler", {}),
        ("DEISMultistepScheduler", "DEISMultistepScheduler", {}),
    ],
)
def test_what_names_mean(pipeline, name, kind, options):
    scheduler = new_scheduler(pipeline.scheduler, name)
    assert type(scheduler).__name__ == kind
    assert {key: scheduler.config[key] for key in options} == options
    assert scheduler.config.beta_schedule == pipeline.scheduler.config.beta_schedule


def test_two_spellings_of_one_sampler_draw_the_same(pipeline):
    spellings = (
        "DPM++ 2M SDE Karras",
        "DPMSolverMultistepScheduler-Karras-SDE",
        "dpm++ 2m sde-karras",
    )
    first, *others = (_drawn(pipeline, name)[0] for name in spellings)
    assert all(np.array_equal(first, other) for other in others)


def test_sgm_uniform_starts_at_the_noisiest_step(pipeline):
    scheduler = new_scheduler(pipeline.scheduler, "Euler sgm_uniform")
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]


def test_the_prediction_of_the_checkpoint_is_kept():
    own = load_pipeline(tiny_pipeline("sd21")).scheduler
    for name in ("Euler", "DDIM", "DPM++ 2M Karras", "UniPC"):
        assert new_scheduler(own, name).config.prediction_type == "v_prediction"
    assert new_scheduler(own, "DDIM").config.clip_sample is False


@pytest.mark.parametrize("name", FLOW)
def test_samplers_of_flow_matching_models(flow, name):
    first, second = _drawn(flow, name)
    assert np.array_equal(first, second)
    config = new_scheduler(flow.scheduler, name).config
    assert config.get("shift", config.get("flow_shift")) == 3.0


@pytest.mark.parametrize("name", ["Euler a", "DDIM", "PLMS", "LMS", "DPM2"])
def test_samplers_that_cannot_follow_a_flow_are_refused(flow, name):
    with pytest.raises(InputError, match="cannot sample a flow-matching model"):
        new_scheduler(flow.scheduler, name)


@pytest.mark.parametrize(
    "wanted",
    ["DPM++ 2M SDE", "DPM++ SDE", {"class": "Euler", "stochastic_sampling": True}],
)
def test_noise_without_a_seed_is_refused(flow, wanted):
    with pytest.raises(InputError, match="draws fresh noise in every step"):
        new_scheduler(flow.scheduler, wanted)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("DPM++ 2M Karas", r"did you mean DPM\+\+ 2M Karras\?"),
        ("DPMSolverMultistepScheduler-Karras-SDX", r"the word 'SDX'.*did you mean SDE\?"),
        ("NoSuchScheduler", "found 'NoSuchScheduler', wanted a scheduler class"),
        ("DPMSolverSDEScheduler", r"needs the package torchsde, the nearest is 'DPM\+\+ SDE'"),
        ("Euler a Karras", "use_karras_sigmas: EulerAncestralDiscreteScheduler has no such option"),
        ({"class": "DPM++ 2M", "solver_ordr": 3}, r"solver_ordr: .*did you mean solver_order\?"),
        (
            {"class": "DPM++ 2M Karras", "use_exponential_sigmas": True},
            r"DPM\+\+ 2M Karras cannot be set up \(Only one of",
        ),
    ],
)
def test_bad_samplers(pipeline, wanted, said):
    with pytest.raises(InputError, match=said):
        new_scheduler(pipeline.scheduler, wanted)

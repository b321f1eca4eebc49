"""Given the exact network of a known distribution, every sampler draws from that distribution."""

import inspect

import numpy as np
import pytest
import torch

from assets3d.images.samplers import FLOW_NAMES, SAMPLERS, names, new_scheduler

MEAN, DEVIATION = 0.3, 0.5
LACKING = tuple(s.name for s in SAMPLERS if s.scheduler is None)
# Consistency samplers jump to the data and add noise again: they want a network taught to jump.
NAMES = [n for n in names() if not n.startswith(LACKING) and n not in ("LCM", "TCD")]


@pytest.fixture(scope="module")
def noise_model():
    from diffusers import PNDMScheduler

    return PNDMScheduler(
        skip_prk_steps=True,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
    )


@pytest.fixture(scope="module")
def flow_model():
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(shift=3.0)


def _drawn(scheduler, network, steps):
    generator = torch.Generator().manual_seed(0)
    scheduler.set_timesteps(steps)
    x = torch.randn(1, 4, 64, 64, generator=generator)
    x = x * getattr(scheduler, "init_noise_sigma", 1.0)
    takes = inspect.signature(scheduler.step).parameters
    seeded = {"generator": generator} if "generator" in takes else {}
    for t in scheduler.timesteps:
        read = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(network(read, float(t)).float(), t, x, **seeded).prev_sample
    return x


def _kept(scheduler):
    """Return t -> (how much of the data, how much noise) at a step, also between whole steps."""
    bars = scheduler.alphas_cumprod.double().numpy()

    def kept(t):
        bar = np.interp(t, np.arange(len(bars)), bars)
        return np.sqrt(bar), np.sqrt(1.0 - bar)

    return kept


def _means(x, data, noise):
    """Return the means of x0 and n in x = data * x0 + noise * n, x0 of the known distribution."""
    surprise = (x - data * MEAN) / (data**2 * DEVIATION**2 + noise**2)
    return MEAN + data * DEVIATION**2 * surprise, noise * surprise


def _is_the_distribution(x):
    return abs(float(x.mean()) - MEAN) < 0.05 and abs(float(x.std()) - DEVIATION) < 0.09


@pytest.mark.parametrize("name", NAMES)
def test_samplers_of_noise_models(noise_model, name):
    kept = _kept(noise_model)
    scheduler = new_scheduler(noise_model, name)
    assert _is_the_distribution(_drawn(scheduler, lambda x, t: _means(x, *kept(t))[1], steps=30))


@pytest.mark.parametrize("name", [*FLOW_NAMES.split(", "), "Euler Karras"])
def test_samplers_of_flow_models(flow_model, name):
    def velocity(x, t):
        x0, n = _means(x, 1.0 - t / 1000.0, t / 1000.0)
        return n - x0

    assert _is_the_distribution(_drawn(new_scheduler(flow_model, name), velocity, steps=30))


def test_one_step_of_a_network_that_predicts_the_sample_is_its_answer(noise_model):
    wanted = {"class": "Euler sgm_uniform", "prediction_type": "sample"}
    answer = torch.linspace(-1.0, 1.0, 4 * 64 * 64).reshape(1, 4, 64, 64)
    asked = []

    def network(x, t):
        asked.append(t)
        return answer

    found = _drawn(new_scheduler(noise_model, wanted), network, steps=1)
    assert asked == [999.0]
    assert torch.allclose(found, answer, atol=1e-4)

"""The noise schedule that both diffusion trainings and their exported schedulers share."""

from __future__ import annotations

from typing import Any

import torch

#: v-prediction with zero terminal SNR (Lin et al. 2023): the last step is pure noise, so that white
#: backgrounds are not greyed; needs trailing time steps.
SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": True,
}
MIN_SNR_GAMMA = 5.0


def new_scheduler() -> Any:
    """Return the DDIM scheduler whose configuration the weights folders carry."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(**SCHEDULE)


class Noising:
    """The forward process on one device."""

    def __init__(self, device: str):
        self.signal = new_scheduler().alphas_cumprod.to(device).clamp(0.0, 1.0)

    def mix(
        self, clean: torch.Tensor, noise: torch.Tensor, steps: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return noisy latents and their velocity targets, both like `clean` (B, ...)."""
        power = self.signal[steps].view(-1, *[1] * (clean.dim() - 1))
        a, s = power.sqrt(), (1.0 - power).sqrt()
        return a * clean + s * noise, a * noise - s * clean

    def weight(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the loss weight (B,) of v-prediction: 1, but min-SNR's cut for nearly clean input.

        Hang et al. 2023 cut the weight of x0-prediction at an SNR of gamma; here SNR + 1 (plain
        v-prediction) is cut, which keeps pure noise, the step that chooses the layout, in the loss.
        """
        # SNR + 1 is 1 / (1 - signal).
        return (MIN_SNR_GAMMA * (1.0 - self.signal[steps])).clamp(max=1.0)


def spread_steps(count: int, generator: torch.Generator, last: int = 1000) -> torch.Tensor:
    """Draw `count` uniform time steps, one from each of `count` equal ranges: less variance."""
    places = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return (places * last).long().clamp(max=last - 1)[torch.randperm(count, generator=generator)]


def sampled_steps(count: int) -> torch.Tensor:
    """Return the time steps (count,) that sampling with `count` trailing steps visits."""
    scheduler = new_scheduler()
    scheduler.set_timesteps(count)
    steps: torch.Tensor = scheduler.timesteps
    return steps

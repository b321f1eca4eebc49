"""One step where a teacher takes two: the arithmetic of progressive distillation.

Salimans and Ho 2022, of a DDIM sampler with trailing steps: the teacher takes 2 N steps, with
classifier-free guidance where the network knows captions (Meng et al. 2023), the student N without.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from training.diffusion import Noising

#: (noisy latents, time steps (B,)) -> velocity, both like the latents.
Velocity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def trailing_steps(count: int, last: int = 1000) -> list[int]:
    """Return the time steps of a DDIM sampler of `count` trailing steps, from pure noise down."""
    return [round(last - i * last / count) - 1 for i in range(count)]


def stepped(
    noising: Noising,
    noisy: torch.Tensor,
    velocity: torch.Tensor,
    steps: torch.Tensor,
    later: torch.Tensor,
) -> torch.Tensor:
    """Return latents (B, ...) after a DDIM step from `steps` to `later` (B,); -1 is clean."""
    signal, noise = _shares(noising, steps, noisy)
    clean = signal * noisy - noise * velocity
    whiteness = noise * noisy + signal * velocity
    signal, noise = _shares(noising, later, noisy)
    return signal * clean + noise * whiteness


def target_velocity(
    noising: Noising,
    noisy: torch.Tensor,
    arrived: torch.Tensor,
    steps: torch.Tensor,
    later: torch.Tensor,
) -> torch.Tensor:
    """Return the velocity with which one DDIM step leads from `noisy` to `arrived`.

    Args:
        noising: the forward process.
        noisy: (B, ...) at `steps`.
        arrived: like `noisy`, at `later`.
        steps: (B,) time steps.
        later: (B,) time steps nearer to 0; -1 is clean.
    """
    signal, noise = _shares(noising, steps, noisy)
    signal_later, noise_later = _shares(noising, later, noisy)
    ratio = noise_later / noise
    clean = (arrived - ratio * noisy) / (signal_later - ratio * signal)
    return (signal * noisy - clean) / noise


def distilled_target(
    teacher: Velocity,
    noising: Noising,
    noisy: torch.Tensor,
    places: torch.Tensor,
    student_steps: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the student's time steps (B,) and the velocity that it shall say.

    Args:
        teacher: with guidance, if it shall be distilled too.
        noising: the forward process.
        noisy: (B, ...) at the steps of `places`.
        places: (B,) which of the student's steps, 0 is pure noise.
        student_steps: how many it takes; the teacher takes twice as many.
    """
    fine = torch.tensor([*trailing_steps(2 * student_steps), -1], device=noisy.device)
    start, middle, end = (fine[2 * places + k] for k in range(3))
    with torch.no_grad():
        half_way = stepped(noising, noisy, teacher(noisy, start), start, middle)
        arrived = stepped(noising, half_way, teacher(half_way, middle), middle, end)
    return start, target_velocity(noising, noisy, arrived, start, end)


def _shares(
    noising: Noising, steps: torch.Tensor, like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the shares of signal and noise at time steps (B,), shaped for latents (B, ...)."""
    power = torch.where(steps < 0, 1.0, noising.signal[steps.clamp_min(0)])
    power = power.view(-1, *[1] * (like.dim() - 1))
    return power.sqrt(), (1.0 - power).sqrt()

"""The training loop: steps, the weights' average, log, plots, when to save and to validate."""

from __future__ import annotations

import dataclasses
import json
import math
import time

import torch
from PIL import Image
from torch import nn

from training import checkpoint
from training.checkpoint import Progress
from training.plots import plot_log
from training.task import Settings, Task


def train_slice(
    task: Task,
    settings: Settings,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> Progress:
    """Train for `settings.minutes` or until all is done, and save; return the progress."""
    loop = _Loop(task, settings, average, optimiser, progress)
    try:
        while not loop.finished():
            loop.one_step()
    except KeyboardInterrupt:
        print("stopped: saving")
    loop.close()
    return loop.progress


class _Loop:
    """One slice's mutable state: clocks, the running loss, what is saved when."""

    def __init__(
        self,
        task: Task,
        settings: Settings,
        average: nn.Module,
        optimiser: torch.optim.Optimizer,
        progress: Progress,
    ) -> None:
        self.task, self.settings, self.average = task, settings, average
        self.optimiser, self.progress = optimiser, progress
        self.first_step = progress.step
        self.started = self.clock = time.monotonic()
        self.last_log = self.last_save = self.last_validation = self.clock
        self.losses: list[torch.Tensor] = []
        self.logged_samples = progress.samples
        settings.out.mkdir(parents=True, exist_ok=True)

    @property
    def done(self) -> float:
        by_time = self.progress.seconds / max(1e-9, 60.0 * self.settings.total_minutes)
        return max(by_time, self.progress.step / max(1, self.settings.steps))

    def finished(self) -> bool:
        return self.done >= 1.0 or time.monotonic() - self.started >= 60.0 * self.settings.minutes

    def one_step(self) -> None:
        task, settings, progress = self.task, self.settings, self.progress
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + progress.step)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, progress.step, self.done)
        task.networks.train()
        with autocast(settings):
            loss, samples = task.loss(min(1.0, self.done), generator)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(task.networks.parameters(), 1.0)
        if bool(torch.isfinite(norm)):
            self.optimiser.step()
        _update_average(self.average, task.networks, settings.decay, progress.step)
        now = time.monotonic()
        self.losses.append(loss.detach())
        self.progress = dataclasses.replace(
            progress,
            step=progress.step + 1,
            samples=progress.samples + samples,
            seconds=progress.seconds + now - self.clock,
        )
        self.clock = now
        self._housekeeping(now)

    def _housekeeping(self, now: float) -> None:
        if now - self.last_log > 15.0:
            self._log_loss(now)
        if now - self.last_validation > 60.0 * self.settings.validate_minutes:
            self._validate()
            self.last_validation = self.last_save = self.clock = time.monotonic()
        elif now - self.last_save > 60.0:
            self._save()
            self.last_save = self.clock = time.monotonic()

    def close(self) -> None:
        if self.progress.step == self.first_step:
            return
        if self.losses:
            self._log_loss(time.monotonic())
        self._save()  # before the validation, which could be stopped
        self._validate()

    def _log_loss(self, now: float) -> None:
        mean = float(torch.stack(self.losses).mean())
        rate = (self.progress.samples - self.logged_samples) / max(1e-9, now - self.last_log)
        self._log({"loss": round(mean, 6), "samples_per_s": round(rate, 2)})
        self.losses, self.logged_samples, self.last_log = [], self.progress.samples, now

    def _validate(self) -> None:
        with torch.no_grad():
            scores = {k: round(float(v), 5) for k, v in self.task.validate(self.average).items()}
            sheet = self.task.samples(self.average)
        self.progress = dataclasses.replace(self.progress, scores=scores)
        self._log(scores)
        Image.fromarray(sheet).save(self.settings.out / "samples.png")
        plot_log(self.settings.out / "log.jsonl", self.settings.out / "loss.png")
        self._save()

    def _save(self) -> None:
        checkpoint.save(
            self.settings.out, self.task.networks, self.average, self.optimiser, self.progress
        )

    def _log(self, values: dict[str, float]) -> None:
        head = {"step": self.progress.step, "minutes": round(self.progress.seconds / 60.0, 2)}
        line = json.dumps({**head, **values})
        with (self.settings.out / "log.jsonl").open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)


def learning_rate(settings: Settings, step: int, done: float) -> float:
    """Return a linear warm-up, then a half cosine down to 2 % of the peak at `done` = 1."""
    if settings.schedule is not None:
        return settings.schedule(step)
    warm = min(1.0, (step + 1) / max(1, settings.warm_up))
    return settings.rate * warm * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done))))


def autocast(settings: Settings) -> torch.autocast:
    """Return the context in which losses are computed; weights and optimiser stay float32."""
    device = torch.device(settings.device).type
    enabled = settings.precision == "bf16" or (settings.precision == "auto" and device == "cuda")
    return torch.autocast(device, dtype=torch.bfloat16, enabled=enabled)


def _update_average(average: nn.Module, networks: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the weights; early on with a short horizon, so it is never stale."""
    keep = min(decay, (1.0 + step) / (10.0 + step))
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(networks.parameters()), 1.0 - keep)
        for mine, theirs in zip(average.buffers(), networks.buffers(), strict=True):
            mine.copy_(theirs)

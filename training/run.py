"""The training loop that every command shares: slices, resuming, EMA, log, plots, export.

A command builds a `Task` (networks, a loss, a validation, sample pictures, an export) and calls
`run`. Each call trains for `--minutes`, saves, and goes on from there the next time. Batches are
drawn by a generator seeded from (seed, step): a resumed training draws what an unbroken one would.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from training import checkpoint
from training.checkpoint import Progress
from training.plots import plot_log

#: No embedded weight file may be larger.
MAX_FILE_BYTES = 15 * 2**20


class Task(Protocol):
    """What a command trains."""

    networks: nn.Module

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """Draw a batch; return the loss and the number of samples. `progress` runs from 0 to 1."""

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """Score averaged networks on the fixed validation set."""

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Draw a contact sheet (H, W, 3)."""

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write fp16 weights and a model card."""


@dataclass(frozen=True)
class Settings:
    """How to train. `steps` and `total_minutes` both bound all slices together."""

    out: Path
    minutes: float = 8.0
    total_minutes: float = 60.0
    steps: int = 1_000_000
    rate: float = 1e-3
    warm_up: int = 200
    weight_decay: float = 0.01
    decay: float = 0.9995
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    precision: str = "auto"
    validate_minutes: float = 4.0
    export: Path | None = None


def fresh(build: Callable[[], Any], seed: int = 0) -> Any:
    """Build networks whose first weights depend on `seed` only, not on torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()


def command_line(description: str, name: str, **defaults: Any) -> argparse.ArgumentParser:
    """Return a parser with the options that all commands share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=Path("training/out/props128"))
    parser.add_argument("--out", type=Path, default=Path("training/out") / name)
    parser.add_argument("--preset", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--minutes", type=float, default=8.0, help="length of this slice")
    parser.add_argument("--total-minutes", type=float, default=60.0, help="of all slices together")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of all slices together")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--warm-up", type=int, default=200, help="steps")
    parser.add_argument("--decay", type=float, default=0.9995, help="of the weights' average")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--precision",
        choices=["auto", "float32", "bf16"],
        default="auto",
        help="auto: bf16 autocast on CUDA, float32 on a CPU",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=None, help="use no more props than this")
    parser.add_argument("--validate-minutes", type=float, default=4.0, help="between validations")
    parser.add_argument("--export", type=Path, default=None, help="folder for fp16 weights, card")
    parser.set_defaults(**defaults)
    return parser


def settings_from(options: argparse.Namespace) -> Settings:
    """Pick the loop's settings out of the parsed options, and set torch's thread count."""
    torch.set_num_threads(options.threads)
    names = {field.name for field in dataclasses.fields(Settings)}
    return Settings(**{key: value for key, value in vars(options).items() if key in names})


def learning_rate(settings: Settings, step: int, done: float) -> float:
    """Return a linear warm-up, then a half cosine down to 2 % of the peak at `done` = 1."""
    warm = min(1.0, (step + 1) / max(1, settings.warm_up))
    return settings.rate * warm * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done))))


def autocast(settings: Settings) -> torch.autocast:
    """Return the context in which losses are computed; weights and optimiser stay float32."""
    device = torch.device(settings.device).type
    enabled = settings.precision == "bf16" or (settings.precision == "auto" and device == "cuda")
    return torch.autocast(device, dtype=torch.bfloat16, enabled=enabled)


def run(task: Task, settings: Settings) -> Progress:
    """Train one slice and, when asked, export; return the progress."""
    networks = task.networks.to(settings.device)
    average = copy.deepcopy(networks).requires_grad_(False).eval()
    parameters = [p for p in networks.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        parameters,
        lr=settings.rate,
        betas=(0.9, 0.99),
        weight_decay=settings.weight_decay,
        fused=True,
    )
    progress = checkpoint.load(settings.out, networks, average, optimiser)
    progress = _slice(task, settings, average, optimiser, progress)
    if settings.export is not None:
        _export(task, average, settings, progress)
    return progress


def _slice(
    task: Task,
    settings: Settings,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> Progress:
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

    def __init__(self, task, settings, average, optimiser, progress) -> None:
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


def _update_average(average: nn.Module, networks: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the weights; early on with a short horizon, so it is never stale."""
    keep = min(decay, (1.0 + step) / (10.0 + step))
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(networks.parameters()), 1.0 - keep)
        for mine, theirs in zip(average.buffers(), networks.buffers(), strict=True):
            mine.copy_(theirs)


def _export(task: Task, average: nn.Module, settings: Settings, progress: Progress) -> None:
    minutes = progress.seconds / 60.0
    device = (
        torch.cuda.get_device_name()
        if settings.device.startswith("cuda")
        else f"a CPU, {settings.threads} thread(s)"
    )
    note = f"{progress.step} steps, {progress.samples} samples, {minutes:.0f} minutes on {device}"
    settings.export.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        task.export(copy.deepcopy(average), settings.export, progress, note)
    for path in sorted(settings.export.rglob("*")):
        if path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path}: {path.stat().st_size} bytes, wanted <= {MAX_FILE_BYTES}")
    print(f"exported to {settings.export}: {note}")

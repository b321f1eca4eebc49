"""What every training command shares: its command line, slices, resuming, export.

A command builds a `Task` (networks, a loss, a validation, sample pictures, an export) and calls
`run`. Each call trains for `--minutes`, saves, and goes on from there the next time. Batches are
drawn by a generator seeded from (seed, step): a resumed training draws what an unbroken one would.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training import checkpoint
from training.checkpoint import Progress
from training.loop import train_slice
from training.task import Settings, Task

#: No embedded weight file may be larger.
MAX_FILE_BYTES = 15 * 2**20


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
    progress = train_slice(task, settings, average, optimiser, progress)
    if settings.export is not None:
        _export(task, average, settings, settings.export, progress)
    return progress


def _export(
    task: Task, average: nn.Module, settings: Settings, folder: Path, progress: Progress
) -> None:
    minutes = progress.seconds / 60.0
    device = (
        torch.cuda.get_device_name()
        if settings.device.startswith("cuda")
        else f"a CPU, {settings.threads} thread(s)"
    )
    note = f"{progress.step} steps, {progress.samples} samples, {minutes:.0f} minutes on {device}"
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        task.export(copy.deepcopy(average), folder, progress, note)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path}: {path.stat().st_size} bytes, wanted <= {MAX_FILE_BYTES}")
    print(f"exported to {folder}: {note}")

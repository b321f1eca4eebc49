"""Data sets in shards: written whole or not at all, rendered by one process or by several."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Job = TypeVar("Job")


def write_shard(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write arrays to an npz; a stopped run leaves no half of one."""
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
    unfinished.replace(path)


def render_all(jobs: Sequence[Job], render: Callable[[Job], str], workers: int) -> None:
    """Render every shard and print a line for each, with the time that is left.

    Args:
        jobs: one per shard.
        render: writes a shard and returns its file name.
        workers: one renders in this process, more in as many fresh ones.
    """
    started = time.monotonic()
    for done, name in enumerate(_rendered(jobs, render, workers), start=1):
        minutes = (time.monotonic() - started) / 60.0
        left = minutes / done * (len(jobs) - done)
        print(f"{name} ({done}/{len(jobs)}), {minutes:.1f} min, {left:.1f} to go", flush=True)


def _rendered(jobs: Sequence[Job], render: Callable[[Job], str], workers: int) -> Iterator[str]:
    if workers <= 1:
        yield from map(render, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(render, jobs)

"""Splats fitted to true pictures, scored at cameras that the fit did not see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from assets3d.cameras import four_views
from assets3d.splats.fit import fit
from assets3d.views.posed import Views
from benchmarks.quality.protocol import (
    SIZE_PX,
    Case,
    embedded_profile,
    fit_cameras,
    render_splats,
    score_pictures,
    unseen_cameras,
)

#: The fit alone, apart from any profile: a fixed piece of work.
FIT_COUNT, FIT_STEPS = 10_000, 1_000


def four_true_views(case: Case) -> dict[str, float]:
    """Score the fit to the four standard views, with the embedded profile's settings."""
    return _score(case, case.views(four_views(SIZE_PX)), **fit_settings())


def fit_24_views(case: Case) -> dict[str, float]:
    """Score the fit of 10k Gaussians to 24 views of 256x256 in 1,000 steps, on one thread.

    `seconds` are those on the clock; on a busy machine `cpu_seconds` alone say what the work costs.
    """
    return _score(case, case.views(fit_cameras()), count=FIT_COUNT, steps=FIT_STEPS)


@cache
def fit_settings() -> dict[str, Any]:
    """Return the embedded profile's way to fit splats to four views: count and steps."""
    section = embedded_profile("splats")
    return {"count": section["count"], "steps": section["steps"]}


def _score(case: Case, views: Views, **settings: Any) -> dict[str, float]:
    with _one_thread():
        begin, cpu_begin = time.perf_counter(), time.process_time()
        gaussians = fit(views, **settings, seed=0, threads=1)
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    cameras = unseen_cameras()
    scores = score_pictures(render_splats(gaussians, cameras), case.views(cameras).rgba)
    times = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    return {**scores, **times, "splats": float(len(gaussians))}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: waiting threads cost processor time too."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Splats fitted to true pictures, scored at cameras that the fit did not see."""

from __future__ import annotations

import time

from assets3d.cameras import four_views
from assets3d.splats.fit import fit
from assets3d.views.posed import Views
from benchmarks.quality.protocol import (
    Case,
    fit_cameras,
    render_splats,
    score_pictures,
    unseen_cameras,
)

#: What the pipeline uses for four views (the embedded profile).
FOUR_VIEW_COUNT, FOUR_VIEW_STEPS = 10_000, 200


def four_true_views(case: Case) -> dict[str, float]:
    """Score the fit to the four standard views."""
    return _score(case, case.views(four_views(256)), FOUR_VIEW_COUNT, FOUR_VIEW_STEPS)


def fit_24_views(case: Case) -> dict[str, float]:
    """Score the fit of 10k Gaussians to 24 views of 256x256 in 1,000 steps."""
    return _score(case, case.views(fit_cameras()), 10_000, 1_000)


def _score(case: Case, views: Views, count: int, steps: int) -> dict[str, float]:
    begin = time.perf_counter()
    gaussians = fit(views, count=count, steps=steps, seed=0)
    seconds = time.perf_counter() - begin
    cameras = unseen_cameras()
    scores = score_pictures(render_splats(gaussians, cameras), case.views(cameras).rgba)
    return {**scores, "seconds": seconds, "splats": float(len(gaussians))}

"""Splats against the views that they were made from."""

from __future__ import annotations

import numpy as np
import pytest

from assets3d.cameras import four_views
from assets3d.candidates import Candidate, Scores, best, scores_of, strip
from assets3d.splats.agreement import agreement
from assets3d.splats.gaussians import Gaussians, from_parts
from assets3d.splats.preview import render_rgba
from assets3d.views.posed import Views

SIZE_PX = 48


@pytest.fixture(scope="module")
def thing() -> Gaussians:
    """Return a solid that looks different from every side: a box with a knob, four colours."""
    rng = np.random.default_rng(0)
    position = rng.uniform((-0.35, -0.3, -0.15), (0.35, 0.3, 0.15), (3000, 3))
    position[:600] = rng.uniform((-0.1, 0.3, -0.1), (0.1, 0.45, 0.1), (600, 3))
    rgb = np.stack([position[:, 0] > 0, position[:, 2] > 0, position[:, 1] > 0], axis=1) * 0.8 + 0.1
    return from_parts(
        position.astype(np.float32),
        np.full(3000, 0.95),
        np.full((3000, 3), 0.025),
        np.tile([1.0, 0.0, 0.0, 0.0], (3000, 1)),
        rgb,
    )


@pytest.fixture(scope="module")
def views(thing) -> Views:
    """Return the four views that the thing itself gives."""
    cameras = four_views(SIZE_PX)
    rgba, _ = render_rgba(thing, cameras, threads=1)
    alpha = rgba[..., 3:]
    straight = np.concatenate([rgba[..., :3] / np.maximum(alpha, 1e-6), alpha], axis=-1)
    return Views(np.round(255 * np.clip(straight, 0, 1)).astype(np.uint8), cameras)


def changed(views: Views, change) -> Views:
    rgba = views.rgba.copy()
    change(rgba)
    return Views(rgba, views.cameras)


def test_a_perfect_rerender_is_perfect_and_a_shuffled_one_is_the_worst(thing, views):
    def hue(rgba):
        rgba[2, ..., :3] = rgba[2, ..., [1, 2, 0]].transpose(1, 2, 0)

    def wide(rgba):
        rgba[1] = np.repeat(rgba[1], 2, axis=1)[:, SIZE_PX // 2 : SIZE_PX // 2 + SIZE_PX]

    def shuffled(rgba):
        rgba[:] = rgba[[1, 2, 3, 0]][:, ::-1]

    marks = [
        agreement(thing, one, threads=1)
        for one in (views, *(changed(views, change) for change in (hue, wide, shuffled)))
    ]
    perfect, other_hue, too_wide, worst = (mark.consistency for mark in marks)
    assert perfect > 0.98 and marks[0].front_iou > 0.99
    assert perfect > other_hue > worst and perfect > too_wide > worst
    assert worst < 0.5 and marks[3].front_iou == min(mark.front_iou for mark in marks)
    assert other_hue < perfect - 0.02  # colour alone tells
    assert marks[1].outlines == marks[0].outlines


def test_the_front_counts_apart(thing, views):
    def gone(rgba):
        rgba[0] = 0

    found = agreement(thing, changed(views, gone), threads=1)
    whole = agreement(thing, views, threads=1)
    assert found.front_iou == 0.0
    assert found.consistency == whole.consistency


def test_empty_splats_agree_with_nothing(views):
    nothing = Gaussians(np.zeros((0, 14), dtype=np.float32))
    found = agreement(nothing, views, threads=1)
    assert (found.front_iou, found.outlines) == (0.0, 0.0)


def test_scores(thing, views):
    good = Candidate(views.rgba[0], views, thing)
    words = scores_of(good, "a yellow box", threads=1)
    assert words.prompt is not None and scores_of(good, None, threads=1).prompt is None
    assert scores_of(good, None, threads=1).total > 0.98
    doubted = scores_of(Candidate(views.rgba[0], views, thing, doubts=2), None, threads=1)
    assert doubted.total == pytest.approx(0.64 * scores_of(good, None, threads=1).total, abs=1e-3)
    # Views of different heights are one more doubt.
    flat = views.rgba.copy()
    flat[2, : SIZE_PX // 2] = 0
    odd = Candidate(flat[0], Views(flat, views.cameras), thing)
    assert scores_of(odd, None, threads=1).doubts == 1


def test_one_bad_part_outweighs_good_ones():
    even, uneven = Scores(0.7, 0.7, 0.7, 0), Scores(1.0, 1.0, 0.1, 0)
    assert even.total > uneven.total
    assert Scores(None, 0.9, 0.9, 0).total == Scores(0.9, 0.9, 0.9, 0).total == 0.9
    assert Scores(0.0, 1.0, 1.0, 0).total == 0.0


def test_the_best_is_the_highest_and_of_equals_the_first():
    assert best({3: 0.5, 1: 0.4, 2: 0.5}) == 2
    with pytest.raises(ValueError, match="no candidates"):
        best({})


def test_the_strip_has_a_column_each(thing, views):
    one = Candidate(views.rgba[0], views, thing)
    two = strip({1: one, 3: one}, {1: 0.9, 3: 0.8}, 1, size_px=32, threads=1)
    three = strip({1: one, 2: one, 3: one}, {1: 0.9, 2: 0.1, 3: 0.8}, 1, size_px=32, threads=1)
    assert two.dtype == np.uint8 and two.shape[0] == three.shape[0]
    assert three.shape[1] > 1.4 * two.shape[1]
    # The one that is kept stands on another ground.
    swapped = strip({1: one, 3: one}, {1: 0.9, 3: 0.8}, 3, size_px=32, threads=1)
    assert (two != swapped).any()

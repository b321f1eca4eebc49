"""Boxes and things of boards are told from round ones by their outlines."""

import numpy as np
import pytest

from assets3d.cameras import four_views
from assets3d.props import render_prop, sample_prop
from assets3d.splats.boxes import looks_like_a_box
from assets3d.splats.carve import carve
from assets3d.splats.silhouettes import measure_silhouettes
from assets3d.views.posed import Views
from tests.splats.solids import ball, box, cylinder, render_solid


def seen_as_a_box(views):
    return looks_like_a_box(views.cameras, measure_silhouettes(views))


def table(p):
    """A board on four legs; longer than it is deep."""
    board = box(0.5, 0.05, 0.3)(p - np.array([0.0, 0.25, 0.0]))
    leg = box(0.04, 0.25, 0.04)(np.abs(p) * [1, 0, 1] + p * [0, 1, 0] - np.array([0.42, 0.0, 0.22]))
    return np.minimum(board, leg)


@pytest.mark.parametrize("size_px", [96, 192])
@pytest.mark.parametrize(
    ("solid", "boxy"),
    [
        *((box(*half), True) for half in [(0.35, 0.3, 0.4), (0.45, 0.2, 0.2), (0.3, 0.3, 0.3)]),
        (table, True),
        *((cylinder(*half), False) for half in [(0.4, 0.5), (0.2, 0.5), (0.5, 0.2)]),
        (ball(0.45), False),
    ],
)
def test_boxes_and_boards_are_boxes_and_upright_cylinders_are_not(solid, boxy, size_px):
    assert seen_as_a_box(render_solid(solid, four_views(size_px))) == boxy


def test_a_table_keeps_its_corners():
    hull = carve(render_solid(table, four_views(96)), 64)
    across, up, deep = np.moveaxis(np.asarray(hull.points).reshape(*hull.distance.shape, 3), -1, 0)
    board = (np.abs(up - 0.25) < 0.02) & (np.abs(across) < 0.46) & (np.abs(deep) < 0.26)
    corner = board & (np.abs(across) > 0.4) & (np.abs(deep) > 0.2)
    assert (hull.distance[board] > 0.0).mean() > 0.95
    assert (hull.distance[corner] > 0.0).mean() > 0.8


@pytest.mark.parametrize(
    ("family", "boxy"),
    [
        *((name, True) for name in ("house", "bed", "table", "chest")),
        *((name, False) for name in ("barrel", "tree", "mug", "bucket", "lantern", "well", "cat")),
    ],
)
def test_props_that_the_limits_were_not_chosen_on(family, boxy):
    cameras = four_views(128)
    found = [
        seen_as_a_box(Views(render_prop(sample_prop(family, seed), cameras).rgba, cameras))
        for seed in range(700_000, 700_005)
    ]
    assert np.mean(np.equal(found, boxy)) >= 0.6, found

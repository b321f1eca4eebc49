"""Data and training of the shape network, as small as they go."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assets3d.splats.shape_network import GUESS, SIDE, VIEWS
from tests.training.conftest import options
from training import shape, shape_data
from training.data import load_props, render_one

FAMILIES = ("barrel", "mug", "chair")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Real props, for their truth is needed."""
    folder = tmp_path_factory.mktemp("props")
    for name, first in (("shard_00000", 0), ("validation", 990_000)):
        rows = [render_one(family, first + n, 48, "cpu") for n, family in enumerate(FAMILIES)]
        arrays = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def shapes(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    shape_data.main(["--data", str(pictures), "--out", str(folder)])
    return folder


def test_the_truth_lies_within_the_outlines(shapes):
    things = shape_data.load_shapes(shapes, "validation")
    for row in range(len(things)):  # half of them with bent outlines
        seen, truth = shape.item(things, row, mirrored=False)
        hull = seen[:VIEWS].amin(0) > -0.2
        solid = truth > 0.0
        assert solid.any()
        assert (solid & ~hull).sum() < 0.25 * solid.sum()
    assert things.truth.shape[1:] == (SIDE,) * 3


def test_a_mirrored_thing_is_the_mirror_image_of_all_that_is_known(shapes):
    things = shape_data.load_shapes(shapes, "training")
    plain, truth = shape.item(things, 0, mirrored=False)
    other, mirrored = shape.item(things, 0, mirrored=True)
    np.testing.assert_array_equal(mirrored.flip(0), truth)
    np.testing.assert_array_equal(other[GUESS].flip(0), plain[GUESS])
    # Right and left change places; the front stays the front.
    for view, twin in ((0, 0), (1, 3), (2, 2)):
        np.testing.assert_allclose(other[twin].flip(0), plain[view], atol=1e-3)


def test_spoilt_pictures_are_still_of_the_thing(pictures):
    rgba = load_props(pictures, "training").rgba[0, :4]
    found = shape_data.spoilt(rgba, np.random.default_rng(0))
    assert found.shape == rgba.shape
    assert (found != rgba).any()
    before, after = rgba[..., 3] > 127, found[..., 3] > 127
    iou = (before & after).sum((1, 2)) / (before | after).sum((1, 2))
    assert iou.min() > 0.3
    assert 0.6 < iou.mean() < 1.0


def test_it_trains_and_exports(shapes, tmp_path):
    from assets3d.splats.shape import load_shape

    weights = tmp_path / "weights"
    for steps in (1, 2):
        shape.main(
            [*options(shapes, tmp_path / "out", steps), "--batch", "2", "--export", str(weights)]
        )
    scores = json.loads((weights / "training.json").read_text())
    assert scores["steps"] == 2
    things = shape_data.load_shapes(shapes, "training")
    seen, _ = shape.item(things, 0, mirrored=False)
    assert load_shape(weights)(seen).shape == (SIDE,) * 3

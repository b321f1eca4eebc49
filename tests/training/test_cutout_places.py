import cv2
import numpy as np
import pytest

from tests.training.test_cutout import rng
from training.cutout_compounds import compound
from training.cutout_objects import cut_off_below
from training.cutout_places import PLACES, draw_piece, leaves, noise, palette, place_of

SIZE = 64


@pytest.mark.parametrize("kind", PLACES)
def test_places_are_pictures_that_follow_from_their_seed(kind):
    for seed in range(12):
        picture = place_of(rng(seed), SIZE, kind)
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.dtype == np.float32
        assert picture.min() >= 0.0
        assert picture.max() <= 1.0
        np.testing.assert_array_equal(picture, place_of(rng(seed), SIZE, kind))


def test_a_place_near_a_colour_has_it():
    wanted = np.array([0.8, 0.2, 0.1], np.float32)
    means = [palette(rng(seed), wanted).mean(0) for seed in range(60)]
    assert np.argmax(np.mean(means, 0)) == 0
    assert abs(np.mean(means, 0) - wanted).max() < 0.12


def test_noise_stays_between_its_colours_and_one_colour_stays_itself():
    red, blue = np.eye(3, dtype=np.float32)[[0, 2]]
    for seed in range(8):
        picture = noise(rng(seed), SIZE, np.stack([red, blue]))
        np.testing.assert_allclose(picture.sum(2), 1.0, atol=1e-5)
        assert (picture[..., 1] == 0.0).all()
        assert picture[..., 0].std() > 0.05
    same = noise(rng(0), SIZE, np.stack([red, red]))
    np.testing.assert_allclose(same, np.broadcast_to(red, same.shape), atol=1e-6)


def test_leaves_hide_each_other_at_all_sizes():
    picture = leaves(rng(3), SIZE, palette(rng(4)))
    edges = np.abs(np.diff(picture.mean(2), axis=0)) > 0.02
    assert 0.01 < edges.mean() < 0.9


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_pieces_lie_about_their_centre(kind):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    draw_piece(rng(kind), mask, kind, np.array([32.0, 32.0]), 12.0, upright=True)
    rows, columns = np.nonzero(mask)
    assert len(rows) > 20
    assert abs(rows.mean() - 32.0) < 12.0
    assert abs(columns.mean() - 32.0) < 12.0


def test_things_of_many_parts_are_layers_in_one_piece_as_good_as_always():
    pieces = []
    for seed in range(40):
        layer = compound(rng(seed), SIZE)
        assert layer.shape == (SIZE, SIZE, 4)
        assert layer.min() >= 0.0
        assert layer[..., 3].max() <= 1.0
        assert (layer[..., :3] <= layer[..., 3:] + 1e-5).all()
        solid = (layer[..., 3] > 0.3).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
        if count > 1:
            pieces.append(stats[1:, cv2.CC_STAT_AREA].max() / solid.sum())
    assert np.mean(np.array(pieces) > 0.9) > 0.8


def test_what_is_cut_off_reaches_the_lower_edge_and_not_the_upper_one():
    crop = np.ones((30, 20, 4), np.float32)
    for seed in range(20):
        layer = cut_off_below(rng(seed), crop, SIZE)
        assert layer[-1, :, 3].max() > 0.9
        assert layer[0, :, 3].max() == 0.0

"""The outline follows the picture's colours wherever the network's guess is near enough."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from assets3d.cutout.colours import made_definite, parted_by_colour


def scene(side: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Return a red ring on noisy green, and its true mask."""
    picture = np.random.default_rng(0).normal((70, 130, 60), 12, (side, side, 3))
    inside = np.zeros((side, side), np.uint8)
    cv2.circle(inside, (side // 2, side // 2), side // 4, 1, -1)
    cv2.circle(inside, (side // 2, side // 2), side // 9, 0, -1)
    red = np.random.default_rng(1).normal((190, 50, 40), 12, (side, side, 3))
    picture = np.where(inside[..., None] > 0, red, picture)
    return picture.clip(0, 255).astype(np.uint8), inside.astype(np.float32)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (np.minimum(a, b) > 0.5).sum() / (np.maximum(a, b) > 0.5).sum()


@pytest.mark.parametrize("side", [160, 400])
@pytest.mark.parametrize("grown", [-1, 1])
def test_a_rough_guess_becomes_the_true_outline(side, grown):
    picture, truth = scene(side)
    brush = np.ones((side // 16, side // 16), np.uint8)
    rough = cv2.erode(truth, brush) if grown < 0 else cv2.dilate(truth, brush)
    found = parted_by_colour(rough, picture)
    assert iou(rough, truth) < 0.8
    assert iou(found, truth) > 0.95
    assert found.dtype == np.float32
    assert 0.0 <= found.min() and found.max() <= 1.0


def test_a_guess_that_colours_contradict_is_kept():
    picture, truth = scene()
    elsewhere = np.roll(truth, (60, 60), (0, 1))
    np.testing.assert_array_equal(parted_by_colour(elsewhere, picture), elsewhere)


def test_haze_that_colours_contradict_becomes_one_definite_thing():
    picture, truth = scene()
    rng = np.random.default_rng(2)
    elsewhere = np.roll(truth, (60, 60), (0, 1)) * rng.uniform(0.3, 0.6, truth.shape)
    found = parted_by_colour(elsewhere.astype(np.float32), picture)
    assert ((found > 0.05) & (found < 0.95)).mean() < 0.1
    assert iou(found, np.roll(truth, (60, 60), (0, 1))) > 0.7


def test_a_hazy_outline_is_filled_and_haze_around_it_left_out():
    truth, rim = np.zeros((2, 200, 200), np.float32)
    cv2.circle(truth, (100, 150), 60, 1.0, -1)
    cv2.circle(rim, (100, 150), 57, 0.5, 6)
    rim[150:, 98:102] = 0.0  # the outline has a gap, and the lower edge cuts the thing off
    hazy = np.maximum(rim, np.float32(0.05))
    assert iou(made_definite(hazy).astype(np.float32), truth) > 0.9
    assert not made_definite(np.full((50, 50), 0.05, np.float32)).any()


def test_nothing_and_everything_stay():
    picture, truth = scene()
    for alpha in (np.zeros_like(truth), np.ones_like(truth)):
        np.testing.assert_allclose(parted_by_colour(alpha, picture), alpha, atol=1e-6)


def test_same_picture_same_bytes():
    picture, truth = scene()
    rough = cv2.erode(truth, np.ones((8, 8), np.uint8))
    first = parted_by_colour(rough, picture)
    cv2.setRNGSeed(7)
    np.testing.assert_array_equal(parted_by_colour(rough, picture), first)

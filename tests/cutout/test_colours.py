"""The outline follows the picture's colours wherever the network's guess is near enough."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from assets3d.cutout.colours import parted_by_colour


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

"""What the front decides of imagined views, and what it leaves alone."""

import numpy as np
import pytest

from assets3d.views.led_by_front import led_by_front

SIDE = 64
RED, BLUE, WHITE = (200, 30, 20), (20, 40, 180), (255, 255, 255)


def block(rows: slice, columns: slice, colour: tuple[int, int, int]) -> np.ndarray:
    """Return a picture of one opaque rectangle."""
    rgba = np.zeros((SIDE, SIDE, 4), np.uint8)
    rgba[rows, columns] = (*colour, 255)
    return rgba


def flag() -> np.ndarray:
    """Return a front that is wider to its right, red above and blue below."""
    rgba = block(slice(10, 30), slice(20, 50), RED)
    rgba[30:50, 20:30] = (*BLUE, 255)
    return rgba


def noisy(rgba: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a picture with colours off by up to 40."""
    off = np.random.default_rng(seed).integers(-40, 41, (SIDE, SIDE, 3))
    result = rgba.copy()
    result[..., :3] = np.clip(rgba[..., :3].astype(int) + off, 0, 255)
    return result


def test_the_back_gets_the_mirrored_outline_and_the_front_stays():
    front = flag()
    guess = block(slice(12, 48), slice(18, 44), RED)
    found = led_by_front(np.stack([front, guess, guess, guess]))
    np.testing.assert_array_equal(found[0], front)
    np.testing.assert_array_equal(found[2, ..., 3], front[:, ::-1, 3])
    np.testing.assert_array_equal(found[1, ..., 3], guess[..., 3])


def test_another_size_is_taken_where_the_guess_clearly_says_so():
    front = block(slice(16, 48), slice(16, 48), RED)
    guess = block(slice(20, 44), slice(20, 44), RED)  # three quarters as large
    back = led_by_front(np.stack([front, guess, guess, guess]))[2]
    assert (back[..., 3] > 127).sum() == pytest.approx(24 * 24, rel=0.1)


def test_colours_become_those_of_the_front_at_their_height():
    front = flag()
    found = led_by_front(np.stack([front, *(noisy(flag(), seed) for seed in range(3))]))
    for view in found[1:]:
        above, below = view[12:26][view[12:26, :, 3] > 0], view[34:46][view[34:46, :, 3] > 0]
        assert np.abs(above[:, :3].astype(int) - RED).max() <= 1
        assert np.abs(below[:, :3].astype(int) - BLUE).max() <= 1


def test_white_between_coloured_parts_is_background_unless_the_front_is_white():
    side = block(slice(10, 50), slice(20, 44), RED)
    side[30:50, 28:36, :3] = WHITE
    red = block(slice(10, 50), slice(20, 44), RED)
    found = led_by_front(np.stack([red, side, red, side]))
    assert (found[1, 34:48, 28:36, 3] == 0).all()
    assert (found[1, 34:48, 20:28, 3] == 255).all()
    white = block(slice(10, 50), slice(20, 44), WHITE)
    found = led_by_front(np.stack([white, side, white, side]))
    np.testing.assert_array_equal(found[1, ..., 3], side[..., 3])


def test_nothing_is_made_of_nothing():
    empty = np.zeros((SIDE, SIDE, 4), np.uint8)
    found = led_by_front(np.stack([flag(), empty, empty, flag()]))
    assert not found[1:3, ..., 3].any()
    views = np.stack([empty, flag(), flag(), flag()])
    assert led_by_front(views)[1:2].tolist() == views[1:2].tolist()

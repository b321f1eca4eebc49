from dataclasses import replace

import numpy as np
import pytest

from assets3d.textures.world.scatter import (
    Pieces,
    joined,
    pushed_apart,
    scattered_pieces,
    strewn,
)
from assets3d.textures.world.waves import crest_phase, wave_field


def some_pieces(count=40, seed=0):
    return scattered_pieces(count, (0.02, 0.09), (0.3, 1.0), np.random.default_rng(seed))


def dome(u, v, k):
    return 1.0 - u * u - v * v + 0.01 * k


def one_piece(x, y, length, width, angle=0.0):
    return Pieces(*(np.array([value]) for value in (x, y, length, width, angle)))


def test_moving_all_pieces_rolls_the_picture():
    pieces = some_pieces()
    here = strewn(64, pieces, dome)
    moved = replace(pieces, x=(pieces.x + 24 / 64) % 1.0, y=(pieces.y + 50 / 64) % 1.0)
    there = strewn(64, moved, dome)
    rolled = np.roll(here.height, (50, 24), axis=(0, 1))
    # Pixels on the rim of a piece may fall to either side.
    differ = np.abs(np.nan_to_num(there.height, neginf=-1) - np.nan_to_num(rolled, neginf=-1))
    assert np.mean(differ > 1e-3) < 0.002


def test_a_picture_of_a_third_has_the_same_pixels():
    pieces = some_pieces()
    small, large = strewn(40, pieces, dome), strewn(120, pieces, dome)
    assert np.mean(small.index != large.index[1::3, 1::3]) < 0.002


@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi / 2])
def test_a_piece_covers_its_ellipse_also_across_the_wrap(angle):
    seen = strewn(200, one_piece(0.99, 0.02, 0.2, 0.05, angle), dome)
    assert seen.covered.mean() == pytest.approx(np.pi * 0.2 * 0.05, rel=0.03)
    assert (seen.u[seen.covered] ** 2 + seen.v[seen.covered] ** 2).max() < 1.0


def test_the_angle_turns_from_right_towards_down():
    seen = strewn(100, one_piece(0.5, 0.5, 0.3, 0.03, np.pi / 4), dome)
    assert seen.covered[70, 70] and seen.covered[30, 30]
    assert not seen.covered[30, 70] and not seen.covered[70, 30]


def test_the_highest_piece_is_seen():
    both = joined(one_piece(0.5, 0.5, 0.2, 0.2), one_piece(0.5, 0.5, 0.1, 0.1))
    level = np.array([0.0, 5.0])
    seen = strewn(50, both, lambda u, v, k: level[k] - u * u - v * v)
    assert seen.index[25, 25] == 1 and seen.index[25, 33] == 0
    assert seen.height[25, 25] == pytest.approx(5.0, abs=0.05)
    assert not seen.covered[0, 0] and seen.height[0, 0] == -np.inf


def test_a_profile_may_leave_parts_out():
    seen = strewn(50, one_piece(0.5, 0.5, 0.3, 0.3), lambda u, v, k: np.where(u > 0, u, -np.inf))
    assert seen.covered[25, 30] and not seen.covered[25, 20]


def test_pushed_apart_pieces_overlap_less():
    pieces = scattered_pieces(200, (0.02, 0.04), (0.8, 1.0), np.random.default_rng(1))

    def covered(some):
        return strewn(128, some, dome).covered.mean()

    apart = pushed_apart(pieces)
    assert covered(apart) > covered(pieces) + 0.05
    assert (apart.x >= 0).all() and (apart.x < 1).all()


def test_no_pair_near_enough_to_push():
    pieces = joined(one_piece(0.1, 0.1, 0.01, 0.01), one_piece(0.6, 0.6, 0.01, 0.01))
    np.testing.assert_array_equal(pushed_apart(pieces).x, pieces.x)


def test_waves_without_spread_are_perfect():
    field = wave_field(60, (4, 0), (0, 0), np.random.default_rng(3))
    phase = crest_phase(field)
    assert 0.0 <= phase.min() and phase.max() < 1.0
    # Four crests going right, none going down.
    steps = (np.diff(phase, axis=1) + 0.5) % 1.0 - 0.5
    np.testing.assert_allclose(steps, 4 / 60, atol=1e-5)
    steps = (np.diff(phase, axis=0) + 0.5) % 1.0 - 0.5
    np.testing.assert_allclose(steps, 0.0, atol=1e-5)


def test_waves_are_of_strength_one_and_the_same_at_every_size():
    small, large = (
        wave_field(size, (6, 3), (1.5, 1.5), np.random.default_rng(4)) for size in (32, 96)
    )
    np.testing.assert_allclose(small, large[1::3, 1::3], atol=1e-5)
    powers = [
        np.mean(np.abs(wave_field(64, (6, 3), (1.5, 1.5), np.random.default_rng(seed))) ** 2)
        for seed in range(20)
    ]
    assert 0.7 < np.mean(powers) < 1.4


def test_waves_tile():
    """The step over the wrap is like any other."""
    field = wave_field(64, (5, 2), (1, 1), np.random.default_rng(5))
    for axis in (0, 1):
        steps = np.abs(field - np.roll(field, 1, axis)).mean(axis=1 - axis)
        assert steps[0] < 1.5 * steps.mean()

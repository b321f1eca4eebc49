"""Cutting without a model: exact tiles of the picture's own pixels, and patterns that survive."""

import numpy as np
import pytest
import skimage.data

from assets3d.textures.seamless.blending import blended, steps_down, steps_right
from assets3d.textures.seamless.cuts import cut_down, difference
from assets3d.textures.seamless.patch import VISIBLE_CUT, patched
from assets3d.textures.seamless.periods import find_window
from assets3d.textures.seams import passes, seam_report
from tests.textures.seamless.stand_ins import cropped_picture


def _colour(grey):
    return np.repeat(grey[..., None], 3, axis=2)


def _bricks(size_px, length, height, lean=0.0, seed=0):
    """Return a wall whose courses are shifted by half a brick, each brick of its own colour."""
    y, x = np.mgrid[:size_px, :size_px].astype(float)
    x, y = x + lean * y, y - lean * x
    course = np.floor(y / height)
    along = x / length + 0.5 * (course % 2)
    joint = (y % height < 4) | ((along % 1.0) * length < 4)
    number = (course * 7919 + np.floor(along) * 104729).astype(int) % 1009
    colours = np.random.default_rng(seed).integers(90, 150, (1009, 3))
    return np.where(joint[..., None], 220, colours[number]).astype(np.uint8)


@pytest.mark.parametrize("name", ["gravel", "grass", "brick"])
def test_photographs_tile(name):
    picture = _colour(getattr(skimage.data, name)())
    assert not passes(seam_report(picture[:400, :400], "colour"), "colour")
    tile = patched(picture, 256).tile
    assert tile.shape == (256, 256, 3)
    assert tile.dtype == np.uint8
    for offset in (0, 91):
        report = seam_report(np.roll(tile, (offset, offset), axis=(0, 1)), "colour")
        assert passes(report, "colour", slack=1.0 if offset == 0 else 1.3)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 64), (256, 65)])
@pytest.mark.parametrize("size_px", [64, 100, 300])
def test_any_shape_gives_the_size_asked_for_and_always_the_same_bytes(width, height, size_px):
    picture = cropped_picture(height, 0, width_px=width)
    tile = patched(picture, size_px).tile
    assert tile.shape == (size_px, size_px, 3)
    assert np.array_equal(tile, patched(picture, size_px).tile)


def test_plain_pictures_stay_plain():
    plain = np.full((90, 120, 3), (10, 200, 255), np.uint8)
    assert (patched(plain, 64).tile == (10, 200, 255)).all()


def test_nothing_becomes_softer_or_changes_its_colour():
    picture = _colour(skimage.data.gravel())
    tile = patched(picture, 512).tile.astype(float)
    assert abs(tile.mean() - picture.mean()) < 3.0
    sharpness = [np.abs(np.diff(each.astype(float), axis=1)).mean() for each in (tile, picture)]
    # 512 px show a period of about 430.
    assert sharpness[0] > 0.7 * sharpness[1]
    at_wrap = np.abs(tile[:, 0] - tile[:, -1]).mean()
    assert 0.6 * sharpness[0] < at_wrap < 1.4 * sharpness[0]


def test_a_cut_through_things_is_told_from_one_round_them():
    """The wrap is whole in every one of them; what shows lies inside the tile."""
    good = [patched(_colour(getattr(skimage.data, name)()), 256) for name in ("gravel", "grass")]
    bad = [
        patched(skimage.data.astronaut(), 256),
        patched(_colour(skimage.data.brick()), 256),  # taken at an angle: courses do not meet
    ]
    assert max(patch.cut for patch in good) < 0.6 * VISIBLE_CUT
    assert min(patch.cut for patch in bad) > VISIBLE_CUT
    assert all(0.5 < share < 0.9 for patch in good for share in patch.shown)


@pytest.mark.parametrize("lean", [0.0, 0.02, -0.03])
def test_bricks_keep_their_courses(lean):
    """Whole bricks in x, an even number of courses in y, upright however the camera was held."""
    length, height = 61.0, 27.0
    window = find_window(_bricks(400, length, height, lean).astype(np.float32))
    bricks = np.hypot(*window.across) / (length / np.hypot(1.0, lean))
    courses = np.hypot(*window.down) / (height / np.hypot(1.0, lean))
    assert abs(bricks - round(bricks)) < 0.05
    assert abs(courses / 2 - round(courses / 2)) < 0.05
    assert window.across[1] / window.across[0] == pytest.approx(lean, abs=0.006)
    assert -window.down[0] / window.down[1] == pytest.approx(lean, abs=0.006)


def test_windows_stay_inside_the_picture():
    for shape in ((64, 64), (300, 200), (128, 500)):
        picture = cropped_picture(shape[0], 1, width_px=shape[1]).astype(np.float32)
        window = find_window(picture)
        over = 1.0 + np.array(window.overlap)
        corners = [
            window.origin + i * over[0] * window.across + j * over[1] * window.down
            for i in (0, 1)
            for j in (0, 1)
        ]
        assert (np.array(corners) > -0.01).all()
        assert (np.array(corners) < np.array(shape[::-1]) + 0.01).all()
        assert min(window.overlap) > 0.05


def test_cuts_go_where_the_copies_agree():
    first = np.zeros((40, 20, 3), np.float32)
    second = np.full((40, 20, 3), 90, np.float32)
    way = 10 + np.round(4 * np.sin(np.arange(40) / 4)).astype(int)
    for row, column in enumerate(way):
        second[row, column - 1 : column + 2] = 0
    beyond, _ = cut_down(difference(first, second))
    assert not beyond[:, 0].any()
    assert beyond[:, -1].all()
    assert np.abs(beyond.argmax(axis=1) - way).max() <= 3


@pytest.mark.parametrize("seed", range(5))
def test_closed_cuts_close(seed):
    cost = np.random.default_rng(seed).uniform(size=(50, 16)) ** 2
    beyond, _ = cut_down(cost, closed=True)
    twice = np.concatenate([beyond, beyond])
    # The two sides are one piece each, on the ring too: no row is all of one.
    from scipy.ndimage import label

    for side in (twice, ~twice):
        pieces, _ = label(side)
        anchor = pieces[0, -1] if side is twice else pieces[0, 0]
        assert (pieces[:, -1 if side is twice else 0] == anchor).all()
    assert not beyond[:, 0].any()
    assert beyond[:, -1].all()


def test_a_picture_with_its_own_steps_stays_as_it_is():
    rng = np.random.default_rng(0)
    picture = rng.normal(size=(24, 36, 3)).astype(np.float32)
    right, down = steps_right(picture), steps_down(picture)
    right[:, -1], down[-1] = picture[:, 0] - picture[:, -1], picture[0] - picture[-1]
    assert np.allclose(blended(picture, right, down, 5.0), picture, atol=1e-4)


def test_a_step_that_is_not_wanted_is_spread():
    picture = np.zeros((32, 64, 3), np.float32)
    picture[:, 16:48] = 1.0
    none = np.zeros_like(picture)
    found = blended(picture, none, none, 100.0)
    assert np.abs(np.diff(found, axis=1)).max() < 0.05
    assert found.mean() == pytest.approx(picture.mean(), abs=1e-5)

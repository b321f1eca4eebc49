import numpy as np

from assets3d.cameras import four_views
from assets3d.splats.hull import Hull
from assets3d.splats.outline_cover import coverage, with_outlines_filled
from assets3d.splats.silhouettes import measure_silhouettes, sample_distance, sightings
from tests.splats.solids import ball, box, render_solid

CAMERAS = four_views(96)
SPACING, COUNT = 0.04, 40


def grid():
    low = np.full(3, -SPACING * (COUNT - 1) / 2.0)
    points = Hull(np.zeros((COUNT,) * 3, dtype=np.float32), low, SPACING).points
    return points.astype(np.float32).reshape(-1, COUNT, 3)


def outlines_of(solid):
    points = grid()
    silhouettes = measure_silhouettes(render_solid(solid, CAMERAS))
    where = sightings(CAMERAS, points)
    allowed = np.min(
        [sample_distance(silhouettes, v, s.pixels) * s.unit for v, s in enumerate(where)], axis=0
    )
    return points, silhouettes, where, allowed


def filled(silhouettes, where, distance):
    return [coverage(silhouettes, v, s, distance > 0.0, SPACING) for v, s in enumerate(where)]


def test_the_bare_hull_fills_its_outlines_and_half_of_it_half_of_them():
    points, silhouettes, where, allowed = outlines_of(box(0.4, 0.4, 0.4))
    assert min(filled(silhouettes, where, allowed)) > 0.95
    upper = np.where(points[..., 1] > 0.0, allowed, -1.0)
    np.testing.assert_allclose(filled(silhouettes, where, upper), 0.5, atol=0.1)
    assert filled(silhouettes, where, np.full_like(allowed, -1.0)) == [0.0] * 4


def test_a_part_that_a_guess_left_out_comes_back_where_the_guess_was_nearest_to_it():
    points, silhouettes, where, allowed = outlines_of(box(0.4, 0.4, 0.4))
    # The guess lost what lies right of x = 0.3, and most nearly kept it at z = 0.
    lost = 0.3 - points[..., 0] - 0.5 * np.abs(points[..., 2])
    guess = np.minimum(allowed, lost).astype(np.float32)
    found = with_outlines_filled(silhouettes, where, guess, allowed, SPACING)
    before, after = filled(silhouettes, where, guess), filled(silhouettes, where, found)
    assert before[0] < 0.87
    assert after[0] > 0.95
    back = (found > 0.0) & (guess <= 0.0) & (points[..., 0] > 0.32)
    assert np.quantile(np.abs(points[back][:, 2]), 0.9) < 0.2


def test_nothing_grows_beyond_the_outlines_and_nothing_shrinks():
    points, silhouettes, where, allowed = outlines_of(ball(0.5))
    guess = np.minimum(allowed, 0.42 - np.linalg.norm(points, axis=-1)).astype(np.float32)
    found = with_outlines_filled(silhouettes, where, guess, allowed, SPACING)
    assert (found >= guess).all()
    assert (found <= np.maximum(allowed, guess) + 1e-6).all()


def test_a_guess_that_fills_its_outlines_stays_as_it_is():
    _, silhouettes, where, allowed = outlines_of(box(0.4, 0.4, 0.4))
    deeper = np.where(allowed > 0.0, np.maximum(allowed, SPACING), allowed).astype(np.float32)
    same = with_outlines_filled(silhouettes, where, deeper, deeper, SPACING)
    np.testing.assert_array_equal(same, deeper)


def test_what_is_missing_by_far_is_another_part_and_stays_missing():
    _, silhouettes, where, allowed = outlines_of(box(0.4, 0.4, 0.4))
    nothing = np.full_like(allowed, -20.0 * SPACING)
    found = with_outlines_filled(silhouettes, where, nothing, allowed, SPACING)
    np.testing.assert_array_equal(found, nothing)
    assert max(filled(silhouettes, where, found)) == 0.0
    empty = with_outlines_filled(silhouettes, where, nothing, nothing, SPACING)
    np.testing.assert_array_equal(empty, nothing)

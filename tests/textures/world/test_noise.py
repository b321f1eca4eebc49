import numpy as np
import pytest

from assets3d.textures.world.lattices import courses, herringbone, jittered_points
from assets3d.textures.world.noise import cellular, fbm, grid, ridged
from assets3d.textures.world.voronoi import stones


@pytest.mark.parametrize("noise", [fbm, ridged])
def test_noise_repeats_after_whole_numbers(noise):
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 500))
    here = noise(x, y, (3, 8), 4, np.random.default_rng(1))
    there = noise(x + 2, y - 1, (3, 8), 4, np.random.default_rng(1))
    np.testing.assert_allclose(here, there, atol=1e-5)


@pytest.mark.parametrize("noise", [fbm, ridged])
def test_the_way_per_axis_equals_the_way_per_point(noise):
    x, y = grid(64)
    per_axis = noise(x, y, 5, 3, np.random.default_rng(2))
    per_point = noise(x.copy(), y.copy(), 5, 3, np.random.default_rng(2))
    np.testing.assert_allclose(per_axis, per_point, atol=1e-5)


def test_noise_is_one_field_at_every_size():
    fine = fbm(*grid(256), 4, 3, np.random.default_rng(3))
    coarse = fbm(*grid(64), 4, 3, np.random.default_rng(3))
    mean = fine.reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert np.abs(mean - coarse).max() < 0.05


def test_octaves_under_two_pixels_are_drawn_but_left_out():
    generator, other = np.random.default_rng(4), np.random.default_rng(4)
    fbm(*grid(16), 4, 6, generator)
    fbm(*grid(256), 4, 6, other)
    assert generator.random() == other.random()
    assert np.abs(np.diff(fbm(*grid(16), 64, 2, generator))).max() == 0.0


def test_noise_has_zero_mean_and_the_promised_spread():
    fields = np.stack([fbm(*grid(128), 6, 4, np.random.default_rng(k)) for k in range(8)])
    assert abs(fields.mean()) < 0.03
    assert 0.28 < fields.std() < 0.42
    assert np.abs(fields).max() < 1.5


def test_cellular_finds_the_nearest_points_on_the_torus():
    rng = np.random.default_rng(5)
    points, (x, y) = rng.random((20, 2)), rng.random((2, 200))
    found = cellular(x, y, points)
    offsets = np.stack([x, y], axis=1)[:, None] - points
    distances = np.linalg.norm(offsets - np.round(offsets), axis=2)
    order = np.sort(distances, axis=1)
    np.testing.assert_array_equal(found.index, distances.argmin(axis=1))
    np.testing.assert_allclose(found.nearest, order[:, 0])
    np.testing.assert_allclose(found.second, order[:, 1])


def test_stones_know_the_distance_to_their_walls():
    rng = np.random.default_rng(6)
    points = jittered_points(5, 4, 0.8, rng)
    x, y = grid(96)
    found = stones(x, y, points, cellular(x, y, points))
    assert (found.edge >= -1e-6).all()
    # Slope 1 wherever the nearest wall does not change: nearly everywhere.
    slope = np.hypot(*np.gradient(found.edge, 1 / 96))[1:-1, 1:-1]
    assert abs(np.median(slope) - 1.0) < 1e-3
    # At a wall two points are equally near.
    cells = cellular(x, y, points)
    apart = (cells.second - cells.nearest)[found.edge < 0.002]
    assert apart.max() < 0.005
    rounded = stones(x, y, points, cells, rounding=0.01)
    assert (rounded.edge <= found.edge + 1e-6).all()


def test_stones_repeat_after_whole_numbers():
    points = jittered_points(4, 4, 0.5, np.random.default_rng(7))
    x, y = np.random.default_rng(8).random((2, 20, 20))
    here = stones(x, y, points, cellular(x, y, points))
    there = stones(x + 1, y - 1, points, cellular(x + 1, y - 1, points))
    np.testing.assert_allclose(here.edge, there.edge, atol=1e-5)
    np.testing.assert_array_equal(here.index, there.index)


@pytest.mark.parametrize("shift", [0.0, 0.5, 0.3])
def test_courses_fill_the_tile(shift):
    x, y = grid(128)
    found = courses(
        x, y, 4, 6, np.random.default_rng(9), shift=shift, column_jitter=0.2, row_jitter=0.2
    )
    assert set(np.unique(found.index)) == set(range(24))
    assert (np.abs(found.u) <= found.half_width + 1e-9).all()
    assert (np.abs(found.v) <= found.half_height + 1e-9).all()
    areas = np.bincount(found.index.ravel()) / found.index.size
    sides = np.zeros(24)
    sides[found.index] = 4 * found.half_width * found.half_height
    np.testing.assert_allclose(areas, sides, rtol=0.15)


def test_courses_and_herringbone_repeat_after_whole_numbers():
    x, y = np.random.default_rng(10).random((2, 30, 30))
    for lattice in (
        lambda x, y: courses(x, y, 3, 4, np.random.default_rng(11), column_jitter=0.2),
        lambda x, y: herringbone(x, y, 8),
    ):
        here, there = lattice(x, y), lattice(x + 1, y + 2)
        np.testing.assert_array_equal(here.index, there.index)
        np.testing.assert_allclose(here.u, there.u, atol=1e-9)
        np.testing.assert_allclose(here.v, there.v, atol=1e-9)


def test_herringbone_bricks_are_two_by_one():
    x, y = grid(128)
    found = herringbone(x, y, 8)
    numbers, areas = np.unique(found.index, return_counts=True)
    assert len(numbers) == 32
    assert (areas == 2 * 16 * 16).all()
    assert (np.abs(found.u) <= found.half_width).all()
    assert (np.abs(found.v) <= found.half_height).all()


def test_herringbone_wants_a_multiple_of_four():
    with pytest.raises(ValueError, match="multiple of 4"):
        herringbone(*grid(8), 6)


def test_rounded_edges_are_distances():
    x, y = grid(64)
    found = courses(x, y, 1, 1, np.random.default_rng(0))
    sharp, rounded = found.edge(), found.edge(0.2)
    assert sharp[32, 32] == pytest.approx(0.5, abs=0.02)
    assert rounded[32, 32] == pytest.approx(0.5, abs=0.02)
    assert rounded[0, 0] < 0 < sharp[0, 0]
    np.testing.assert_allclose(rounded[32], sharp[32], atol=1e-9)

import numpy as np
import pytest

from motion import features as f
from motion.control.trajectory import (
    FUTURE,
    POINTS,
    ROOT,
    Trajectory,
    curvature,
    future_predicted,
    past_shifted,
    resting,
    root_freedom,
    root_moved,
)


def _random(seed: int = 0) -> Trajectory:
    random = np.random.default_rng(seed)
    angles = random.uniform(-3, 3, POINTS)
    return Trajectory(
        random.normal(size=(POINTS, 2)),
        np.stack([np.sin(angles), np.cos(angles)], axis=1),
        random.normal(size=(POINTS, 2)),
        random.uniform(size=POINTS),
        random.dirichlet(np.ones(6), POINTS),
    )


def _along(points) -> Trajectory:
    at_rest = resting(np.zeros(3))
    return Trajectory(
        np.asarray(points, float),
        at_rest.directions,
        at_rest.velocities_m_s,
        at_rest.speeds_m_s,
        at_rest.styles,
    )


def test_samples_are_every_tenth_point_so_the_past_is_ten_frames_apart_and_the_future_twelve():
    trajectory = _random()
    samples = trajectory.samples()
    np.testing.assert_array_equal(samples.positions_m, trajectory.positions_m[[*range(0, 111, 10)]])
    # A point lies (k - 60) frames back, or (k - 60) fiftieths of a second ahead.
    times = [(k - 60) / 60 if k < 60 else (k - 60) / 50 for k in range(0, 111, 10)]
    np.testing.assert_allclose(times, f.SAMPLE_TIMES_S)


def test_roots_are_points_60_and_59():
    trajectory = _random()
    for root, point in ((trajectory.root, 60), (trajectory.previous_root, 59)):
        np.testing.assert_array_equal(root[:2], trajectory.positions_m[point])
        np.testing.assert_allclose([np.sin(root[2]), np.cos(root[2])], trajectory.directions[point])


def test_resting_looks_where_it_is_told_and_is_idle():
    trajectory = resting(np.array([1.0, 2.0, np.pi / 2]))
    np.testing.assert_allclose(trajectory.root, [1, 2, np.pi / 2])
    np.testing.assert_allclose(trajectory.directions, np.tile([1.0, 0.0], (111, 1)), atol=1e-15)
    assert (trajectory.styles[:, f.IDLE] == 1).all() and trajectory.styles.sum() == 111


@pytest.mark.parametrize(("turn", "wanted"), [(0.0, 0.0), (90.0, 0.5), (-90.0, 0.5), (400.0, 1.0)])
def test_curvature_is_the_turn_between_segments_over_half_a_circle(turn, wanted):
    # Ten bends of turn/10 between eleven straight segments of samples.
    headings = np.radians(np.arange(11) * turn / 10)
    steps = np.stack([np.sin(headings), np.cos(headings)], axis=1)
    corners = np.concatenate([[[0, 0]], np.cumsum(steps, axis=0)])
    points = np.stack([np.interp(np.arange(111) / 10, np.arange(12), c) for c in corners.T], 1)
    assert curvature(_along(points)) == pytest.approx(wanted, abs=1e-9)


def test_curvature_ignores_steps_of_no_length_and_bends_that_cancel():
    assert curvature(resting(np.zeros(3))) == 0
    zigzag = np.stack([np.arange(111) // 10 % 2, np.arange(111) / 10], axis=1).astype(float)
    assert curvature(_along(zigzag)) < 0.5


@pytest.mark.parametrize(
    ("styles", "wanted"),
    [
        ([1, 0, 0, 0, 0, 0], 0.0),
        ([0, 1, 0, 0, 0, 0], 1.0),
        ([0.9375, 0.0625, 0, 0, 0, 0], 0.5),  # (1/16)^(1/4)
        ([0, 0.25, 0, 0.25, 0.25, 0.25], 0.5),  # (1 - 3/4)^(1/2)
        ([0, 0, 0, 0.5, 0, 0.5 + 1e-12], 0.0),
    ],
)
def test_root_motion_counts_by_the_smaller_of_two_roots(styles, wanted):
    assert root_freedom(np.array(styles, float)) == pytest.approx(wanted)


def test_past_slides_by_one_and_the_future_stays():
    trajectory = _random()
    slid = past_shifted(trajectory)
    for name in vars(trajectory):
        old, new = getattr(trajectory, name), getattr(slid, name)
        np.testing.assert_array_equal(new[:60], old[1:61])
        np.testing.assert_array_equal(new[60:], old[60:])


def test_root_moves_in_its_old_axes_and_carries_the_future_in_its_new_ones():
    start = resting(np.array([3.0, 4.0, np.pi / 2]))  # looks along +X, its left is -Z
    moved = root_moved(start, np.array([0.1, np.pi / 2, 0.2]), add_velocity=True)
    np.testing.assert_allclose(moved.positions_m[ROOT], [3.2, 3.9])
    np.testing.assert_allclose(moved.velocities_m_s[ROOT], [12, -6], atol=1e-9)
    # After the turn it looks along -Z and its left is -X.
    np.testing.assert_allclose(moved.positions_m[FUTURE], np.tile([2.9, 3.8], (50, 1)))
    np.testing.assert_allclose(moved.velocities_m_s[FUTURE], np.tile([-6.0, -12.0], (50, 1)))
    np.testing.assert_allclose(moved.directions[ROOT:], np.tile([0.0, -1.0], (51, 1)), atol=1e-12)
    np.testing.assert_array_equal(moved.positions_m[:ROOT], start.positions_m[:ROOT])
    np.testing.assert_array_equal(moved.directions[:ROOT], start.directions[:ROOT])


def test_future_velocities_turn_with_the_animal_or_gather_its_own():
    start = _random()
    step = np.array([0.1, 0.3, 0.2])
    gathered = root_moved(start, step, add_velocity=True).velocities_m_s[FUTURE]
    with_it = root_moved(start, step, add_velocity=False).velocities_m_s[FUTURE]
    offset = f.turned(np.array([6.0, 12.0]), start.root[2] + 0.3)
    np.testing.assert_allclose(gathered, start.velocities_m_s[FUTURE] + offset)
    np.testing.assert_allclose(with_it, f.turned(start.velocities_m_s[FUTURE], 0.3))


def _predicted(seed: int) -> f.Samples:
    random = np.random.default_rng(seed)
    directions = np.array([[0.0, 2.0], [3.0, 0.0], *random.normal(size=(4, 2))])
    return f.Samples(random.normal(size=(6, 2)), directions, random.normal(size=(6, 2)))


def test_future_lies_between_the_two_samples_that_bracket_a_point():
    trajectory, samples = _random(1), _predicted(2)
    new = future_predicted(trajectory, samples, 1.0, unit_directions=False)
    # Point 65 is half way between samples 0 (the present, point 60) and 1 (point 70).
    velocity = (samples.velocities_m_s[0] + samples.velocities_m_s[1]) / 2
    np.testing.assert_allclose(new.velocities_m_s[65], velocity)
    np.testing.assert_allclose(new.directions[65], [np.sqrt(0.5)] * 2)  # normalised before, after
    position = (samples.positions_m[0] + samples.positions_m[1]) / 2
    drifted = trajectory.positions_m[65] + velocity / 60
    np.testing.assert_allclose(new.positions_m[65], (drifted + position) / 2)
    # Point 110 is the last sample, point 103 three tenths after sample 4.
    np.testing.assert_allclose(new.velocities_m_s[110], samples.velocities_m_s[5])
    wanted = 0.7 * samples.velocities_m_s[4] + 0.3 * samples.velocities_m_s[5]
    np.testing.assert_allclose(new.velocities_m_s[103], wanted)
    for name in ("positions_m", "directions", "velocities_m_s"):
        np.testing.assert_array_equal(getattr(new, name)[:61], getattr(trajectory, name)[:61])


def test_correction_is_the_share_of_the_prediction():
    trajectory, samples = _random(3), _predicted(4)
    none, part, full = (
        future_predicted(trajectory, samples, share, unit_directions=False)
        for share in (0.0, 0.25, 1.0)
    )
    for name in ("positions_m", "directions", "velocities_m_s"):
        old = getattr(trajectory, name)
        np.testing.assert_allclose(getattr(none, name), old)
        np.testing.assert_allclose(
            getattr(part, name), 0.75 * old + 0.25 * getattr(full, name), atol=1e-12
        )
    unit = future_predicted(trajectory, samples, 0.25, unit_directions=True)
    np.testing.assert_allclose(np.linalg.norm(unit.directions, axis=1), 1)
    assert np.linalg.norm(part.directions[FUTURE], axis=1).min() < 0.9

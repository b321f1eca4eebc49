"""The laws of control, each against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from assets3d.errors import InputError
from motion.control.command import Command
from motion.control.future import future_wanted, styles_wanted
from motion.control.settings import ControlSettings
from motion.control.steering import steered
from motion.control.steering_state import resting_steering, wrapped
from motion.control.trajectory import ROOT, resting
from motion.features import IDLE, JUMP, MOVE, SIT

DEMO, CLOSED = ControlSettings.demo(), ControlSettings()
STRAIGHT = np.array([0.0, 1.0])


def _running(speed=0.0, style=MOVE, yaw=0.0, bent=False):
    """A trajectory at a speed, wholly of one style; bent by a right angle if wanted."""
    trajectory = resting(np.array([0.0, 0.0, yaw]))
    velocities = trajectory.velocities_m_s.copy()
    velocities[ROOT] = speed * trajectory.directions[ROOT]
    positions = trajectory.positions_m.copy()
    if bent:
        positions[:61, 1] = np.arange(61) / 60
        positions[60:, 1], positions[60:, 0] = 1.0, np.arange(51) / 50
    styles = np.zeros_like(trajectory.styles)
    styles[:, style] = 1.0
    return replace(trajectory, velocities_m_s=velocities, styles=styles, positions_m=positions)


def _first(trajectory, command, settings, steering=None):
    return steered(steering or resting_steering(trajectory.root), trajectory, command, settings)


def test_demo_speed_is_the_styles_own_and_a_pid_of_what_is_missing():
    steering, _, _ = _first(_running(1.0), Command("move"), DEMO)
    error = 1.2 - 1.0
    bias = 1.2 + 0.2 * error + 0.8 * error / 60
    # Keys ahead: lerp(bias, bias, v / 6) = bias; the target velocity goes a quarter of the way.
    np.testing.assert_allclose(steering.velocity_m_s, [0, 0.25 * bias])
    assert steering.speed_error_sum_m == pytest.approx(error / 60)


def test_demo_pid_sees_less_error_in_a_bend_and_is_reset_by_a_turn():
    steering, _, _ = _first(_running(1.0, bent=True), Command("move"), DEMO)
    # A right angle bends by 0.5: the goal is half way between target and current speed.
    assert steering.speed_error_sum_m == pytest.approx(0.1 / 60)
    turning, _, _ = _first(_running(1.0), Command("move", turn_rad_s=0.5), DEMO, steering)
    assert turning.speed_error_sum_m == 0 and turning.speed_error_m_s == 0
    assert turning.velocity_m_s @ turning.velocity_m_s > 0


def test_demo_turn_aims_sixty_degrees_aside_at_full_turn():
    for rate, aside in ((np.radians(60), 60), (np.radians(-30), -30), (9.0, 60)):
        steering, _, _ = _first(_running(1.0), Command("move", turn_rad_s=rate), DEMO)
        aim = np.array([np.sin(np.radians(aside)), np.cos(np.radians(aside))])
        np.testing.assert_allclose(steering.direction, 0.75 * STRAIGHT + 0.25 * aim)
    heading, _, _ = _first(_running(yaw=0.2), Command("move", heading_rad=0.5), DEMO)
    expected = 0.75 * np.array([np.sin(0.2), np.cos(0.2)]) + 0.25 * np.array(
        [np.sin(0.5), np.cos(0.5)]
    )
    np.testing.assert_allclose(heading.direction, expected)


def test_demo_turn_without_keys_to_go_steps_ahead_at_two_thirds():
    still = Command("move", speed_m_s=0.0, turn_rad_s=0.5)
    steering, _, controlled = _first(_running(0.0, IDLE), still, DEMO)
    assert controlled
    assert np.linalg.norm(steering.velocity_m_s) == pytest.approx(0.25 * 2 / 3)


def test_demo_sideways_keys_with_a_turn_become_diagonal():
    left = Command("move", speed_m_s=1.0, turn_rad_s=0.5, travel_rad=np.pi / 2)
    steering, _, _ = _first(_running(0.0), left, DEMO)
    speed = np.linalg.norm(steering.velocity_m_s)
    along = steering.direction / np.linalg.norm(steering.direction)
    across = np.array([along[1], -along[0]])  # left
    np.testing.assert_allclose(
        [steering.velocity_m_s @ across, steering.velocity_m_s @ along],
        0.25 * np.array([1, 1]) / np.sqrt(2),
    )
    assert speed == pytest.approx(0.25)


def test_demo_move_is_drawn_ahead_the_faster_the_animal_is():
    left = Command("move", speed_m_s=1.5, travel_rad=np.pi / 2)
    steering, _, _ = _first(_running(1.5), left, DEMO)
    # bias = 1.5 (no error); lerp((1.5, 0), (0, 1.5), 1.5 / 6)
    np.testing.assert_allclose(steering.velocity_m_s, 0.25 * np.array([1.125, 0.375]))


def test_demo_styles_follow_the_speed():
    _, request, _ = _first(_running(0.5), Command("idle"), DEMO)
    np.testing.assert_allclose(request, [1, 0.25, 0, 0, 0, 0])
    _, request, _ = _first(_running(3.0), Command("idle"), DEMO)
    np.testing.assert_allclose(request, [1, 1, 0, 0, 0, 0])


def test_demo_glides_ahead_while_the_style_still_moves():
    steering, _, controlled = _first(_running(0.0, IDLE), Command("idle"), DEMO)
    np.testing.assert_allclose(steering.velocity_m_s, 0)
    assert not controlled
    steering, _, _ = _first(_running(0.8, IDLE), Command("idle"), DEMO)
    # move.z = max(lerp(0, bias, v / 6), 0.1 v^2), gain 0.05 without control
    assert steering.velocity_m_s[1] == pytest.approx(0.05 * 0.1 * 0.8**2)


@pytest.mark.parametrize("settings", [DEMO, CLOSED])
def test_jump_needs_a_run_up_and_a_straight(settings):
    _, slow, _ = _first(_running(0.4), Command("jump"), settings)
    _, fast, _ = _first(_running(2.0), Command("jump"), settings)
    _, bent, _ = _first(_running(2.0, bent=True), Command("jump"), settings)
    for request, style in ((slow, MOVE), (fast, JUMP), (bent, MOVE)):
        np.testing.assert_array_equal(request, np.eye(6)[style])


def test_demo_jump_drops_turn_and_goes_ahead():
    command = Command("jump", turn_rad_s=1.0, travel_rad=1.0)
    steering, _, _ = _first(_running(2.0, JUMP), command, DEMO)
    np.testing.assert_allclose(steering.direction, STRAIGHT)
    assert steering.velocity_m_s[0] == pytest.approx(0)


@pytest.mark.parametrize("settings", [DEMO, CLOSED])
def test_sitting_waits_for_half_a_metre_a_second(settings):
    _, fast, _ = _first(_running(0.6), Command("sit"), settings)
    _, slow, _ = _first(_running(0.4), Command("sit"), settings)
    assert fast[SIT] == 0 and slow[SIT] == 1
    assert slow[MOVE] == pytest.approx(0.16)


def test_correction_rises_by_a_quarter_and_decays_by_a_twentieth():
    steering, _, _ = _first(_running(1.0), Command("move"), DEMO)
    assert steering.correction == pytest.approx(0.25)
    idle, _, _ = _first(_running(0.0, IDLE), Command("idle"), DEMO, replace(steering))
    assert idle.correction == pytest.approx(0.25 * 0.95)


def test_future_blends_with_three_laws_of_distance():
    trajectory = _running(0.0)
    steering = replace(
        resting_steering(trajectory.root),
        direction=np.array([1.0, 0.0]),
        velocity_m_s=np.array([0.0, 2.0]),
    )
    new = future_wanted(trajectory, steering, DEMO)
    u = np.arange(1, 51) / 50
    steps = (1 - (1 - u) ** 0.75) * 2.0 / 50
    np.testing.assert_allclose(new.positions_m[61:, 1], np.cumsum(steps))
    share = 1 - (1 - u) ** 1.25
    np.testing.assert_allclose(new.directions[61:], np.stack([share, 1 - share], axis=1))
    np.testing.assert_allclose(new.velocities_m_s[61:, 1], 2.0 * u)
    np.testing.assert_array_equal(new.positions_m[:61], trajectory.positions_m[:61])


def test_future_steps_follow_the_points_before_the_blend():
    """p'_i - p'_(i-1) blends the old step, not the step from the new point."""
    trajectory = _running(0.0)
    positions = trajectory.positions_m.copy()
    positions[60:, 0] = np.arange(51) ** 2 / 1000
    steering = resting_steering(trajectory.root)
    new = future_wanted(replace(trajectory, positions_m=positions), steering, DEMO)
    u = np.arange(1, 51) / 50
    old = np.diff(positions[60:, 0])
    np.testing.assert_allclose(np.diff(new.positions_m[60:, 0]), old * (1 - u) ** 0.75)


def test_arc_turns_evenly_and_its_velocity_with_it():
    trajectory = _running(0.0, yaw=0.3)
    lead, speed = 0.8, 1.7
    aim = np.array([np.sin(0.3 + lead), np.cos(0.3 + lead)])
    steering = replace(
        resting_steering(trajectory.root), direction=aim, velocity_m_s=speed * aim, correction=1.0
    )
    new = future_wanted(trajectory, steering, CLOSED)
    np.testing.assert_allclose(new.directions[110], aim)
    np.testing.assert_allclose(np.linalg.norm(new.directions, axis=1), 1)
    # Half way (u = 0.5) the target velocity has turned by half the lead; its share is 0.5.
    half = np.array([np.sin(0.3 + lead / 2), np.cos(0.3 + lead / 2)])
    np.testing.assert_allclose(new.velocities_m_s[85], 0.5 * speed * half)


def test_styles_go_a_tenth_of_the_way_at_the_root_and_all_the_way_ahead():
    trajectory = _running(0.0, IDLE)
    request = np.eye(6)[MOVE]
    steering = replace(resting_steering(trajectory.root), velocity_m_s=np.array([3.0, 4.0]))
    new = styles_wanted(trajectory, request, steering, 0.25, CLOSED)
    np.testing.assert_allclose(new.styles[ROOT, :2], [0.9, 0.1])
    np.testing.assert_allclose(new.styles[85, :2], [0.45, 0.55])
    np.testing.assert_allclose(new.styles[110, :2], [0, 1], atol=1e-12)
    np.testing.assert_array_equal(new.styles[:ROOT], trajectory.styles[:ROOT])
    np.testing.assert_allclose(new.speeds_m_s[ROOT:], 0.25 * 5)
    assert (new.speeds_m_s[:ROOT] == 0).all()


def test_styles_sum_to_one_unless_nothing_is_asked_for():
    trajectory = _running(0.0, IDLE)
    both = np.array([1.0, 0.5, 0, 0, 0, 0])
    new = styles_wanted(trajectory, both, resting_steering(trajectory.root), 0.25, CLOSED)
    np.testing.assert_allclose(new.styles.sum(axis=1), 1)
    np.testing.assert_allclose(new.styles[110, :2], [2 / 3, 1 / 3])
    nothing = replace(trajectory, styles=np.zeros_like(trajectory.styles))
    new = styles_wanted(nothing, np.zeros(6), resting_steering(trajectory.root), 0.25, CLOSED)
    assert (new.styles == 0).all()


def test_closed_loop_leads_by_one_second_of_the_commanded_turn():
    trajectory, command = _running(1.0), Command("move", turn_rad_s=0.5)
    settings = replace(CLOSED, heading_gain=0.0, heading_integral=0.0, gain_moving=1.0)
    steering, _, _ = _first(trajectory, command, settings)
    assert np.arctan2(*steering.direction) == pytest.approx(0.5)
    steering, _, _ = _first(trajectory, replace(command, turn_rad_s=9.0), settings)
    assert np.arctan2(*steering.direction) == pytest.approx(np.radians(CLOSED.lead_limit_deg))


def test_kept_heading_turns_at_the_commanded_rate_as_late_as_an_animal():
    trajectory, command = _running(1.0), Command("move", turn_rad_s=0.4)
    settings = replace(CLOSED, heading_error_limit_deg=170.0)
    steering, kept = resting_steering(trajectory.root), []
    for _ in range(180):
        steering, _, _ = _first(trajectory, command, settings, steering)
        kept.append(steering.heading_rad)
    # A first-order delay: in the end the same rate, behind by rate x delay.
    assert (kept[-1] - kept[-31]) * 2 == pytest.approx(0.4, rel=1e-3)
    assert kept[-1] == pytest.approx(0.4 * (3.0 - CLOSED.turn_delay_s), rel=0.02)
    limited = resting_steering(trajectory.root)
    for _ in range(180):
        limited, _, _ = _first(trajectory, command, CLOSED, limited)
    assert limited.heading_rad == pytest.approx(np.radians(CLOSED.heading_error_limit_deg))


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_closed_loop_goes_to_a_heading_the_short_way_and_no_faster_than_it_may(rate):
    """An animal that follows at once: 3.0 to -3.0 rad is 0.28 rad to the left."""
    command = Command("move", heading_rad=-3.0, turn_rad_s=rate)
    fastest = rate or np.radians(CLOSED.turn_rate_limit_deg_s)
    trajectory = _running(1.0, yaw=3.0)
    steering, before, travelled = resting_steering(trajectory.root), 3.0, [0.0]
    for _ in range(240):
        steering, _, _ = _first(trajectory, command, CLOSED, steering)
        step = wrapped(steering.heading_rad - before)
        travelled.append(travelled[-1] + step)
        assert step <= fastest / 60 + 1e-9
        before = steering.heading_rad
        trajectory = _running(1.0, yaw=before)
    assert travelled[-1] == pytest.approx(2 * np.pi - 6.0, abs=1e-3)
    assert max(travelled) < 2 * np.pi - 6.0 + 0.03


def test_closed_loop_stores_up_no_error_while_the_animal_cannot_move():
    trajectory = _running(0.0, SIT)
    steering = resting_steering(trajectory.root)
    for _ in range(60):
        steering, _, _ = _first(trajectory, Command("move", 2.0, 0.5), CLOSED, steering)
    assert steering.speed_error_sum_m == 0 and steering.speed_m_s == 2.0
    assert steering.heading_error_sum == 0 and steering.heading_rad == 0


def test_closed_loop_speeds_up_no_faster_than_it_may():
    steering, _, _ = _first(_running(0.0), Command("move", 4.0), CLOSED)
    assert steering.speed_m_s == pytest.approx(CLOSED.acceleration_m_s2 / 60)
    for _ in range(60):
        steering, _, _ = _first(_running(0.0), Command("move", 1.0), CLOSED, steering)
    # What can be expected of it comes later: 1 - exp(-t / delay), a little less for the ramp.
    assert 0.6 < steering.expected_m_s < 1 - np.exp(-1 / CLOSED.speed_delay_s)
    stopping, _, _ = _first(_running(4.0), Command("idle"), CLOSED, replace(steering, speed_m_s=4))
    assert stopping.speed_m_s == pytest.approx(4 - CLOSED.deceleration_m_s2 / 60)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"transitions": (0.1,)}, "control.transitions: 1 numbers, wanted 6"),
        ({"root_motion_unit": "deg"}, "control.root_motion_unit: 'deg'"),
        ({"gain_idle": 0.0}, "control.gain_idle: 0.0"),
    ],
)
def test_wrong_settings_are_named(wrong, field):
    with pytest.raises(InputError, match=field):
        ControlSettings(**wrong)

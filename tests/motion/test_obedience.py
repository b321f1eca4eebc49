"""The closed loop brings an animal that answers weakly, late and askew to what was commanded."""

import numpy as np
import pytest

from motion.control.controller import ControlSettings
from motion.script import parse_script, roll_out
from tests.motion.stand_ins import Follower

WEAK: dict[str, float] = {}
STRONG = {"speed_share": 1.1, "turn_share": 1.3, "lag_s": 0.15, "pull_rad_s": -0.1}
GAITS = [("walk", 0.7), ("pace", 1.2), ("trot", 2.0), ("canter", 4.0)]


def _run(entry, network, settings=None):
    rollout = roll_out(network, parse_script([entry]), settings=settings)
    steady = slice(len(rollout) // 2, None)
    steps = np.diff(rollout.ground[:, :2], axis=0)
    speed = np.linalg.norm(steps, axis=1)[steady].mean() * 60
    return rollout.ground[steady, 2], speed


@pytest.mark.parametrize("manner", [WEAK, STRONG])
@pytest.mark.parametrize(("gait", "speed"), GAITS)
def test_speed_and_heading_settle(manner, gait, speed):
    yaw, reached = _run({gait: "12 s", "heading": "100 deg"}, Follower(**manner))
    assert reached == pytest.approx(speed, rel=0.1)
    assert np.abs(np.degrees(yaw) - 100).max() < 5


@pytest.mark.parametrize("manner", [WEAK, STRONG])
@pytest.mark.parametrize("turn", [40, -40, 15])
def test_a_commanded_turn_becomes_that_yaw_rate(manner, turn):
    yaw, reached = _run({"trot": "8 s", "turn": f"{turn} deg/s"}, Follower(**manner))
    rate = np.degrees(np.polyfit(np.arange(len(yaw)) / 60, yaw, 1)[0])
    assert rate == pytest.approx(turn, abs=1.5)
    assert reached == pytest.approx(2.0, rel=0.1)


def test_straight_on_keeps_the_heading_and_the_demo_drifts():
    entry = {"walk": "8 s"}
    kept, _ = _run(entry, Follower())
    drifted, _ = _run(entry, Follower(), ControlSettings.demo())
    assert np.abs(np.degrees(kept)).max() < 5
    assert np.abs(np.degrees(drifted)).max() > 15


def test_backwards_goes_back_while_looking_ahead():
    rollout = roll_out(
        Follower(),
        parse_script([{"move": "6 s", "speed": "0.5 m/s", "travel": "180 deg"}]),
    )
    velocity = (rollout.ground[-1] - rollout.ground[-121])[:2] / 2
    np.testing.assert_allclose(velocity, [0, -0.5], atol=0.06)
    assert np.abs(rollout.ground[-120:, 2]).max() < np.radians(5)


def test_commands_follow_each_other_without_a_jerk_of_the_root():
    script = [{"walk": "2 s"}, {"canter": "3 s", "turn": "40 deg/s"}, {"sit": "2 s"}]
    rollout = roll_out(Follower(), parse_script(script))
    speeds = np.linalg.norm(np.diff(rollout.ground[:, :2], axis=0), axis=1) * 60
    # Nowhere more than 12 m/s^2 between two frames of a follower with 0.3 s of lag.
    assert np.abs(np.diff(speeds)).max() * 60 < 12
    assert speeds[-1] < 0.05
    assert rollout.styles[-1, 3] > 0.95

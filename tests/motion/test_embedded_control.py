"""The embedded controller does what it is told: the numbers that the project promises."""

import numpy as np
import pytest

from motion.control.rollout import Rollout
from motion.control.settings import GAIT_SPEEDS_M_S, ControlSettings
from motion.network import Network
from motion.script import parse_script, roll_out
from motion.weights import embedded_weights


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(embedded_weights())


def _speed(rollout: Rollout, first: int) -> float:
    steps = np.diff(rollout.ground[first:, :2], axis=0)
    return float(np.linalg.norm(steps, axis=1).mean() * rollout.fps)


@pytest.mark.parametrize("gait", GAIT_SPEEDS_M_S)
def test_steady_speed_within_ten_percent_and_heading_within_five_degrees(network, gait):
    rollout = roll_out(network, parse_script([{gait: "8 s", "heading": "70 deg"}]))
    assert _speed(rollout, 240) == pytest.approx(GAIT_SPEEDS_M_S[gait], rel=0.1)
    assert np.abs(np.degrees(rollout.ground[240:, 2]) - 70).max() < 5
    hips = rollout.positions_m[60:, 0, 1]
    assert 0.25 < hips.min() and hips.max() < 0.65


@pytest.mark.parametrize("turn", [40, -40])
def test_a_turn_is_a_yaw_rate(network, turn):
    rollout = roll_out(network, parse_script([{"trot": "8 s", "turn": f"{turn} deg/s"}]))
    yaw = np.degrees(rollout.ground[240:, 2])
    assert (yaw[-1] - yaw[0]) / (len(yaw) - 1) * 60 == pytest.approx(turn, abs=2)
    assert _speed(rollout, 240) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("verb", ["idle", "sit", "rear", "lie"])
def test_still_styles_are_reached_from_a_walk_and_stay_put(network, verb):
    script = parse_script([{"walk": "2 s"}, {verb: "4 s"}])
    rollout = roll_out(network, script)
    style = {"idle": 0, "sit": 3, "rear": 4, "lie": 5}[verb]
    assert rollout.styles[-1, style] > 0.95
    assert np.linalg.norm(rollout.ground[-1, :2] - rollout.ground[-60, :2]) < 0.02


def test_two_jumps_are_two_flights(network, caplog):
    rollout = roll_out(network, parse_script([{"trot": "2 s"}, {"jump": 2}, {"trot": "1 s"}]))
    assert not caplog.text
    section = rollout.sections[1]
    hips = rollout.positions_m[section.first : section.last, 0, 1]
    assert np.count_nonzero(np.diff((hips > 0.55).astype(int)) == 1) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_random_scripts_stay_sound(network, seed):
    random = np.random.default_rng(seed)
    verbs = ["walk", "pace", "trot", "canter", "idle", "sit", "rear", "lie", "jump"]
    entries: list[dict[str, object]] = []
    for verb in random.choice(verbs, 12):
        if verb == "jump":
            entries.append({"jump": int(random.integers(1, 3))})
            continue
        entry: dict[str, object] = {str(verb): f"{random.uniform(1, 5):.2f} s"}
        if verb in GAIT_SPEEDS_M_S:
            field = random.choice(["turn", "heading", "none"])
            if field == "turn":
                entry["turn"] = f"{random.uniform(-50, 50):.1f} deg/s"
            elif field == "heading":
                entry["heading"] = f"{random.uniform(-180, 180):.1f} deg"
        entries.append(entry)
    rollout = roll_out(network, parse_script(entries), seed=seed, perturbation=0.3)
    assert np.isfinite(rollout.positions_m).all()
    hips = rollout.positions_m[:, 0, 1]
    free = rollout.styles[:, [0, 1]].sum(axis=1) > 0.98
    # Getting up lags behind the style by half a second.
    standing = np.convolve(free, np.ones(45), mode="full")[: len(free)] == 45
    assert hips[standing].min() > 0.25 and hips[standing].max() < 0.65
    assert hips.min() > 0.12 and hips.max() < 0.85


def test_the_demos_laws_run_too(network):
    settings = ControlSettings.demo()
    rollout = roll_out(network, parse_script([{"trot": "6 s"}]), settings=settings)
    assert _speed(rollout, 180) == pytest.approx(2.0, rel=0.1)

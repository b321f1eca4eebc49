"""Number bands for the controller that ships: size, finding back when shaken, postures' heights."""

import numpy as np
import pytest

from motion.control.rollout import Rollout
from motion.network import Network
from motion.script import parse_script, roll_out
from motion.skeleton import PAWS
from motion.weights import EMBEDDED, embedded_weights


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(embedded_weights())


def _speed(rollout: Rollout, seconds: float) -> float:
    last = rollout.ground[-round(seconds * 60) :, :2]
    return float(np.linalg.norm(np.diff(last, axis=0), axis=1).mean() * 60.0)


def test_it_fits_the_repository() -> None:
    assert EMBEDDED.stat().st_size <= 4 * 2**20


@pytest.mark.parametrize(
    ("gait", "speed"), [("walk", 0.7), ("pace", 1.2), ("trot", 2.0), ("canter", 4.0)]
)
def test_each_gait_reaches_its_speed_upright_and_steps(
    network: Network, gait: str, speed: float
) -> None:
    rollout = roll_out(network, parse_script([{gait: "6 s"}]), perturbation=0.3, seed=1)
    assert _speed(rollout, 2.0) == pytest.approx(speed, rel=0.1)
    hips = rollout.positions_m[60:, 0, 1]
    assert 0.25 < hips.min() and hips.max() < 0.65
    paws = rollout.positions_m[-120:, PAWS, 1]
    assert (np.ptp(paws, axis=0) > 0.03).all()


@pytest.mark.parametrize(
    ("style", "low", "high"), [("sit", 0.25, 0.3), ("lie", 0.15, 0.22), ("rear", 0.38, 0.48)]
)
def test_each_posture_is_taken_kept_and_left(
    network: Network, style: str, low: float, high: float
) -> None:
    script = parse_script([{"walk": "2 s"}, {style: "4 s"}, {"walk": "4 s"}])
    rollout = roll_out(network, script)
    middle = rollout.sections[1]
    held = slice(middle.last - 60, middle.last)
    hips = rollout.positions_m[held, 0, 1]
    assert low < hips.min() and hips.max() < high
    assert np.ptp(rollout.ground[held, :2], axis=0).max() < 0.02
    assert _speed(rollout, 1.0) == pytest.approx(0.7, rel=0.15)

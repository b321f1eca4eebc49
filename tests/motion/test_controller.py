import time
from dataclasses import replace

import numpy as np
import pytest

from motion import features as f
from motion.control.controller import (
    Command,
    Controller,
    ControlSettings,
    advance,
    axes_of,
    fed_back,
    pose_fed_back,
    start_state,
)
from motion.control.trajectory import ROOT, resting
from motion.network import Network
from motion.skeleton import QUADRUPED, REST_AXES
from motion.weights import random_weights
from tests.motion.stand_ins import (
    EXPERTS,
    Answer,
    constant_network,
    constant_output,
    resting_pose,
    straight_samples,
)

TURN_DEG_S, AHEAD_M_S, LEFT_M_S = 36.0, 1.5, 0.3
MOTION = (LEFT_M_S, TURN_DEG_S, AHEAD_M_S)


class Recorder:
    """Keeps what it was shown and answers the same every time."""

    def __init__(self, output):
        self.shown, self.output = [], output

    def __call__(self, x):
        self.shown.append(x.copy())
        return Answer(self.output, EXPERTS)


def _by_hand(roots, freedoms, start):
    """Add up the same root motion step by step with plain trigonometry."""
    x, z, yaw = start
    for freedom in freedoms:
        left, ahead = freedom * LEFT_M_S / 60, freedom * AHEAD_M_S / 60
        x += ahead * np.sin(yaw) + left * np.cos(yaw)
        z += ahead * np.cos(yaw) - left * np.sin(yaw)
        yaw += freedom * np.radians(TURN_DEG_S) / 60
        roots.append((x, z, yaw))
    return np.array(roots)


@pytest.mark.parametrize("settings", [ControlSettings(), ControlSettings.demo()])
def test_constant_root_motion_moves_the_root_exactly_as_by_hand(settings):
    start = (1.0, -2.0, 0.4)
    controller = Controller(constant_network(MOTION), settings, start)
    frames = [controller.step(Command("move", 1.0)) for _ in range(90)]
    # Idle fades by a tenth a frame: the root is held back by (1 - 0.9^n)^(1/4).
    freedoms = [(1 - 0.9 ** (n + 1)) ** 0.25 for n in range(90)]
    wanted = _by_hand([], freedoms, start)
    np.testing.assert_allclose([frame.ground for frame in frames], wanted, atol=2e-5)
    # The root turns by the current freedom, so late frames turn at the full rate.
    rate = np.degrees(frames[-1].ground[2] - frames[-2].ground[2]) * 60
    assert rate == pytest.approx(TURN_DEG_S, rel=1e-4)


def test_root_motion_per_frame_is_sixty_times_as_much():
    second = ControlSettings(root_motion_unit="per_second")
    frame = replace(second, root_motion_unit="per_frame")
    small = np.array(MOTION) / 60
    grounds = []
    for settings, motion in ((second, MOTION), (frame, small)):
        controller = Controller(constant_network(motion), settings)
        grounds.append([controller.step(Command("move", 1.0)).ground for _ in range(20)])
    np.testing.assert_allclose(grounds[0], grounds[1], atol=1e-6)
    assert np.abs(grounds[0][-1]).max() > 0.2


def test_an_idle_animal_does_not_move_however_the_network_pulls():
    controller = Controller(constant_network(MOTION), start=(1.0, 2.0, 0.5))
    for _ in range(30):
        frame = controller.step(Command("idle"))
    np.testing.assert_allclose(frame.ground, [1, 2, 0.5], atol=1e-12)


def test_seated_styles_hold_the_root_back():
    controller = Controller(constant_network((0.0, 0.0, 0.3)))
    speeds = []
    for _ in range(200):
        frame = controller.step(Command("lie"))
        speeds.append(np.hypot(*controller.state.trajectory.velocities_m_s[ROOT]))
    assert frame.styles[f.LIE] > 0.99
    # Not at once, for the style takes a while, but then the root rests.
    assert max(speeds) > 0.1 > 0.01 > speeds[-1]


def test_bones_are_shown_in_the_previous_root_and_samples_in_the_current_one():
    recorder = Recorder(constant_output(MOTION))
    state = start_state((0.5, 0.5, 1.0))
    for _ in range(12):
        state, _ = advance(recorder, ControlSettings(), state, Command("move", 1.0))
    roots = [state.trajectory.root, state.trajectory.previous_root]
    advance(recorder, ControlSettings(), state, Command("move", 1.0))
    samples, pose = f.unpack_input(recorder.shown[-1])
    np.testing.assert_allclose(samples.positions_m[f.PRESENT], 0, atol=1e-7)
    np.testing.assert_allclose(samples.directions[f.PRESENT], [0, 1], atol=1e-7)
    hips = state.pose.positions_m[0]
    for root, told in zip(roots, (False, True), strict=True):
        offset = f.turned(hips[[0, 2]] - root[:2], -root[2])
        same = np.allclose(pose.positions_m[0][[0, 2]], offset, atol=1e-6)
        assert same == told


def test_pose_is_placed_by_the_current_root_and_the_future_by_the_next_one():
    """A big step in one frame tells the two roots apart."""
    motion = np.array([0.0, 60 * 90.0, 60.0])  # one metre and a quarter turn in one frame
    samples = straight_samples((0.0, 1.0))
    trajectory = resting(np.zeros(3))
    trajectory = replace(trajectory, styles=np.eye(6)[np.ones(111, int)])
    output = f.Output(samples, resting_pose(), motion)
    new = fed_back(trajectory, output, 1.0, ControlSettings())
    np.testing.assert_allclose(new.root, [0, 1, np.pi / 2])
    # The last sample is 1 m ahead of the NEXT root, which looks along +X: (1, 1). The old point
    # has been carried to (1, 0), in the next root's axes, and on by its velocity; the mean counts.
    np.testing.assert_allclose(new.positions_m[110], [1 + 0.5 * (1 / 60), 0.5], atol=1e-12)
    np.testing.assert_allclose(new.directions[110], [1, 0], atol=1e-12)
    np.testing.assert_allclose(new.velocities_m_s[110], [1, 0], atol=1e-12)
    # The root as it was has become the newest past point.
    np.testing.assert_allclose(new.positions_m[59], [0, 0])
    np.testing.assert_allclose(new.velocities_m_s[ROOT], [0, 60])

    fast = replace(ControlSettings(), warm_up_s=0.0, transitions=(1.0,) * 6)
    state, frame = advance(
        Recorder(constant_output(motion)), fast, start_state(), Command("move", 1.0)
    )
    # The hips stay above the root as it was, though the root has gone on.
    np.testing.assert_allclose(frame.positions_m[0, [0, 2]], [0, 0], atol=1e-6)
    np.testing.assert_allclose(state.trajectory.root, [0, 1, np.pi / 2], atol=1e-6)


def test_pose_is_the_mean_of_carried_and_predicted():
    random = np.random.default_rng(0)
    old, predicted = (f.Pose(*random.normal(size=(4, 27, 3))) for _ in range(2))
    new = pose_fed_back(old, predicted)
    carried = old.positions_m + predicted.velocities_m_s / 60
    np.testing.assert_allclose(new.positions_m, (carried + predicted.positions_m) / 2)
    np.testing.assert_array_equal(new.velocities_m_s, predicted.velocities_m_s)
    np.testing.assert_allclose(np.linalg.norm(new.forward, axis=1), 1)
    np.testing.assert_allclose(np.cross(new.up, predicted.up), 0, atol=1e-12)
    gone = replace(predicted, forward=np.zeros((27, 3)))
    np.testing.assert_array_equal(pose_fed_back(old, gone).forward, old.forward)


def test_axes_keep_forward_and_are_rotations():
    rest = resting_pose()
    np.testing.assert_allclose(axes_of(rest), REST_AXES, atol=1e-12)
    skewed = replace(rest, up=f.turned_3d(rest.up, 0.2) + 0.1)
    axes = axes_of(skewed)
    identity = np.broadcast_to(np.eye(3), (27, 3, 3))
    np.testing.assert_allclose(axes @ axes.swapaxes(1, 2), identity, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(axes), 1)
    np.testing.assert_allclose(axes[..., 2], rest.forward, atol=1e-12)
    assert (np.einsum("bi,bi->b", axes[..., 1], skewed.up) > 0).all()


def test_the_start_is_the_rest_pose_in_place():
    state = start_state((2.0, 3.0, np.pi / 2))
    rest = QUADRUPED.rest_positions_m
    wanted = np.stack([rest[:, 2] + 2, rest[:, 1], 3 - rest[:, 0]], axis=1)
    np.testing.assert_allclose(state.pose.positions_m, wanted, atol=1e-12)


def test_demo_forces_a_second_of_moving_ahead():
    recorder = Recorder(constant_output(MOTION))
    controller = Controller(recorder, ControlSettings.demo())
    moves = [controller.step(Command("sit")).styles for _ in range(90)]
    assert moves[59][f.MOVE] > 0.99
    assert moves[59][f.SIT] == 0
    plain = Controller(recorder)
    assert plain.step(Command("sit")).styles[f.SIT] > 0


def test_random_weights_stay_finite_and_the_same():
    network = Network(random_weights(3), backend="numpy")
    runs = []
    for _ in range(2):
        controller = Controller(network)
        commands = [Command("move", 2.0, 0.7), Command("jump"), Command("lie"), Command("idle")]
        frames = [controller.step(command) for command in commands for _ in range(30)]
        runs.append(np.stack([frame.positions_m for frame in frames]))
        for frame in frames:
            for values in (frame.ground, frame.axes, frame.trajectory, frame.styles):
                assert np.isfinite(values).all()
            assert frame.experts.sum() == pytest.approx(1, abs=1e-5)
            assert frame.styles.sum() == pytest.approx(1)
    np.testing.assert_array_equal(runs[0], runs[1])


def test_wanted_says_what_was_commanded():
    controller = Controller(constant_network(MOTION))
    turning = controller.step(Command("move", 1.5, 0.5)).wanted
    np.testing.assert_array_equal(turning, [1.5, np.nan, 0.5])
    heading = controller.step(Command("move", 1.5, heading_rad=2.0)).wanted
    np.testing.assert_array_equal(heading, [1.5, 2.0, 0.0])
    assert controller.step(Command("move")).wanted[0] == 1.2
    np.testing.assert_array_equal(controller.step(Command("sit", 3.0)).wanted, [0, np.nan, 0])


def test_a_step_is_cheap():
    """0.5 ms on a free core; processor time, and the best of several, for a busy machine."""
    recorder = Recorder(constant_output(MOTION))
    controller = Controller(recorder)
    best = np.inf
    for _ in range(12):
        started = time.process_time()
        for _ in range(20):
            controller.step(Command("move", 1.0, 0.3))
        best = min(best, (time.process_time() - started) / 20)
    assert best < 2e-3

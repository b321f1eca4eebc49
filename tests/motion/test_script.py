from typing import Any

import numpy as np
import pytest

from assets3d.errors import InputError
from motion.control.command import Command
from motion.control.settings import GAIT_SPEEDS_M_S
from motion.features import FPS
from motion.network import Network
from motion.script import COMMANDS, parse_script, roll_out
from motion.skeleton import PAWS
from motion.weights import random_weights
from tests.motion.stand_ins import (
    EXPERTS,
    Answer,
    Follower,
    constant_network,
    constant_output,
    resting_pose,
)

ISSUE: list[dict[str, Any]] = [
    {"walk": "3 s"},
    {"trot": "4 s", "turn": "40 deg/s"},
    {"jump": 1},
    {"canter": "3 s"},
    {"sit": "2 s"},
]


def test_the_issues_script_says_what_it_means():
    walk, trot, jump, canter, sit = parse_script(ISSUE).entries
    assert walk.command == Command("move", 0.7) and walk.seconds == 3
    assert trot.command.turn_rad_s == pytest.approx(np.radians(40))
    assert trot.command.speed_m_s == GAIT_SPEEDS_M_S["trot"]
    assert jump.jumps == 1 and jump.command.style == "jump" and jump.seconds is None
    assert canter.command.speed_m_s == 4.0
    assert sit.command == Command("sit")


@pytest.mark.parametrize(
    ("entry", "command"),
    [
        ({"rear": "2 s"}, Command("stand")),
        ({"lie": "500 ms"}, Command("lie")),
        ({"idle": "0.1 min"}, Command("idle")),
        ({"pace": "3s", "turn": "-0.5 rad/s"}, Command("move", 1.2, -0.5)),
        (
            {"move": "3 s", "speed": "5.4 km/h", "heading": "90 deg"},
            Command("move", 1.5, 0.0, np.pi / 2),
        ),
        ({"walk": "1 s", "travel": "180 deg"}, Command("move", 0.7, 0.0, None, np.pi)),
        ({"move": "1 s"}, Command("move")),
        ({"walk": "1 s", "speed": "50 cm/s"}, Command("move", 0.5)),
    ],
)
def test_every_command_and_unit(entry, command):
    parsed = parse_script([entry]).entries[0].command
    assert parsed.style == command.style
    for name in ("speed_m_s", "turn_rad_s", "heading_rad", "travel_rad"):
        assert getattr(parsed, name) == pytest.approx(getattr(command, name), abs=1e-9)


def test_names_are_unique():
    entries = parse_script([{"walk": "1 s"}, {"idle": "1 s"}, {"walk": "1 s"}]).entries
    assert [entry.name for entry in entries] == ["walk", "idle", "walk_2"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"fly": "3 s"}, "script 2: no command 'fly', the controller has walk, pace, trot"),
        ({"walk": 3}, "script 2 walk: 3, wanted a number with its unit, such as '3 s'"),
        ({"walk": "3 m"}, "script 2 walk: '3 m', wanted a number with its unit"),
        ({"walk": "-3 s"}, "script 2 walk: '-3 s', wanted more than 0 s"),
        ({"walk": "0 s"}, "script 2 walk: '0 s'"),
        ({"walk": "2 s", "turn": "40 m/s"}, r"script 2 turn: '40 m/s'.*units: deg/s, rad/s"),
        ({"walk": "2 s", "turn": "4000 deg/s"}, "script 2 turn: '4000 deg/s' is more than"),
        ({"walk": "2 s", "speed": "fast"}, "script 2 speed: 'fast'"),
        ({"walk": "2 s", "speed": "-1 m/s"}, "script 2 speed: '-1 m/s' is negative"),
        ({"walk": "2 s", "speed": "1e999 m/s"}, "script 2 speed: '1e999 m/s' is too large"),
        ({"walk": "2 s", "sped": "1 m/s"}, "script 2 walk: no field 'sped', it has speed, turn"),
        ({"sit": "2 s", "speed": "1 m/s"}, "script 2 sit: no field 'speed'"),
        ({"jump": "2 s"}, "script 2 jump: '2 s', wanted how many times"),
        ({"jump": 0}, "script 2 jump: 0, wanted how many times"),
        ({"jump": True}, "script 2 jump: True"),
        ({"path": 3}, r"script 2 path: 3, wanted way points \[\[x, z\], \.\.\.\]"),
        ({"path": [[0, 0], [1]]}, r"script 2 path: way point 2 is \[1\]"),
        ({"path": [[0, 0], [1, "a"]]}, "script 2 path: way point 2"),
        ({"path": [[0, 0], [0, 0]]}, "script 2 path: 2 points, wanted at least two different"),
        ({"path": [[0, 0], [0, float("nan")]]}, "script 2 path: a number that is not finite"),
        ({"path": "way.txt"}, "script 2 path: way.txt is neither .svg nor .csv"),
        ({"path": "way.svg", "scale": 0}, "script 2 scale: 0, wanted metres per unit"),
        ({"path": [[0, 0], [1, 1]], "scale": 2}, "script 2 scale: way points are in metres"),
        ({"path": [[0, 0], [1, 1]], "speed": "0 m/s"}, "script 2 speed: '0 m/s', wanted more"),
        ("walk", "script 2: 'walk', wanted a mapping"),
        ({}, "script 2: {}, wanted a mapping"),
    ],
)
def test_bad_entries_are_named_by_number_and_field(entry, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_script([{"walk": "1 s"}, entry])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entries", [[], "walk", None, {"walk": "3 s"}])
def test_a_script_is_a_list_of_commands(entries):
    with pytest.raises(InputError, match=r"script: .* wanted a list of commands"):
        parse_script(entries)


def test_sections_tell_which_frames_a_command_made():
    script = parse_script([{"walk": "0.5 s"}, {"sit": "0.25 s"}, {"walk": "1 s"}])
    rollout = roll_out(constant_network((0, 0, 0.7)), script)
    spans = [(section.name, section.first, section.last) for section in rollout.sections]
    assert spans == [("walk", 0, 30), ("sit", 30, 45), ("walk_2", 45, 105)]
    assert len(rollout) == 105 and rollout.fps == FPS
    np.testing.assert_array_equal(rollout.wanted[:30, 0], 0.7)
    np.testing.assert_array_equal(rollout.wanted[30:45, 0], 0)


def test_a_roll_out_has_every_part_and_equal_runs_are_equal():
    script = parse_script([{"trot": "0.5 s"}, {"lie": "0.5 s"}])
    first, second = (
        roll_out(Network(random_weights(1), backend="numpy"), script) for _ in range(2)
    )
    shapes = {
        "ground": (60, 3),
        "positions_m": (60, 27, 3),
        "axes": (60, 27, 3, 3),
        "experts": (60, 8),
        "trajectory": (60, 12, 4),
        "styles": (60, 6),
        "wanted": (60, 3),
    }
    for name, shape in shapes.items():
        assert getattr(first, name).shape == shape
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_yaw_counts_on_past_half_a_turn():
    script = parse_script([{"trot": "6 s", "turn": "90 deg/s"}])
    yaw = roll_out(Follower(), script).ground[:, 2]
    assert yaw[-1] > 2 * np.pi
    assert np.abs(np.diff(yaw)).max() < 0.1


def test_perturbation_shakes_the_start_by_the_seed():
    network = constant_network((0, 0, 0))
    script = parse_script([{"idle": "0.1 s"}])
    starts = [
        roll_out(network, script, seed=seed, perturbation=size).positions_m[0]
        for seed, size in ((0, 0.0), (1, 0.3), (1, 0.3), (2, 0.3), (1, 0.6))
    ]
    calm, shaken, again, other, twice = starts
    np.testing.assert_array_equal(shaken, again)
    assert np.abs(other - shaken).max() > 1e-4
    np.testing.assert_allclose(twice - calm, 2 * (shaken - calm), atol=1e-9)
    with pytest.raises(ValueError, match="input_std"):
        roll_out(Follower(), script, perturbation=0.3)


class Hopper:
    """Runs on, and leaves the ground for 0.4 s in every 0.8 s; the pose counts, not the style."""

    def __init__(self):
        self.frames = 0

    def __call__(self, x):
        self.frames += 1
        flying = self.frames % 48 < 24
        pose = resting_pose()
        pose.positions_m[:, 1] += 0.3 if flying else 0.0
        return Answer(constant_output((0, 0, 2.0), pose=pose), EXPERTS)


@pytest.mark.parametrize("times", [1, 3])
def test_jumps_are_counted_by_flights(times):
    rollout = roll_out(Hopper(), parse_script([{"trot": "1 s"}, {"jump": times}]))
    jump = slice(rollout.sections[1].first, rollout.sections[1].last)
    air = rollout.positions_m[jump][:, list(PAWS), 1].min(axis=1) > 0.1
    jumping = rollout.styles[jump, 2] > 0.5
    takeoffs = np.count_nonzero(np.diff((air & jumping).astype(int)) == 1)
    assert takeoffs == times
    assert not air[-1]


def test_a_network_that_cannot_jump_is_not_waited_for_for_ever(caplog):
    rollout = roll_out(constant_network((0, 0, 2.0)), parse_script([{"jump": 2}, {"idle": "1 s"}]))
    assert rollout.sections[0].last == 6 * 60
    assert "jump: 0 of 2 jumps" in caplog.text


def test_every_command_has_a_form_that_parses():
    for verb in COMMANDS:
        value = {"jump": 1, "path": [[0, 0], [0, 1]]}.get(verb, "1 s")
        assert parse_script([{verb: value}]).entries[0].name == verb

"""Laws of the procedural gaits: footholds, ground, bone lengths, gait patterns, determinism."""

import itertools

import numpy as np
import pytest

from motion.clip import world_pose
from motion.features import IDLE, JUMP, LIE, MOVE, SIT, STAND
from motion.gaits import GaitClip, make_gaits, random_gaits
from motion.gaits.cycles import duty_factor
from motion.gaits.timeline import Part, curves
from motion.skeleton import PAW_HEIGHT_M, PAWS, QUADRUPED

SECOND = 60


@pytest.fixture(scope="module")
def wandering() -> tuple[GaitClip, np.ndarray]:
    made = random_gaits(3, 60.0)
    return made, world_pose(made.clip)[0]


def test_the_same_seed_gives_the_same_clip() -> None:
    first, second, other = (random_gaits(seed, 8.0) for seed in (5, 5, 6))
    assert np.array_equal(first.clip.rotations_xyzw, second.clip.rotations_xyzw)
    assert np.array_equal(first.clip.root_positions_m, second.clip.root_positions_m)
    assert first.clip.rotations_xyzw.shape != other.clip.rotations_xyzw.shape or not np.array_equal(
        first.clip.rotations_xyzw, other.clip.rotations_xyzw
    )


def test_standing_paws_do_not_slide_and_rest_at_their_height(wandering) -> None:
    made, places = wandering
    paws = places[:, PAWS]
    standing = made.contacts[1:] & made.contacts[:-1]
    speed = np.linalg.norm(np.diff(paws, axis=0), axis=-1) * SECOND
    assert standing.mean() > 0.4
    assert speed[standing].max() < 0.12  # planned footholds, short by less than a millimetre
    assert np.quantile(speed[standing], 0.99) < 1e-3
    assert np.abs(paws[..., 1][made.contacts] - PAW_HEIGHT_M).max() < 1.1e-3


def test_paws_stay_above_the_ground_and_rarely_fall_short(wandering) -> None:
    made, places = wandering
    assert places[:, PAWS, 1].min() > PAW_HEIGHT_M - 5e-3
    assert (made.fell_short_m[:, 2:] > 0.01).mean() < 0.05
    assert np.isfinite(places).all()


def test_feet_move_smoothly_from_frame_to_frame(wandering) -> None:
    _, places = wandering
    steps = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    assert steps.max() < 0.3  # a canter's swinging paw makes about 0.2 m in a frame


def test_labels_sum_to_one_and_sections_cover_the_clip(wandering) -> None:
    made, _ = wandering
    assert np.allclose(made.styles.sum(axis=1), 1.0)
    assert made.styles.min() >= 0.0
    sections = made.clip.sections
    assert sections[0].first == 0 and sections[-1].last == len(made.clip)
    assert all(a.last == b.first for a, b in itertools.pairwise(sections))


@pytest.mark.parametrize("speed", [0.7, 1.2, 2.0, 4.0])
def test_a_steady_gait_has_its_speed_duty_and_hips(speed: float) -> None:
    made = make_gaits([Part(6.0, MOVE, speed)])
    places = world_pose(made.clip)[0]
    middle = slice(2 * SECOND, 5 * SECOND)
    travelled = np.linalg.norm(places[5 * SECOND, 0, [0, 2]] - places[2 * SECOND, 0, [0, 2]])
    assert travelled / 3.0 == pytest.approx(speed, rel=0.03)
    planned = np.abs(places[middle][:, PAWS, 1] - PAW_HEIGHT_M) < 1e-3
    assert planned.mean() == pytest.approx(float(duty_factor(speed)), rel=0.15)
    hips = places[middle, 0, 1]
    assert 0.35 < hips.min() and hips.max() < 0.55


def test_pace_moves_one_side_together_and_trot_the_diagonal() -> None:
    for speed, partner in ((1.2, 2), (2.0, 3)):
        made = make_gaits([Part(5.0, MOVE, speed)])
        stands = made.contacts[2 * SECOND : 4 * SECOND]
        agree = [(stands[:, 0] == stands[:, other]).mean() for other in (1, 2, 3)]
        assert int(np.argmax(agree)) + 1 == partner


@pytest.mark.parametrize(
    ("style", "low", "high"), [(SIT, 0.25, 0.30), (LIE, 0.15, 0.22), (STAND, 0.38, 0.48)]
)
def test_postures_hold_their_height_and_stay_in_place(style: int, low: float, high: float) -> None:
    made = make_gaits([Part(1.0, IDLE), Part(4.0, style), Part(3.0, MOVE, 0.7)])
    places = world_pose(made.clip)[0]
    held = slice(3 * SECOND, 5 * SECOND)
    assert low < places[held, 0, 1].min() and places[held, 0, 1].max() < high
    assert np.ptp(places[held, 0, 0]) < 0.02 and np.ptp(places[held, 0, 2]) < 0.02
    assert made.styles[held, style].min() == 1.0
    paws = places[held][:, PAWS]
    assert (np.ptp(paws[:, 2:], axis=0) < 1e-6).all()
    if style == STAND:
        assert paws[:, :2, 1].min() > 0.4


def test_a_jump_leaves_the_ground_with_all_paws() -> None:
    made = make_gaits([Part(2.0, MOVE, 2.0), Part(2.5, JUMP, 2.0), Part(2.0, MOVE, 2.0)])
    places = world_pose(made.clip)[0]
    assert places[:, PAWS, 1].min(axis=1).max() > 0.1
    assert 0.55 < places[:, 0, 1].max() < 0.75


def test_knees_and_elbows_bend_their_own_way(wandering) -> None:
    """Standing and walking: knees lie before the line hip to hock, elbows behind theirs."""
    made, places = wandering
    upright = made.styles[:, [IDLE, MOVE]].sum(axis=1) > 0.999
    yaw = made.clip.ground[upright, 2]
    forward = np.stack([np.sin(yaw), 0 * yaw, np.cos(yaw)], axis=1)
    for top, middle, end, sign in (
        (16, 17, 18, 1),
        (20, 21, 22, 1),
        (7, 8, 9, -1),
        (12, 13, 14, -1),
    ):
        centre = 0.5 * (places[upright, top] + places[upright, end])
        ahead = np.einsum("ti,ti->t", places[upright, middle] - centre, forward)
        assert (sign * ahead > 0).mean() > 0.97, QUADRUPED.names[middle]


def test_left_turns_are_positive_yaw_and_still_styles_do_not_move() -> None:
    track = curves([Part(1.0, IDLE), Part(3.0, MOVE, 1.0, 0.5), Part(3.0, SIT)])
    assert track.ground[3 * SECOND, 2] > 0.5
    assert track.ground[3 * SECOND, 0] > 0.0  # +X is the animal's left
    assert np.abs(track.speed_mps[-SECOND:]).max() == 0.0

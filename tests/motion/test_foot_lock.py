from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from motion.clip import Clip, continuous, local_rotations, world_pose
from motion.feet.contacts import calibrated_heights, found_contacts, intervals
from motion.feet.holding import LockSettings, without_drag
from motion.feet.leg_ik import Leg, moved_leg
from motion.feet.lock import lock_feet
from motion.gaits import make_gaits
from motion.gaits.timeline import Part
from motion.measures import feet_of, foot_skating_m_s, penetration_m
from motion.skeleton import LEGS, PAW_HEIGHT_M, PAWS


def shaken(clip: Clip, seed: int, turn_rad: float = 0.008, place_m: float = 0.004) -> Clip:
    """The clip with smooth noise on every joint: feet wander by about a centimetre."""
    random = np.random.default_rng(seed)
    width = 8.0
    gain = np.sqrt(2.0 * np.sqrt(np.pi) * width)  # back to unit deviation

    def noise(*shape):
        return gaussian_filter1d(random.normal(size=shape), width, axis=0) * gain

    bends = noise(*clip.rotations_xyzw.shape[:2], 3) * turn_rad
    bends[:, clip.skeleton.sites] = 0.0
    turns = Rotation.from_quat(clip.rotations_xyzw.reshape(-1, 4))
    turned = (turns * Rotation.from_rotvec(bends.reshape(-1, 3))).as_quat()
    return replace(
        clip,
        root_positions_m=clip.root_positions_m + noise(len(clip), 3) * place_m,
        rotations_xyzw=continuous(turned.reshape(clip.rotations_xyzw.shape)),
    )


def skating(clip: Clip) -> np.ndarray:
    feet = feet_of(clip)
    places = world_pose(clip)[0][:, list(feet.joints)]
    return foot_skating_m_s(places, feet.contact_height_m, clip.fps)


GAITS = {"walk": 0.7, "pace": 1.2, "trot": 2.0, "canter": 4.0, "idle": 0.0}


def gait(name: str, seconds: float = 5.0):
    speed = GAITS[name]
    return make_gaits([Part(seconds, style=1 if speed else 0, speed_mps=speed)], name=name)


@pytest.mark.parametrize("name", GAITS)
def test_feet_that_slide_are_held(name):
    made = gait(name)
    clip = shaken(made.clip, 1)
    locked = lock_feet(clip)
    places = world_pose(locked.clip)[0]
    feet = places[:, list(PAWS)]
    assert skating(clip).mean() > 0.035
    assert skating(locked.clip).mean() < min(0.03, 0.5 * skating(clip).mean())
    assert penetration_m(feet, np.full(4, PAW_HEIGHT_M)).max() < 0.005
    assert locked.largest_move_m < 0.03
    whole = slice(60, None)  # from a stand into the gait in the first second
    true = made.contacts[whole].mean()
    assert locked.contacts[whole].mean() == pytest.approx(true, rel=0.1)


def test_a_held_foot_does_not_move_at_all():
    clip = shaken(gait("walk").clip, 2)
    locked = lock_feet(clip)
    feet = world_pose(locked.clip)[0][:, list(PAWS)]
    resting = 0
    for foot in range(4):
        for first, last in intervals(locked.contacts[:, foot]):
            moved = np.linalg.norm(feet[first:last, foot] - feet[first, foot], axis=1)
            resting += bool(moved.max() < 2e-3)
    runs = sum(len(intervals(locked.contacts[:, foot])) for foot in range(4))
    assert resting > 0.85 * runs


def test_only_the_legs_turn_and_bones_keep_their_lengths():
    clip = shaken(gait("trot", 3.0).clip, 3)
    locked = lock_feet(clip)
    legs = [joint for leg in LEGS for joint in leg]
    others = np.setdiff1d(np.arange(27), legs)
    np.testing.assert_array_equal(
        locked.clip.rotations_xyzw[:, others], clip.rotations_xyzw[:, others]
    )
    assert locked.clip.root_positions_m is clip.root_positions_m
    places = world_pose(locked.clip)[0]
    largest = np.linalg.norm(places - world_pose(clip)[0], axis=-1).max()
    assert locked.largest_move_m == pytest.approx(largest)
    norms = np.linalg.norm(locked.clip.rotations_xyzw, axis=-1)
    np.testing.assert_allclose(norms, 1.0, atol=1e-9)
    dots = (locked.clip.rotations_xyzw[1:] * locked.clip.rotations_xyzw[:-1]).sum(axis=-1)
    assert dots.min() > 0.5


def test_no_foot_is_thrown_from_one_frame_to_the_next():
    clip = shaken(gait("walk").clip, 4)
    before = world_pose(clip)[0][:, list(PAWS)]
    after = world_pose(lock_feet(clip).clip)[0][:, list(PAWS)]
    steps = [np.linalg.norm(np.diff(feet, axis=0), axis=-1).max() for feet in (before, after)]
    assert steps[1] < 1.1 * steps[0]
    # Coming and going adds little: in the middle of a swing nothing is changed.
    high = before[..., 1] > 0.075
    assert np.median(np.linalg.norm(after - before, axis=-1)[high]) < 0.006


def test_a_clip_that_stands_still_is_left_alone():
    clip = gait("idle", 2.0).clip
    locked = lock_feet(clip)
    assert locked.contacts.all()
    assert locked.largest_move_m < 1e-3


def test_feet_under_the_ground_come_up():
    clip = gait("walk", 3.0).clip
    low = replace(clip, root_positions_m=clip.root_positions_m - [0, 0.015, 0])
    feet = world_pose(lock_feet(low).clip)[0][:, list(PAWS), 1]
    assert feet.min() > PAW_HEIGHT_M - 0.002
    assert world_pose(low)[0][:, list(PAWS), 1].min() < 0.006


def test_a_knee_moves_no_farther_than_allowed_where_a_straight_leg_has_to_come_up():
    clip = gait("idle", 2.0).clip
    leg = LEGS[1]
    places = world_pose(clip)[0]
    up = places[:, leg[0]] - places[:, PAWS[1]]
    reach = sum(
        np.linalg.norm(places[0, b] - places[0, a])
        for a, b in zip(leg, (*leg[1:], PAWS[1]), strict=False)
    )
    turns = world_pose(clip)[1].copy()
    ends = tuple(places[:, joint] for joint in (*leg, PAWS[1]))
    goal = places[:, leg[0]] - up / np.linalg.norm(up, axis=1)[:, None] * 0.975 * reach
    straight = moved_leg(Leg(ends, tuple(turns[:, joint] for joint in leg)), goal)
    for joint, turn in zip(leg, straight.turns, strict=True):
        turns[:, joint] = turn
    sunk = replace(clip, rotations_xyzw=continuous(local_rotations(clip.skeleton, turns)))
    depth = PAW_HEIGHT_M - world_pose(sunk)[0][:, PAWS[1], 1].max() - 0.018
    lifted = replace(sunk, root_positions_m=sunk.root_positions_m + np.array([0.0, depth, 0.0]))
    under = PAW_HEIGHT_M - world_pose(lifted)[0][:, PAWS[1], 1]
    assert 0.015 < under.max() < 0.025
    locked = lock_feet(lifted, contacts=np.ones((len(lifted), 4), bool))
    assert locked.largest_move_m < 0.03
    assert world_pose(locked.clip)[0][:, PAWS[1], 1].min() > PAW_HEIGHT_M - 1e-6


def test_a_foot_that_is_dragged_off_does_not_stand_any_more():
    frames, fps = 40, 60.0
    foot = np.zeros((frames, 1, 3))
    foot[30:, 0, 2] = np.arange(1, 11) * 0.6 / fps  # off at 0.6 m/s while still on the ground
    kept = without_drag(np.ones((frames, 1), bool), foot, np.zeros(1), fps, LockSettings())[:, 0]
    assert kept[:30].all()
    assert not kept[-5:].any()
    slow = foot * 0.2
    assert without_drag(np.ones((frames, 1), bool), slow, np.zeros(1), fps, LockSettings()).all()


def test_known_contacts_are_taken_and_checked():
    made = gait("walk", 2.0)
    locked = lock_feet(shaken(made.clip, 5), contacts=made.contacts)
    assert locked.contacts is made.contacts
    with pytest.raises(ValueError, match=r"contacts: found \(3, 4\), wanted \(120, 4\)"):
        lock_feet(made.clip, contacts=made.contacts[:3])


def test_contact_heights_are_found_foot_by_foot():
    places = world_pose(gait("walk").clip)[0]
    feet = places[:, list(PAWS)].copy()
    feet[:, 0, 1] += 0.017
    found = calibrated_heights(feet, places[:, 0], 60.0)
    np.testing.assert_allclose(found, PAW_HEIGHT_M + np.array([0.017, 0, 0, 0]), atol=0.003)
    level = found_contacts(places[:, list(PAWS)], places[:, 0], 60.0)
    np.testing.assert_array_equal(found_contacts(feet, places[:, 0], 60.0), level)


def test_a_foot_that_never_stops_is_never_in_contact():
    t = np.arange(120) / 60.0
    feet = np.zeros((120, 1, 3))
    feet[:, 0, 2] = 1.5 * t
    body = np.zeros((120, 3))
    body[:, 2] = 1.5 * t
    assert not found_contacts(feet, body, 60.0).any()


def _leg(frames: int, seed: int = 0) -> Leg:
    random = np.random.default_rng(seed)
    top = random.normal(size=(frames, 3))
    offsets = np.array([[0.02, -0.13, 0.09], [0, -0.12, -0.13], [0, -0.1, 0.02]])
    bends = Rotation.from_rotvec(random.normal(0, 0.3, (frames * 3, 3))).as_matrix()
    turns = bends.reshape(frames, 3, 3, 3)
    places = [top]
    for bone in range(3):
        places.append(places[-1] + turns[:, bone] @ offsets[bone])
    return Leg(tuple(places), tuple(turns[:, bone] for bone in range(3)))


def test_a_leg_reaches_with_exact_bones_and_turns_that_agree():
    leg = _leg(200)
    goal = leg.places[3] + np.random.default_rng(1).normal(0, 0.02, (200, 3))
    moved = moved_leg(leg, goal)
    reach = np.linalg.norm(goal - leg.places[0], axis=1) < 0.35
    assert reach.sum() > 100
    np.testing.assert_allclose(moved.places[3][reach], goal[reach], atol=1e-9)
    for bone in range(3):
        old = leg.places[bone + 1] - leg.places[bone]
        new = moved.places[bone + 1] - moved.places[bone]
        lengths = np.linalg.norm(old, axis=1)
        np.testing.assert_allclose(np.linalg.norm(new, axis=1), lengths, atol=1e-9)
        local = np.einsum("tji,tj->ti", leg.turns[bone], old)
        np.testing.assert_allclose(
            np.einsum("tij,tj->ti", moved.turns[bone], local), new, atol=1e-9
        )


def test_a_leg_already_there_does_not_move():
    leg = _leg(50)
    moved = moved_leg(leg, leg.places[3])
    for before, after in zip(leg.places + leg.turns, moved.places + moved.turns, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-9)


def test_a_bent_paw_turns_in_the_legs_plane_and_the_foot_stays():
    random = np.random.default_rng(3)
    leg = _leg(200)
    # The ankle in the plane of the others: only there the bend is the whole turn of the paw.
    flat = [place.copy() for place in leg.places]
    normal = np.cross(flat[1] - flat[0], flat[3] - flat[0])
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    away = np.einsum("ti,ti->t", flat[2] - flat[0], normal)
    flat[2] -= away[:, None] * normal
    bend = random.uniform(-0.1, 0.1, 200)
    moved = moved_leg(Leg(tuple(flat), leg.turns), flat[3], bend)
    before, after = flat[3] - flat[2], moved.places[3] - moved.places[2]
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), np.linalg.norm(before, axis=1))
    wanted = Rotation.from_rotvec(normal * bend[:, None]).apply(before)
    reached = np.linalg.norm(after - wanted, axis=1) < 1e-9  # straight legs have no choice
    assert reached.mean() > 0.5
    np.testing.assert_allclose(moved.places[3][reached], flat[3][reached], atol=1e-9)


def test_a_goal_out_of_reach_is_approached_with_a_straight_leg():
    leg = _leg(20)
    away = leg.places[3] - leg.places[0]
    goal = leg.places[0] + 3.0 * away
    moved = moved_leg(leg, goal)
    reached = np.linalg.norm(moved.places[3] - leg.places[0], axis=1)
    total = sum(
        np.linalg.norm(leg.places[bone + 1] - leg.places[bone], axis=1) for bone in range(3)
    )
    assert (reached > 0.99 * total).all()
    np.testing.assert_allclose(np.cross(moved.places[3] - leg.places[0], away), 0.0, atol=0.03)

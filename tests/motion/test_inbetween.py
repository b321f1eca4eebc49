from dataclasses import replace

import numpy as np
import pytest

from assets3d.errors import InputError
from motion.clip import Clip, world_pose
from motion.editing.inbetween import between
from motion.editing.placement import continued, moved
from motion.gaits import make_gaits
from motion.gaits.timeline import IDLE, MOVE, Part
from motion.humanoid.body import FEET
from motion.humanoid.joints import clip_from_positions
from motion.measures import clip_measures
from tests.motion.people import walker


def _walk(frames=60, turn_deg=0.0, fps=60.0):
    clip = walker(frames, turn_deg, fps)
    return clip_from_positions(world_pose(clip)[0], fps)


def _part(clip: Clip, first, last):
    return replace(
        clip,
        root_positions_m=clip.root_positions_m[first:last],
        rotations_xyzw=clip.rotations_xyzw[first:last],
        ground=clip.ground[first:last],
    )


def _turns_deg(clip):
    dots = np.einsum("tjk,tjk->tj", clip.rotations_xyzw[1:], clip.rotations_xyzw[:-1])
    return np.degrees(2 * np.arccos(np.abs(dots).clip(0, 1)))


def _far(clip, turn_deg, x=1.0, z=2.0):
    return moved(clip, np.radians(turn_deg), np.zeros(2), np.array([x, z]))


def _same_poses(a, b):
    first, second = world_pose(a), world_pose(b)
    np.testing.assert_allclose(first[0], second[0], atol=1e-9)
    np.testing.assert_allclose(first[1], second[1], atol=1e-9)


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("turn_deg", [0.0, 100.0, -179.0, 365.0])
def test_both_clips_are_kept_exactly(seconds, turn_deg):
    before, after = _walk(), _far(_walk(40), turn_deg)
    clip = between(before, after, seconds=seconds)
    frames = round(seconds * 60)
    assert len(clip) == len(before) + len(after) + frames - 1
    _same_poses(_part(clip, 0, len(before)), before)
    _same_poses(_part(clip, len(clip) - len(after), len(clip)), after)
    assert [part.name for part in clip.sections] == ["motion", "between", "motion"]
    assert clip.sections[-1].first == len(clip) - len(after)


def test_speed_goes_on_at_both_ends_without_a_kink():
    fps = 960.0  # the finer the frames, the nearer the differences to the rates
    before, after = _walk(960, fps=fps), _far(_walk(960, fps=fps), 60.0)
    clip = between(before, after, seconds=0.5)
    places = world_pose(clip)[0]
    speeds = np.diff(places, axis=0) * fps
    kinks = np.linalg.norm(np.diff(speeds, axis=0), axis=2).max(axis=1)
    first, last = len(before) - 1, len(before) + 479
    assert max(kinks[first - 3 : first + 3].max(), kinks[last - 3 : last + 3].max()) < 0.2
    # A blend without the rates would have a kink of the size of the walking speed.
    assert np.linalg.norm(speeds[first - 5, 0]) > 1.0


def test_a_clip_cut_in_two_is_itself_again():
    whole = _walk(90, turn_deg=120.0)
    clip = between(_part(whole, 0, 41), _part(whole, 40, 90), seconds=0.0, settle_s=0.4)
    assert len(clip) == 90
    assert np.abs(world_pose(clip)[0] - world_pose(whole)[0]).max() < 1e-3
    np.testing.assert_allclose(clip.ground, whole.ground, atol=1e-3)


def test_settling_ends_and_starts_exactly():
    before, after = _walk(), _far(_walk(80), 30.0, 0.1, 1.3)
    clip = between(before, after, seconds=0.0, settle_s=0.5)
    _same_poses(_part(clip, 0, 60), before)
    _same_poses(_part(clip, 60 + 29, len(clip)), _part(after, 30, 80))


@pytest.mark.parametrize("turn_deg", [0.0, 90.0, 179.0])
def test_no_foot_teleports(turn_deg):
    before, after = _walk(), _far(_walk(), turn_deg, 0.2, 1.6)
    clip = between(before, after, seconds=0.6)
    feet = world_pose(clip)[0][:, list(FEET)]
    steps = np.linalg.norm(np.diff(feet, axis=0), axis=2)
    way = np.linalg.norm(feet[59] - feet[59 + 36], axis=1).max()
    assert steps.max() < 2.2 * max(way, 0.5) / 36 + 4.0 / 60
    assert _turns_deg(clip).max() < 12.0


def test_the_heading_takes_the_shorter_way():
    before, after = _walk(), _far(_walk(), 350.0)
    clip = between(before, after, seconds=0.5)
    yaw = clip.ground[:, 2]
    assert np.abs(np.diff(yaw)).max() < np.radians(5)
    assert abs(yaw[-1] - yaw[0]) < np.radians(30)


def test_continued_goes_on_at_the_last_speed_and_turn_rate():
    whole = _walk(200, turn_deg=90.0)
    before, after = _part(whole, 0, 100), _part(whole, 100, 200)
    elsewhere = moved(after, 2.0, np.zeros(2), np.array([5.0, -3.0]))
    back = continued(before, elsewhere, seconds=1 / 60)
    assert np.abs(back.ground - after.ground)[:, :2].max() < 0.01
    assert np.abs(np.sin((back.ground - after.ground)[:, 2])).max() < 0.03


def test_moving_turns_the_body_and_its_track_alike():
    clip = _walk(30)
    turned = moved(clip, np.pi / 2, clip.ground[0, :2], np.array([3.0, 4.0]))
    np.testing.assert_allclose(turned.root_positions_m[0, [0, 2]], [3.0, 4.0], atol=1e-9)
    way, before = (c.root_positions_m[-1] - c.root_positions_m[0] for c in (turned, clip))
    np.testing.assert_allclose(way, [before[2], before[1], -before[0]], atol=1e-9)
    np.testing.assert_allclose(turned.ground[-1, :2] - turned.ground[0, :2], way[[0, 2]], atol=1e-9)


def test_clips_that_cannot_be_joined_are_one_clear_line():
    clip = _walk(20)
    with pytest.raises(InputError, match="60 and 30 fps"):
        between(clip, replace(clip, fps=30.0))
    with pytest.raises(InputError, match="one above 0"):
        between(clip, clip, seconds=0.0)
    with pytest.raises(InputError, match="20 poses"):
        between(clip, clip, seconds=0.0, settle_s=1.0)
    with pytest.raises(InputError, match="different skeletons"):
        small = replace(clip.skeleton, offsets_m=clip.skeleton.offsets_m * 0.9)
        between(clip, replace(clip, skeleton=small))


@pytest.fixture(scope="module")
def standing_dogs():
    """Return two clips of a dog standing still, 0.6 m and a turn apart."""
    clip = make_gaits([Part(1.5, IDLE)], seed=1).clip
    first, second = _part(replace(clip, sections=()), 0, 50), _part(clip, 20, 80)
    return first, moved(second, 0.7, second.ground[0, :2], np.array([0.3, 0.5]))


def test_standing_feet_step_instead_of_gliding(standing_dogs):
    before, after = standing_dogs
    glided, walked = (between(before, after, seconds=1.0, steps=s) for s in (False, True))

    def skating(clip):
        return clip_measures(_part(clip, 49, 110))["foot_skating_m_s"]

    assert skating(glided) > 0.4
    assert skating(walked) < 0.06
    assert clip_measures(walked)["penetration_max_m"] < 1e-3
    _same_poses(_part(walked, 0, 50), before)
    _same_poses(_part(walked, 109, 169), after)
    np.testing.assert_array_equal(walked.root_positions_m, glided.root_positions_m)


def test_steps_do_not_snap(standing_dogs):
    places = world_pose(between(*standing_dogs, seconds=1.0))[0]
    assert np.linalg.norm(np.diff(places, axis=0), axis=2).max() * 60 < 4.0
    assert np.linalg.norm(np.diff(places, 2, axis=0), axis=2).max() * 3600 < 80.0


def test_a_leg_in_swing_at_the_cut_does_not_fold_up():
    whole = replace(make_gaits([Part(5.0, MOVE, 0.8)], seed=1).clip, sections=())
    before, after = _part(whole, 100, 200), _part(whole, 200, 299)
    far = moved(after, 0.3, after.ground[0, :2], before.ground[-1, :2] + [0.1, 0.5])
    places = world_pose(between(before, far, seconds=0.7))[0]
    usual = world_pose(whole)[0]
    for knee, hip in ((17, 16), (21, 20), (8, 7), (13, 12)):
        highest = (usual[:, knee, 1] - usual[:, hip, 1]).max()
        assert (places[:, knee, 1] - places[:, hip, 1]).max() < highest + 0.04

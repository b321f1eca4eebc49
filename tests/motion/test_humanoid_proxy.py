import numpy as np

from motion.files.bvh import read_bvh, write_bvh
from motion.humanoid.body import HUMANOID, renamed, with_offsets
from motion.looks.proxy import proxy_for
from motion.looks.skinned_mesh import posed_vertices
from motion.measures.pose import feet_of
from tests.motion.people import person, walker


def test_the_mannequin_stands_on_the_ground_as_tall_as_a_person():
    skinned = proxy_for(HUMANOID)
    low, high = skinned.mesh.vertices.min(axis=0), skinned.mesh.vertices.max(axis=0)
    assert abs(low[1]) < 0.012
    assert 1.6 < high[1] < 1.8
    np.testing.assert_allclose(low[0], -high[0], atol=0.02)
    np.testing.assert_allclose(skinned.weights.sum(axis=1), 1.0, atol=1e-5)
    followed = set(np.unique(skinned.joints[skinned.weights > 0.5]))
    assert followed == set(range(22))  # every joint moves something


def test_a_bent_arm_moves_the_left_hand_only():
    clip = person(2, {"left_shoulder": np.array([0.0, 0.0, -80.0])}, np.zeros((2, 3)))
    still = person(2, {}, np.zeros((2, 3)))
    skinned = proxy_for(HUMANOID)
    moved = np.linalg.norm(
        posed_vertices(skinned, clip)[0] - posed_vertices(skinned, still)[0], axis=1
    )
    hand = skinned.mesh.vertices[:, 0] > 0.7
    assert moved[hand].min() > 0.4
    assert moved[skinned.mesh.vertices[:, 0] < 0].max() < 1e-3


def test_size_and_names_do_not_matter():
    small = with_offsets(HUMANOID.offsets_m * 0.5)
    heights = [np.ptp(proxy_for(s).mesh.vertices[:, 1]) for s in (HUMANOID, small)]
    np.testing.assert_allclose(heights[1] / heights[0], 0.5, atol=0.03)
    mixamo = proxy_for(renamed(walker(3), "mixamo").skeleton)
    np.testing.assert_allclose(np.ptp(mixamo.mesh.vertices[:, 1]), heights[0], atol=1e-6)


def test_a_clip_read_back_from_bvh_has_the_same_mannequin_and_feet(tmp_path):
    write_bvh(tmp_path / "walk.bvh", walker(5))
    clip = read_bvh(tmp_path / "walk.bvh")
    assert len(clip.skeleton) == 27  # the file's end sites
    assert feet_of(clip).names == ("left_foot", "right_foot")
    assert feet_of(clip).legs[0] == tuple(
        clip.skeleton.index(name) for name in ("left_hip", "left_knee", "left_ankle")
    )
    heights = [np.ptp(proxy_for(s).mesh.vertices[:, 1]) for s in (HUMANOID, clip.skeleton)]
    np.testing.assert_allclose(heights[0], heights[1], atol=5e-3)

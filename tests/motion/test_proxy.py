import dataclasses

import numpy as np
import pytest

from motion.clip import Clip
from motion.looks import proxy
from motion.looks.proxy import proxy_for
from motion.looks.skinned_mesh import posed_mesh, posed_vertices
from motion.skeleton import PAWS, QUADRUPED


@pytest.fixture(scope="module")
def wolf():
    return proxy_for(QUADRUPED)


def _resting(frames: int = 1) -> Clip:
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (frames, len(QUADRUPED), 1))
    return Clip(QUADRUPED, np.tile(QUADRUPED.offsets_m[0], (frames, 1)), rotations, 60.0)


def test_it_has_two_to_four_thousand_faces_wound_outwards_without_holes(wolf):
    import trimesh

    assert 2000 <= len(wolf.mesh.faces) <= 4000
    shape = trimesh.Trimesh(wolf.mesh.vertices, wolf.mesh.faces, process=False)
    assert shape.is_watertight
    assert shape.is_winding_consistent
    assert 0.01 < shape.volume < 0.06  # a wolf of 10 to 60 litres


def test_it_stands_on_the_ground_around_its_bones(wolf):
    low, high = wolf.mesh.bounds
    assert -0.01 < low[1] < 0.005
    # Under each paw there is a pad that reaches the ground.
    for paw in PAWS:
        place = QUADRUPED.rest_positions_m[paw]
        near = np.linalg.norm(wolf.mesh.vertices[:, [0, 2]] - place[[0, 2]], axis=1) < 0.05
        assert wolf.mesh.vertices[near, 1].min() < 0.012
    bones = QUADRUPED.rest_positions_m
    assert (bones >= low - 0.01).all() and (bones <= high + 0.01).all()


def test_weights_are_shares_of_bones_nearby(wolf):
    assert wolf.weights.shape == wolf.joints.shape == (len(wolf.mesh.vertices), 4)
    np.testing.assert_allclose(wolf.weights.sum(axis=1), 1.0, atol=1e-6)
    assert (np.diff(wolf.weights, axis=1) <= 1e-6).all()
    assert not QUADRUPED.sites[wolf.joints].any()
    assert (wolf.joints[wolf.weights == 0] == 0).all()
    # Nothing on the left follows a right leg, but for the skin between the thighs.
    for side, sign in (("Left", -1), ("Right", 1)):
        legs = [number for number, name in enumerate(QUADRUPED.names) if name.startswith(side)]
        follows = (np.isin(wolf.joints, legs) * wolf.weights).sum(axis=1) > 0.1
        assert (sign * wolf.mesh.vertices[follows, 0]).max() < 0.02


def test_left_and_right_are_the_same_shape(wolf):
    import trimesh

    low, high = wolf.mesh.bounds
    np.testing.assert_allclose(low[0], -high[0], atol=0.004)
    shape = trimesh.Trimesh(wolf.mesh.vertices, wolf.mesh.faces, process=False)
    assert abs(shape.center_mass[0]) < 0.001
    assert abs(shape.principal_inertia_vectors[:, 0]).max() > 0.999  # +X is an axis of inertia


def test_the_rest_pose_leaves_it_alone_and_moving_the_hips_moves_it_all(wolf):
    clip = _resting(2)
    clip.root_positions_m[1] += [1.0, 2.0, 3.0]
    posed = posed_vertices(wolf, clip)
    np.testing.assert_allclose(posed[0], wolf.mesh.vertices, atol=1e-6)
    np.testing.assert_allclose(posed[1], wolf.mesh.vertices + np.float32([1, 2, 3]), atol=1e-5)


def test_turning_a_foot_moves_the_foot_only(wolf):
    clip = _resting()
    foot = QUADRUPED.index("LeftFoot")
    clip.rotations_xyzw[0, foot] = [np.sin(0.4), 0, 0, np.cos(0.4)]
    moved = np.linalg.norm(posed_mesh(wolf, clip, 0).vertices - wolf.mesh.vertices, axis=1)
    far = np.linalg.norm(wolf.mesh.vertices - QUADRUPED.rest_positions_m[foot], axis=1) > 0.17
    assert moved.max() > 0.05
    assert moved[far].max() < 0.002


def test_a_larger_animal_is_larger_all_over(wolf):
    larger = dataclasses.replace(QUADRUPED, offsets_m=QUADRUPED.offsets_m * 1.5)
    scale = np.ptp(proxy_for(larger).mesh.vertices, axis=0) / np.ptp(wolf.mesh.vertices, axis=0)
    np.testing.assert_allclose(scale, 1.5, atol=0.03)


def test_it_is_the_same_every_time(wolf):
    proxy._proxy.cache_clear()
    again = proxy_for(QUADRUPED)
    assert again is not wolf
    np.testing.assert_array_equal(again.mesh.vertices, wolf.mesh.vertices)
    np.testing.assert_array_equal(again.weights, wolf.weights)

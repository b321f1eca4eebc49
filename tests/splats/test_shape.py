"""The shape network's surroundings are true, and it only ever takes away from the hull."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from assets3d.cameras import four_views, orbit_cameras
from assets3d.errors import InputError
from assets3d.splats.carve import carve, carve_for_network
from assets3d.splats.shape import is_standard, load_shape, refined, surroundings
from assets3d.splats.shape_network import (
    CHANNELS,
    GUESS,
    REACH,
    SIDE,
    VIEWS,
    ShapeNetwork,
    _gathered,
    _spread,
)
from tests.splats.solids import ball, box, render_solid

CAMERAS = four_views(64)


@pytest.fixture(scope="module")
def views():
    return render_solid(box(0.35, 0.5, 0.2), CAMERAS)


@pytest.fixture(scope="module")
def seen(views):
    cube, outlines = carve_for_network(views)
    place = cube.distance, cube.low, cube.spacing
    return cube, surroundings(views.rgba, outlines.distance_px, views.cameras, *place)


def test_only_the_four_standard_views_are_its_own():
    assert is_standard(CAMERAS)
    assert not is_standard(CAMERAS[[0, 2, 1, 3]])
    assert not is_standard(CAMERAS[:3])
    assert not is_standard(orbit_cameras([0.0, 90.0, 180.0, 270.0], 25.0, 64))


def test_surroundings_are_what_is_known_of_each_voxel(views, seen):
    cube, known = seen
    assert known.shape == (CHANNELS, SIDE, SIDE, SIDE)
    assert known.min() >= -1.0
    assert known.max() <= 1.0
    # The guess lies inside of every outline, and is what it was told.
    inside = cube.distance > 0.0
    assert (known[:VIEWS].amin(0).numpy()[inside] > -1e-3).all()
    wanted = np.clip(cube.distance / (REACH * cube.spacing), -1.0, 1.0)
    np.testing.assert_allclose(known[GUESS].numpy(), wanted, atol=1e-5)
    # The middle of the box is seen by all, in the front's own colour.
    middle = np.full(3, SIDE // 2)
    front = views.rgba[0, 32, 32, :3] / 255.0
    np.testing.assert_allclose(known[VIEWS : VIEWS + 3][:, *middle].numpy(), front, atol=0.05)
    # The last three are the place, -1 to 1, x first.
    x, y, z = known[-3:].numpy()
    assert x[0, 0, 0] < x[-1, 0, 0]
    assert y[0, 0, 0] < y[0, -1, 0]
    assert z[0, 0, 0] < z[0, 0, -1]


def test_untaught_it_says_what_the_rule_says(views, seen):
    _, known = seen
    with torch.no_grad():
        found = ShapeNetwork()(known[None])[0]
    torch.testing.assert_close(found, known[GUESS])
    by_rule = carve(views, 48)
    same = carve(views, 48, shape=lambda given: REACH * given[GUESS].numpy())
    inside, wanted = same.distance > 0.0, by_rule.distance > 0.0
    assert (inside & wanted).sum() / (inside | wanted).sum() > 0.98


def test_eight_voxels_go_through_one_place_and_come_back():
    field = torch.arange(4.0**3).reshape(1, 1, 4, 4, 4)
    torch.testing.assert_close(_spread(_gathered(field)), field[:, 0])


def test_it_only_takes_away(views):
    bare = carve(views, 48, rounded=False)
    everything = carve(views, 48, shape=lambda _: np.full((SIDE,) * 3, REACH, np.float32))
    np.testing.assert_array_equal(everything.distance, bare.distance)
    axis = np.linspace(-1.0, 1.0, SIDE)
    x, _, z = np.meshgrid(axis, axis, axis, indexing="ij")
    hollow = (8.0 * np.maximum(np.abs(x), np.abs(z)) - 2.0).astype(np.float32)
    holed = carve(views, 48, shape=lambda _: hollow)
    assert ((holed.distance > 0.0) <= (bare.distance > 0.0)).all()
    assert holed.distance[24, 24, 24] < 0.0 < bare.distance[24, 24, 24]


def test_other_views_are_not_asked():
    ring = render_solid(ball(0.4), orbit_cameras([0.0, 60.0, 120.0, 200.0], 10.0, 48))

    def never(_):
        raise AssertionError

    assert (carve(ring, 32, shape=never).distance > 0.0).any()


def test_nothing_left_is_one_line(views):
    with pytest.raises(InputError, match="nothing is left inside the outlines"):
        carve(views, 32, shape=lambda _: np.full((SIDE,) * 3, -REACH, np.float32))


def test_refined_follows_the_network_where_it_is_sure():
    hull = np.full((6, 6, 6), 0.5, np.float32)
    coarse = np.full((3, 3, 3), REACH, np.float32)
    np.testing.assert_array_equal(refined(hull, coarse, 0.1), hull)
    coarse[:] = -1.0
    np.testing.assert_allclose(refined(hull, coarse, 0.1), -0.1, atol=1e-6)


def test_weights_go_to_the_disk_and_back(tmp_path, seen):
    network = ShapeNetwork()
    with torch.no_grad():
        network.leave.weight.add_(0.02)
    halves = {key: value.half() for key, value in network.state_dict().items()}
    save_file(halves, tmp_path / "shape.safetensors")
    found = load_shape(tmp_path)(seen[1])
    assert found.shape == (SIDE, SIDE, SIDE)
    assert np.abs(found).max() <= REACH
    assert np.abs(found - REACH * seen[1][GUESS].numpy()).max() > 1e-3
    del halves["leave.weight"]
    save_file(halves, tmp_path / "shape.safetensors")
    with pytest.raises(InputError, match=r"splats\.shape"):
        load_shape(tmp_path)

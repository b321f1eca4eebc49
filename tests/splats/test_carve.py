import numpy as np
import pytest
from scipy import ndimage

from assets3d.cameras import four_views, orbit_cameras
from assets3d.errors import InputError
from assets3d.splats.carve import carve
from assets3d.views.posed import Views
from tests.splats.solids import ball, box, cylinder, render_solid

RING = orbit_cameras(np.arange(24) * 137.5, np.tile([-20.0, 10.0, 40.0, 65.0], 6), 64)


def grid(hull):
    size = hull.distance.shape[0]
    axes = [hull.low[a] + hull.spacing * np.arange(size) for a in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def overlap(hull, solid):
    inside, wanted = hull.distance > 0, solid(grid(hull)) < 0
    return (inside & wanted).sum() / (inside | wanted).sum()


def test_many_views_of_a_box_give_the_box_to_a_part_of_a_voxel():
    solid = box(0.3, 0.5, 0.2)
    hull = carve(render_solid(solid, RING), resolution=64)
    assert overlap(hull, solid) > 0.9
    np.testing.assert_allclose(hull.bounds[1], [0.3, 0.5, 0.2], atol=0.04)


def test_the_hull_never_cuts_what_all_views_saw():
    solid = ball(0.5)
    hull = carve(render_solid(solid, RING), resolution=64, rounded=False)
    points = grid(hull)[solid(grid(hull)) < -2 * hull.spacing]
    index = np.rint((points - hull.low) / hull.spacing).astype(int)
    assert (hull.distance[tuple(index.T)] > 0).all()


def test_four_views_of_round_things_are_square_without_the_prior():
    solid = cylinder(0.4, 0.5)
    views = render_solid(solid, four_views(96))
    bare = overlap(carve(views, 64, rounded=False), solid)
    rounded = overlap(carve(views, 64), solid)
    assert bare < 0.78
    assert rounded > 0.88


def test_four_views_of_a_box_lose_the_bulges_that_perspective_allows():
    solid = box(0.35, 0.3, 0.4)
    views = render_solid(solid, four_views(96))
    assert overlap(carve(views, 64, rounded=False), solid) < 0.7
    assert overlap(carve(views, 64), solid) > 0.88


def test_four_views_of_a_ball_stay_a_ball():
    solid = ball(0.5)
    views = render_solid(solid, four_views(96))
    assert overlap(carve(views, 64), solid) > 0.92


def test_world_units_and_place_do_not_matter():
    solid = ball(0.4)
    views = render_solid(solid, RING)
    poses = RING.world_from_camera.copy()
    poses[:, :3, 3] = poses[:, :3, 3] * 50.0 + [10.0, -30.0, 7.0]
    cameras = type(RING)(poses, RING.intrinsics_px, 64, 64)
    hull = carve(Views(views.rgba, cameras), 48)
    np.testing.assert_allclose(hull.bounds.mean(0), [10.0, -30.0, 7.0], atol=1.0)
    np.testing.assert_allclose(np.ptp(hull.bounds, axis=0), 40.0, atol=3.0)


def test_a_front_view_is_kept_whole_when_another_contradicts_it():
    views = render_solid(cylinder(0.4, 0.5), four_views(96))
    rgba = views.rgba.copy()
    rgba[1, :48] = 0  # the side view lost its upper half
    broken = Views(rgba, views.cameras)
    whole = carve(broken, 64, front=0).bounds
    assert carve(broken, 64).bounds[1, 1] < 0.1
    assert whole[1, 1] > 0.42


def test_bad_views_are_refused():
    views = render_solid(ball(0.4), four_views(32))
    with pytest.raises(InputError, match="wanted at least 3 from 2"):
        carve(Views(views.rgba[[0, 2]], views.cameras[[0, 2]]))
    empty = views.rgba.copy()
    empty[2, ..., 3] = 0
    with pytest.raises(InputError, match="picture 2 shows nothing"):
        carve(Views(empty, views.cameras))
    full = views.rgba.copy()
    full[1, ..., 3] = 255
    with pytest.raises(InputError, match="picture 1 has no background"):
        carve(Views(full, views.cameras))


def _one_piece(hull):
    return ndimage.label(hull.distance > 0.0)[1] == 1


@pytest.mark.parametrize("solid", [ball(0.45), box(0.35, 0.4, 0.35)], ids=["ball", "box"])
def test_a_front_a_little_larger_than_the_rest_stretches_the_hull_without_ridges(solid):
    views = render_solid(solid, four_views(96))
    rgba = views.rgba.copy()
    rgba[0, ..., 3] = ndimage.grey_dilation(rgba[0, ..., 3], size=(5, 5))
    plain = carve(views, 64)
    whole = carve(Views(rgba, views.cameras), 64, front=0)
    assert _one_piece(whole)
    np.testing.assert_allclose(whole.bounds[:, 0], plain.bounds[:, 0] + [-0.02, 0.02], atol=0.03)
    # A ridge would stick out of the next slice: areas change slowly from slice to slice.
    slices = (whole.distance > 0.0).any(axis=0).sum(axis=0) * whole.spacing
    inner = slices[slices > 0.3 * slices.max()]
    assert np.abs(np.diff(inner)).max() < 0.25


def test_a_part_that_only_the_front_shows_hangs_on_the_hull():
    views = render_solid(cylinder(0.3, 0.45), four_views(96))
    rgba = views.rgba.copy()
    columns = np.flatnonzero((rgba[0, ..., 3] > 127).any(axis=0))
    rgba[0, 40:56, columns[-1] - 1 : columns[-1] + 12] = 255
    whole = carve(Views(rgba, views.cameras), 64, front=0)
    assert _one_piece(whole)
    assert whole.bounds[1, 0] > 0.38

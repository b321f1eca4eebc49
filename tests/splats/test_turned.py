import dataclasses

import numpy as np
import pytest

from assets3d.cameras import Cameras, four_views
from assets3d.splats.carve import carve
from assets3d.splats.silhouettes import measure_silhouettes
from assets3d.splats.turned import find_turned
from tests.splats.solids import ball, box, cylinder, render_solid
from tests.splats.test_carve import overlap

FOUR = four_views(128)


def moved(solid, x, y, z):
    return lambda p: solid(p - np.array([x, y, z]))


def union(*solids):
    return lambda p: np.minimum.reduce([solid(p) for solid in solids])


def egg(p):
    return 0.6 * (np.linalg.norm(p * np.array([1.4, 1.0, 1.4]), axis=-1) - 0.5)


def found(solid, cameras=FOUR):
    views = render_solid(solid, cameras)
    return find_turned(cameras, measure_silhouettes(views))


@pytest.mark.parametrize(
    ("solid", "least"),
    [
        (ball(0.45), 0.97),
        (egg, 0.95),
        (cylinder(0.3, 0.4), 0.95),
        (moved(cylinder(0.25, 0.2), 0.0, 0.25, 0.0), 0.91),
        (moved(ball(0.3), 0.1, -0.1, -0.12), 0.95),
        (union(cylinder(0.12, 0.45), moved(ball(0.3), 0.0, 0.2, 0.0)), 0.93),
    ],
)
def test_what_was_turned_comes_out_of_four_views(solid, least):
    views = render_solid(solid, FOUR)
    assert overlap(carve(views, 64), solid) > least


def test_the_axis_and_the_radius_are_the_balls():
    turned = found(moved(ball(0.3), 0.1, 0.05, -0.12))
    assert turned is not None
    np.testing.assert_allclose(turned.axis, [0.1, -0.12], atol=0.01)
    assert turned.radius.max() == pytest.approx(0.3, rel=0.02)
    middle = turned.low + turned.step * int(turned.radius.argmax())
    assert middle == pytest.approx(0.05, abs=0.06)
    assert turned.radius[0] == turned.radius[-1] == 0.0


def test_distances_are_to_the_surface():
    turned = found(ball(0.4))
    assert turned is not None
    points = np.array([[[0.0, 0.0, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.6], [0.0, 2.0, 0.0]]])
    distance = turned.distance(points.astype(np.float32))[0]
    np.testing.assert_allclose(distance[:3], [0.4, 0.1, -0.2], atol=0.03)
    assert -1.8 < distance[3] < -1.0


def test_a_handle_beside_it_is_kept():
    handle = moved(box(0.12, 0.05, 0.05), 0.42, 0.0, 0.0)
    solid = union(cylinder(0.32, 0.4), handle)
    turned = found(solid)
    assert turned is not None
    np.testing.assert_allclose(turned.axis, [0.0, 0.0], atol=0.02)
    hull = carve(render_solid(solid, FOUR), 64)
    assert hull.bounds[1, 0] > 0.5
    assert overlap(hull, solid) > 0.88


@pytest.mark.parametrize(
    "solid",
    [
        box(0.45, 0.2, 0.1),
        union(*(moved(cylinder(0.06, 0.4), x, 0.0, z) for x in (-0.3, 0.3) for z in (-0.3, 0.3))),
        union(moved(ball(0.2), 0.25, 0.0, 0.0), moved(ball(0.2), -0.25, 0.0, 0.0)),
    ],
)
def test_slabs_legs_and_pairs_were_not_turned(solid):
    assert found(solid) is None


def test_cameras_that_differ_and_cut_views_are_left_to_the_sections():
    near = FOUR.world_from_camera.copy()
    near[1, :3, 3] *= 0.8
    other = dataclasses.replace(FOUR, intrinsics_px=FOUR.intrinsics_px * [[1.3, 1.3, 1, 1]] + 0.0)
    mixed = Cameras(
        FOUR.world_from_camera,
        np.concatenate([FOUR.intrinsics_px[:2], other.intrinsics_px[2:]]),
        128,
        128,
    )
    assert found(ball(0.3), mixed) is None
    closer = Cameras(near, FOUR.intrinsics_px, 128, 128)
    turned = found(ball(0.3), closer)
    assert turned is not None
    assert turned.radius.max() == pytest.approx(0.3, rel=0.04)
    assert found(ball(0.7)) is None


def test_specks_and_threads_are_no_trouble():
    views = render_solid(ball(0.3), FOUR)
    for height, width in ((1, 1), (1, 60), (60, 1), (2, 2)):
        rgba = np.zeros_like(views.rgba)
        rgba[:, 60 : 60 + height, 64 - width // 2 : 64 - width // 2 + width] = 255
        silhouettes = measure_silhouettes(dataclasses.replace(views, rgba=rgba))
        turned = find_turned(FOUR, silhouettes)
        assert turned is None or np.isfinite(turned.radius).all()

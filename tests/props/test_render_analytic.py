"""Sphere-traced depth and normals against closed forms."""

import numpy as np
import pytest

from assets3d.cameras import four_views, orbit_cameras, pixel_rays
from assets3d.props.prop import LONG_SIDE, Draft, Part, Words, normalised
from assets3d.props.render import render_prop
from assets3d.props.sdf import box, cylinder, sphere


def _prop(field):
    return normalised(Draft((Part(field, (0.5, 0.5, 0.5)),), Words()), "test", 0, ("thing",), 1.0)


def _sphere_hit(origin, direction, radius):
    middle = -(origin * direction).sum(-1)
    square = radius**2 - ((origin**2).sum(-1) - middle**2)
    travel = np.where(square > 0, middle - np.sqrt(np.maximum(square, 0)), np.nan)
    point = origin + travel[..., None] * direction
    return travel, point / radius


def _slabs(origin, direction, half):
    with np.errstate(divide="ignore"):
        a, b = (-half - origin) / direction, (half - origin) / direction
    near, far = np.minimum(a, b), np.maximum(a, b)
    axis = near.argmax(-1)
    travel = np.where(near.max(-1) < far.min(-1), near.max(-1), np.nan)
    normal = -np.sign(np.take_along_axis(direction, axis[..., None], -1)) * np.eye(3)[axis]
    return travel, normal


def _cylinder_hit(origin, direction, radius, half):
    a = direction[..., 0] ** 2 + direction[..., 2] ** 2
    b = origin[..., 0] * direction[..., 0] + origin[..., 2] * direction[..., 2]
    c = origin[..., 0] ** 2 + origin[..., 2] ** 2 - radius**2
    root = np.sqrt(np.maximum(b * b - a * c, 0))
    side_in, side_out = (-b - root) / a, (-b + root) / a
    y, dy = origin[..., 1], direction[..., 1]
    with np.errstate(divide="ignore"):
        caps = np.stack([(-half - y) / dy, (half - y) / dy])
    cap_in, cap_out = caps.min(0), caps.max(0)
    enter = np.maximum(side_in, cap_in)
    meets = (b * b - a * c > 0) & (enter < np.minimum(side_out, cap_out))
    point = origin + enter[..., None] * direction
    round_normal = point * [1, 0, 1] / radius
    cap_normal = np.stack([0 * y, -np.sign(dy), 0 * y], -1)
    normal = np.where((side_in > cap_in)[..., None], round_normal, cap_normal)
    return np.where(meets, enter, np.nan), normal


def _compare(prop, cameras, travel, normal):
    drawn = render_prop(prop, cameras)
    _, direction = pixel_rays(cameras)
    forward = -cameras.world_from_camera[:, :3, 2]
    depth = travel * np.einsum("vhwi,vi->vhw", direction, forward)
    both = np.isfinite(depth) & (drawn.depth > 0)
    # Rays that pass within 0.002 units of the outline may be judged differently.
    assert (np.isfinite(depth) != (drawn.depth > 0)).mean() < 0.01
    # Tracing stops at a distance from the surface, so the error is judged along the normal.
    facing = np.abs((direction * normal).sum(-1))[both]
    error = np.abs(drawn.depth - depth)[both] * facing
    assert np.quantile(error, 0.99) < 6e-4
    assert error.mean() < 2e-4
    agreement = (drawn.normal * normal).sum(-1)[both]
    assert (agreement > 0.999).mean() > 0.97
    assert drawn.rgba[..., 3][both].min() > 0


CAMERAS = orbit_cameras([0.0, 90.0, 200.0, 33.0], [0.0, 15.0, 35.0, -20.0], 64)


def test_sphere():
    prop = _prop(sphere(0.8))
    travel, normal = _sphere_hit(*pixel_rays(CAMERAS), 0.8 * prop.scale)
    assert prop.scale == pytest.approx(LONG_SIDE / 1.6, rel=3e-3)
    _compare(prop, CAMERAS, travel, normal)


def test_box():
    prop = _prop(box(0.3, 0.8, 0.4))
    half = np.array([0.3, 0.8, 0.4]) * prop.scale
    np.testing.assert_allclose(prop.half_size, half, atol=3e-3)
    # Its front face comes near the camera, so it must be a little smaller to fit the frame.
    assert 0.85 * LONG_SIDE < 1.6 * prop.scale < LONG_SIDE
    travel, normal = _slabs(*pixel_rays(CAMERAS), np.array([0.3, 0.8, 0.4]) * prop.scale)
    _compare(prop, CAMERAS, travel, normal)


def test_cylinder():
    prop = _prop(cylinder(0.3, 0.7))
    travel, normal = _cylinder_hit(*pixel_rays(CAMERAS), 0.3 * prop.scale, 0.7 * prop.scale)
    _compare(prop, CAMERAS, travel, normal)


def test_alpha_is_the_covered_part_of_a_pixel():
    prop = _prop(sphere(0.8))
    coarse = render_prop(prop, four_views(48)).rgba[0, ..., 3] / 255.0
    fine = render_prop(prop, four_views(480)).depth[0] > 0
    covered = fine.reshape(48, 10, 48, 10).mean((1, 3))
    assert np.abs(coarse - covered).max() < 0.3
    assert np.abs(coarse - covered).mean() < 7e-3
    assert coarse.sum() == pytest.approx(covered.sum(), rel=5e-3)


def test_any_picture_size_and_camera_order():
    prop = _prop(box(0.3, 0.5, 0.4))
    cameras = orbit_cameras([10.0, 100.0], [5.0, 50.0], 37)
    both = render_prop(prop, cameras)
    swapped = render_prop(prop, cameras[[1, 0]])
    assert both.rgba.shape == (2, 37, 37, 4)
    np.testing.assert_array_equal(both.rgba[0], swapped.rgba[1])
    np.testing.assert_array_equal(both.depth, swapped.depth[::-1])


def test_unlit_is_the_surface_colour():
    prop = _prop(sphere(0.8))
    drawn = render_prop(prop, four_views(32), light="unlit").rgba
    inside = drawn[..., 3] == 255
    assert np.abs(drawn[..., :3][inside] / 255.0 - 0.5).max() < 0.05

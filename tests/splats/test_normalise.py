import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.splats.gaussians import from_parts
from assets3d.splats.normalise import (
    LONG_SIDE,
    normalise,
    quaternion_from_matrix,
    quaternion_product,
    rotate,
    turn_about_y,
    upright_rotation,
)
from tests.splats.scenes import random_gaussians


def covariances(gaussians):
    w, x, y, z = gaussians.rotation.T.astype(np.float64)
    r = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    return np.einsum("nij,nj,nkj->nik", r, gaussians.scale.astype(np.float64) ** 2, r)


@pytest.mark.parametrize("up", ["+x", "-x", "+y", "-y", "+z", "-z"])
def test_the_up_axis_ends_at_plus_y_and_covariances_turn_along(up):
    matrix = upright_rotation(up)
    source = np.zeros(3)
    source["xyz".index(up[1])] = 1.0 if up[0] == "+" else -1.0
    np.testing.assert_allclose(matrix @ source, [0, 1, 0], atol=1e-12)
    assert np.isclose(np.linalg.det(matrix), 1.0)
    splats = random_gaussians()
    turned = rotate(splats, matrix)
    wanted = matrix @ covariances(splats) @ matrix.T
    np.testing.assert_allclose(covariances(turned), wanted, atol=1e-6)
    np.testing.assert_allclose(turned.position, splats.position @ matrix.T, atol=1e-6)


def test_turn_moves_the_front_towards_plus_x():
    np.testing.assert_allclose(turn_about_y(90.0) @ [0, 0, 1], [1, 0, 0], atol=1e-12)


def test_quaternions_of_products_are_products_of_quaternions():
    rng = np.random.default_rng(1)
    q = rng.standard_normal((20, 4))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    w, x, y, z = q.T
    r = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    found = quaternion_from_matrix(r)
    np.testing.assert_allclose(np.abs((found * q).sum(1)), 1.0, atol=1e-9)
    product = quaternion_product(found[:10], found[10:])
    again = quaternion_from_matrix(r[:10] @ r[10:])
    np.testing.assert_allclose(np.abs((product * again).sum(1)), 1.0, atol=1e-9)


def test_size_and_centre_ignore_floaters():
    rng = np.random.default_rng(0)
    count = 4000
    position = rng.uniform(-1, 1, (count, 3)) * [3.0, 5.0, 1.0] + [10.0, 0.0, -4.0]
    position[:2] = [[900.0, 0, 0], [0, -700.0, 0]]
    splats = from_parts(
        position,
        np.full(count, 0.9),
        np.full((count, 3), 0.02),
        np.tile([1.0, 0, 0, 0], (count, 1)),
        np.full((count, 3), 0.5),
    )
    found = normalise(splats)
    body = found.position[2:]
    extent = body.max(0) - body.min(0)
    np.testing.assert_allclose(extent, LONG_SIDE * np.array([0.6, 1.0, 0.2]), rtol=0.02)
    np.testing.assert_allclose((body.max(0) + body.min(0)) / 2, 0.0, atol=0.01)
    np.testing.assert_allclose(found.scale, 0.02 * LONG_SIDE / 10.0, rtol=0.02)


def test_bad_input_is_refused():
    splats = random_gaussians(3)
    with pytest.raises(InputError, match="up"):
        normalise(splats, up="sideways")
    splats.values[:, :3] = 1.0
    with pytest.raises(InputError, match="extent"):
        normalise(splats)

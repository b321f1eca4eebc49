"""A person's splats into our frame: upright, facing +Z, centred, as large as networks expect."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.splats.gaussians import Gaussians, from_parts

#: Long side of a normalised object: 80 % of what the standard cameras see at the origin.
LONG_SIDE = 1.096
#: Share of the opaque volume left out at each end of each axis when the size is measured.
BOUNDS_QUANTILE = 0.002

Up = Literal["+x", "-x", "+y", "-y", "+z", "-z"]


def normalise(gaussians: Gaussians, up: Up = "+y", turn_deg: float = 0.0) -> Gaussians:
    """Return the splats upright (+Y), centred at the origin, the long side `LONG_SIDE` units.

    `up` is the file's own up axis; 3DGS captures are often "-y". `turn_deg` then turns the object
    about +Y, from +Z towards +X, to make its front face +Z. Size and centre come from
    opacity-weighted quantiles, so stray floaters do not shrink the object. No splat is dropped.

    Raises:
        InputError: `up` is unknown, or the splats have no extent.
    """
    if up not in get_args(Up):
        raise InputError(f"up: found {up!r}, wanted one of {', '.join(get_args(Up))}")
    rotated = rotate(gaussians, turn_about_y(turn_deg) @ upright_rotation(up))
    low, high = robust_bounds(rotated)
    extent = float((high - low).max())
    if not extent > 0.0:
        raise InputError("splats: all lie in one point, wanted an object with an extent")
    return scale_and_move(rotated, LONG_SIDE / extent, -(low + high) / 2.0)


def rotate(gaussians: Gaussians, rotation: NDArray) -> Gaussians:
    """Turn positions and orientations by a (3, 3) rotation matrix about the origin."""
    position = gaussians.position.astype(np.float64) @ np.asarray(rotation, dtype=np.float64).T
    turned = quaternion_product(quaternion_from_matrix(rotation), gaussians.rotation)
    return from_parts(position, gaussians.opacity, gaussians.scale, turned, gaussians.rgb)


def scale_and_move(gaussians: Gaussians, factor: float, offset: NDArray) -> Gaussians:
    """Return the splats moved by `offset` (3,) and then scaled by `factor` about the origin."""
    position = (gaussians.position.astype(np.float64) + offset) * factor
    return from_parts(
        position, gaussians.opacity, gaussians.scale * factor, gaussians.rotation, gaussians.rgb
    )


def robust_bounds(gaussians: Gaussians) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest corner of the visible mass, both (3,).

    Each splat weighs its opacity times its largest cross-section, which is what a camera sees of
    it; splats far larger than the others (a sky, a fog) count no more than the 99th percentile.
    """
    sides = np.sort(gaussians.scale.astype(np.float64), axis=1)
    area = sides[:, 1] * sides[:, 2]
    weight = gaussians.opacity * np.minimum(area, np.quantile(area, 0.99))
    if not weight.sum() > 0.0:
        raise InputError("splats: all are fully transparent, wanted at least one that is visible")
    corners = [_weighted_quantiles(column, weight) for column in gaussians.position.T]
    return np.array([c[0] for c in corners]), np.array([c[1] for c in corners])


def upright_rotation(up: Up) -> NDArray[np.float64]:
    """Return the (3, 3) rotation that takes the axis `up` to +Y by the shortest turn.

    Upside down ("-y") is half a turn about X, the usual fix for 3DGS captures, whose cameras look
    along +z with y down: what faced their camera (-z) then faces +Z.
    """
    axis = "xyz".index(up[1])
    source = np.zeros(3)
    source[axis] = 1.0 if up[0] == "+" else -1.0
    if axis == 1:
        return np.eye(3) if up[0] == "+" else np.diag([1.0, -1.0, -1.0])
    target = np.array([0.0, 1.0, 0.0])
    third = np.cross(source, target)
    before = np.stack([source, target, third], axis=1)
    after = np.stack([target, -source, third], axis=1)
    return after @ before.T


def turn_about_y(angle_deg: float) -> NDArray[np.float64]:
    """Return the (3, 3) rotation about +Y that moves +Z towards +X, as azimuth does."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def quaternion_from_matrix(rotation: NDArray) -> NDArray[np.float64]:
    """Return unit quaternions (..., 4), w first and not negative, of rotations (..., 3, 3).

    The component of largest size is found first (Shepperd 1978), so no case divides by zero.
    """
    r = np.asarray(rotation, dtype=np.float64)
    xx, yy, zz = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    a, b, c = r[..., 2, 1], r[..., 0, 2], r[..., 1, 0]
    d, e, f = r[..., 1, 2], r[..., 2, 0], r[..., 0, 1]
    # Row i holds the quaternion times four times its i-th component.
    rows = np.stack(
        [
            np.stack([1 + xx + yy + zz, a - d, b - e, c - f], -1),
            np.stack([a - d, 1 + xx - yy - zz, c + f, b + e], -1),
            np.stack([b - e, c + f, 1 - xx + yy - zz, a + d], -1),
            np.stack([c - f, b + e, a + d, 1 - xx - yy + zz], -1),
        ],
        axis=-2,
    )
    best = np.argmax(np.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(rows, best[..., None, None], axis=-2)[..., 0, :]
    row = row / np.linalg.norm(row, axis=-1, keepdims=True)
    return np.where(row[..., :1] < 0.0, -row, row)


def quaternion_product(left: NDArray, right: NDArray) -> NDArray[np.float64]:
    """Hamilton product of (..., 4) quaternions (w, x, y, z): first turns `right`, then `left`."""
    w1, x1, y1, z1 = np.moveaxis(np.asarray(left, dtype=np.float64), -1, 0)
    w2, x2, y2, z2 = np.moveaxis(np.asarray(right, dtype=np.float64), -1, 0)
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def _weighted_quantiles(values: NDArray, weight: NDArray) -> tuple[float, float]:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order], dtype=np.float64)
    share /= share[-1]
    low = int(np.searchsorted(share, BOUNDS_QUANTILE))
    high = int(np.searchsorted(share, 1.0 - BOUNDS_QUANTILE))
    last = len(values) - 1
    return float(values[order[min(low, last)]]), float(values[order[min(high, last)]])

"""Analytic solids for tests: exact pictures and distances without the prop world."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras, pixel_rays
from assets3d.views.posed import Views

Distance = Callable[[NDArray], NDArray]


def ball(radius: float) -> Distance:
    return lambda p: np.linalg.norm(p, axis=-1) - radius


def box(x: float, y: float, z: float) -> Distance:
    def distance(p):
        q = np.abs(p) - np.array([x, y, z])
        outside = np.linalg.norm(np.maximum(q, 0.0), axis=-1)
        return outside + np.minimum(q.max(axis=-1), 0.0)

    return distance


def cylinder(radius: float, half_height: float) -> Distance:
    def distance(p):
        side = np.linalg.norm(p[..., [0, 2]], axis=-1) - radius
        q = np.stack([side, np.abs(p[..., 1]) - half_height], axis=-1)
        return np.linalg.norm(np.maximum(q, 0.0), axis=-1) + np.minimum(q.max(axis=-1), 0.0)

    return distance


def colour(p: NDArray) -> NDArray:
    """A smooth pattern that differs from side to side."""
    waves = np.sin(p * np.array([7.0, 6.0, 5.0]) + np.array([0.3, 1.0, 2.0]))
    return 0.5 + 0.35 * waves


def render_solid(distance: Distance, cameras: Cameras, supersample: int = 2) -> Views:
    """Sphere-trace with `supersample`² rays a pixel; unshaded colour, straight alpha."""
    large = cameras.resized(cameras.width_px * supersample, cameras.height_px * supersample)
    origins, directions = pixel_rays(large)
    travelled = np.full(origins.shape[:3], 0.3)
    for _ in range(40):
        travelled += np.clip(distance(origins + travelled[..., None] * directions), -0.1, 0.5)
    points = origins + travelled[..., None] * directions
    hit = np.abs(distance(points)) < 2e-3
    rgb = np.where(hit[..., None], colour(points), 0.0)
    shape = (len(cameras), cameras.height_px, supersample, cameras.width_px, supersample)
    alpha = hit.reshape(shape).mean(axis=(2, 4))
    total = rgb.reshape(*shape, 3).mean(axis=(2, 4))
    straight = total / np.maximum(alpha[..., None], 1e-6)
    rgba = np.concatenate([straight, alpha[..., None]], axis=-1)
    return Views((np.clip(rgba, 0, 1) * 255.0 + 0.5).astype(np.uint8), cameras)

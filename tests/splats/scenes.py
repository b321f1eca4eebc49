"""Small splat scenes for tests."""

import numpy as np

from assets3d.splats.gaussians import Gaussians, from_parts


def random_gaussians(count: int = 50, seed: int = 0) -> Gaussians:
    rng = np.random.default_rng(seed)
    rotation = rng.standard_normal((count, 4))
    return from_parts(
        rng.uniform(-0.5, 0.5, (count, 3)),
        rng.uniform(0.05, 0.95, count),
        np.exp(rng.uniform(-6.0, -2.0, (count, 3))),
        rotation / np.linalg.norm(rotation, axis=1, keepdims=True),
        rng.uniform(0.0, 1.0, (count, 3)),
    )

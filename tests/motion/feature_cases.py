"""Random samples and poses for tests of the network's vectors."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from motion import features as f


def samples(random, count=12, lead=(3,)):
    angles = random.uniform(-3, 3, (*lead, count))
    directions = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    styles = random.uniform(size=(*lead, count, 6))
    return f.Samples(
        random.normal(size=(*lead, count, 2)),
        directions,
        random.normal(size=(*lead, count, 2)),
        random.uniform(0, 4, (*lead, count)) if count == 12 else None,
        styles / styles.sum(-1, keepdims=True) if count == 12 else None,
    )


def pose(random, lead=(3,)):
    axes = Rotation.random(int(np.prod(lead)) * 27, random).as_matrix().reshape(*lead, 27, 3, 3)
    places, speeds = random.normal(size=(2, *lead, 27, 3))
    return f.Pose(places, axes[..., 2], axes[..., 1], speeds)


def close(first, second, atol=1e-5):
    for name in vars(first):
        if getattr(first, name) is None:
            assert getattr(second, name) is None
        else:
            np.testing.assert_allclose(getattr(second, name), getattr(first, name), atol=atol)

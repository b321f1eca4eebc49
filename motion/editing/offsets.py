"""Offsets that die away: what inertialised blending adds to a motion so that it joins another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


def decayed(pair: Array, frames: int, total: int, rate_frames: int | None = None) -> Array:
    """Return the quintic from pair[1], at the rate pair[1] - pair[0], to rest after `frames`.

    What the rate adds is gone after `rate_frames` already, if given. Element 1 of the result is
    pair[1] itself, element 0 is pair[0], all after the end are 0.
    """
    rate_frames = rate_frames or frames
    time, rate_time = (np.clip(np.arange(total) - 1, 0, n) / n for n in (frames, rate_frames))
    value = 1.0 - 10.0 * time**3 + 15.0 * time**4 - 6.0 * time**5
    rate = rate_time - 6.0 * rate_time**3 + 8.0 * rate_time**4 - 3.0 * rate_time**5
    out = np.multiply.outer(value, pair[1])
    out += np.multiply.outer(rate * rate_frames, pair[1] - pair[0])
    out[0] = pair[0]
    return np.asarray(out)


def difference(to: Array, start: Array) -> Array:
    """Return rotation vectors (..., 3) from quaternions `start` to `to`, the shorter way."""
    turn = Rotation.from_quat(to.reshape(-1, 4)) * Rotation.from_quat(start.reshape(-1, 4)).inv()
    vectors = turn.as_rotvec().reshape(*to.shape[:-1], 3)
    if vectors.ndim < 3:
        return vectors
    # The two frames must not take different ways round where the difference is near a half turn.
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    other = vectors - vectors / np.maximum(angle, 1e-12) * 2.0 * np.pi
    flip = np.sum(vectors[0] * vectors[1], axis=-1) < 0
    far = flip & (angle[0, :, 0] > np.pi / 2)
    vectors[0] = np.where(far[:, None], other[0], vectors[0])
    return vectors


def added(quaternions: Array, vectors: Array) -> Array:
    """Return quaternions (..., 4) turned on by rotation vectors (..., 3)."""
    turned = Rotation.from_rotvec(vectors.reshape(-1, 3)) * Rotation.from_quat(
        quaternions.reshape(-1, 4)
    )
    return np.asarray(turned.as_quat().reshape(quaternions.shape))

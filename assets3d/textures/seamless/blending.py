"""Blending by slopes on the torus: steps at a cut vanish, everything else stays in place."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray


def blended(
    picture: NDArray[np.float32],
    to_right: NDArray[np.float32],
    down: NDArray[np.float32],
    reach_px: float,
) -> NDArray[np.float32]:
    """Return the picture whose steps are nearest to those wanted (screened Poisson, by FFT).

    It minimises |steps - wanted|^2 + |result - picture|^2 / reach^2 over the torus, where steps are
    differences of neighbours, across the wrap as anywhere (Perez et al. 2003; screened as by Bhat
    et al. 2008). The second term keeps what is far from a cut as it was.

    Args:
        picture: (H, W, 3).
        to_right: (H, W, 3), wanted difference of each pixel's right neighbour and itself.
        down: the same of the neighbour below.
        reach_px: how far a step may be spread.

    Returns:
        (H, W, 3) with the picture's mean.
    """
    height, width = picture.shape[:2]
    hold = 1.0 / reach_px**2
    # Transform of the sum of squared differences of neighbours.
    rows = 2.0 - 2.0 * np.cos(2.0 * np.pi * np.arange(height) / height)
    columns = 2.0 - 2.0 * np.cos(2.0 * np.pi * np.arange(width // 2 + 1) / width)
    response = (rows[:, None] + columns[None, :] + hold).astype(np.float32)
    result = np.zeros_like(picture)
    for channel in range(picture.shape[2]):
        right, below = to_right[..., channel], down[..., channel]
        wanted = np.roll(right, 1, axis=1) - right + np.roll(below, 1, axis=0) - below
        wanted += hold * picture[..., channel]
        spectrum = scipy.fft.rfft2(wanted, workers=-1) / response
        result[..., channel] = scipy.fft.irfft2(spectrum, s=(height, width), workers=-1)
    return result


def steps_right(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (H, W, 3), right neighbour minus pixel; the last column is 0."""
    return np.diff(picture, axis=1, append=picture[:, -1:])


def steps_down(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (H, W, 3), neighbour below minus pixel; the last row is 0."""
    return np.diff(picture, axis=0, append=picture[-1:])

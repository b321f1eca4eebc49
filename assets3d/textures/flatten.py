"""Photographs without their uneven light, so that opposite edges can meet.

Homomorphic filtering (Oppenheim, Schafer and Stockham 1968): light multiplies what the surface
reflects, so it is what varies slowly in the logarithm. Each channel has its own, so that a cast of
colour (a lamp on one side, sky on the other) goes as well.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from assets3d.errors import InputError
from assets3d.mesh.glb import linear_from_srgb, srgb_from_linear

# The light varies slowly: it is estimated on a picture of this many px on its longer side.
_ESTIMATE_PX = 128
# Standard deviation of the blur that tells light from texture, in longer sides of the picture.
_BLUR = 0.15
# Darker than this share of the channel's mean is taken for this share: it may be all black.
_DARKEST = 0.02
# What is lit less than a fourth as brightly as the whole has more noise than texture.
_LARGEST_GAIN = 4.0
# Light above this is rolled off when something exceeds 1, rather than cut off.
_KNEE = 0.8
# The mean colour is restored as often as this, because rolling off changes it again.
_ROUNDS = 3


def flatten_light(picture: NDArray[Any]) -> NDArray[Any]:
    """Remove uneven light and casts of colour from a photograph of a surface; keep its mean colour.

    What is as wide as half the picture counts as light, texture included: a picture whose one half
    is moss and whose other is sand comes out alike in brightness and hue. Highlights that would
    leave the range are rolled off, not clipped.

    Args:
        picture: (H, W, 3) sRGB-encoded, uint8 or floating 0..1, any aspect; not periodic.

    Returns:
        The same shape, dtype and range; opposite edges have about the same mean.

    Raises:
        InputError: another shape.
    """
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise InputError(f"picture: has the shape {picture.shape}, wanted (height, width, 3)")
    whole = 255.0 if picture.dtype == np.uint8 else 1.0
    result = np.zeros_like(picture)
    for channel in range(3):
        light = linear_from_srgb(picture[..., channel] / np.float32(whole))
        even = srgb_from_linear(_even(light)) * np.float32(whole)
        result[..., channel] = np.rint(even) if whole == 255.0 else even
    return result


def _even(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a linear channel (H, W) under even light: same mean, within 0..1."""
    mean = float(channel.mean(dtype=np.float64))
    if mean <= 0.0:
        return channel
    even = channel * np.exp(-_log_light(channel, mean))
    for _ in range(_ROUNDS):
        even *= np.float32(mean / even.mean(dtype=np.float64))
        even = _rolled_off(even)
    return even


def _log_light(channel: NDArray[np.float32], mean: float) -> NDArray[np.float32]:
    """Return the logarithm (H, W) of the light, about 0 in the mean.

    A blur alone would stop short at the edges, where it sees one side only: a smooth surface of
    second order is fitted first, and the blur adds what that leaves.
    """
    height, width = channel.shape
    scale = min(1.0, _ESTIMATE_PX / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    reduced = cv2.resize(channel, small, interpolation=cv2.INTER_AREA)
    logarithm = np.log(np.maximum(reduced, _DARKEST * mean))
    terms = _second_order(*logarithm.shape)
    weights, *_ = np.linalg.lstsq(terms, logarithm.ravel(), rcond=None)
    trend = (terms @ weights).reshape(logarithm.shape)
    trend += gaussian_filter(logarithm - trend, _BLUR * max(small), mode="reflect")
    trend -= trend.mean()
    limit = np.log(_LARGEST_GAIN)
    trend = np.clip(trend, -limit, limit).astype(np.float32)
    enlarged = cv2.resize(trend, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.float32)


def _second_order(height: int, width: int) -> NDArray[np.float64]:
    """Return 1, x, y, x², xy, y² of the pixel centres (H * W, 6), each axis from -1 to 1."""
    y, x = ((np.arange(length) + 0.5) / length * 2.0 - 1.0 for length in (height, width))
    y, x = np.meshgrid(y, x, indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)


def _rolled_off(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring the largest value to 1 by a smooth bend above the knee; nothing to do below 1."""
    largest = float(light.max())
    if largest <= 1.0:
        return light
    room = 1.0 - _KNEE
    above = np.maximum(light - np.float32(_KNEE), 0.0)
    bend = np.float32(1.0 / room - 1.0 / (largest - _KNEE))
    return np.where(above > 0.0, np.float32(_KNEE) + above / (1.0 + bend * above), light)

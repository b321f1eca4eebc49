"""Relief from brightness alone: no network, at once, often wrong; the baseline to beat.

Brightness is taken for height at several scales, the finest least: the old trick of every normal
map filter. Dark paint becomes a hole, bright mortar a ridge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.fields import slopes_of_height
from assets3d.textures.maps.relief import Relief
from assets3d.textures.torus import blur

#: Widths of the Gaussians whose differences are the scales, in shares of the tile's side, and how
#: much of the height each scale makes.
SCALES = (1 / 256, 1 / 128, 1 / 64, 1 / 32, 1 / 16)
SHARES = (0.35, 0.6, 0.8, 1.0, 1.0)
#: Mean slope of what comes out, when no height is asked for: 15 degrees.
MEAN_SLOPE = 0.27
#: Roughness of a smooth bright place, and what darkness, dirt and grain may add.
SMOOTH, IN_CAVITIES, BY_GRAIN = 0.55, 0.25, 0.3


def predict(picture: NDArray[np.uint8]) -> Relief:
    """Return the relief of a picture (S, S, 3); its strength is made up, see `MEAN_SLOPE`."""
    grey = luminance(picture)
    height, detail = _bands(grey)
    slope_x, slope_y = slopes_of_height(height, 1.0)
    mean = float(np.hypot(slope_x, slope_y).mean())
    gain = MEAN_SLOPE / mean if mean > 1e-9 else 0.0
    return Relief(
        (gain * slope_x).astype(np.float32),
        (gain * slope_y).astype(np.float32),
        metric=False,
        roughness=_roughness(height, detail),
    )


def luminance(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luma (S, S) float32 in 0..1 of an sRGB picture (S, S, 3)."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32) / np.float32(255.0)
    return picture.astype(np.float32) @ weights


def _bands(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the sum of the weighted bands, and the finest band alone."""
    size = len(grey)
    height, finest = np.zeros_like(grey), None
    finer = grey
    for scale, share in zip(SCALES, SHARES, strict=True):
        coarser = blur(grey, scale * size)
        finest = finer - coarser if finest is None else finest
        height += share * (finer - coarser)
        finer = coarser
    assert finest is not None
    return height, finest


def _roughness(height: NDArray[np.float32], detail: NDArray[np.float32]) -> NDArray[np.float32]:
    """Guess roughness (S, S): rougher in dark cavities and where the picture is grainy."""
    size = len(height)
    spread = max(float(height.std()), 1e-6)
    cavity = np.clip(-height / (2.0 * spread), 0.0, 1.0)
    grain = np.sqrt(np.maximum(blur(detail * detail, size / 128), 0.0))
    grain = np.clip(grain / max(4.0 * float(grain.mean()), 0.02), 0.0, 1.0)
    return (SMOOTH + IN_CAVITIES * cavity + BY_GRAIN * grain).clip(0.0, 1.0).astype(np.float32)

"""From any network of normals or depth, tileable or not, to relief on the torus.

A network has a size that it works at best, and few of them know a torus. The picture is resampled
to that size across the wrap, read in rolled windows (`windows`), and the answer is resampled back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.fields import height_of_slopes, slopes_of_height, slopes_of_normals
from assets3d.textures.maps.relief import Relief
from assets3d.textures.maps.windows import Predict, blended_depth, blended_vectors
from assets3d.textures.torus import blur, resized

#: A mean normal that leans further is the network's idea of a floor or a wall, not relief: seen
#: from above, no surface that tiles leans by as much.
LEANING_DEG = 35.0
#: Slopes are not taken to be larger (76 degrees); a few wild pixels would outweigh all others.
STEEPEST = 4.0
#: Where a network of normals and one of depth are both asked, what is larger than this share of
#: the tile comes from the depth.
COARSE = 1 / 16


def relief_of_normals(
    predict: Predict, picture: NDArray[np.uint8], working_px: int | None = None
) -> Relief:
    """Return the relief that a network of normals sees.

    Args:
        predict: uint8 (H, W, 3) -> normals (H, W, 3), x right, y up, z to the viewer.
        picture: (S, S, 3).
        working_px: the side that the network is shown; None shows it the picture as it is.
    """
    size_px = len(picture)
    found = blended_vectors(predict, resized(picture, working_px or size_px))
    slopes = slopes_of_normals(resized(_upright(found), size_px))
    steepness = np.hypot(*slopes)
    gain = np.minimum(1.0, STEEPEST / np.maximum(steepness, 1e-6)).astype(np.float32)
    return Relief(gain * slopes[0], gain * slopes[1])


def relief_of_height(
    predict: Predict, picture: NDArray[np.uint8], working_px: int | None = None
) -> Relief:
    """Return the relief that a network of relative height sees; only its pattern is known.

    Args:
        predict: uint8 (H, W, 3) -> (H, W), more is nearer, in any unit. Inverse depth will do: a
            relief is flat beside the distance that it is seen from.
        picture: (S, S, 3).
        working_px: see `relief_of_normals`.
    """
    size_px = len(picture)
    found = resized(blended_depth(predict, resized(picture, working_px or size_px)), size_px)
    spread = float(found.std())
    # In units of its spread, so that no unit is too small for the arithmetic.
    slopes = slopes_of_height(found / spread if spread > 0.0 else found, 1.0)
    return Relief(*slopes, metric=False)


def relief_of_both(normals: Relief, height: Relief) -> Relief:
    """Return fine relief from normals on the large forms of a relative height.

    Networks of normals see detail and lose large forms, those of depth the other way round. The
    height's unit is the one in which both agree best where they meet; where they contradict each
    other the normals are right.
    """
    fine = height_of_slopes(normals.slope_x, normals.slope_y, 1.0)
    coarse = height_of_slopes(height.slope_x, height.slope_y, 1.0)
    sigma_px = COARSE * len(fine)
    fine_band, coarse_band = (_meeting(height, sigma_px) for height in (fine, coarse))
    energy = float((coarse_band * coarse_band).sum(dtype=np.float64))
    shared = float((coarse_band * fine_band).sum(dtype=np.float64))
    if energy == 0.0 or shared <= 0.0:
        return normals
    both = fine + blur(np.float32(shared / energy) * coarse - fine, sigma_px)
    return Relief(*slopes_of_height(both, 1.0))


def _meeting(height: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Return what is just finer than `sigma_px`; large forms, taken out twice, leave no trace."""
    finer = height - blur(height, sigma_px)
    finer -= blur(finer, sigma_px)
    return blur(finer, sigma_px / 4.0)


def _upright(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn normals (H, W, 3) whose mean leans further than `LEANING_DEG` so that it is upright."""
    mean = normals.mean(axis=(0, 1), dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if length < 1e-6 or mean[2] / length > np.cos(np.radians(LEANING_DEG)):
        return normals
    mean /= length
    # Rodrigues' rotation from the mean to z, about their common normal; straight down has none.
    axis, cosine = np.cross(mean, [0.0, 0.0, 1.0]), mean[2]
    if cosine < -0.999:
        return normals
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn = np.eye(3) + cross + cross @ cross / (1.0 + cosine)
    return (normals @ turn.T).astype(np.float32)

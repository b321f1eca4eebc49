"""Masks of what is repainted: a cross over the seams, and what is left of its arms.

Masks are uint8 (H, W), 255 where the model's picture counts alone, 0 where not a bit may change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.seamless.settings import Geometry, Ramp

Mask = NDArray[np.uint8]
Profile = NDArray[np.floating]


def cross(length_px: int, seam_px: int, half_width_px: int, ramp_px: int, ramp: Ramp) -> Mask:
    """Return (length, length) with both arms of a cross whose arms run to the border.

    Args:
        length_px: side of the mask.
        seam_px: the first column, and row, after the seam.
        half_width_px: from the seam to where the arms end.
        ramp_px: part of the half-width over which they fade.
        ramp: how they fade.
    """
    arm = band(length_px, seam_px, half_width_px, ramp_px, ramp)
    return _as_mask(np.maximum(arm[None, :], arm[:, None]))


def cross_without_ends(geometry: Geometry, ramp: Ramp) -> Mask:
    """Return (S, S) with a cross in the middle that fades out before the border on all four sides.

    Where an arm met the border the model would draw its two ends without knowing of each other.
    """
    size = geometry.size_px
    arm = band(size, rolled_by(size), geometry.half_width_px, geometry.ramp_px, ramp)
    inside = 1.0 - _near_border(geometry, ramp)
    return _as_mask(np.maximum(arm[None, :] * inside[:, None], arm[:, None] * inside[None, :]))


def ends(geometry: Geometry, ramp: Ramp) -> Mask:
    """Return (S, S) in the frame of `cross_without_ends`: what that left out of the seams.

    Wherever the cross is less than whole along a seam, this is whole. On the torus they are two
    patches, around the middles of the tile's edges.
    """
    size = geometry.size_px
    arm = band(size, rolled_by(size), geometry.half_width_px, geometry.ramp_px, ramp)
    left = _on_torus(size, _gap(geometry) + 2 * geometry.ramp_px, geometry.ramp_px, ramp)
    return _as_mask(np.maximum(arm[None, :] * left[:, None], arm[:, None] * left[None, :]))


def band(length_px: int, seam_px: int, half_width_px: int, ramp_px: int, ramp: Ramp) -> Profile:
    """Return the profile (length,) of an arm across a seam, 0..1."""
    distance = np.abs(np.arange(length_px) + 0.5 - seam_px)
    return faded(distance, half_width_px, ramp_px, ramp)


def faded(distance_px: Profile, half_width_px: int, ramp_px: int, ramp: Ramp) -> Profile:
    """Return 1 near the seam, falling over the last `ramp_px` to 0 at `half_width_px`."""
    if ramp_px == 0:
        return (distance_px < half_width_px).astype(np.float64)
    share = np.clip((half_width_px - distance_px) / ramp_px, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share) if ramp == "smooth" else share


def rolled_by(size_px: int) -> int:
    """Return by how much a tile is rolled to bring its seams into the middle: whole cells."""
    return size_px // 16 * 8


def _gap(geometry: Geometry) -> int:
    """Return how far from the border the arms have vanished; at least one pixel."""
    return geometry.half_width_px - geometry.ramp_px


def _near_border(geometry: Geometry, ramp: Ramp) -> Profile:
    """Return 1 at the border, 0 from where the arms are whole."""
    reach = _gap(geometry) + geometry.ramp_px
    return _on_torus(geometry.size_px, reach, geometry.ramp_px, ramp)


def _on_torus(size_px: int, half_width_px: int, ramp_px: int, ramp: Ramp) -> Profile:
    centres = np.arange(size_px) + 0.5
    return faded(np.minimum(centres, size_px - centres), half_width_px, ramp_px, ramp)


def _as_mask(share: NDArray[np.float64]) -> Mask:
    return np.round(255.0 * share).astype(np.uint8)

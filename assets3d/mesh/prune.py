"""Drop the splats that would spoil a surface: faint, huge, needle-like, or floating alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import robust_bounds

_GRID = 64


def pruned(
    gaussians: Gaussians,
    *,
    minimum_opacity: float = 0.05,
    maximum_scale: float = 0.12,
    needle_ratio: float = 12.0,
    needle_scale: float = 0.04,
    minimum_cluster_share: float = 0.01,
) -> Gaussians:
    """Return the splats that belong to the object.

    Args:
        gaussians: any frame; sizes below are shares of the object's long side.
        minimum_opacity: fainter splats go.
        maximum_scale: splats with a larger standard deviation along any axis go.
        needle_ratio: splats whose longest axis is this many times their middle one go ...
        needle_scale: ... when that longest axis is also longer than this.
        minimum_cluster_share: groups of touching splats with less than this share of the largest
            group's opacity go.
    """
    solid = gaussians.opacity >= minimum_opacity
    if not solid.any():
        return gaussians.selected(solid)
    size = object_size(gaussians.selected(solid))
    ordered = np.sort(gaussians.scale, axis=1)
    huge = ordered[:, 2] > maximum_scale * size
    needle = (ordered[:, 2] > needle_ratio * ordered[:, 1]) & (ordered[:, 2] > needle_scale * size)
    kept = gaussians.selected(solid & ~huge & ~needle)
    if len(kept) == 0:
        return gaussians.selected(solid)
    return kept.selected(_in_large_cluster(kept, minimum_cluster_share))


def object_size(gaussians: Gaussians) -> float:
    """Return the long side of the box that holds all but the outermost splats."""
    low, high = robust_bounds(gaussians)
    return float(max((high - low).max(), 1e-6))


def _in_large_cluster(gaussians: Gaussians, minimum_share: float) -> NDArray[np.bool_]:
    """Mark splats in cells of a coarse grid that hang together with enough others."""
    low = gaussians.position.min(axis=0)
    extent = float(max((gaussians.position.max(axis=0) - low).max(), 1e-6))
    cell = np.minimum((gaussians.position - low) / extent * _GRID, _GRID - 1).astype(np.int64)
    flat = np.ravel_multi_index(tuple(cell.T), (_GRID,) * 3)
    mass = np.bincount(flat, gaussians.opacity, minlength=_GRID**3)
    occupied = mass.reshape((_GRID,) * 3) > 0.0
    # Cells one apart count as touching: sparse splats leave single empty cells.
    joined = ndimage.binary_dilation(occupied, np.ones((3, 3, 3), dtype=bool))
    labels, count = ndimage.label(joined)
    of_splat = labels.ravel()[flat]
    share = np.bincount(of_splat, gaussians.opacity, minlength=count + 1)
    return (share >= minimum_share * share.max())[of_splat]

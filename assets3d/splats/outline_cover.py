"""Whether voxels fill the outlines that pictures show, and how they come to fill what they miss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.splats.silhouettes import Sighting, Silhouettes, sample

#: A place of an outline is filled when a voxel behind it lies this many voxels inside.
_INSIDE_VOXELS = 0.5
#: What would have to grow by more voxels than this is another part, which no rule can place.
_MOST_VOXELS = 8.0


@dataclass(frozen=True)
class _Cells:
    """A view divided into cells about as large as its voxels look.

    Attributes:
        cell: (N,) flat index of the cell that each point falls into.
        within: (N,) bool, whether it falls into the picture at all.
        wanted: (R, C) bool, cells whose middle is inside the outline.
        size_px: side of a cell.
    """

    cell: NDArray[np.intp]
    within: NDArray[np.bool_]
    wanted: NDArray[np.bool_]
    size_px: float


def coverage(
    silhouettes: Silhouettes, view: int, sighting: Sighting, inside: NDArray[np.bool_], width: float
) -> float:
    """Return which part of a view's outline the points `inside` fill, each `width` wide."""
    if not inside.any():
        return 0.0
    cells = _cells(silhouettes, view, sighting.where(inside), width)
    covered = np.zeros(cells.wanted.size, dtype=bool)
    covered[cells.cell[cells.within]] = True
    covered = ndimage.binary_closing(covered.reshape(cells.wanted.shape))
    return float((covered & cells.wanted).sum() / max(cells.wanted.sum(), 1))


def with_outlines_filled(
    silhouettes: Silhouettes,
    sightings: list[Sighting],
    distance: NDArray[np.float32],
    allowed: NDArray[np.float32],
    spacing: float,
) -> NDArray[np.float32]:
    """Return signed distances under which every place of the outlines has something behind it.

    Where a guess leaves a place of an outline empty, what lies behind it is raised until the voxel
    that was nearest to the surface is inside: a plank that the guess rounded away comes back where
    it most likely was. Nothing grows beyond what all outlines allow, nor where a picture does not
    reach.

    Args:
        silhouettes: the outlines.
        sightings: where each view sees the points.
        distance: (A, B) the guess's, positive inside.
        allowed: (A, B) the bare hull's.
        spacing: of the voxels, world units.
    """
    near = (allowed > -spacing) & _in_all_frames(silhouettes, sightings)
    if not near.any():
        return distance
    guess = distance[near]
    raised = np.zeros_like(distance)
    for view, sighting in enumerate(sightings):
        cells = _cells(silhouettes, view, sighting.where(near), spacing)
        best = np.full(cells.wanted.size, -np.inf, dtype=np.float32)
        np.maximum.at(best, cells.cell[cells.within], guess[cells.within])
        best = ndimage.grey_closing(best.reshape(cells.wanted.shape), size=(3, 3))
        missing = np.float32(_INSIDE_VOXELS * spacing) - best
        fill = cells.wanted & (missing > 0.0) & (missing <= _MOST_VOXELS * spacing)
        place = sighting.pixels / np.float32(cells.size_px)
        np.maximum(raised, sample(np.where(fill, missing, np.float32(0.0)), place, 0.0), out=raised)
    raised[~near] = 0.0
    return np.maximum(distance, np.minimum(allowed, distance + raised))


def _in_all_frames(silhouettes: Silhouettes, sightings: list[Sighting]) -> NDArray[np.bool_]:
    """Mark the points that lie in every picture: of others no outline tells where they end."""
    _, height, width = silhouettes.distance_px.shape
    inside = np.ones(sightings[0].unit.shape, dtype=bool)
    for sighting in sightings:
        inside &= ((sighting.pixels >= 0.0) & (sighting.pixels < [width, height])).all(axis=-1)
    return inside


def _cells(silhouettes: Silhouettes, view: int, sighting: Sighting, width: float) -> _Cells:
    size_px = max(float(width / np.median(sighting.unit)), 1.0)
    height_px, width_px = silhouettes.distance_px[view].shape
    shape = int(np.ceil(height_px / size_px)), int(np.ceil(width_px / size_px))
    hit = np.floor(sighting.pixels / size_px).astype(np.intp)
    within = ((hit >= 0) & (hit < shape[::-1])).all(axis=-1)
    rows = ((np.arange(shape[0]) + 0.5) * size_px).astype(int).clip(max=height_px - 1)
    columns = ((np.arange(shape[1]) + 0.5) * size_px).astype(int).clip(max=width_px - 1)
    wanted = silhouettes.distance_px[view][np.ix_(rows, columns)] > 0.0
    return _Cells(hit[..., 1] * shape[1] + hit[..., 0], within, wanted, size_px)

"""Give a hull the whole outline of one view that is right where the others contradict it.

Generated views miss the given one by a pixel or two nearly everywhere, and now and then by a part.
Filling either in at one depth leaves ridges and floating sticks along the outline. So the hull is
first stretched, in the given view's plane, until its outline reaches the given one; only what is
missing by more than that is filled in, as relief.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.splats.silhouettes import Silhouettes, sample, sample_distance, seen

if TYPE_CHECKING:
    from assets3d.splats.hull import Hull

#: The hull is stretched where its outline falls short by up to this many voxels; towards twice as
#: many less and less, since there a part is missing.
_STRETCH_VOXELS = 6.0
#: The outline's shortfall is averaged along it over about this many voxels.
_ALONG_VOXELS = 1.5
#: Over how many voxels relief passes from the depth of the hull's rim to mid depth.
_RIM_VOXELS = 12.0
#: Loose pieces of fewer voxels are no part of anything.
_SPECK_VOXELS = 8


@dataclass(frozen=True)
class _Seen:
    """The hull in the given view. All maps are (H, W).

    Attributes:
        pixels: (A, B, 2) where the voxels fall.
        depth: (A, B) their depth.
        middle: the median depth of those inside.
        voxel_px: a voxel's size at that depth.
        outline_px: signed distance of the hull's outline, positive inside.
        rim_depth: mean depth of the voxels behind the nearest pixel that shows some.
    """

    pixels: NDArray[np.float32]
    depth: NDArray[np.float32]
    middle: float
    voxel_px: float
    outline_px: NDArray[np.float32]
    rim_depth: NDArray[np.float32]


def with_whole_front(hull: Hull, cameras: Cameras, silhouettes: Silhouettes, front: int) -> Hull:
    """Return the hull with view `front`'s outline as its own; it must lie within that outline."""
    stretched = _stretched(hull, cameras, silhouettes, front)
    return _without_specks(_with_relief(stretched, cameras, silhouettes, front))


def _look(hull: Hull, cameras: Cameras, front: int) -> _Seen:
    count = hull.distance.shape[0]
    pixels, unit = seen(cameras, front, hull.points.astype(np.float32).reshape(count**2, count, 3))
    focal_px = float(cameras.intrinsics_px[front, 0])
    depth = unit * np.float32(focal_px)
    distance = hull.distance.reshape(unit.shape)
    inside = distance > 0.0
    middle = float(np.median(depth[inside]))
    voxel_px = hull.spacing * focal_px / middle
    shape = (cameras.height_px, cameras.width_px)
    hit = np.floor(pixels).astype(int)
    near = ((hit >= 0) & (hit < shape[::-1])).all(axis=-1) & (distance > -2.0 * hull.spacing)
    flat = np.ravel_multi_index((hit[near][:, 1], hit[near][:, 0]), shape)
    deepest = np.full(shape[0] * shape[1], -2.0 * voxel_px, dtype=np.float32)
    np.maximum.at(deepest, flat, distance[near] / unit[near])
    # Neighbouring voxels leave pixels between them free.
    reach = 2 * int(np.ceil(voxel_px)) + 1
    outline_px = _signed_px(ndimage.grey_closing(deepest.reshape(shape), size=(reach, reach)))
    solid = inside[near]
    weight = np.bincount(flat, solid, minlength=len(deepest)).reshape(shape)
    total = np.bincount(flat, solid * depth[near], minlength=len(deepest)).reshape(shape)
    rim = ndimage.distance_transform_edt(weight == 0, return_distances=False, return_indices=True)
    rim_depth = (total / np.maximum(weight, 1.0))[tuple(rim)].astype(np.float32)
    return _Seen(pixels, depth, middle, voxel_px, outline_px, rim_depth)


def _signed_px(deepest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance to where `deepest` (exact near its own zeros) changes sign."""
    inside = deepest > 0.0
    away = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    far = np.abs(away) > 1.5
    return np.where(far, away - 0.5 * np.sign(away), np.clip(deepest, -1.0, 1.0)).astype(np.float32)


def _stretched(hull: Hull, cameras: Cameras, silhouettes: Silhouettes, front: int) -> Hull:
    """Move the hull's rim outwards, in the view's plane, by what its outline falls short."""
    view = _look(hull, cameras, front)
    away_px = ndimage.gaussian_filter(view.outline_px, 1.0)
    on_rim = np.abs(view.outline_px) < 1.0
    if not on_rim.any():
        return hull
    short = np.clip(silhouettes.distance_px[front] - view.outline_px, 0.0, None)
    limit = _STRETCH_VOXELS * view.voxel_px
    short = np.where(short > limit, np.clip(2.0 * limit - short, 0.0, None), short)
    nearest = ndimage.distance_transform_edt(~on_rim, return_distances=False, return_indices=True)
    short = ndimage.gaussian_filter(short[tuple(nearest)], _ALONG_VOXELS * view.voxel_px)
    # Further in less and less moves, slowly enough that nothing folds over.
    share = np.clip(1.0 - away_px / (3.0 * short + 4.0 * view.voxel_px), 0.0, 1.0)
    inward = np.stack(np.gradient(away_px)[::-1], axis=-1)
    inward /= np.maximum(np.linalg.norm(inward, axis=-1, keepdims=True), 1e-3)
    pull_px = (inward * (short * share)[..., None]).astype(np.float32)
    pull = np.stack([sample(pull_px[..., axis], view.pixels, 0.0) for axis in (0, 1)], axis=-1)
    moved = np.linalg.norm(pull, axis=-1) > 0.05
    scale = (view.depth[moved] / cameras.intrinsics_px[front, 0])[:, None]
    axes = cameras.world_from_camera[front, :3, :2]
    world = hull.points.reshape(*view.depth.shape, 3)[moved]
    world = world + pull[moved] * scale * [1.0, -1.0] @ axes.T
    distance = hull.distance.reshape(view.depth.shape).copy()
    distance[moved] = ndimage.map_coordinates(
        hull.distance, ((world - hull.low) / hull.spacing).T, order=1, mode="nearest"
    )
    unit = view.depth / np.float32(cameras.intrinsics_px[front, 0])
    allowed = sample_distance(silhouettes, front, view.pixels) * unit
    distance[moved] = np.minimum(distance, allowed)[moved]
    return dataclasses.replace(hull, distance=distance.reshape(hull.distance.shape))


def _with_relief(hull: Hull, cameras: Cameras, silhouettes: Silhouettes, front: int) -> Hull:
    """Fill in what is still missing, rising from the hull's rim to mid depth, but no slivers."""
    view = _look(hull, cameras, front)
    missing = (silhouettes.distance_px[front] > 0.0) & (view.outline_px < 0.0)
    width = 2 * round(view.voxel_px) + 1
    missing = _opened(missing, width)
    if not missing.any():
        return hull
    # It must overlap what is there, or it would hang beside it.
    missing = ndimage.binary_dilation(missing, np.ones((3, 3)), iterations=width)
    away_px = np.clip(-view.outline_px, 0.0, None)
    share = np.clip(away_px / (_RIM_VOXELS * view.voxel_px), 0.0, 1.0)
    target = (view.rim_depth + (view.middle - view.rim_depth) * share).astype(np.float32)
    unit = view.depth / np.float32(cameras.intrinsics_px[front, 0])
    inside = sample_distance(silhouettes, front, view.pixels) * unit
    thick = 1.5 * hull.spacing + 0.5 * np.maximum(inside, 0.0)
    relief = np.minimum(inside, thick - np.abs(view.depth - sample(target, view.pixels, 0.0)))
    wanted = sample(missing.astype(np.float32), view.pixels, 0.0) > 0.5
    added = np.where(wanted, relief, -np.inf).reshape(hull.distance.shape)
    distance = np.maximum(hull.distance, added).astype(np.float32)
    return dataclasses.replace(hull, distance=distance)


def _without_specks(hull: Hull) -> Hull:
    """Drop loose pieces of a few voxels, which relief leaves where an outline ends in a corner."""
    labels, _ = ndimage.label(hull.distance > 0.0)
    small = np.bincount(labels.ravel()) < _SPECK_VOXELS
    small[0] = False
    distance = np.where(small[labels], np.float32(-0.5 * hull.spacing), hull.distance)
    return dataclasses.replace(hull, distance=distance)


def _opened(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    return ndimage.binary_opening(mask, np.ones((width, width)))

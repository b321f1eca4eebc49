"""Fuse depth pictures of splats into one closed surface: a truncated signed distance volume.

After Curless and Levoy 1996, "A volumetric method for building complex models from range images",
with three changes that splats ask for: only voxels near some observed depth are integrated (the
rest is known to be inside or outside), distances are measured along the surface normal rather than
the ray, and the silhouettes carve with their own distance, so that thin parts keep their thickness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.mesh.depth import (
    CAMERA_DISTANCE,
    DepthPictures,
    all_round_cameras,
    depth_pictures,
    reach,
)
from assets3d.mesh.mesh import Mesh
from assets3d.native.surface import integrate
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import LONG_SIDE
from assets3d.splats.silhouettes import INSIDE, sample, seen, signed_distance_px
from assets3d.views.posed import Views

#: Truncation, in voxels.
BAND = 3.0
#: Space is empty where this share of the cameras looks through it.
FREE_SHARE = 0.06
#: Standard deviation of the volume's smoothing, in voxels.
SMOOTHING = 0.8
#: Depths of neighbouring pixels further apart than this, in world units, are two surfaces.
DEPTH_STEP = 0.03
#: How far inside and outside of mean depth the outline may lie, in voxels.
_LEVELS = (-0.5, 2.0)
#: Cells of the coarse volume that tells inside from outside, in voxels.
_COARSE = 4

#: A camera, and (P, 2) pixels (row, column) along a silhouette's rim in its picture.
Rim = tuple[Cameras, NDArray[np.int64]]


@dataclass(frozen=True)
class Grid:
    """A box of cubic voxels; `origin` is the centre of voxel (0, 0, 0)."""

    origin: NDArray[np.float64]
    voxel: float
    shape: tuple[int, int, int]


def grid_round(
    low: NDArray, high: NDArray, voxels: float, longest: int, margin: float = 0.02
) -> Grid:
    """Return a grid over the box: about `voxels` voxels, at most `longest` along its long side.

    A slender thing gets smaller voxels than a cube, so that a blade is still several voxels thick.
    """
    extent = (high - low) + 2.0 * margin
    voxel = max(float(np.prod(extent) / voxels) ** (1.0 / 3.0), float(extent.max()) / longest)
    # Some empty voxels on every side close the surface.
    counts = np.ceil(extent / voxel).astype(int) + 2 * (int(BAND) + 2)
    counts += -counts % _COARSE
    origin = (low + high) / 2.0 - (counts - 1) / 2.0 * voxel
    return Grid(origin, voxel, (int(counts[0]), int(counts[1]), int(counts[2])))


def fused(
    gaussians: Gaussians,
    *,
    views: int = 50,
    size_px: int = 320,
    voxels: float = 3e6,
    longest: int = 256,
    sources: Views | None = None,
    threads: int | None = None,
) -> Mesh:
    """Return the splats' surface as a dense closed mesh, in their own frame.

    Args:
        gaussians: normalised splats (long side about 1.1 round the origin), pruned.
        views: cameras all round, top and bottom included.
        size_px: side of their pictures.
        voxels: size of the volume.
        longest: most voxels along the longest side.
        sources: exact cutouts in the splats' frame: nothing lies outside their outlines.
        threads: threads of the rasteriser.

    Raises:
        InputError: when no surface is found.
    """
    cameras = all_round_cameras(views, size_px, reach(gaussians))
    pictures = depth_pictures(gaussians, cameras, threads)
    # Strays cannot make the volume larger than what the cameras see.
    margin = 2.0 * gaussians.scale.max(axis=1, keepdims=True)
    low = np.maximum((gaussians.position - margin).min(axis=0), -LONG_SIDE * 0.6)
    high = np.minimum((gaussians.position + margin).max(axis=0), LONG_SIDE * 0.6)
    grid = grid_round(low.astype(np.float64), high.astype(np.float64), voxels, longest)
    rims = silhouette_rims(pictures)
    rough = distance_volume(pictures, grid, threads)
    volume = smoothed(rough - silhouette_level(rims, rough, grid))
    volume -= silhouette_level(rims, volume, grid)
    return surface(volume if sources is None else carved(volume, grid, sources), grid)


def carved(volume: NDArray[np.float32], grid: Grid, sources: Views) -> NDArray[np.float32]:
    """Return the volume without what exact outlines exclude: splats blur them, and close holes.

    `volume` is in voxels, positive outside. A picture without background says nothing, nor does one
    that is cut by its frame about what lies beyond.
    """
    result = volume.copy()
    rows = np.flatnonzero(volume < BAND / 2.0)
    if len(rows) == 0:
        return result
    cells = np.stack(np.unravel_index(rows, grid.shape), axis=1)
    points = (cells * grid.voxel + grid.origin).astype(np.float32)
    for view, picture in enumerate(sources.rgba[..., 3]):
        alpha = picture.astype(np.float32) / 255.0
        inside = alpha >= INSIDE
        if inside.all() or not inside.any():
            continue
        cut = inside[[0, -1]].any() or inside[:, [0, -1]].any()
        pixels, unit = seen(sources.cameras, view, points)
        outside = -_sampled(signed_distance_px(alpha), pixels, 1e4 if cut else -1e4)
        outside *= unit / np.float32(grid.voxel)
        result.ravel()[rows] = np.maximum(result.ravel()[rows], np.minimum(outside, BAND))
    return result


def _sampled(
    image: NDArray[np.float32], pixels: NDArray[np.float32], beyond: float
) -> NDArray[np.float32]:
    """Sample (H, W) at (P, 2) pixel positions, in rows of a length that OpenCV takes."""
    count = len(pixels)
    padded = np.resize(pixels, (-(-count // 1024) * 1024, 2))
    return sample(image, padded.reshape(-1, 1024, 2), beyond).ravel()[:count]


def silhouette_rims(pictures: DepthPictures, rays: int = 200) -> list[Rim]:
    """Return pixels on both sides of the silhouettes, at most `rays` on a side, of every third."""
    rims = []
    for index in range(0, len(pictures.cameras), 3):
        outside = pictures.layers[index, ..., 3] > 0.0
        for side in (outside, ~outside):
            rim = np.argwhere(side & ndimage.binary_dilation(~side))
            chosen = rim[np.linspace(0, len(rim) - 1, min(rays, len(rim))).astype(int)]
            rims.append((pictures.cameras[index], chosen))
    return rims


def silhouette_level(rims: list[Rim], volume: NDArray[np.float32], grid: Grid) -> float:
    """Return the level of the volume, in voxels, whose outline is that of the splats.

    Mean depth lies in the middle of the splats, the outline at their rim: the zero level is too
    thin by about their thickness. The level sought parts the rays through the outermost pixels of
    the silhouettes from those through their neighbours outside.
    """
    nearest = [_smallest_along_rays(volume, grid, camera, pixels) for camera, pixels in rims]
    if not sum(map(len, nearest)):
        return 0.0
    return float(np.clip(np.median(np.concatenate(nearest)), *_LEVELS))


def _smallest_along_rays(
    volume: NDArray[np.float32], grid: Grid, camera: Cameras, pixels: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the smallest value of the volume along the rays through (P, 2) pixels (row, col)."""
    fx, fy, cx, cy = camera.intrinsics_px[0]
    x, y = (pixels[:, 1] + 0.5 - cx) / fx, (pixels[:, 0] + 0.5 - cy) / fy
    pose = camera.world_from_camera[0]
    directions = np.stack([x, -y, -np.ones_like(x)], axis=1) @ pose[:3, :3].T
    half_diagonal = np.linalg.norm(grid.shape) / 2.0 * grid.voxel
    depth = CAMERA_DISTANCE + np.arange(-half_diagonal, half_diagonal, grid.voxel)
    points = directions[:, None] * depth[:, None] + pose[:3, 3]
    cells = ((points - grid.origin) / grid.voxel).reshape(-1, 3).T
    values = ndimage.map_coordinates(volume, cells, order=1, cval=BAND, mode="constant")
    return values.reshape(len(pixels), -1).min(axis=1)


def surface(volume: NDArray[np.float32], grid: Grid) -> Mesh:
    """Return the zero level of the volume (positive outside) by marching cubes (Lewiner 2003)."""
    from skimage.measure import marching_cubes

    if not (volume.min() < 0.0 < volume.max()):
        raise InputError("splats: no solid surface found, wanted opaque splats round a volume")
    # A sample of exactly zero makes faces without area.
    volume = np.where(np.abs(volume) < 1e-4, np.float32(1e-4), volume)
    vertices, faces, _, _ = marching_cubes(volume, 0.0)
    vertices = vertices * grid.voxel + grid.origin
    return Mesh(vertices.astype(np.float32), np.ascontiguousarray(faces, dtype=np.int32))


def distance_volume(
    pictures: DepthPictures, grid: Grid, threads: int | None = None
) -> NDArray[np.float32]:
    """Return the signed distance in voxels, clipped to ±BAND, positive outside, at every voxel."""
    band = _band(pictures, grid)
    volume = np.where(_coarse_outside(pictures, grid, threads), np.float32(BAND), np.float32(-BAND))
    rows = np.flatnonzero(band)
    points = np.stack(np.unravel_index(rows, grid.shape), axis=1) * grid.voxel + grid.origin
    volume.ravel()[rows], _ = _integrated(pictures, points, grid.voxel, threads)
    return volume


def smoothed(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a volume without the pits and bumps, about a voxel wide, that splats leave.

    Only what is near its zero level counts; its border is outside.
    """
    volume = ndimage.gaussian_filter(np.clip(volume, -1.5, 1.5), SMOOTHING)
    for axis in range(3):
        edge = np.moveaxis(volume, axis, 0)
        edge[0] = edge[-1] = BAND
    return volume


def _band(pictures: DepthPictures, grid: Grid) -> NDArray[np.bool_]:
    """Mark the voxels within BAND of any trusted depth pixel."""
    cameras = pictures.cameras
    near = np.zeros(grid.shape, dtype=np.uint8)
    rows, columns = np.mgrid[0 : cameras.height_px, 0 : cameras.width_px] + 0.5
    for index in range(len(cameras)):
        fx, fy, cx, cy = cameras.intrinsics_px[index]
        seen = pictures.layers[index, ..., 1] > 0.05
        depth = pictures.layers[index, ..., 0][seen].astype(np.float64)
        local = np.stack(
            [(columns[seen] - cx) / fx * depth, -(rows[seen] - cy) / fy * depth, -depth], axis=1
        )
        pose = cameras.world_from_camera[index]
        cell = (local @ pose[:3, :3].T + pose[:3, 3] - grid.origin) / grid.voxel
        cell = np.rint(cell).astype(np.int64)
        inside = np.all((cell >= 0) & (cell < grid.shape), axis=1)
        near[tuple(cell[inside].T)] = 1
    return ndimage.maximum_filter(near, size=2 * int(BAND) + 1).astype(bool)


def _coarse_outside(pictures: DepthPictures, grid: Grid, threads: int | None) -> NDArray[np.bool_]:
    """Mark the voxels in coarse cells whose centre enough cameras see through.

    A few may look into a solid through gaps between its splats.
    """
    shape = tuple(n // _COARSE for n in grid.shape)
    cells = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    centres = (cells.reshape(-1, 3) * _COARSE + (_COARSE - 1) / 2.0) * grid.voxel + grid.origin
    _, votes = _integrated(pictures, centres, grid.voxel, threads)
    volume = (votes >= max(2.0, FREE_SHARE * len(pictures.cameras))).reshape(shape)
    for axis in range(3):
        volume = np.repeat(volume, _COARSE, axis=axis)
    return volume


def _integrated(
    pictures: DepthPictures, points: NDArray, voxel: float, threads: int | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return integrate(
        points,
        pictures.cameras,
        pictures.layers,
        voxel=voxel,
        band=BAND,
        step=DEPTH_STEP,
        threads=threads,
    )

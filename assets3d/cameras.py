"""Pinhole cameras: the one place that states axes, handedness and units.

World: right-handed, +Y up, +Z front. Camera: OpenGL axes (x right, y up, looks along -z).
Pixel (0, 0) is the top left; pixel centres lie at +0.5. Azimuth turns from +Z towards +X; positive
elevation is above. LGM's and MVDream's own conventions are converted where those networks are
called, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Radius and vertical field of view of LGM's training cameras; the object spans about ±0.55 units.
ORBIT_RADIUS = 1.5
FOV_Y_DEG = 49.1

_OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Cameras:
    """A set of V pinhole cameras that share one image size.

    Attributes:
        world_from_camera: (V, 4, 4) float64 rigid poses, OpenGL camera axes.
        intrinsics_px: (V, 4) float64 fx, fy, cx, cy.
        width_px: image width.
        height_px: image height.
    """

    world_from_camera: NDArray[np.float64]
    intrinsics_px: NDArray[np.float64]
    width_px: int
    height_px: int

    def __len__(self) -> int:
        return len(self.world_from_camera)

    def __getitem__(self, index: SupportsIndex | slice | Sequence[int] | NDArray) -> Cameras:
        """Select cameras; the result is always a set, so one index gives a set of one."""
        rows = np.atleast_1d(np.arange(len(self))[index])
        return Cameras(
            self.world_from_camera[rows], self.intrinsics_px[rows], self.width_px, self.height_px
        )

    @property
    def positions(self) -> NDArray[np.float64]:
        """(V, 3) camera centres in the world."""
        return self.world_from_camera[:, :3, 3]

    @property
    def opencv_from_world(self) -> NDArray[np.float64]:
        """(V, 4, 4) view matrices with OpenCV axes: x right, y down, z forward."""
        return _OPENCV_FROM_OPENGL @ np.linalg.inv(self.world_from_camera)

    @property
    def matrices_px(self) -> NDArray[np.float64]:
        """(V, 3, 3) intrinsic matrices K for OpenCV axes."""
        fx, fy, cx, cy = self.intrinsics_px.T
        matrices = np.zeros((len(self), 3, 3))
        matrices[:, 0, 0], matrices[:, 1, 1] = fx, fy
        matrices[:, 0, 2], matrices[:, 1, 2], matrices[:, 2, 2] = cx, cy, 1.0
        return matrices

    def resized(self, width_px: int, height_px: int) -> Cameras:
        """Return the same cameras for another image size."""
        sx, sy = width_px / self.width_px, height_px / self.height_px
        intrinsics = self.intrinsics_px * np.array([sx, sy, sx, sy])
        return Cameras(self.world_from_camera, intrinsics, width_px, height_px)


def look_at(positions: ArrayLike, target: ArrayLike = (0.0, 0.0, 0.0)) -> NDArray[np.float64]:
    """Return (V, 4, 4) poses at `positions` (V, 3) that look at `target` with world +Y up.

    Straight up or straight down, where "up" is undefined, the top of the picture points to -Z or
    +Z, the limit of an orbit at azimuth 0.
    """
    positions = np.atleast_2d(np.asarray(positions, dtype=np.float64))
    backward = positions - np.asarray(target, dtype=np.float64)
    backward = backward / np.linalg.norm(backward, axis=1, keepdims=True)
    right = np.cross(np.broadcast_to([0.0, 1.0, 0.0], backward.shape), backward)
    length = np.linalg.norm(right, axis=1, keepdims=True)
    right = np.where(length > 1e-9, right / np.maximum(length, 1e-12), [1.0, 0.0, 0.0])
    up = np.cross(backward, right)
    poses = np.tile(np.eye(4), (len(positions), 1, 1))
    poses[:, :3, 0], poses[:, :3, 1], poses[:, :3, 2], poses[:, :3, 3] = (
        right,
        up,
        backward,
        positions,
    )
    return poses


def orbit_cameras(
    azimuths_deg: ArrayLike,
    elevations_deg: ArrayLike,
    size_px: int,
    radius: float = ORBIT_RADIUS,
    fov_y_deg: float = FOV_Y_DEG,
    target: ArrayLike = (0.0, 0.0, 0.0),
) -> Cameras:
    """Return square cameras on a sphere round `target`, one per (azimuth, elevation) pair."""
    azimuth, elevation = np.broadcast_arrays(
        np.radians(np.atleast_1d(azimuths_deg)), np.radians(np.atleast_1d(elevations_deg))
    )
    offsets = radius * np.stack(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
            np.cos(elevation) * np.cos(azimuth),
        ],
        axis=1,
    )
    focal_px = size_px / (2.0 * np.tan(np.radians(fov_y_deg) / 2.0))
    intrinsics = np.tile([focal_px, focal_px, size_px / 2.0, size_px / 2.0], (len(offsets), 1))
    poses = look_at(np.asarray(target, dtype=np.float64) + offsets, target)
    return Cameras(poses, intrinsics, size_px, size_px)


def four_views(size_px: int) -> Cameras:
    """Return the four cameras of the views step: front, right (+X), back, left, at elevation 0."""
    return orbit_cameras([0.0, 90.0, 180.0, 270.0], 0.0, size_px)


def pixel_rays(cameras: Cameras) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return world origins and unit directions of all pixels' rays, both (V, H, W, 3)."""
    rows, columns = np.mgrid[0 : cameras.height_px, 0 : cameras.width_px] + 0.5
    fx, fy, cx, cy = (v[:, None, None] for v in cameras.intrinsics_px.T)
    local = np.stack(
        [
            (columns - cx) / fx,
            -(rows - cy) / fy,
            np.broadcast_to(-1.0, (len(cameras), *rows.shape)),
        ],
        axis=-1,
    )
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    directions = np.einsum("vij,vhwj->vhwi", cameras.world_from_camera[:, :3, :3], local)
    origins = np.broadcast_to(cameras.positions[:, None, None], directions.shape)
    return origins, directions


def project(cameras: Cameras, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project (N, 3) world points to pixels (V, N, 2) and depths along the axis (V, N)."""
    points = np.asarray(points, dtype=np.float64)
    view = cameras.opencv_from_world
    local = np.einsum("vij,nj->vni", view[:, :3, :3], points) + view[:, None, :3, 3]
    depth = local[..., 2]
    fx, fy, cx, cy = (v[:, None] for v in cameras.intrinsics_px.T)
    safe = np.where(np.abs(depth) > 1e-12, depth, 1e-12)
    return np.stack([fx * local[..., 0] / safe + cx, fy * local[..., 1] / safe + cy], -1), depth

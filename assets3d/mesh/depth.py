"""What cameras all round see of splats: depth, how far to trust it, and the outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras, orbit_cameras
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import LONG_SIDE

if TYPE_CHECKING:
    import torch

#: A pixel belongs to the object when the splats cover at least this much of it.
SOLID_ALPHA = 0.5
#: From the cameras to the centre of a normalised object: far enough for its corners to be in front.
CAMERA_DISTANCE = 2.4


@dataclass(frozen=True)
class DepthPictures:
    """What the cameras saw of a solid object.

    Attributes:
        cameras: V cameras all round.
        layers: (V, H, W, 4) float32: depth along the camera's axis, 0 where nothing is; confidence
            0..1, near 0 at steps in depth and at grazing surfaces; incidence, the cosine of the
            angle between the surface's normal and the axis; distance to the silhouette in pixels,
            0 inside it.
    """

    cameras: Cameras
    layers: NDArray[np.float32]


def all_round_cameras(count: int, size_px: int, radius: float) -> Cameras:
    """Return `count` cameras spread evenly over a sphere, poles included (a Fibonacci lattice).

    All see the whole ball of `radius` round the origin.
    """
    step = np.arange(count)
    height = 1.0 - 2.0 * step / max(count - 1, 1)
    azimuth = np.degrees(step * np.pi * (3.0 - np.sqrt(5.0)))
    fov_deg = 2.0 * np.degrees(np.arcsin(min(1.03 * radius / CAMERA_DISTANCE, 0.95)))
    elevation = np.degrees(np.arcsin(height))
    return orbit_cameras(azimuth, elevation, size_px, CAMERA_DISTANCE, fov_deg)


def reach(gaussians: Gaussians) -> float:
    """Return the radius of the ball round the origin that holds all splats but strays."""
    outermost = np.linalg.norm(gaussians.position, axis=1) + gaussians.scale.max(axis=1)
    return float(min(np.quantile(outermost, 0.999) + 0.02, LONG_SIDE))


def depth_pictures(
    gaussians: Gaussians, cameras: Cameras, threads: int | None = None
) -> DepthPictures:
    """Render alpha-normalised depth, and how far each pixel of it can be trusted.

    Depth and depth squared are rendered as features: where their variance is large a pixel mixes
    near and far splats and must not become a surface between them.
    """
    values = gaussians.tensor()
    layers = np.zeros((len(cameras), cameras.height_px, cameras.width_px, 4), dtype=np.float32)
    for index in range(len(cameras)):
        camera = cameras[index]
        depth, spread, alpha = _mean_depth(gaussians, values, camera, threads)
        _measure(layers[index], depth, spread, alpha, camera)
    return DepthPictures(cameras, layers)


def _mean_depth(
    gaussians: Gaussians, values: torch.Tensor, camera: Cameras, threads: int | None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return depth, its standard deviation over the splats of a pixel, and alpha, each (H, W)."""
    import torch

    from assets3d.splats.rasterise import rasterise

    view = camera.opencv_from_world[0]
    # Measured from the orbit's centre: squares of numbers near zero lose no precision.
    axial = gaussians.position @ view[2, :3].astype(np.float32)
    features = torch.from_numpy(np.stack([axial, axial**2], axis=1).astype(np.float32))
    with torch.no_grad():
        raster = rasterise(values, features, camera, threads=threads)
    alpha = raster.alpha.numpy()
    mean = raster.features.numpy() / np.maximum(alpha, 1e-6)[..., None]
    spread = np.sqrt(np.maximum(mean[..., 1] - mean[..., 0] ** 2, 0.0))
    return mean[..., 0] + np.float32(view[2, 3]), spread, alpha


def _measure(
    layers: NDArray[np.float32], depth: NDArray, spread: NDArray, alpha: NDArray, camera: Cameras
) -> None:
    """Fill in one camera's four layers, (H, W, 4), of `DepthPictures`."""
    import cv2

    solid = alpha >= SOLID_ALPHA
    depth = np.where(solid, depth, 0.0).astype(np.float32)
    focal_px = camera.intrinsics_px[0, 0]
    pixel = np.where(solid, depth, 1.0) / focal_px
    steep_x = _slope(depth, solid, axis=1) / pixel
    steep_y = _slope(depth, solid, axis=0) / pixel
    incidence = 1.0 / np.sqrt(1.0 + steep_x**2 + steep_y**2)
    # A surface seen at an angle has some spread within one pixel and its splats' own thickness.
    blur = spread / (4.0 * pixel + 0.02)
    confidence = np.clip(1.6 - blur, 0.0, 1.0) * np.clip((incidence - 0.1) / 0.4, 0.0, 1.0)
    confidence *= np.clip((alpha - SOLID_ALPHA) / 0.4, 0.0, 1.0)
    outside = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    layers[..., 0] = depth
    layers[..., 1] = confidence * solid
    layers[..., 2] = incidence
    layers[..., 3] = np.maximum(outside - 0.5, 0.0) * ~solid


def _slope(depth: NDArray, solid: NDArray, axis: int) -> NDArray:
    """Return the gentler of the one-sided differences, large where neither side is solid."""
    step = np.diff(depth, axis=axis)
    both = np.diff(solid.astype(np.int8), axis=axis) == 0
    far = np.float32(1e3)
    step = np.where(both, step, far)
    pad = [(0, 0), (0, 0)]
    pad[axis] = (1, 0)
    before = np.pad(step, pad, constant_values=far)
    pad[axis] = (0, 1)
    after = np.pad(step, pad, constant_values=far)
    return np.where(np.abs(before) < np.abs(after), before, after)

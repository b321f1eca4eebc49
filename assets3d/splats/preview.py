"""Pictures of splats for people: turns, depth, contact sheets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import FOV_Y_DEG, ORBIT_RADIUS, Cameras, orbit_cameras
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import LONG_SIDE, robust_bounds

#: A light neutral grey, sRGB-encoded: white and dark objects both stand out.
BACKGROUND = (0.92, 0.92, 0.93)


def render(
    gaussians: Gaussians,
    cameras: Cameras,
    background: tuple[float, float, float] = BACKGROUND,
    threads: int | None = None,
) -> NDArray[np.uint8]:
    """Return (V, H, W, 3) pictures of the splats on a plain background."""
    rgba, _ = render_rgba(gaussians, cameras, threads)
    alpha = rgba[..., 3:]
    picture = rgba[..., :3] + (1.0 - alpha) * np.asarray(background, dtype=np.float32)
    return _bytes(picture)


def render_rgba(
    gaussians: Gaussians, cameras: Cameras, threads: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (V, H, W, 4) float colour, premultiplied, and (V, H, W) depth, 0 where nothing is.

    Depth is the mean along the camera axis over what is visible, in world units.
    """
    import torch

    from assets3d.splats.rasterise import rasterise

    values = gaussians.tensor()
    pictures, depths = [], []
    with torch.no_grad():
        for view in range(len(cameras)):
            raster = rasterise(values, None, cameras[view], threads=threads)
            alpha = raster.alpha.numpy()
            pictures.append(np.concatenate([raster.features.numpy(), alpha[..., None]], axis=-1))
            depth = raster.depth.numpy() / np.maximum(alpha, 1e-6)
            depths.append(np.where(alpha > 0.5, depth, 0.0))
    return np.stack(pictures).astype(np.float32), np.stack(depths).astype(np.float32)


def spin_cameras(
    gaussians: Gaussians, frames: int, size_px: int, elevation_deg: float = 15.0
) -> Cameras:
    """Return cameras round the splats' visible middle, so far off that all stays in the frame."""
    low, high = robust_bounds(gaussians)
    size = float(np.linalg.norm(high - low))
    radius = ORBIT_RADIUS * max(size / LONG_SIDE, 1e-6)
    azimuths = np.arange(frames) * (360.0 / frames)
    return orbit_cameras(
        azimuths, elevation_deg, size_px, radius, FOV_Y_DEG, target=(low + high) / 2.0
    )


def spin(
    gaussians: Gaussians,
    frames: int = 8,
    size_px: int = 256,
    elevation_deg: float = 15.0,
    threads: int | None = None,
) -> NDArray[np.uint8]:
    """Return (F, H, W, 3) pictures of one turn, the front first, towards +X."""
    cameras = spin_cameras(gaussians, frames, size_px, elevation_deg)
    return render(gaussians, cameras, threads=threads)


def depth_pictures(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return (V, H, W, 3) greys of (V, H, W) depth: near light, far dark, nothing black."""
    seen = depth > 0.0
    if not seen.any():
        return np.zeros((*depth.shape, 3), dtype=np.uint8)
    near, far = np.quantile(depth[seen], [0.01, 0.99])
    light = 1.0 - 0.85 * np.clip((depth - near) / max(far - near, 1e-9), 0.0, 1.0)
    return _bytes(np.repeat(np.where(seen, light, 0.0)[..., None], 3, axis=-1))


def contact_sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Lay (F, H, W, C) pictures out row by row; free places take the first one's corner colour."""
    count, height, width, channels = pictures.shape
    rows = -(-count // columns)
    sheet = np.tile(pictures[0, 0, 0], (rows * columns, height, width, 1))
    sheet[:count] = pictures
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(sheet.reshape(rows * height, columns * width, channels))


def spin_sheet(
    gaussians: Gaussians, frames: int = 8, size_px: int = 256, threads: int | None = None
) -> NDArray[np.uint8]:
    """Return one picture of a turn: half the frames from a little above, half from well above."""
    low = spin(gaussians, frames - frames // 2, size_px, 10.0, threads)
    high = spin(gaussians, frames // 2, size_px, 40.0, threads)
    return contact_sheet(np.concatenate([low, high]), len(low))


def _bytes(picture: NDArray) -> NDArray[np.uint8]:
    return (np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)

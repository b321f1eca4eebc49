"""Posed pictures to Gaussians without a network: hull, discs on it, gradient descent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.splats.carve import carve, leaves_corners_open
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import LONG_SIDE, scale_and_move
from assets3d.splats.silhouettes import without_haze
from assets3d.views.posed import Views

log = logging.getLogger(__name__)

#: Splats fainter than this at the end are dropped.
FAINTEST = 0.02


@dataclass(frozen=True)
class _Frame:
    """How the views' world lies in the frame of the fit: fit = (world - centre) * factor."""

    centre: NDArray[np.float64]
    factor: float


def fit(
    views: Views,
    *,
    count: int = 10_000,
    steps: int = 1_000,
    seed: int = 0,
    threads: int | None = None,
    front: int | None = None,
    resolution: int = 96,
    rounded: bool = True,
) -> Gaussians:
    """Fit Gaussians to at least three posed cut-outs from at least two different directions.

    Carves the visual hull, starts flat discs on it and fits them with the rasteriser's gradients.
    The result stands in the world of the views' cameras, whatever its unit and origin.

    Args:
        views: cut-outs with straight alpha; colours of transparent pixels do not matter.
        count: splats to start with; faint ones are dropped at the end.
        steps: gradient steps, one view each; 0 gives the coloured hull.
        seed: decides where splats start and the order of views; same seed, same bytes.
        threads: of the rasteriser.
        front: index of a view that is right where the others contradict it (a person's own cut-out
            among generated views).
        resolution: voxels along the hull's long side.
        rounded: see `carve`.

    Raises:
        InputError: see `carve`.
    """
    from assets3d.splats.optimise import Settings, optimise
    from assets3d.splats.start import start_on_hull

    views = without_haze(views)
    hull = carve(views, resolution, rounded, front)
    low, high = hull.bounds
    frame = _Frame((low + high) / 2.0, LONG_SIDE / float((high - low).max()))
    hull = hull.moved(frame.centre, frame.factor)
    views = Views(views.rgba, _moved_cameras(views.cameras, frame))
    start, seen, spacing = start_on_hull(hull, views, count, seed, front)
    log.debug("fit: %d splats on the hull, %d seen, spacing %.4f", count, seen.sum(), spacing)
    settings = Settings()
    few = leaves_corners_open(views.cameras)
    if few:
        # Few outlines leave the depth open: discs that tilt and grow fit four pictures and nothing
        # else, so it is their places that change. Where views were imagined they contradict each
        # other, and places that follow every one of them make a rough surface.
        settings = settings.changed(
            anchor_weight=0.001 if front is None else 0.1,
            position_rate=0.1,
            scale_rate=0.002,
            rotation_rate=0.003,
        )
    found = optimise(
        start,
        views,
        steps=steps,
        seed=seed,
        spacing=spacing,
        settings=settings,
        front=front,
        fixed_colour=~seen if few else None,
        threads=threads,
    )
    found = found.selected(found.opacity >= FAINTEST)
    back = scale_and_move(found, 1.0 / frame.factor, np.zeros(3))
    return scale_and_move(back, 1.0, frame.centre)


def _moved_cameras(cameras: Cameras, frame: _Frame) -> Cameras:
    poses = cameras.world_from_camera.copy()
    poses[:, :3, 3] = (poses[:, :3, 3] - frame.centre) * frame.factor
    return Cameras(poses, cameras.intrinsics_px, cameras.width_px, cameras.height_px)

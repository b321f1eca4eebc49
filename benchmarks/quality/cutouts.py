"""The embedded cutout network on scenes of props that no training has seen."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from assets3d.cameras import orbit_cameras
from assets3d.errors import InputError
from benchmarks.metrics import mask_iou
from benchmarks.quality.protocol import SIZE_PX, Case


def cutout_of_scene(case: Case) -> dict[str, float]:
    """Score the whole cutter (network and cleaning) on one scene and on the prop on plain white.

    A scene is the prop alone, at a random place and size, over a background of any kind that the
    training has: plain, gradient, surface, table or patches, drawn anew from the case's seed.
    """
    from assets3d.images.picture import on_background
    from training.cutout_objects import crops, place, premultiplied
    from training.cutout_scenes import paste
    from training.cutout_textures import BACKGROUNDS, background, choose

    rng = np.random.default_rng(case.seed)
    azimuth, elevation = rng.uniform(-60.0, 60.0), rng.uniform(-10.0, 40.0)
    rgba = case.views(orbit_cameras(azimuth, elevation, SIZE_PX)).rgba
    thing = place(rng, premultiplied(crops(rgba)[0]), SIZE_PX)
    behind = background(rng, SIZE_PX, choose(rng, BACKGROUNDS))
    picture = (paste(behind, thing).clip(0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return {
        "scene_iou": _iou(picture, np.round(thing[..., 3] * 255.0)),
        "white_iou": _iou(on_background(rgba[0]), rgba[0, ..., 3]),
    }


def _iou(picture: np.ndarray, alpha: np.ndarray) -> float:
    """IoU at an alpha of one half; finding nothing scores 0."""
    try:
        found = _cutter()(picture)[..., 3]
    except InputError:
        return 0.0
    return mask_iou(found / 255.0, alpha / 255.0)


@cache
def _cutter() -> Any:
    from assets3d.cutout import load_cutter

    return load_cutter("embedded")

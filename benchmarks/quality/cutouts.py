"""The embedded cutout network on scenes of props and on photographs that no training has seen.

The outlines of the photographs' things were drawn by hand over a grid, corner by corner, in
`photograph_outlines.json`: name -> (x, y) in pixels. They are ours; the photographs are those of
`benchmarks.quality.photographs`. A wheel counts as a disc, a cup with its saucer and spoon as one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from assets3d.cameras import orbit_cameras
from assets3d.errors import InputError
from benchmarks.metrics import mask_iou
from benchmarks.quality.photographs import SEEDS, Photograph, photographs
from benchmarks.quality.protocol import SIZE_PX, Case

OUTLINES = Path(__file__).with_name("photograph_outlines.json")


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


def photographs_once() -> list[Photograph]:
    """Return each photograph that is installed here once: cutting has no seed."""
    return [photograph for photograph in photographs() if photograph.seed == SEEDS[0]]


def cutout_of_photograph(photograph: Photograph) -> dict[str, float]:
    """Score the whole cutter on one photograph, against the outline drawn by hand."""
    from assets3d.images.picture import read_picture

    picture = read_picture(photograph.path)[..., :3]
    corners = np.array(json.loads(OUTLINES.read_text())[photograph.title], np.int32)
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [corners], 255)
    return {"iou": _iou(np.ascontiguousarray(picture), inside)}


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

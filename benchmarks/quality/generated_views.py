"""The embedded views model: from a prop's true front, the three other views against the truth."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.protocol import SIZE_PX, Case, embedded_profile, sampling, score_pictures


def views_from_true_front(case: Case) -> dict[str, float]:
    """Score right, back and left as the pipeline makes them: painted, cut out, led by the front."""
    from assets3d.cameras import four_views

    true = case.views(four_views(SIZE_PX)).rgba
    found = imagined(true[0], case.seed)[1:]
    scores = score_pictures(found, true[1:])
    return {**scores, "empty_views": float(sum(not picture[..., 3].any() for picture in found))}


def imagined(front: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return the four views (4, S, S, 4) that the embedded profile makes of a cut-out front."""
    from assets3d.images.picture import resize_premultiplied
    from assets3d.views.led_by_front import led_by_front
    from assets3d.views.pipeline import make_views

    model, cutter, section = _loaded()
    pictures = make_views(model, front, prompt="", seed=seed, **sampling(section))
    shown = (front, *(_cut(cutter, picture) for picture in pictures[1:]))
    rgba = np.stack([resize_premultiplied(picture, section["written_px"]) for picture in shown])
    return led_by_front(rgba) if section.get("led_by_front") else rgba


def _cut(cutter: Any, picture: Any) -> Any:
    """Cut a view out; a view in which nothing is found scores as empty, not as an error."""
    from assets3d.errors import InputError

    try:
        return cutter(picture)
    except InputError:
        return np.zeros((*picture.shape[:2], 4), dtype=np.uint8)


@cache
def _loaded() -> tuple[Any, Any, dict[str, Any]]:
    """Return the views model, the cutter, and the profile's section that names them."""
    from assets3d.cutout import load_cutter
    from assets3d.views.model import load_views_model
    from stages._models import find_model

    section = embedded_profile("views")
    model = load_views_model(find_model("views", section["model"]).path, "cpu")
    return model, load_cutter(section["cutter"]).on_plain_backgrounds(), section

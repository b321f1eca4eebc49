"""The views stage: one cutout becomes four views from all round.

python -m stages.views --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/cutout --out runs/views
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages._harness import main
from stages._models import find_models
from stages._step import Item, Params, Step


@dataclass(frozen=True)
class _Loaded:
    model: Any
    cutter: Any


def load(params: Params) -> _Loaded:
    """Load the multi-view diffusion model, and the background remover for what it paints."""
    from assets3d.cutout import load_cutter
    from assets3d.views.model import load_views_model

    model = find_models(STEP.models, params)["model"]
    cutter = load_cutter(
        params["cutter"], threads=params["threads"], download=params.get("download", False)
    )
    return _Loaded(load_views_model(model.path, params["device"]), cutter)


def build(loaded: _Loaded, item: Item) -> Mapping[str, Any]:
    """Write view_000.png to view_003.png, transforms.json and a contact sheet of the four."""
    import numpy as np

    from assets3d.cameras import four_views
    from assets3d.images.picture import read_picture, resize_premultiplied, write_png
    from assets3d.images.sheet import contact_sheet
    from assets3d.views.led_by_front import led_by_front
    from assets3d.views.pipeline import make_views
    from assets3d.views.posed import Views, write_views

    params = item.params
    cutter = loaded.cutter.on_plain_backgrounds()  # the model paints on white
    cutout = _with_alpha(read_picture(item.folders["cutout"] / "cutout.png"))
    pictures = make_views(
        loaded.model,
        cutout,
        prompt=item.spec["prompt"] or "",
        seed=item.seed,
        steps=params["steps"],
        guidance=params["guidance"],
        size_px=params["size_px"],
    )
    # The front is known: the picture itself is better than what the network makes of it, and
    # sharper, so all are written at a size that keeps its outline.
    written_px = params.get("written_px", params["size_px"])
    shown = (cutout, *(cutter(picture) for picture in pictures[1:]))
    rgba = np.stack([resize_premultiplied(picture, written_px) for picture in shown])
    if params.get("led_by_front", False):
        rgba = led_by_front(rgba)
    write_views(Views(rgba, four_views(written_px)), item.out)
    write_png(item.out / "sheet.png", contact_sheet(list(rgba), columns=4))
    coverage = [round(float(view[..., 3].mean() / 255.0), 4) for view in rgba]
    return {"numbers": {"coverage": coverage}}


def _with_alpha(picture: Any) -> Any:
    """Give a picture that is opaque everywhere its alpha channel back."""
    import numpy as np

    if picture.shape[2] == 4:
        return picture
    return np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2)


STEP = Step(
    name="views",
    reads=dict.fromkeys(("prompt", "edit", "image"), ("cutout/cutout.png",)),
    fields=("prompt", "seed"),
    modules=(
        "assets3d.cameras",
        "assets3d.cutout",
        "assets3d.images.picture",
        "assets3d.images.sheet",
        "assets3d.views.led_by_front",
        "assets3d.views.model",
        "assets3d.views.pipeline",
        "assets3d.views.posed",
    ),
    models={"model": "views", "cutter": "cutout"},
    load=load,
    build=build,
)

if __name__ == "__main__":
    sys.exit(main(STEP))

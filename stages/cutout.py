"""The cutout stage: the object without its background, centred.

python -m stages.cutout --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/image --out runs/cutout
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from stages._harness import main
from stages._step import Item, Params, Step


def load(params: Params) -> Any:
    """Load the background remover."""
    from assets3d.cutout import load_cutter

    return load_cutter(
        params["model"], threads=params["threads"], download=params.get("download", False)
    )


def build(cutter: Any, item: Item) -> Mapping[str, Any]:
    """Write cutout.png; for a person's views, every view cut out where it is, and their poses."""
    if item.spec["enters"] == "views":
        return _cut_views(cutter, item)
    from assets3d.cutout import recentre
    from assets3d.images.picture import read_picture, write_png

    if "image" in item.folders:
        source = item.folders["image"] / "image.png"
        # A person's edited picture keeps the background it had.
        drawn = item.spec["enters"] == "prompt"
        if drawn and item.params["painted_background"] == "plain":
            cutter = cutter.on_plain_backgrounds()
    else:
        source = item.given
    rgba, warnings = cutter.cut(read_picture(source), field=item.spec["enters"])
    centred = recentre(rgba, item.params["size_px"], border_ratio=item.params["border_ratio"])
    write_png(item.out / "cutout.png", centred)
    return {"numbers": {"coverage": _coverage(centred)}, "warnings": warnings}


def _cut_views(cutter: Any, item: Item) -> Mapping[str, Any]:
    import numpy as np

    from assets3d.images.picture import read_picture
    from assets3d.views.posed import Views, read_cameras, write_views

    cameras, paths = read_cameras(item.given)
    cuts = [cutter.cut(read_picture(path, field="views"), field="views") for path in paths]
    rgba = np.stack([picture for picture, _ in cuts])
    write_views(Views(rgba, cameras), item.out)
    warnings = []
    for path, (_, lines) in zip(paths, cuts, strict=True):
        warnings += [f"{path.name}: {line}" for line in lines]
    return {"numbers": {"views": len(rgba), "coverage": _coverage(rgba)}, "warnings": warnings}


def _coverage(rgba: Any) -> float:
    """Share of the picture that the object fills."""
    return round(float(rgba[..., 3].mean() / 255.0), 4)


STEP = Step(
    name="cutout",
    reads={
        "prompt": ("image/image.png",),
        "edit": ("image/image.png",),
        "image": (),
        "views": (),
    },
    fields=(),
    modules=("assets3d.cutout", "assets3d.images.picture", "assets3d.views.posed"),
    models={"model": "cutout"},
    load=load,
    build=build,
)

if __name__ == "__main__":
    sys.exit(main(STEP))

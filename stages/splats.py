"""The splats stage: posed views become Gaussians; a person's PLY is checked and brought upright.

python -m stages.splats --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/cutout runs/views --out runs/splats
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from assets3d.errors import InputError
from stages._harness import main
from stages._models import find_models
from stages._step import Item, Own, Params, Step
from stages.specs import Spec

#: Parameter -> step that the model is for.
_LGM = {"lgm": "splats"}


def load(params: Params) -> Any:
    """Return a function that gives the LGM network; it loads at the first asset that needs it."""

    @cache
    def network() -> Any:
        from assets3d.splats.lgm_inference import load_lgm

        folder = find_models(_LGM, params)["lgm"].path
        return load_lgm(folder, params["lgm_variant"], params.get("device", "cpu"))

    return network


def own(params: Params, spec: Spec) -> Own:
    """Name the network to the assets that go through it: a person's splats and views do not."""
    if params["backend"] != "lgm" or spec.enters in ("views", "splats"):
        return Own()
    return Own(models=find_models(_LGM, params))


def build(network: Any, item: Item) -> Mapping[str, Any]:
    """Write splats.ply, and a spin round it as contact sheet and animation."""
    from assets3d.images.animation import write_webp
    from assets3d.images.picture import write_png
    from assets3d.images.sheet import contact_sheet
    from assets3d.splats.ply import write_ply
    from assets3d.splats.preview import spin

    params = item.params
    warnings: list[str] = []
    if item.spec["enters"] == "splats":
        gaussians = _given(item)
    else:
        views = _views(item)
        gaussians = _from_views(network, item, views)
        warnings = _warnings(item, views)
    write_ply(item.out / "splats.ply", gaussians)
    frames = spin(gaussians, frames=params["spin_frames"], size_px=params["spin_px"])
    write_png(item.out / "spin.png", contact_sheet(list(frames), columns=4))
    write_webp(list(frames), item.out / "spin.webp", fps=params["spin_fps"])
    return {"numbers": {"gaussians": len(gaussians)}, "warnings": warnings}


def _given(item: Item) -> Any:
    from assets3d.splats.normalise import normalise
    from assets3d.splats.ply import read_ply

    return normalise(read_ply(item.given), item.spec["up"], item.spec["turn_deg"])


def _views(item: Item) -> Any:
    import numpy as np

    from assets3d.images.picture import read_picture
    from assets3d.views.posed import Views, read_cameras

    (folder,) = item.folders.values()
    cameras, paths = read_cameras(folder)
    return Views(np.stack([_rgba(read_picture(path)) for path in paths]), cameras)


def _warnings(item: Item, views: Any) -> list[str]:
    """Doubt imagined views that cannot be of one object; a person's own are taken as they are."""
    if item.spec["enters"] == "views":
        return []
    from assets3d.views.consistency import PLAUSIBLE, contradiction

    found = contradiction(views.rgba)
    if found <= PLAUSIBLE:
        return []
    return [
        f"the imagined views differ by {100 * found:.0f} % in height or width: "
        "the sides are guesswork, another seed or picture may do better"
    ]


def _from_views(network: Any, item: Item, views: Any) -> Any:
    from assets3d.splats.fit import fit
    from assets3d.splats.normalise import normalise

    params, own = item.params, item.spec["enters"] == "views"
    if params["backend"] == "lgm" and not own:
        from assets3d.splats.lgm_inference import reconstruct

        return reconstruct(network(), views)
    if params["backend"] not in ("fit", "lgm"):
        raise InputError(f"splats.backend: found {params['backend']!r}, wanted fit or lgm")
    gaussians = fit(
        views,
        count=params["count"],
        steps=params["own_views_steps"] if own else params["steps"],
        seed=item.seed,
        threads=params["threads"],
        front=None if own else 0,
    )
    return normalise(gaussians, item.spec["up"], item.spec["turn_deg"]) if own else gaussians


def _rgba(picture: Any) -> Any:
    import numpy as np

    if picture.shape[2] == 4:
        return picture
    return np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2)


_POSED = ("view_*.png", "transforms.json")

STEP = Step(
    name="splats",
    reads={
        "prompt": tuple(f"views/{name}" for name in _POSED),
        "edit": tuple(f"views/{name}" for name in _POSED),
        "image": tuple(f"views/{name}" for name in _POSED),
        "views": tuple(f"cutout/{name}" for name in _POSED),
        "splats": (),
    },
    fields=("seed", "up", "turn_deg"),
    modules=(
        "assets3d.images.animation",
        "assets3d.images.picture",
        "assets3d.images.sheet",
        "assets3d.splats.fit",
        "assets3d.splats.lgm_inference",
        "assets3d.splats.normalise",
        "assets3d.splats.ply",
        "assets3d.splats.preview",
        "assets3d.views.consistency",
        "assets3d.views.posed",
    ),
    load=load,
    build=build,
    own=own,
)

if __name__ == "__main__":
    sys.exit(main(STEP))

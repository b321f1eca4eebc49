"""The texture stage: words or a picture become a seamless picture of a surface.

python -m stages.texture --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --out runs/texture
python -m stages.texture import-comfyui graph.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from stages import _enlarge, _surface
from stages._harness import main
from stages._step import Item, Own, Params, Step
from stages.specs import Spec

#: Parameter -> step that the model is for, of what a model draws.
DRAWING = {"model": "image", "lora": "image"}


class Pipeline:
    """The pipeline that draws, loaded when it is first needed: cutting and blending need none."""

    def __init__(self, params: Params) -> None:
        from assets3d.images.memory import read_memory

        self._params = params
        self.memory = read_memory(params)
        self._loaded: tuple[Any, Any] | None = None

    def get(self, scheduler: Any) -> Any:
        """Return the pipeline with this scheduler."""
        from assets3d.images.text_to_image import load_pipeline
        from stages._models import find_models

        if self._loaded is None or self._loaded[0] != scheduler:
            self._loaded = None  # its memory is needed
            params = self._params
            models = find_models(DRAWING, params)
            lora = models.get("lora")
            pipeline = load_pipeline(
                models["model"],
                family=params.get("family"),
                lora=None if lora is None else lora.files[0],
                scheduler=scheduler,
                dtype=params["dtype"],
                device=params["device"],
                memory=self.memory,
            )
            self._loaded = (scheduler, pipeline)
        return self._loaded[1]


def load(params: Params) -> Pipeline:
    """Return the pipeline, not loaded yet."""
    return Pipeline(params)


def build(loaded: Pipeline, item: Item) -> Mapping[str, Any]:
    """Write texture.png, tiled.png (nine of it) and source.json (where it is from)."""
    import numpy as np

    from assets3d.images.picture import write_png
    from assets3d.textures.seams import seam_report
    from assets3d.textures.torus import resized

    spec = item.spec
    drawn = _surface.drawn(loaded, item)
    picture, size_px, detail_px = drawn.picture, spec["size_px"], drawn.detail_px
    if len(picture) != size_px * spec["upscale"]:
        picture = resized(picture, size_px, kernel="lanczos")
        detail_px = min(detail_px, size_px)
        if spec["upscale"] > 1:
            picture = _enlarge.enlarged(picture, item)
            detail_px *= _enlarge.detail_gain(item)
    write_png(item.out / "texture.png", picture)
    small = resized(picture, min(len(picture), _surface.TILED_PX))
    write_png(item.out / "tiled.png", np.tile(small, (3, 3, 1)))
    source = {**drawn.source, "detail_px": detail_px}
    (item.out / "source.json").write_text(json.dumps(source, indent=1) + "\n")
    report = seam_report(picture, "colour", detail_px=detail_px)
    numbers = {
        "drawn_px": len(drawn.picture),
        "size_px": len(picture),
        "seam_nb": round(report.seam_nb, 3),
        "seam_local": round(report.seam_local, 3),
        **drawn.numbers,
    }
    return {"numbers": numbers, "warnings": drawn.warnings}


def own(params: Params, spec: Spec) -> Own:
    """Return what draws, what steers that, and what enlarges; see `_surface`, `_enlarge`.

    What the procedural world answers and what is cut from a photograph reads no model: its record
    names none, and another model does not make it anew.
    """
    from stages._models import find_models

    by_model = _surface.drawn_by(params, spec.model_dump()) == "model"
    drawing = find_models(DRAWING, params) if by_model else {}
    steering, enlarging = _surface.own(params, spec), _enlarge.own(params, spec)
    models = {**drawing, **steering.models, **enlarging.models}
    return Own(models, {**steering.params, **enlarging.params})


STEP = Step(
    name="texture",
    reads={"prompt": (), "image": ()},
    fields=(
        *("prompt", "shows", "seed", "style", "negative_prompt", "mode", "axes", "period_px"),
        *("canvas_px", "half_width_px", "ramp_px", "denoise", "ip_adapter_weight", "sampling"),
        *("size_px", "upscale"),
    ),
    modules=(
        "assets3d.images.picture",
        "assets3d.images.text_to_image",
        "assets3d.textures.seamless.patch",
        "assets3d.textures.seamless.texture",
        "assets3d.textures.seams",
        "assets3d.textures.torus",
        "assets3d.textures.upscale",
        "assets3d.textures.upscale_network",
        "assets3d.textures.world.prompts",
        "stages._enlarge",
        "stages._steering",
        "stages._surface",
    ),
    load=load,
    build=build,
    own=own,
    own_params=(*_surface.OWN_PARAMS, *_enlarge.OWN_PARAMS),
    kind="material",
)


def _command(arguments: list[str]) -> int:
    if arguments[:1] == ["import-comfyui"]:
        from stages._comfyui import import_graph

        return import_graph(arguments[1:])
    return main(STEP, arguments)


if __name__ == "__main__":
    sys.exit(_command(sys.argv[1:]))

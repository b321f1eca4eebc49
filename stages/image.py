"""The image stage: a prompt becomes a picture of the object, or a picture is edited under a mask.

python -m stages.image --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --out runs/image
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from assets3d.models import ModelFiles
from stages import _steering
from stages._harness import main
from stages._models import find_models
from stages._step import Item, Params, Step


class Pipelines:
    """The pipeline that draws and the one that edits, one in memory at a time, loaded when needed.

    Attributes:
        memory: how they save memory.
    """

    def __init__(self, params: Params) -> None:
        from assets3d.images.memory import read_memory

        self._params = params
        self.memory = read_memory(params)
        self._loaded: tuple[str, Any] | None = None

    def drawing(self) -> Any:
        """Return the profile's own pipeline."""
        models = find_models(STEP.models, self._params)
        return self._get("draw", models["model"], models.get("lora"), self._params["scheduler"])

    def editing(self, model: ModelFiles | None) -> Any:
        """Return the pipeline that edits: the profile's `edit.model`, or the one that draws."""
        if model is None:
            return self.drawing()
        scheduler = (self._params.get("edit") or {}).get("scheduler")
        return self._get("edit", model, None, scheduler)

    def _get(self, role: str, model: ModelFiles, lora: ModelFiles | None, scheduler: Any) -> Any:
        from assets3d.images.text_to_image import load_pipeline

        if self._loaded is None or self._loaded[0] != role:
            self._loaded = None  # its memory is needed
            params = self._params
            pipeline = load_pipeline(
                model,
                family=params.get("family") if role == "draw" else None,
                lora=None if lora is None else lora.files[0],
                scheduler=scheduler,
                dtype=params["dtype"],
                device=params["device"],
                memory=self.memory,
            )
            self._loaded = (role, pipeline)
        return self._loaded[1]


def load(params: Params) -> Pipelines:
    """Return the pipelines, none of them loaded yet."""
    return Pipelines(params)


def build(pipelines: Pipelines, item: Item) -> Mapping[str, Any]:
    """Write image.png."""
    from assets3d.images.picture import write_png

    if item.spec["enters"] == "edit":
        picture, warnings = _edited(pipelines, item)
    else:
        picture, warnings = _drawn(pipelines, item)
    write_png(item.out / "image.png", picture)
    return {"warnings": warnings}


def _drawn(pipelines: Pipelines, item: Item) -> tuple[Any, list[str]]:
    from assets3d.images.steering import generate_steered
    from assets3d.images.two_sizes import generate_at_two_sizes, read_first

    prompt, params = item.spec["prompt"], item.params
    first = read_first(params)
    pipeline = pipelines.drawing()
    steering = _steering.steering_of(item)
    settings = {
        "seed": item.seed,
        "steps": params["steps"],
        "guidance": params["guidance"],
        "size_px": params["size_px"],
        "negative_prompt": item.spec["negative_prompt"],
        "memory": pipelines.memory,
    }
    if first is None:
        picture = generate_steered(pipeline, prompt, steering, **settings)
    else:
        picture = generate_at_two_sizes(pipeline, prompt, steering, first, **settings)
    return picture, _unknown(pipeline, prompt, item)


def _edited(pipelines: Pipelines, item: Item) -> tuple[Any, list[str]]:
    from assets3d.images.inpaint import edit_picture
    from assets3d.images.picture import read_picture

    edit = item.spec["edit"]
    params = {**item.params, **(item.params.get("edit") or {})}
    pipeline = pipelines.editing(item.models.get("edit"))
    picture = edit_picture(
        pipeline,
        read_picture(item.sources["edit.image"], field="edit.image"),
        _steering.read_mask(item.sources["edit.mask"]),
        edit["prompt"],
        seed=item.seed,
        steps=params["steps"],
        guidance=params["guidance"],
        size_px=params["size_px"],
        strength=edit["strength"],
        negative_prompt=item.spec["negative_prompt"],
        steering=_steering.steering_of(item),
        memory=pipelines.memory,
    )
    return picture, _unknown(pipeline, edit["prompt"], item)


def _unknown(pipeline: Any, prompt: str, item: Item) -> list[str]:
    """Say which words the model does not know."""
    from assets3d.images import text_to_image

    words = text_to_image.vocabulary_words(pipeline)
    if words is None:
        return []
    learned = _steering.learned_words(item.spec)
    unknown = [w for w in text_to_image.unknown_words(prompt, words) if w not in learned]
    return [f"the model does not know: {', '.join(unknown)}"] if unknown else []


STEP = Step(
    name="image",
    reads={"prompt": (), "edit": ()},
    fields=(
        "prompt",
        "negative_prompt",
        "seed",
        "loras",
        "embeddings",
        "ip_adapter",
        "control",
        "strength",
        "edit",
    ),
    modules=(
        "assets3d.images.text_to_image",
        "assets3d.images.picture",
        "assets3d.images.steering",
        "assets3d.images.two_sizes",
        "assets3d.images.inpaint",
        "stages._steering",
    ),
    models={"model": "image", "lora": "image"},
    load=load,
    build=build,
    own=_steering.own,
    own_params=_steering.OWN_PARAMS,
)

if __name__ == "__main__":
    sys.exit(main(STEP))

"""The image stage: a prompt becomes a picture of the object.

python -m stages.image --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --out runs/image
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
    pipeline: Any
    words: Any


def load(params: Params) -> _Loaded:
    """Load the text-to-image pipeline and the words it was trained on."""
    from assets3d.images import text_to_image

    models = find_models(STEP.models, params)
    pipeline = text_to_image.load_pipeline(
        models["model"],
        family=params.get("family"),
        lora=models["lora"].files[0] if "lora" in models else None,
        scheduler=params["scheduler"],
        dtype=params["dtype"],
        device=params["device"],
    )
    return _Loaded(pipeline, text_to_image.vocabulary_words(pipeline))


def build(loaded: _Loaded, item: Item) -> Mapping[str, Any]:
    """Write image.png."""
    from assets3d.images import text_to_image
    from assets3d.images.picture import write_png

    prompt, params = item.spec["prompt"], item.params
    picture = text_to_image.generate(
        loaded.pipeline,
        prompt,
        seed=item.seed,
        steps=params["steps"],
        guidance=params["guidance"],
        size_px=params["size_px"],
        negative_prompt=item.spec["negative_prompt"],
    )
    write_png(item.out / "image.png", picture)
    unknown = text_to_image.unknown_words(prompt, loaded.words) if loaded.words else []
    warnings = [f"the model does not know: {', '.join(unknown)}"] if unknown else []
    return {"warnings": warnings}


STEP = Step(
    name="image",
    reads={"prompt": ()},
    fields=("prompt", "negative_prompt", "seed"),
    modules=("assets3d.images.text_to_image", "assets3d.images.picture"),
    models={"model": "image", "lora": "image"},
    load=load,
    build=build,
)

if __name__ == "__main__":
    sys.exit(main(STEP))

"""How a material's picture becomes larger: the classical filter, or the profile's network."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from stages._models import find_file
from stages._step import Item, Own, Params
from stages._surface import world_answers
from stages.specs import MaterialSpec, Spec

#: Parameters of the texture section that only enlarged pictures read.
OWN_PARAMS = ("upscaler",)
_FIELD = "texture.upscaler"


def own(params: Params, spec: Spec) -> Own:
    """Return the network that enlarges the picture, where the profile names one.

    Raises:
        InputError: a network that is not there, a declaration that is wrong.
        PassingError: a download failed.
    """
    asked = params.get("upscaler")
    if asked is None or not isinstance(spec, MaterialSpec) or spec.upscale == 1:
        return Own()
    if spec.prompt is not None and world_answers(params, spec.mode):
        return Own()  # computed at the size that is wanted
    declared = _declared(asked)
    word = declared.get("file") if declared else asked
    if not isinstance(word, str) or not word:
        raise InputError(f"{_FIELD}: found {word!r}, wanted a registered name, a file or a folder")
    model = find_file("upscaler", word, params, _FIELD)
    return Own(
        {"upscaler": model}, {"upscaler": {k: v for k, v in declared.items() if k != "file"}}
    )


def enlarged(picture: Any, item: Item) -> Any:
    """Return the picture (S, S, 3) at `upscale` times its size; it tiles as before."""
    factor = item.spec["upscale"]
    if "upscaler" not in item.models:
        from assets3d.textures.upscale import upscaled

        return upscaled(picture, factor)
    from assets3d.textures.upscale_network import upscaled_by

    params = item.params
    device = params.get("device", "cpu")
    upscaler = _loaded(
        item.models["upscaler"].path,
        json.dumps(_declared(params["upscaler"]), sort_keys=True),
        device,
        params.get("dtype") or ("float32" if device == "cpu" else "float16"),
        params["threads"],
    )
    return upscaled_by(upscaler, picture, factor)


def detail_gain(item: Item) -> int:
    """Return how many times more detail an enlarged picture shows: a filter adds none."""
    return int(item.spec["upscale"]) if "upscaler" in item.models else 1


def _declared(asked: Any) -> dict[str, Any]:
    """Return the fields of an ONNX file that is declared rather than named."""
    if isinstance(asked, Mapping):
        from assets3d.textures.maps.declared import Fields
        from assets3d.textures.upscale_network import DECLARED

        Fields(asked, _FIELD, DECLARED).file("file")
        return dict(asked)
    return {}


@functools.lru_cache(maxsize=1)
def _loaded(path: Path, declared: str, device: str, dtype: str, threads: int) -> Any:
    from assets3d.textures.upscale_network import load_upscaler

    return load_upscaler(
        path, declared=json.loads(declared), device=device, dtype=dtype, threads=threads
    )

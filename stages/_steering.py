"""From a prop's entry to what steers its picture: which models it names, and their pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.images.families import find_family
from assets3d.models import ModelFiles
from stages._models import find_file, find_models, read_registry
from stages._step import Item, Own, Params
from stages.specs import PropSpec, Spec
from stages.specs.steering import ControlSpec, ImagePromptSpec

#: Parameters of the image section that only steered pictures read.
OWN_PARAMS = ("controls", "ip_adapters", "image_encoder", "edit")

# Numbers per token that a U-Net reads -> how the registry names what was made for it.
_BASES = {768: "sd15", 1024: "sd21", 2048: "sdxl"}
# The image encoder of every registered adapter, as ComfyUI's users call the file.
_VIT_H = "CLIP-ViT-H-14-laion2B-s32B-b79K"
_NETWORKS = ("controlnet", "t2i_adapter")
_NEARLY_BLACK = 16
_PREFIXES = {"controlnet": "controlnet", "t2i_adapter": "t2i"}


def own(params: Params, spec: Spec) -> Own:
    """Return the models that one prop's picture is steered by, and the parameters of an edit.

    Raises:
        InputError: a model that is not there, or none for this kind of checkpoint.
        PassingError: a download failed.
    """
    if not isinstance(spec, PropSpec):
        return Own()
    models: dict[str, ModelFiles] = {}
    for number, lora in enumerate(spec.loras, 1):
        where = f"loras.{number}.file"
        models[f"lora.{number}"] = find_file("lora", lora.file, params, where)
    for number, word in enumerate(spec.embeddings, 1):
        where = f"embeddings.{number}.file"
        models[f"embedding.{number}"] = find_file("embedding", word.file, params, where)
    if spec.ip_adapter is not None:
        models |= image_prompt_models(spec.ip_adapter, params)
    models |= _control_models(spec.control, params)
    edit = _edit_params(params) if spec.edit is not None else {}
    if "model" in edit:
        # All that `find_models` does for a checkpoint, for the one that inpaints.
        models["edit"] = find_models({"model": "image"}, {**params, **edit})["model"]
    return Own(models, {"edit": edit} if edit else {})


def _edit_params(params: Params) -> dict[str, Any]:
    edit = params.get("edit") or {}
    known = ("model", "scheduler", "steps", "guidance", "size_px")
    for name in edit:
        if name not in known:
            raise InputError(f"image.edit.{name}: unknown, wanted {', '.join(known)}")
    if "scheduler" in edit and "model" not in edit:
        raise InputError("image.edit.scheduler: goes with image.edit.model only, wanted both")
    return dict(edit)


def image_prompt_models(prompt: ImagePromptSpec, params: Params) -> dict[str, ModelFiles]:
    """Return the adapter that a picture speaks through, and its encoder where it lies apart.

    Raises:
        InputError: a model that is not there, or none for this kind of checkpoint.
        PassingError: a download failed.
    """
    where = "ip_adapter.model"
    chosen = prompt.model or (params.get("ip_adapters") or {}).get(prompt.kind)
    name = chosen or _registered([f"ip-adapter-{prompt.kind}-{_base(params, where)}"], where)
    adapter = find_file("ip_adapter", str(name), params, where)
    if "image_encoder" in adapter.parts:
        return {"ip_adapter": adapter}
    word = str(params.get("image_encoder") or _VIT_H)
    return {
        "ip_adapter": adapter,
        "image_encoder": find_file("clip_vision", word, params, "image.image_encoder"),
    }


def _control_models(controls: tuple[ControlSpec, ...], params: Params) -> dict[str, ModelFiles]:
    """Return the network of each map.

    Where nobody chose, all are ControlNets, or else all T2I-Adapters: they cannot be mixed.
    """
    chosen = [
        control.model or (params.get("controls") or {}).get(control.kind) for control in controls
    ]
    if controls and None in chosen:
        where = f"control.{chosen.index(None) + 1}.model"
        base, registry = _base(params, where), read_registry()
        pairs = list(zip(controls, chosen, strict=True))
        candidates = [
            [name or f"{_PREFIXES[kind]}-{one.kind}-{base}" for one, name in pairs]
            for kind in _NETWORKS
        ]
        whole = [names for names in candidates if all(n in registry or n in chosen for n in names)]
        wanted = sorted({name for names in candidates for name in names} - set(chosen))
        chosen = list(whole[0]) if whole else [_registered(wanted, where)]
    return {
        f"control.{number}": _network(str(name), params, f"control.{number}.model")
        for number, name in enumerate(chosen, 1)
    }


def _network(name: str, params: Params, where: str) -> ModelFiles:
    entry = read_registry().get(name, {})
    kind = entry.get("kind") if entry.get("kind") in _NETWORKS else "controlnet"
    return find_file(str(kind), name, params, where)


def _registered(names: list[str], where: str) -> str:
    registry = read_registry()
    found = next((name for name in names if name in registry), None)
    if found is None:
        raise InputError(
            f"{where}: nothing of the kind is registered for this checkpoint (looked for "
            f"{', '.join(names)}), wanted `model:` with a file or folder of your own"
        )
    return found


def _base(params: Params, where: str) -> str:
    """Return which kind of U-Net the profile's checkpoint has, as the registry's names say it."""
    width = find_family(params["family"]).text_width if "family" in params else None
    if width is None:
        model = find_models({"model": "image"}, params)["model"]
        width = _text_width(model.path / "unet/config.json")
    if width not in _BASES:
        raise InputError(
            f"{where}: nothing is registered for a checkpoint that reads text of width {width}, "
            "wanted `model:` with a file or folder of your own, or `family` in the profile"
        )
    return _BASES[width]


def _text_width(path: Path) -> int | None:
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("cross_attention_dim")
    except (OSError, ValueError):
        return None  # a single file, or another kind of network


def steering_of(item: Item) -> Any:
    """Return the `Steering` of a picture: models and pictures read, weights as the entry says.

    Raises:
        InputError: a picture that cannot be read.
    """
    from assets3d.images.control import Control
    from assets3d.images.embeddings import Embedding
    from assets3d.images.image_prompts import ImagePrompt
    from assets3d.images.loras import Lora
    from assets3d.images.picture import read_picture
    from assets3d.images.steering import Steering

    spec, models, sources = item.spec, item.models, item.sources
    prompt, prompt_picture = spec["ip_adapter"], None
    if prompt is not None:
        picture = read_picture(sources["ip_adapter.image"], field="ip_adapter.image")
        prompt_picture = ImagePrompt(picture, *image_prompt_files(models), prompt["weight"])
    controls = []
    for number, one in enumerate(spec["control"], 1):
        field = f"control.{number}.image"
        picture, network = read_picture(sources[field], field=field), models[f"control.{number}"]
        controls.append(Control(one["kind"], picture, network.path, one["weight"]))
    first = sources.get("init_image")
    return Steering(
        loras=tuple(
            Lora(_path(models[f"lora.{number}"]), one["weight"])
            for number, one in enumerate(spec["loras"], 1)
        ),
        embeddings=tuple(
            Embedding(_path(models[f"embedding.{number}"]), one["token"])
            for number, one in enumerate(spec["embeddings"], 1)
        ),
        image_prompt=prompt_picture,
        controls=tuple(controls),
        init_picture=None if first is None else read_picture(first, field="init_image"),
        strength=spec["strength"],
    )


def image_prompt_files(models: Mapping[str, ModelFiles]) -> tuple[Path, Path]:
    """Return where the adapter and its image encoder of `image_prompt_models` lie."""
    adapter, encoder = models["ip_adapter"], models.get("image_encoder")
    path = adapter.parts["image_encoder"] if encoder is None else _path(encoder)
    return _path(adapter), path


def _path(model: ModelFiles) -> Path:
    """Return the file of a model that is one file; a folder where it is more."""
    return model.files[0] if len(model.files) == 1 else model.path


def read_mask(path: Path) -> Any:
    """Return an edit's mask as uint8 (H, W): how white it is, where it is not transparent.

    What is nearly black counts as black: traces of JPEG would make the whole picture masked.

    Raises:
        InputError: it cannot be read.
    """
    import numpy as np

    from assets3d.images.picture import on_background, read_picture

    rgb = on_background(read_picture(path, field="edit.mask"), (0.0, 0.0, 0.0))
    white = np.round(rgb.mean(axis=2)).astype(np.uint8)
    return np.where(white < _NEARLY_BLACK, 0, white).astype(np.uint8)


def learned_words(spec: Mapping[str, Any]) -> set[str]:
    """Return the words of the prompts that embeddings teach, in lower case."""
    return {one["token"].lower() for one in spec["embeddings"]}

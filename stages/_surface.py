"""From a material's entry to how its surface is drawn: the mode, its lengths, what steers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stages import _steering
from stages._step import Item, Own, Params
from stages.specs import MaterialSpec, Spec
from stages.specs.material import DEFAULT_MODE, LENGTHS
from stages.specs.steering import ImagePromptSpec

#: Parameters of the texture section that only pictures under repaint read.
OWN_PARAMS = ("ip_adapters", "image_encoder")
#: What a profile names instead of a model.
_NO_MODEL = "none"
#: Side of each of the nine tiles of the preview.
TILED_PX = 256
#: A picture enlarged more than this is visibly soft.
_SOFT = 4


def own(params: Params, spec: Spec) -> Own:
    """Return the IP-Adapter of a picture whose seams a model repaints.

    Raises:
        InputError: a model that is not there, or none for this kind of checkpoint.
        PassingError: a download failed.
    """
    if not isinstance(spec, MaterialSpec) or spec.image is None:
        return Own()
    if _mode(spec.model_dump(), params) == "patch" or spec.ip_adapter_weight == 0:
        return Own()
    prompt = ImagePromptSpec(image=spec.image, weight=spec.ip_adapter_weight, model=None)
    return Own(_steering.image_prompt_models(prompt, params))


def world_answers(params: Params, mode: str | None) -> bool:
    """Say whether the procedural world answers the words of an entry, not a model.

    It does where the profile has no model, and where it says `words: world`, unless the entry names
    a mode: those are ways in which a model draws.
    """
    return params["model"] == _NO_MODEL or (params.get("words") == "world" and mode is None)


def drawn_by(params: Params, spec: Mapping[str, Any]) -> Literal["model", "picture", "world"]:
    """Say what the surface of an entry with words or a picture is made by, as `Drawn.source`."""
    if _from_picture(spec):
        return "picture" if _mode(spec, params) == "patch" else "model"
    return "world" if world_answers(params, spec["mode"]) else "model"


@dataclass(frozen=True)
class Drawn:
    """A seamless picture and where it is from.

    Attributes:
        picture: uint8 (S, S, 3), at the size at which it was drawn.
        detail_px: the side at which all of its detail can be seen, at most S.
        source: what the maps step must know of it: `by` is model, picture or world, and of the
            world the family and seed that give the very maps.
        warnings: what a person should know.
        numbers: of a picture that was cut: how visible the cut is, and which shares of the
            picture's width and height the tile shows.
    """

    picture: Any
    detail_px: int
    source: Mapping[str, Any]
    warnings: list[str]
    numbers: Mapping[str, float] = field(default_factory=dict)


def drawn(loaded: Any, item: Item) -> Drawn:
    """Make the seamless picture of an entry.

    Raises:
        InputError: a picture that cannot be used, words that name no material, lengths that do
            not go together.
    """
    match drawn_by(item.params, item.spec):
        case "picture":
            return _patched(item)
        case "world":
            return _of_the_world(item)
        case "model":
            return _by_model(loaded, item)


def _of_the_world(item: Item) -> Drawn:
    """Return the base colour of the procedural material that the words name."""
    import numpy as np

    from assets3d.textures.world.catalogue import sample_material
    from assets3d.textures.world.prompts import choose, words_of_family

    spec = item.spec
    choice = choose(spec["prompt"], spec["seed"])
    material = sample_material(choice.family, choice.seed, spec["size_px"] * spec["upscale"])
    warnings = []
    if choice.unknown:
        words = ", ".join(words_of_family(choice.family))
        unknown = ", ".join(choice.unknown)
        warnings.append(f"{choice.family} knows nothing of: {unknown}; its words are {words}")
    if spec["mode"] is not None:
        warnings.append(f"mode: {spec['mode']} is for models, the material world always tiles")
    source = {"by": "world", "family": choice.family, "seed": choice.seed, "words": choice.words}
    colour = np.round(255.0 * material.base_colour).astype(np.uint8)
    return Drawn(colour, len(colour), source, warnings)


def _patched(item: Item) -> Drawn:
    """Cut and blend the person's picture; no model is needed."""
    from assets3d.images.picture import read_picture
    from assets3d.textures.seamless.patch import VISIBLE_CUT
    from assets3d.textures.seamless.texture import patch_of

    spec, size_px = item.spec, item.spec["size_px"]
    made = patch_of(read_picture(item.given, field="image"), size_px)
    warnings = _mode_warnings(spec, item.params)
    if made.cut > VISIBLE_CUT:
        warnings.append(
            f"image: the cut goes through things (cut {made.cut:.1f}, wanted at most "
            f"{VISIBLE_CUT:g}): look at tiled.png in its folder of runs/texture; a picture taken "
            "straight on, of one material, does better"
        )
    if size_px > _SOFT * made.drawn_px:
        warnings.append(
            f"image: a tile of it has {made.drawn_px} px, size_px {size_px} shows no more than that"
        )
    shown = [round(share, 3) for share in made.shown]
    source = {"by": "picture", "shown": shown}
    numbers = {"cut": round(made.cut, 2), "shown_x": shown[0], "shown_y": shown[1]}
    return Drawn(made.tile, min(made.drawn_px, size_px), source, warnings, numbers)


def _by_model(loaded: Any, item: Item) -> Drawn:
    from assets3d.images.picture import read_picture
    from assets3d.images.steering import Steering
    from assets3d.textures.seamless.texture import picture_prompt, seamless_texture

    spec, params = item.spec, item.params
    from_picture = spec["enters"] == "image"
    picture = read_picture(item.given, field="image") if from_picture else None
    steering = None
    if "ip_adapter" in item.models and picture is not None:
        adapter, encoder = _steering.image_prompt_files(item.models)
        prompt = picture_prompt(picture, adapter, encoder, spec["ip_adapter_weight"])
        steering = Steering(image_prompt=prompt)
    sampling = sampling_of(spec, params)
    pipeline = loaded.get(sampling["sampler"])
    words = spec["shows"] if from_picture else spec["prompt"]
    made = seamless_texture(
        pipeline,
        words,
        seed=item.seed,
        steps=sampling["steps"],
        guidance=sampling["guidance"],
        size_px=params["size_px"],
        settings=settings_of(spec, params, params["size_px"]),
        picture=picture,
        steering=steering,
        negative_prompt=spec["negative_prompt"] if sampling["guidance"] > 1.0 else "",
        memory=loaded.memory,
    )
    warnings = [*_mode_warnings(spec, params), *_unknown(pipeline, words)]
    return Drawn(made, len(made), {"by": "model"}, warnings)


def settings_of(spec: Mapping[str, Any], params: Params, drawn_px: int) -> Any:
    """Return the `SeamlessSettings` of an entry for the side that is drawn.

    Lengths are given in pixels of the finished tile.
    """
    from assets3d.textures.seamless.settings import CELL_PX, SeamlessSettings, workflow_exact

    mode = _mode(spec, params)
    if mode == "workflow-exact":
        return replace(workflow_exact(drawn_px), style=spec["style"], denoise=spec["denoise"])
    scale = drawn_px / spec["size_px"]
    lengths = {name: spec[name] for name in LENGTHS if spec[name] is not None}
    scaled = {name: round(value * scale) for name, value in lengths.items()}
    if scale != 1.0:  # what the person gave fits their tile; rounding must not make it odd here
        for name in ("period_px", "canvas_px"):
            if name in scaled:
                scaled[name] = round(scaled[name] / CELL_PX) * CELL_PX
    return SeamlessSettings(
        mode=mode, axes=spec["axes"], denoise=spec["denoise"], style=spec["style"], **scaled
    )


def sampling_of(spec: Mapping[str, Any], params: Params) -> dict[str, Any]:
    """Return steps, guidance and sampler: the entry's, or the profile's."""
    asked = {name: value for name, value in spec["sampling"].items() if value is not None}
    usual = {"steps": params["steps"], "guidance": params["guidance"]}
    return {**usual, "sampler": params.get("scheduler"), **asked}


def _from_picture(spec: Mapping[str, Any]) -> bool:
    """Say so of an entry's own fields, and of those that a step sees, which name no file."""
    return spec.get("image") is not None or spec.get("enters") == "image"


def _mode(spec: Mapping[str, Any], params: Params) -> Any:
    """Return the mode of an entry; a model that was never shown a picture cannot repaint one."""
    if not _from_picture(spec):
        return spec["mode"] or params.get("mode", DEFAULT_MODE)
    usual = params.get("picture_mode", DEFAULT_MODE)
    return "patch" if usual == "patch" else spec["mode"] or usual


def _mode_warnings(spec: Mapping[str, Any], params: Params) -> list[str]:
    mode = _mode(spec, params)
    if spec["mode"] in (None, mode):
        return []
    return [f"mode: {spec['mode']} needs a model that was shown pictures, patch was used"]


def _unknown(pipeline: Any, words: str) -> list[str]:
    from assets3d.images import text_to_image

    known = text_to_image.vocabulary_words(pipeline)
    unknown = text_to_image.unknown_words(words, known)
    return [f"the model does not know: {', '.join(unknown)}"] if unknown else []

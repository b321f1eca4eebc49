"""Everything that steers a picture besides its prompt, put on a pipeline and taken off again.

LoRAs, learned words, a picture as a prompt, maps, and a picture to start from can act together.
Nothing of one picture's steering is left for the next: the weights are the same bytes afterwards.
Importing this module imports no torch.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.control import Control, load_networks, map_for
from assets3d.images.embeddings import Embedding, EmbeddingTokens, added_embeddings
from assets3d.images.image_prompts import ImagePrompt, with_image_prompt
from assets3d.images.loras import Lora, merged_loras
from assets3d.images.memory import Memory, gather, place
from assets3d.images.picture import on_background, resize_premultiplied
from assets3d.images.text_to_image import generate

_SD, _SDXL = "StableDiffusionPipeline", "StableDiffusionXLPipeline"
_LCM, _SD3 = "LatentConsistencyModelPipeline", "StableDiffusion3Pipeline"

# (class that draws from words, what steers it) -> the class that does.
_CLASSES = {
    (_SD, "img2img"): "StableDiffusionImg2ImgPipeline",
    (_SD, "inpaint"): "StableDiffusionInpaintPipeline",
    (_SD, "controlnet"): "StableDiffusionControlNetPipeline",
    (_SD, "controlnet img2img"): "StableDiffusionControlNetImg2ImgPipeline",
    (_SD, "t2i_adapter"): "StableDiffusionAdapterPipeline",
    (_SDXL, "img2img"): "StableDiffusionXLImg2ImgPipeline",
    (_SDXL, "inpaint"): "StableDiffusionXLInpaintPipeline",
    (_SDXL, "controlnet"): "StableDiffusionXLControlNetPipeline",
    (_SDXL, "controlnet img2img"): "StableDiffusionXLControlNetImg2ImgPipeline",
    (_SDXL, "t2i_adapter"): "StableDiffusionXLAdapterPipeline",
    (_LCM, "img2img"): "LatentConsistencyModelImg2ImgPipeline",
    (_SD3, "img2img"): "StableDiffusion3Img2ImgPipeline",
    (_SD3, "inpaint"): "StableDiffusion3InpaintPipeline",
}
# Sides of pictures are multiples of this: T2I-Adapters of SD 1.5 halve their maps six times.
_GRID_PX = 64


@dataclass(frozen=True)
class Steering:
    """What steers one picture.

    Attributes:
        loras: changes of the weights, all at once.
        embeddings: learned words.
        image_prompt: a picture that shows what is wanted.
        controls: maps, all of them for ControlNets or all for T2I-Adapters.
        init_picture: uint8 (H, W, 3|4), what the drawing starts from instead of noise.
        strength: 0..1, how much of `init_picture` is drawn anew.
    """

    loras: tuple[Lora, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    image_prompt: ImagePrompt | None = None
    controls: tuple[Control, ...] = ()
    init_picture: NDArray[np.uint8] | None = None
    strength: float = 0.6

    @property
    def is_empty(self) -> bool:
        """Whether nothing but the prompt steers."""
        pictures = (self.image_prompt, self.init_picture)
        some = self.loras or self.embeddings or self.controls
        return not some and all(one is None for one in pictures)

    @property
    def shape_px(self) -> tuple[int, int] | None:
        """(width, height) of the picture or map that the result takes its shape from."""
        pictures = [self.init_picture, *(control.picture for control in self.controls)]
        given = next((picture for picture in pictures if picture is not None), None)
        return None if given is None else (given.shape[1], given.shape[0])


@dataclass(frozen=True)
class Steered:
    """A pipeline with the steering on, and what its call is given.

    Attributes:
        pipeline: draws as steered; valid inside the `with` only.
        learned: learned words of the prompts.
        arguments: further arguments of the call.
    """

    pipeline: Any
    learned: EmbeddingTokens
    arguments: Mapping[str, Any] = field(default_factory=dict)


def generate_steered(
    pipeline: Any,
    prompt: str,
    steering: Steering,
    *,
    seed: int,
    steps: int,
    guidance: float,
    size_px: int | tuple[int, int],
    negative_prompt: str = "",
    memory: Memory | None = None,
) -> NDArray[np.uint8]:
    """Make one picture as `text_to_image.generate` does, steered.

    The picture has as many pixels as a square of `size_px`, and the proportions of `init_picture`
    or else of the first map.

    Args:
        pipeline: from `load_pipeline`; afterwards it is as before.
        prompt: what to show.
        steering: what steers it.
        seed: see `generate`.
        steps: see `generate`; an `init_picture` takes the share `strength` of them.
        guidance: see `generate`.
        size_px: see `generate`; ignored but for its area where a picture gives the shape.
        negative_prompt: see `generate`.
        memory: the switches that the pipeline was loaded with.

    Raises:
        InputError: a file that does not fit the model, or things that do not go together.
    """
    if steering.init_picture is not None:
        check_strength(pipeline, steering.strength, steps)
    if steering.shape_px is not None:
        size_px = shaped_like(steering.shape_px, size_px)
    with steered(pipeline, steering, size_px, memory) as prepared:
        return generate(
            prepared.pipeline,
            prompt,
            seed=seed,
            steps=steps,
            guidance=guidance,
            size_px=size_px,
            negative_prompt=negative_prompt,
            learned=prepared.learned,
            arguments=prepared.arguments,
        )


def check_strength(pipeline: Any, strength: float, steps: int) -> None:
    """Refuse a share of the steps that is less than one step.

    A latent consistency model takes all its steps from the share of the 50 of its training.
    """
    least = 1.0 / steps
    if type(pipeline).__name__ == _LCM:
        least = steps / pipeline.scheduler.config.get("original_inference_steps", 50)
    if strength < least - 1e-9:
        raise InputError(
            f"strength: found {strength:g} with {steps} steps, wanted at least {least:.2g}"
        )


def shaped_like(shape_px: tuple[int, int], size_px: int | tuple[int, int]) -> tuple[int, int]:
    """Return (width, height) with the proportions of `shape_px` and about the area of `size_px`.

    Sides are multiples of 64 px, or of 8 px where the whole picture is smaller than 256 px.
    """
    width, height = (size_px, size_px) if isinstance(size_px, int) else size_px
    grid = _GRID_PX if min(width, height) >= 4 * _GRID_PX else 8
    scale = math.sqrt(width * height / (shape_px[0] * shape_px[1]))
    sides = (max(1, round(side * scale / grid)) * grid for side in shape_px)
    return next(sides), next(sides)


@contextmanager
def steered(
    pipeline: Any,
    steering: Steering,
    size_px: int | tuple[int, int],
    memory: Memory | None = None,
    task: str = "",
) -> Iterator[Steered]:
    """Put the steering on a pipeline inside a `with`; afterwards it is as before.

    Args:
        pipeline: from `load_pipeline`.
        steering: what steers it.
        size_px: of the picture, which maps and `init_picture` are brought to.
        memory: the switches that the pipeline was loaded with.
        task: "inpaint" for a pipeline that fills a mask.

    Raises:
        InputError: a file that does not fit the model, or things that do not go together.
    """
    if not task and steering.is_empty:
        yield Steered(pipeline, EmbeddingTokens())
        return
    memory = memory or Memory()
    device = _device(pipeline)
    # The other switches are on the networks themselves, which the pipelines share.
    placing = Memory(offload=memory.offload)
    size = (size_px, size_px) if isinstance(size_px, int) else size_px
    with ExitStack() as stack:
        gather(pipeline, memory)
        if placing.offload != "none":
            stack.callback(place, pipeline, placing, device)
        stack.enter_context(merged_loras(pipeline, steering.loras))
        learned = stack.enter_context(added_embeddings(pipeline, steering.embeddings))
        arguments = stack.enter_context(with_image_prompt(pipeline, steering.image_prompt))
        prepared, further = _with_pictures(pipeline, steering, size, task)
        _check_takes(prepared, arguments)
        if placing.offload != "none":
            place(prepared, placing, device)
            stack.callback(gather, prepared, placing)
        yield Steered(prepared, learned, {**arguments, **further})


def _device(pipeline: Any) -> str:
    """Return where the pipeline draws, also when its networks wait elsewhere."""
    return str(getattr(pipeline, "_offload_device", None) or pipeline._execution_device)


def _with_pictures(
    pipeline: Any, steering: Steering, size_px: tuple[int, int], task: str
) -> tuple[Any, dict[str, Any]]:
    """Return the pipeline of the class that takes the maps and the first picture, and these."""
    further: dict[str, Any] = {}
    modules: dict[str, Any] = {}
    words = [task] if task else []
    if steering.controls:
        kind, networks = load_networks(pipeline, steering.controls)
        words.append(kind)
        pairs = zip(steering.controls, networks, strict=True)
        maps = [map_for(control, network, size_px) for control, network in pairs]
        weights = [control.weight for control in steering.controls]
        single = len(networks) == 1
        module = "controlnet" if kind == "controlnet" else "adapter"
        modules[module] = networks[0] if single else networks
        further["image"] = maps[0] if single else maps
        further[f"{module}_conditioning_scale"] = weights[0] if single else weights
    if steering.init_picture is not None:
        words.append("img2img")
        if "image" in further:
            further["control_image"] = further.pop("image")
        further["image"] = as_pil(steering.init_picture, size_px)
        further["strength"] = steering.strength
    if not words:
        return pipeline, {}
    return rebuilt(pipeline, " ".join(words), modules), further


def as_pil(picture: NDArray[np.uint8], size_px: tuple[int, int]) -> Any:
    """Return a picture on white as PIL, brought to (width, height) px."""
    from PIL import Image

    return Image.fromarray(on_background(resize_premultiplied(picture, size_px)))


def rebuilt(pipeline: Any, task: str, modules: Mapping[str, Any] | None = None) -> Any:
    """Return a pipeline of the class for `task` with the same networks, and further ones.

    Raises:
        InputError: there is no such class for this kind of model.
    """
    import diffusers

    name = _CLASSES.get((type(pipeline).__name__, task))
    if name is None:
        known = sorted(t for kind, t in _CLASSES if kind == type(pipeline).__name__)
        raise InputError(
            f"image.model: {type(pipeline).__name__} cannot do {task.replace(' ', ' with ')}, "
            f"wanted one of {', '.join(known) or 'nothing of the kind'}"
        )
    kind = getattr(diffusers, name)
    takes = inspect.signature(kind.__init__).parameters
    given = {**pipeline.config, **pipeline.components, **(modules or {})}
    given["add_watermarker"] = False
    other = kind(**{key: value for key, value in given.items() if key in takes})
    # By this the words are found that the model was taught.
    other.register_to_config(_name_or_path=pipeline.config.get("_name_or_path"))
    other.set_progress_bar_config(disable=True)
    return other


def _check_takes(pipeline: Any, arguments: Mapping[str, Any]) -> None:
    takes = inspect.signature(type(pipeline).__call__).parameters
    for argument in arguments:
        if argument not in takes:
            raise InputError(
                f"ip_adapter: {type(pipeline).__name__} takes no {argument}, "
                "wanted a ControlNet instead of the T2I-Adapter"
            )


__all__ = [
    "Control",
    "Embedding",
    "ImagePrompt",
    "Lora",
    "Memory",
    "Steered",
    "Steering",
    "check_strength",
    "generate_steered",
    "rebuilt",
    "shaped_like",
    "steered",
]

"""Text to image with any diffusers pipeline: embedded, local or from the Hub, one code path.

Weights are safetensors only and checked before they are loaded; schedulers are named with their
options; the noise depends on the seed alone. Importing this module imports no torch.
"""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.pipeline_files import (
    FIELD,
    TextToImagePipeline,
    assembled,
    check_weights,
    local_folder,
    other_unet,
    read_index,
    text_encoders,
)
from assets3d.images.words import Words, in_known_words, read_words, unknown_words
from assets3d.models import ModelFiles

if TYPE_CHECKING:
    import torch

__all__ = ["generate", "load_pipeline", "unknown_words", "vocabulary_words"]

_log = logging.getLogger(__name__)

_DTYPES = ("float32", "float16", "bfloat16")

#: Short names of schedulers for profiles; a class name of diffusers may stand there as well.
SCHEDULERS: dict[str, dict[str, Any]] = {
    "ddim": {"class": "DDIMScheduler"},
    "dpm++": {"class": "DPMSolverMultistepScheduler"},
    "euler": {"class": "EulerDiscreteScheduler", "steps_offset": 1},
    "euler-trailing": {
        "class": "EulerDiscreteScheduler",
        "timestep_spacing": "trailing",
        "steps_offset": 1,
    },
    "euler-ancestral": {"class": "EulerAncestralDiscreteScheduler", "steps_offset": 1},
    "lcm": {"class": "LCMScheduler"},
    "tcd": {"class": "TCDScheduler"},
    "unipc": {"class": "UniPCMultistepScheduler"},
}


def load_pipeline(
    folder_or_repo: str | Path | ModelFiles,
    *,
    scheduler: str | Mapping[str, Any] | None = None,
    unet: str | Path | None = None,
    dtype: str | torch.dtype | None = None,
    device: str = "cpu",
    revision: str | None = None,
    local_files_only: bool = True,
) -> TextToImagePipeline:
    """Load a text-to-image pipeline.

    Args:
        folder_or_repo: a diffusers folder, a Hub repository `owner/name`, or the answer of
            `models.resolve`.
        scheduler: None keeps the model's own; else a name (see `SCHEDULERS`), or a mapping with
            `class` and options, e.g. {class: dpm++, use_karras_sigmas: true}.
        unet: other weights for the U-Net: a safetensors file, or `owner/name/file` on the Hub.
            That is how SDXL-Lightning comes: one U-Net file over SDXL base.
        dtype: "float32", "float16" or "bfloat16"; by default float32 on the CPU, float16 elsewhere.
            Weights stored in another precision are converted.
        device: "cpu", "cuda", ...
        revision: the Hub's commit.
        local_files_only: False lets missing files be fetched from the Hub.

    Raises:
        InputError: not there, a pickle, a file cut off or of the wrong shape, an unknown scheduler.
        PassingError: the network or the memory failed.
    """
    dtype = dtype or ("float32" if device == "cpu" else "float16")
    if isinstance(dtype, str) and dtype not in _DTYPES:
        raise InputError(f"image.dtype: found {dtype!r}, wanted one of {', '.join(_DTYPES)}")
    if isinstance(folder_or_repo, ModelFiles):
        unet = unet or folder_or_repo.parts.get("unet")
        folder = folder_or_repo.path
    else:
        folder = local_folder(folder_or_repo, revision, not local_files_only)
    import torch

    _quiet()
    precision: torch.dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    index = read_index(folder)
    variant = check_weights(folder, index, skip={"unet"} if unet else set())
    parts = text_encoders(folder, index, precision, variant)
    if unet:
        parts["unet"] = other_unet(folder, unet, precision, not local_files_only)
    pipeline = assembled(folder, precision, variant, parts)
    if scheduler is not None:
        pipeline.scheduler = new_scheduler(pipeline.scheduler, scheduler)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def generate(
    pipeline: TextToImagePipeline,
    prompt: str,
    *,
    seed: int,
    steps: int,
    guidance: float,
    size_px: int | tuple[int, int],
    negative_prompt: str = "",
) -> NDArray[np.uint8]:
    """Make one picture; the same arguments give the same bytes on the same CPU.

    The noise is drawn on the CPU whatever the device. A model that carries `words.json` is given
    the prompt in the words it knows.

    Args:
        pipeline: from `load_pipeline`.
        prompt: what to show.
        seed: 0 .. 2**63 - 1; torch's CPU generator uses the lower 32 bits.
        steps: sampling steps.
        guidance: classifier-free guidance; 1 or less switches it off (half the time, no negative
            prompt), as distilled models such as SDXL-Lightning want.
        size_px: side of the square, or (width, height); multiples of the autoencoder's factor (8).
        negative_prompt: what not to show.

    Returns:
        uint8 (H, W, 3).
    """
    if not prompt.strip():
        raise InputError("prompt: found nothing, wanted a few words")
    width, height = (size_px, size_px) if isinstance(size_px, int) else size_px
    factor = pipeline.vae_scale_factor
    if width < factor or height < factor or width % factor or height % factor:
        raise InputError(f"image.size_px: found {size_px}, wanted multiples of {factor}")
    import torch

    words = vocabulary_words(pipeline)
    taught = in_known_words(prompt, words)
    _warn_if_cut(pipeline, taught)
    guided = guidance > 1.0
    output = pipeline(
        prompt=taught,
        negative_prompt=in_known_words(negative_prompt, words) if guided else None,
        num_inference_steps=steps,
        guidance_scale=guidance if guided else 0.0,
        width=width,
        height=height,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="np",
    )
    values = np.asarray(output.images[0])
    if not np.isfinite(values).all():
        raise InputError(
            f"{FIELD}: the picture holds NaN, wanted a wider dtype (bfloat16 or float32)"
        )
    return np.round(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)


def vocabulary_words(pipeline: TextToImagePipeline) -> Words | None:
    """Return the words that the pipeline's model was taught; None for models that know all."""
    folder = getattr(pipeline, "name_or_path", None)
    return read_words(folder) if folder else None


def new_scheduler(own: Any, wanted: str | Mapping[str, Any]) -> Any:
    """Return the scheduler `wanted` with the noise schedule of the pipeline's `own`.

    Raises:
        InputError: no such class or option.
    """
    import diffusers

    options = {"class": wanted} if isinstance(wanted, str) else dict(wanted)
    name = str(options.pop("class", type(own).__name__))
    preset = dict(SCHEDULERS.get(name, {"class": name}))
    kind = getattr(diffusers, preset.pop("class"), None)
    options = {**preset, **options}
    if not (isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)):
        raise InputError(
            f"image.scheduler: found {name!r}{_near(name, SCHEDULERS)}, "
            f"wanted one of {', '.join(SCHEDULERS)} or a scheduler class of diffusers"
        )
    known = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
    for option in options:
        if option not in known:
            hint = _near(option, known)
            raise InputError(f"image.scheduler.{option}: {kind.__name__} has no such option{hint}")
    return kind.from_config(own.config, **options)


def _near(name: str, known: Any) -> str:
    found = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {found[0]}?)" if found else ""


def _warn_if_cut(pipeline: TextToImagePipeline, prompt: str) -> None:
    tokenizer = getattr(pipeline, "tokenizer", None)
    if tokenizer is None:
        return
    count, room = len(tokenizer(prompt).input_ids), tokenizer.model_max_length
    if count > room:
        _log.warning("prompt: %d tokens, the model reads the first %d", count, room)


def _quiet() -> None:
    """Keep the libraries' bars and advice out of the stage's own output."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()

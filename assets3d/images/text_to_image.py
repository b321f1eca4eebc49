"""Text to image with any diffusers pipeline: embedded, local or from the Hub, one code path.

Weights are safetensors only and checked before they are loaded; schedulers are named with their
options; the noise depends on the seed alone. Importing this module imports no torch.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.embeddings import EmbeddingTokens
from assets3d.images.families import (
    check_folder,
    check_pipeline,
    find_family,
    pipeline_class,
)
from assets3d.images.memory import Memory, place
from assets3d.images.pipeline_files import (
    FIELD,
    TextToImagePipeline,
    absent_parts,
    assembled,
    check_weights,
    local_folder,
    other_unet,
    read_index,
    text_encoders,
)
from assets3d.images.samplers import Wanted, new_scheduler
from assets3d.images.words import Words, in_known_words, read_words, unknown_words
from assets3d.models import ModelFiles

if TYPE_CHECKING:
    import torch

__all__ = ["generate", "load_pipeline", "new_scheduler", "unknown_words", "vocabulary_words"]

_log = logging.getLogger(__name__)

_DTYPES = ("float32", "float16", "bfloat16")


def load_pipeline(
    folder_or_repo: str | Path | ModelFiles,
    *,
    family: str | None = None,
    scheduler: Wanted | None = None,
    unet: str | Path | None = None,
    lora: Path | None = None,
    tokenizer: Path | None = None,
    dtype: str | torch.dtype | None = None,
    device: str = "cpu",
    memory: Memory | None = None,
    revision: str | None = None,
    local_files_only: bool = True,
) -> TextToImagePipeline:
    """Load a text-to-image pipeline.

    Args:
        folder_or_repo: a diffusers folder, a single-file checkpoint, a Hub repository `owner/name`,
            or the answer of `models.resolve`.
        family: the preset that the checkpoint must fit, see `families`; None takes any.
        scheduler: None keeps the model's own; else see `samplers`: "DPM++ 2M Karras", or a mapping
            with `class` and options, e.g. {class: dpm++, use_karras_sigmas: true}.
        unet: other weights for the U-Net: a safetensors file, or `owner/name/file` on the Hub.
            That is how SDXL-Lightning comes: one U-Net file over SDXL base.
        lora: a LoRA that makes the checkpoint what the family wants (LCM-LoRA); it stays merged.
        tokenizer: folder with the vocabulary that a single-file checkpoint does not carry.
        dtype: "float32", "float16" or "bfloat16"; by default float32 on the CPU, float16 elsewhere.
            Weights stored in another precision are converted.
        device: "cpu", "cuda", ...
        memory: how it saves memory; by default not at all.
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
        tokenizer = tokenizer or folder_or_repo.parts.get("tokenizer")
        folder = folder_or_repo.path
    else:
        folder = local_folder(folder_or_repo, revision, not local_files_only)
    import torch

    _quiet()
    precision: torch.dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    if folder.is_file():
        pipeline = _from_file(folder, family, tokenizer, precision)
    else:
        pipeline = _from_folder(folder, family, unet, precision, not local_files_only)
    if scheduler is not None:
        pipeline.scheduler = new_scheduler(pipeline.scheduler, scheduler)
    if lora is not None:
        from assets3d.images.loras import Lora, merge_loras

        merge_loras(pipeline, [Lora(lora)])
    pipeline.set_progress_bar_config(disable=True)
    return place(pipeline, memory or Memory(), device)


def _from_folder(
    folder: Path,
    family: str | None,
    unet: str | Path | None,
    dtype: torch.dtype,
    download: bool,
) -> TextToImagePipeline:
    if family is not None:
        check_folder(find_family(family), folder)
    index = read_index(folder)
    absent = absent_parts(folder, index)
    variant = check_weights(folder, index, skip={"unet", *absent} if unet else absent)
    parts = text_encoders(folder, index, dtype, variant, skip=absent)
    parts |= dict.fromkeys(absent)
    if unet:
        parts["unet"] = other_unet(folder, unet, dtype, download)
    return assembled(folder, dtype, variant, parts)


def _from_file(
    path: Path, family: str | None, tokenizer: Path | None, dtype: torch.dtype
) -> TextToImagePipeline:
    from assets3d.images.single_file import load_single_file

    if tokenizer is None:
        raise InputError(
            f"{FIELD}: {path.name} is one file, which has no tokenizer, wanted a folder with one "
            "(`assets3d models fetch clip-tokenizer`, or `tokenizer` in the profile)"
        )
    pipeline = load_single_file(path, tokenizer, dtype=dtype)
    if family is not None:
        check_pipeline(find_family(family), pipeline, path.name)
    return pipeline


def generate(
    pipeline: TextToImagePipeline,
    prompt: str,
    *,
    seed: int,
    steps: int,
    guidance: float,
    size_px: int | tuple[int, int],
    negative_prompt: str = "",
    learned: EmbeddingTokens | None = None,
    arguments: Mapping[str, Any] | None = None,
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
            prompt), as distilled models such as SDXL-Lightning want. A model that was taught its
            guidance (LCM) is told the number.
        size_px: side of the square, or (width, height); multiples of 8, of transformers 16.
        negative_prompt: what not to show.
        learned: words of the prompts that stand for learned vectors, see `embeddings`.
        arguments: further ones of the pipeline's call, see `steering`.

    Returns:
        uint8 (H, W, 3).
    """
    if not prompt.strip():
        raise InputError("prompt: found nothing, wanted a few words")
    width, height = (size_px, size_px) if isinstance(size_px, int) else size_px
    kind = pipeline_class(pipeline)
    factor = max(pipeline.vae_scale_factor, kind.multiple_px)
    if width < factor or height < factor or width % factor or height % factor:
        raise InputError(f"image.size_px: found {size_px}, wanted multiples of {factor}")
    import torch

    words, learned = vocabulary_words(pipeline), learned or EmbeddingTokens()
    taught = _in_taught_words(prompt, words, learned)
    _warn_if_cut(pipeline, taught)
    taught_guidance = _has_taught_guidance(pipeline)
    guided = guidance > 1.0 and not taught_guidance
    given: dict[str, Any] = {**kind.options, **(arguments or {})}
    takes = inspect.signature(type(pipeline).__call__).parameters
    if "width" in takes:  # from a picture to a picture, some take the picture's own size
        given |= {"width": width, "height": height}
    if kind.negative_prompt and "negative_prompt" in takes:
        against = _in_taught_words(negative_prompt, words, learned)
        given["negative_prompt"] = against if guided else None
    if negative_prompt and not guided:
        _log.warning("negative_prompt: not read by this model, or with guidance %g", guidance)
    output = pipeline(
        prompt=taught,
        num_inference_steps=steps,
        guidance_scale=guidance if guided or taught_guidance else 0.0,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="np",
        **given,
    )
    if any(getattr(output, "nsfw_content_detected", None) or ()):
        raise InputError(f"prompt: {FIELD}'s safety checker blackened the picture, wanted another")
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


def _in_taught_words(prompt: str, words: Words | None, learned: EmbeddingTokens) -> str:
    """Return the prompt in the words of the model; the tokens of learned words stay as they are."""
    pieces = (
        text if is_learned else in_known_words(text, words)
        for text, is_learned in learned.expanded(prompt)
    )
    return prompt if words is None and not learned.by_word else " ".join(pieces)


def _has_taught_guidance(pipeline: TextToImagePipeline) -> bool:
    """Tell whether the guidance is an input of the network (latent consistency models)."""
    config = getattr(getattr(pipeline, "unet", None), "config", {})
    return config.get("time_cond_proj_dim") is not None


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

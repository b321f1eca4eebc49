"""The one door to a seamless texture: from words or a picture, by any of the modes.

Importing this module imports no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.image_prompts import ImagePrompt
from assets3d.images.memory import Memory
from assets3d.images.steering import Steering
from assets3d.textures.flatten import flatten_light
from assets3d.textures.seamless import canvas, circular, roll, source
from assets3d.textures.seamless.patch import Patch, patched
from assets3d.textures.seamless.repaint import Painter
from assets3d.textures.seamless.settings import (
    IMAGE_PROMPT_WEIGHT,
    NEGATIVE_PROMPT,
    SeamlessSettings,
    geometry_of,
)


def seamless_texture(
    pipeline: Any,
    prompt: str,
    *,
    seed: int,
    steps: int,
    guidance: float,
    size_px: int,
    settings: SeamlessSettings | None = None,
    picture: NDArray[np.uint8] | None = None,
    steering: Steering | None = None,
    negative_prompt: str | None = None,
    memory: Memory | None = None,
    drawn_px: int | None = None,
) -> NDArray[np.uint8]:
    """Make a texture whose opposite edges fit; the same arguments give the same bytes.

    Args:
        pipeline: from `load_pipeline`; not looked at (None) for mode patch with a picture.
        prompt: what the texture shows, in a word or a few; the settings' style is put around it.
        seed: see `text_to_image.generate`.
        steps: see `generate`.
        guidance: see `generate`; 1 or less for distilled models.
        size_px: side S of the tile, and what the model draws at: a multiple of 8.
        settings: mode and lengths.
        picture: uint8 (H, W, 3|4), what the tile is made of instead of a first drawing; a picture
            as a prompt goes into `steering`, see `picture_prompt`.
        steering: LoRAs, learned words, a picture as a prompt.
        negative_prompt: what not to show; by default what textures usually suffer from, where the
            guidance reads it.
        memory: the switches that the pipeline was loaded with.
        drawn_px: see `Painter`.

    Returns:
        uint8 (S, S, 3).

    Raises:
        InputError: lengths that do not go together, a picture or a model that cannot be used.
    """
    settings = settings or SeamlessSettings()
    if negative_prompt is None:
        negative_prompt = NEGATIVE_PROMPT if guidance > 1.0 else ""
    painter = Painter(
        pipeline,
        settings.style.replace("{prompt}", prompt.strip()),
        seed=seed,
        steps=steps,
        guidance=guidance,
        negative_prompt=negative_prompt,
        denoise=settings.denoise,
        steering=steering,
        memory=memory,
        drawn_px=drawn_px,
    )
    if settings.mode == "circular":
        if picture is not None:
            raise InputError(
                "mode: circular draws from words, wanted roll, canvas, workflow-exact or patch"
            )
        return circular.drawn(painter, size_px, settings.axes)
    geometry = geometry_of(settings, size_px)
    if picture is not None:
        picture = _prepared(picture, settings.flatten)
    if settings.mode == "patch":
        return patched(painter.draw(size_px) if picture is None else picture, size_px).tile
    tile = painter.draw(size_px) if picture is None else source.centre_square(picture, size_px)
    repaired = canvas.repaired if settings.mode == "canvas" else roll.repaired
    return repaired(tile, geometry, settings, painter)


def patch_of(picture: NDArray[np.uint8], size_px: int, *, flatten: bool = True) -> Patch:
    """Make a tile of a picture without a model, as `seamless_texture` does in mode patch.

    Args:
        picture: uint8 (H, W, 3|4).
        size_px: side S of the tile.
        flatten: take uneven light out of it first.

    Returns:
        The tile, and how well the picture could be cut.

    Raises:
        InputError: a picture that cannot be used.
    """
    return patched(_prepared(picture, flatten), size_px)


def _prepared(picture: NDArray[np.uint8], flatten: bool) -> NDArray[np.uint8]:
    picture = source.checked(picture)
    return flatten_light(picture) if flatten else picture


def picture_prompt(
    picture: NDArray[np.uint8],
    adapter: Path,
    image_encoder: Path,
    weight: float = IMAGE_PROMPT_WEIGHT,
) -> ImagePrompt:
    """Return the steering of picture mode: the picture's middle speaks beside the words.

    Args:
        picture: uint8 (H, W, 3|4), the same that the tile is made of.
        adapter: an IP-Adapter's file; the graphs take `plus` for SDXL.
        image_encoder: the encoder that it sees through.
        weight: 0..1.
    """
    picture = source.checked(picture)
    return ImagePrompt(
        source.centre_square(picture, min(picture.shape[:2])), adapter, image_encoder, weight
    )

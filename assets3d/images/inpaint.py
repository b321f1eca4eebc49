"""Editing a picture under a mask: what is masked is drawn anew, everything else stays bit by bit.

Only the masked part and its surroundings are drawn, at the model's own size, so that a small place
in a large picture gets all of the model's detail; the result is laid back at the old size.
Importing this module imports no torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.memory import Memory
from assets3d.images.picture import on_background, resize_premultiplied
from assets3d.images.steering import Steering, as_pil, check_strength, shaped_like, steered
from assets3d.images.text_to_image import generate

#: The manifest's field that error messages begin with.
FIELD = "edit"
# How much of the surroundings the model sees, in sides of the masked part.
_CONTEXT = 0.5


def edit_picture(
    pipeline: Any,
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    prompt: str,
    *,
    seed: int,
    steps: int,
    guidance: float,
    size_px: int | tuple[int, int],
    strength: float = 1.0,
    negative_prompt: str = "",
    steering: Steering | None = None,
    memory: Memory | None = None,
) -> NDArray[np.uint8]:
    """Draw the masked part of a picture anew.

    Args:
        pipeline: from `load_pipeline`; an inpainting model (SDXL inpainting) or any other.
        picture: uint8 (H, W, 3|4).
        mask: uint8 (H, W), 255 where it is drawn anew, 0 where it stays; between, both are mixed.
        prompt: what the masked part shall show.
        seed: see `text_to_image.generate`.
        steps: see `generate`.
        guidance: see `generate`.
        size_px: about which the part is drawn at.
        strength: 0..1, how far the part may leave what was there.
        negative_prompt: see `generate`.
        steering: LoRAs, learned words or a picture as a prompt.
        memory: the switches that the pipeline was loaded with.

    Returns:
        uint8 of the shape of `picture`; where the mask is 0 its very bytes.

    Raises:
        InputError: a mask of another size, or an empty one; a model that cannot do it.
    """
    _check_mask(picture, mask)
    check_strength(pipeline, strength, steps)
    rows, columns = surroundings(mask)
    part, part_mask = picture[rows, columns], mask[rows, columns]
    height, width = part_mask.shape
    size = shaped_like((width, height), size_px)
    rebuilt_for = steering or Steering()
    with steered(pipeline, rebuilt_for, size, memory, task="inpaint") as prepared:
        drawn = generate(
            prepared.pipeline,
            prompt,
            seed=seed,
            steps=steps,
            guidance=guidance,
            size_px=size,
            negative_prompt=negative_prompt,
            learned=prepared.learned,
            arguments={
                **prepared.arguments,
                "image": as_pil(part, size),
                "mask_image": _mask_as_pil(part_mask, size),
                "strength": strength,
            },
        )
    result = picture.copy()
    result[rows, columns] = laid_over(part, resize_premultiplied(drawn, (width, height)), part_mask)
    return result


def surroundings(mask: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns that the model sees: the masked part and half its side around."""
    slices = []
    ranges = []
    for axis in (1, 0):
        masked = np.flatnonzero(mask.any(axis=axis))
        ranges.append((int(masked[0]), int(masked[-1]) + 1))
    side = max(last - first for first, last in ranges)
    for (first, last), length in zip(ranges, mask.shape, strict=True):
        # As square as the picture allows: models are trained on squares.
        margin = round(_CONTEXT * side) + (side - (last - first)) // 2
        slices.append(slice(max(0, first - margin), min(length, last + margin)))
    return slices[0], slices[1]


def laid_over(
    below: NDArray[np.uint8], above: NDArray[np.uint8], mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Lay `above` (H, W, 3) over `below` (H, W, 3|4) where the mask (H, W) says.

    Where `below` is transparent it becomes as opaque as the mask. Where the mask is 0 not a bit
    changes, the colours of unseen pixels included.
    """
    share = mask[..., None].astype(np.float32) / 255.0
    mixed = on_background(below).astype(np.float32) * (1.0 - share) + above * share
    result = below.copy()
    result[..., :3] = np.where(share > 0.0, np.round(mixed), below[..., :3]).astype(np.uint8)
    if below.shape[2] == 4:
        result[..., 3] = np.maximum(below[..., 3], mask)
    return result


def _check_mask(picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    if mask.shape != picture.shape[:2]:
        raise InputError(
            f"{FIELD}.mask: is {mask.shape[1]}x{mask.shape[0]} px, "
            f"wanted the picture's {picture.shape[1]}x{picture.shape[0]}"
        )
    if not mask.any():
        raise InputError(f"{FIELD}.mask: is black all over, wanted white where the edit goes")


def _mask_as_pil(mask: NDArray[np.uint8], size_px: tuple[int, int]) -> Any:
    """Return the mask for the model: whatever is masked at all is drawn."""
    from PIL import Image

    whole = np.where(mask > 0, 255, 0).astype(np.uint8)
    rgb = np.repeat(whole[..., None], 3, axis=2)
    enlarged = resize_premultiplied(rgb, size_px)[..., 0]
    return Image.fromarray(np.where(enlarged > 0, 255, 0).astype(np.uint8))

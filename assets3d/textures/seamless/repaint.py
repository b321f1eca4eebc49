"""The model behind the seamless modes: it draws a tile, and it draws masked parts of one anew.

Unlike `images.inpaint.edit_picture` the whole picture goes to the model at its own size, pixel by
pixel, and what comes back is not yet laid over it: each mode does that in its own way. Importing
this module imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assets3d.images.memory import Memory
from assets3d.images.picture import resize_premultiplied
from assets3d.images.steering import Steering, as_pil, check_strength, steered
from assets3d.images.text_to_image import generate
from assets3d.randomness import step_seed
from assets3d.textures.seamless.masks import Mask
from assets3d.textures.seamless.settings import CELL_PX

Picture = NDArray[np.uint8]


class Repaint(Protocol):
    """Draw the masked part of a picture anew; the rest comes back roughly as it was."""

    def __call__(
        self, picture: Picture, mask: Mask, *, turn: int = 0, soft: bool = False
    ) -> Picture:
        """Return uint8 (H, W, 3) for a picture (H, W, 3) and its mask (H, W).

        Args:
            picture: what is there.
            mask: 255 where it is drawn anew.
            turn: number of the repaint in its texture; each has noise of its own.
            soft: whether grey parts of the mask are held half-way while drawing; else they are
                drawn anew like white ones.
        """
        ...


@dataclass(frozen=True)
class Painter:
    """A pipeline with everything that its calls have in common.

    Attributes:
        pipeline: from `load_pipeline`; every call leaves it as it was.
        prompt: what the tile shows, in the model's final wording.
        seed: of the first drawing; repaints derive their own from it.
        steps: sampling steps of a whole drawing.
        guidance: see `text_to_image.generate`.
        negative_prompt: what not to show.
        denoise: 0..1, share of the steps that a repaint takes.
        steering: LoRAs, learned words, a picture as a prompt.
        memory: the switches that the pipeline was loaded with.
        drawn_px: side that repaints are drawn at, where a model cannot draw the tile's own; their
            detail is then that of an enlarged picture.
    """

    pipeline: Any
    prompt: str
    seed: int
    steps: int
    guidance: float
    negative_prompt: str = ""
    denoise: float = 1.0
    steering: Steering | None = None
    memory: Memory | None = None
    drawn_px: int | None = None

    def draw(self, size_px: int) -> Picture:
        """Return a tile (S, S, 3) drawn from words; its edges do not fit yet."""
        with steered(self.pipeline, self.steering or Steering(), size_px, self.memory) as prepared:
            return generate(
                prepared.pipeline,
                self.prompt,
                seed=self.seed,
                steps=self.steps,
                guidance=self.guidance,
                size_px=size_px,
                negative_prompt=self.negative_prompt,
                learned=prepared.learned,
                arguments=prepared.arguments,
            )

    def __call__(
        self, picture: Picture, mask: Mask, *, turn: int = 0, soft: bool = False
    ) -> Picture:
        """Draw the masked part of a picture anew, see `Repaint`.

        Raises:
            InputError: a model that cannot, a denoise of less than one step.
        """
        check_strength(self.pipeline, self.denoise, self.steps)
        height, width = mask.shape
        size = (width, height) if self.drawn_px is None else (self.drawn_px, self.drawn_px)
        steering = self.steering or Steering()
        with steered(self.pipeline, steering, size, self.memory, task="inpaint") as prepared:
            soft = soft and _takes_soft_masks(prepared.pipeline)
            if soft:
                # The pipeline was rebuilt for this task and is dropped after it.
                prepared.pipeline.mask_processor.register_to_config(do_binarize=False)
            drawn = generate(
                prepared.pipeline,
                self.prompt,
                seed=step_seed(self.seed, f"repaint {turn}"),
                steps=self.steps,
                guidance=self.guidance,
                size_px=size,
                negative_prompt=self.negative_prompt,
                learned=prepared.learned,
                arguments={
                    **prepared.arguments,
                    "image": as_pil(picture, size),
                    "mask_image": _as_pil(in_cells(_resized(mask, size), soft)),
                    "strength": self.denoise,
                },
            )
        return resize_premultiplied(drawn, (width, height))


def in_cells(mask: Mask, soft: bool) -> Mask:
    """Return the mask as the latent grid sees it: each cell its mean, or white if any of it is.

    Pipelines look at one pixel of each cell only.
    """
    height, width = (side // CELL_PX for side in mask.shape)
    cells = mask[: height * CELL_PX, : width * CELL_PX].reshape(height, CELL_PX, width, CELL_PX)
    if soft:
        small = np.round(cells.mean(axis=(1, 3))).astype(np.uint8)
    else:
        small = np.where(cells.max(axis=(1, 3)) > 0, 255, 0).astype(np.uint8)
    return small.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)


def _takes_soft_masks(pipeline: Any) -> bool:
    """Tell an ordinary model, whose latents are mixed, from one that reads the mask itself."""
    network: Any = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    return network.config.in_channels == pipeline.vae.config.latent_channels


def _resized(mask: Mask, size_px: tuple[int, int]) -> Mask:
    return resize_premultiplied(mask[..., None].repeat(3, axis=2), size_px)[..., 0]


def _as_pil(mask: Mask) -> Any:
    from PIL import Image

    return Image.fromarray(mask)

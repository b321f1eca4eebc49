"""Making the four views of an object with a views model."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.picture import on_background, resize_premultiplied
from assets3d.views import sampling
from assets3d.views.model import ViewsModel


def make_views(
    model: ViewsModel,
    cutout_rgba: NDArray[np.uint8] | None,
    *,
    prompt: str = "",
    seed: int,
    steps: int | None = None,
    guidance: float | None = None,
    size_px: int | None = None,
    negative_prompt: str = "",
) -> NDArray[np.uint8]:
    """Make front, right, back and left of an object at elevation 0, as `four_views` orders them.

    The same model, input and seed give the same pictures on the same device. Noise comes from a CPU
    generator, so that a GPU starts from the same noise; the input picture's latent comes from a
    generator of its own and depends on the picture only.

    Args:
        model: from `load_views_model`.
        cutout_rgba: (S, S, 4) uint8 front view, straight alpha, object at 80 % of the frame. None
            for MVDream, which knows text only.
        prompt: what the object is; the embedded network does not read it.
        seed: of the noise.
        steps: sampling steps; the model's own number if None. A network that was trained for one
            number of steps takes no other.
        guidance: classifier-free guidance; at 1 or less it is off. The model's own if None.
        size_px: side of the returned pictures; the network's own if None. The network always works
            at its own size.
        negative_prompt: what to keep away from, with guidance.

    Returns:
        (4, size_px, size_px, 3) uint8 on white.

    Raises:
        InputError: no picture for a network that needs one, or steps that the network cannot take.
    """
    settings = _settings(model, steps, guidance)
    generator = torch.Generator("cpu").manual_seed(seed)
    texts = (negative_prompt, prompt)
    with torch.inference_mode():
        if model.kind == "mvdream":
            pictures = sampling.official(model, None, texts, settings, generator)
        elif cutout_rgba is None:
            raise InputError("views: no picture, wanted a cutout of the front (or a text model)")
        else:
            picture = on_background(resize_premultiplied(cutout_rgba, model.size_px))
            if model.kind == "embedded":
                pictures = sampling.embedded(model, picture, settings, generator)
            else:
                pictures = sampling.official(model, picture, texts, settings, generator)
    if size_px is not None and size_px != model.size_px:
        pictures = np.stack([resize_premultiplied(p, size_px) for p in pictures])
    return pictures


def _settings(
    model: ViewsModel, steps: int | None, guidance: float | None
) -> sampling.SamplingSettings:
    if model.config is not None:
        own = (model.config.steps, model.config.guidance)
    else:
        own = (30, 5.0 if model.kind == "imagedream" else 7.5)
    steps = own[0] if steps is None else steps
    if steps < 1:
        raise InputError(f"views.steps: found {steps}, wanted at least 1")
    only = None if model.config is None else model.config.only_steps
    if only is not None and steps != only:
        raise InputError(
            f"views.steps: found {steps}, wanted {only}: the network was trained for no other"
        )
    return sampling.SamplingSettings(steps, own[1] if guidance is None else guidance)

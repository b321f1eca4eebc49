"""Text to image: are the family and the colour that were asked for recognised in the picture?

The classifier is trained here, on renders with training seeds only, and is checked on true renders
of the benchmark's own props first: the share of generated pictures that it recognises means little
where it does not know the real thing. The colour is judged as `assets3d.images.following` judges
candidates, in the cutout that the pipeline would go on with, and is checked on true renders too.

Held-out families are left out: the classifier is asked which of the trained families a picture
shows, and the text-to-image model has met none but those in its training, so a held-out family
could score nothing but zero, whatever was painted. What the models make of families they do not
know is measured where there is a truth to compare with: cutout, views, splats and mesh.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.images.following import colours_asked, colours_followed
from benchmarks.quality.protocol import Case, embedded_profile, sampling

SIZE_PX = 64
RENDERS_PER_FAMILY = 40
EPOCHS = 24
_HALF = 0.5


def words_followed(case: Case) -> dict[str, float]:
    """Score one prompt: its caption painted by the embedded model, and its true render.

    Captions that name no colour have no score for it.
    """
    from assets3d.cameras import four_views

    picture = _painted(case.prop.caption, case.seed)
    render = case.views(four_views(128)[0]).rgba[0]
    found = {
        "family": float(classify(picture) == case.family),
        "family_of_true_render": float(classify(_on_white(render)) == case.family),
    }
    colour = case.prop.words.colour
    if colour and colours_asked(colour):
        cutout, _ = _cutter().cut(picture, field="prompt")
        found["colour"] = float(_has(cutout, colour))
        found["colour_of_true_render"] = float(_has(render, colour))
    return found


def _painted(caption: str, seed: int) -> NDArray[np.uint8]:
    """Draw as the image stage does: by way of a smaller picture where the profile names one."""
    from assets3d.images.steering import Steering
    from assets3d.images.text_to_image import generate
    from assets3d.images.two_sizes import generate_at_two_sizes, read_first

    section = embedded_profile("image")
    first = read_first(section)
    settings: dict[str, Any] = {"seed": seed, **sampling(section)}
    if first is None:
        return generate(_pipeline(), caption, **settings)
    return generate_at_two_sizes(_pipeline(), caption, Steering(), first, **settings)


def classify(picture: NDArray[np.uint8]) -> str:
    """Name the family that a picture (H, W, 3) on white shows."""
    import torch

    network, names = _classifier()
    with torch.inference_mode():
        return names[int(network(_batch([picture])).argmax(1))]


def _has(rgba: NDArray[np.uint8], colour: str) -> bool:
    """Tell whether a cutout has half as much of a colour as a thing called by it should have."""
    return (colours_followed(rgba, colour) or 0.0) >= _HALF


@cache
def _cutter() -> Any:
    from assets3d.cutout import load_cutter

    return load_cutter("embedded", threads=1).on_plain_backgrounds()


@cache
def _pipeline() -> Any:
    from assets3d.images.text_to_image import load_pipeline
    from stages._models import find_model

    return load_pipeline(find_model("image", "embedded"))


@cache
def _classifier() -> tuple[Any, list[str]]:
    """Train a recogniser of its own on fronts with random shift, scale and light."""
    import torch
    from torch import nn

    from assets3d.cameras import four_views
    from assets3d.images.recognition_network import Recogniser
    from assets3d.props import FAMILIES, HELD_OUT_FAMILIES, render_prop, sample_prop

    names = sorted(set(FAMILIES) - set(HELD_OUT_FAMILIES))
    camera = four_views(SIZE_PX)[0]
    pictures = [
        _on_white(render_prop(sample_prop(name, 500_000 + seed), camera).rgba[0])
        for name in names
        for seed in range(RENDERS_PER_FAMILY)
    ]
    inputs = _batch(pictures)
    labels = torch.arange(len(names)).repeat_interleave(RENDERS_PER_FAMILY)
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = Recogniser(len(names), channels=3)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(inputs), generator=generator).split(32):
            loss = nn.functional.cross_entropy(
                network(_varied(inputs[rows], generator)), labels[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval(), names


def _varied(inputs: Any, generator: Any) -> Any:
    """Shift, scale, blur and relight pictures, so that texture and framing do not decide."""
    import torch
    from torch.nn import functional as F

    count = len(inputs)
    scale = 0.85 + 0.35 * torch.rand(count, generator=generator)
    shift = 0.2 * torch.rand(count, 2, generator=generator) - 0.1
    transform = torch.zeros(count, 2, 3)
    transform[:, 0, 0] = transform[:, 1, 1] = scale
    transform[:, :, 2] = shift
    grid = F.affine_grid(transform, list(inputs.shape), align_corners=False)
    # White is +1 and grid_sample pads with 0: shift the values so that what comes in is white.
    moved = F.grid_sample(inputs - 1.0, grid, align_corners=False) + 1.0
    gain = 0.85 + 0.3 * torch.rand(count, 1, 1, 1, generator=generator)
    blurred = F.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    soft = (torch.rand(count, 1, 1, 1, generator=generator) < 0.5).float()
    return (soft * blurred + (1.0 - soft) * moved) * gain


def _on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from assets3d.images.picture import on_background

    return on_background(rgba)


def _batch(pictures: list[NDArray[np.uint8]]) -> Any:
    import torch
    from torch.nn import functional as F

    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    return F.interpolate(stacked, (SIZE_PX, SIZE_PX), mode="area")

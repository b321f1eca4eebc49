"""Scenes for the cutout network: an object, of which the alpha is known, over something else.

Objects are rendered props and made-up shapes. What the network should find is the alpha that was
pasted: shadows, things behind and the camera's faults (blur, noise, JPEG, few pixels) do not change
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.cutout_compounds import compound
from training.cutout_objects import (
    Layer,
    draw_object,
    painted,
    place,
    premultiplied,
    random_shape,
)
from training.cutout_places import PLACES, place_of
from training.cutout_textures import BACKGROUNDS, background, choose, light, rough_field

#: Share of scenes with other things, out of focus, behind the object.
DISTRACTED = 0.25
#: Share of scenes in cluttered places, and of things of many parts there and elsewhere.
CLUTTERED, COMPOUNDS, COMPOUNDS_ELSEWHERE = 0.4, 0.6, 0.15
#: Share of things in a cluttered place that have its colours, so that only form tells them apart.
ALIKE = 0.25


@dataclass(frozen=True)
class Scene:
    """A picture and what should be found in it.

    Attributes:
        picture: (S, S, 3) uint8.
        alpha: (S, S) uint8, the pasted object's.
        kind: of background, a key of `BACKGROUNDS` or `PLACES`.
    """

    picture: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    kind: str


def make_scene(
    rng: np.random.Generator,
    props: list[NDArray[np.uint8]],
    size: int,
    kind: str | None = None,
) -> Scene:
    """Draw one scene; `props` are `crops`, `kind` is drawn too when it is None."""
    if kind is None:
        cluttered = rng.random() < CLUTTERED
        kind = choose(rng, PLACES if cluttered else BACKGROUNDS)
    if rng.random() < (COMPOUNDS if kind in PLACES else COMPOUNDS_ELSEWHERE):
        thing = compound(rng, size)
    else:
        thing = draw_object(rng, props, size)
    if kind in PLACES:
        near = _mean_colour(thing) if rng.random() < ALIKE else None
        behind = place_of(rng, size, kind, near)
    else:
        behind = background(rng, size, kind)
    if kind != "white" and rng.random() < DISTRACTED:
        behind = _with_distractors(rng, behind, props, sharp=kind in PLACES)
    picture = _with_shadow(rng, behind, thing[..., 3], 0.35 if kind == "white" else 0.65)
    picture = paste(picture, thing)
    picture = _camera(rng, picture, kind)
    return Scene(picture, np.round(thing[..., 3] * 255.0).astype(np.uint8), kind)


def _mean_colour(layer: Layer) -> NDArray[np.float32]:
    return layer[..., :3].sum((0, 1)) / max(float(layer[..., 3].sum()), 1e-6)


def paste(picture: NDArray[np.float32], layer: Layer) -> NDArray[np.float32]:
    """Return the layer over the picture (S, S, 3)."""
    return picture * (1.0 - layer[..., 3:]) + layer[..., :3]


def _with_distractors(
    rng: np.random.Generator,
    picture: NDArray[np.float32],
    props: list[NDArray[np.uint8]],
    sharp: bool,
) -> NDArray[np.float32]:
    """Put one to three other things behind, out of focus; `sharp` ones are small instead."""
    size = len(picture)
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.6:
            layer = place(rng, premultiplied(props[rng.integers(len(props))]), size)
        else:
            layer = painted(rng, random_shape(rng, size))
        scale = rng.uniform(0.3, 0.7) if sharp else 1.0
        shift = rng.uniform(-0.6, 0.6, 2) * size + 0.5 * size * (1.0 - scale)
        affine = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
        layer = cv2.warpAffine(layer, affine, (size, size), borderValue=(0, 0, 0, 0))
        blur_px = rng.uniform(0.3, 3.0) if sharp else rng.uniform(1.8, 6.0)
        picture = paste(picture, cv2.GaussianBlur(layer, (0, 0), blur_px))
    return picture


def _with_shadow(
    rng: np.random.Generator, picture: NDArray[np.float32], alpha: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Darken the background beside and below the object, in `share` of the scenes."""
    if rng.random() > share:
        return picture
    size = len(picture)
    shadow = np.zeros_like(alpha)
    rows, columns = np.nonzero(alpha > 0.5)
    if rng.random() < 0.6 and len(rows):
        half = 0.5 * np.ptp(columns) * rng.uniform(0.7, 1.2) + 2.0
        x = 0.5 * (columns.min() + columns.max()) + rng.normal(0.0, 0.2) * half
        axes = (int(half), int(half * rng.uniform(0.1, 0.4)) + 1)
        y = rows.max() - 0.5 * axes[1]
        cv2.ellipse(shadow, (int(x), int(y)), axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    else:
        shift = rng.normal(0.0, 0.05 * size, 2)
        affine = np.array([[1.0, 0.3 * rng.normal(), shift[0]], [0.0, 1.0, abs(shift[1])]])
        affine[0, 2] -= affine[0, 1] * (rows.max() if len(rows) else size)
        shadow = cv2.warpAffine(alpha, affine, (size, size))
    shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(1.5, 0.06 * size))
    return picture * (1.0 - rng.uniform(0.1, 0.7) * shadow)[..., None]


def _camera(rng: np.random.Generator, picture: NDArray[np.float32], kind: str) -> NDArray[np.uint8]:
    """Take the picture: light, exposure, sharpness, noise, compression.

    A third of the pictures on white stay as they were rendered.
    """
    size = len(picture)
    if not (kind == "white" and rng.random() < 0.33):
        if kind != "white" and rng.random() < 0.4:
            picture = picture * light(rng, size)
        if rng.random() < 0.4:
            picture = np.clip(picture, 0.0, 1.0) ** np.float32(np.exp(rng.normal(0.0, 0.25)))
        if kind != "white" and rng.random() < 0.3:
            gain = rng.uniform(0.5, 1.1) * rng.uniform(0.85, 1.1, 3)
            picture = picture * gain.astype(np.float32)
        picture = _less_sharp(rng, picture.astype(np.float32))
        if rng.random() < 0.4:
            noise = rng.standard_normal(picture.shape, dtype=np.float32)
            picture = picture + np.float32(rng.uniform(0.0, 0.05)) * noise
    taken = np.round(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        taken = cv2.imdecode(cv2.imencode(".jpg", taken, quality)[1], cv2.IMREAD_COLOR)
    return taken


def _less_sharp(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur, or go through fewer pixels, or leave ripples as a decoder of latents does."""
    size, kind = len(picture), rng.random()
    if kind < 0.15:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    if kind < 0.35:
        fewer = int(size * rng.uniform(0.25, 0.8))
        small = cv2.resize(picture, (fewer, fewer), interpolation=cv2.INTER_AREA)
        if kind < 0.27:
            ripple = rough_field(rng, fewer) - 0.5
            soft = cv2.GaussianBlur(small, (0, 0), 1.2)
            small = small + (small - soft) * rng.uniform(-0.8, 0.8) + 0.08 * ripple[..., None]
        return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    return picture

"""Scenes for the cutout network: an object, of which the alpha is known, over something else.

Objects are rendered props and made-up shapes. What the network should find is the alpha that was
pasted: shadows, things behind and the camera's faults (blur, noise, JPEG, few pixels) do not change
it. Layers are (S, S, 4) float32 in 0..1, colour premultiplied by alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.cutout_textures import (
    BACKGROUNDS,
    background,
    choose,
    colour,
    ramp,
    rough_field,
    smooth_field,
    surface,
)

Layer = NDArray[np.float32]

#: Share of scenes whose object is a made-up shape, and of those with a shape joined to a prop.
SHAPES, JOINED = 0.22, 0.08
#: Share of scenes with other things, out of focus, behind the object.
DISTRACTED = 0.25


@dataclass(frozen=True)
class Scene:
    """A picture and what should be found in it.

    Attributes:
        picture: (S, S, 3) uint8.
        alpha: (S, S) uint8, the pasted object's.
        kind: of background, a key of `BACKGROUNDS`.
    """

    picture: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    kind: str


def crops(rgba: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Cut each picture of (N, S, S, 4) to its visible box; leave out those with nothing in them."""
    found = []
    for picture in rgba:
        seen = picture[..., 3] > 8
        if seen.sum() < 64:
            continue
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        found.append(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy())
    return found


def make_scene(
    rng: np.random.Generator,
    props: list[NDArray[np.uint8]],
    size: int,
    kind: str | None = None,
) -> Scene:
    """Draw one scene; `props` are `crops`, `kind` is drawn too when it is None."""
    kind = kind or choose(rng, BACKGROUNDS)
    behind = background(rng, size, kind)
    if kind != "white" and rng.random() < DISTRACTED:
        behind = _with_distractors(rng, behind, props)
    thing = _object(rng, props, size)
    picture = _with_shadow(rng, behind, thing[..., 3], 0.35 if kind == "white" else 0.65)
    picture = paste(picture, thing)
    picture = _camera(rng, picture, kind)
    return Scene(picture, np.round(thing[..., 3] * 255.0).astype(np.uint8), kind)


def paste(picture: NDArray[np.float32], layer: Layer) -> NDArray[np.float32]:
    """Return the layer over the picture (S, S, 3)."""
    return picture * (1.0 - layer[..., 3:]) + layer[..., :3]


def over(front: Layer, back: Layer) -> Layer:
    """Return both layers as one, `front` nearer."""
    return front + back * (1.0 - front[..., 3:])


def _object(rng: np.random.Generator, props: list[NDArray[np.uint8]], size: int) -> Layer:
    """Draw the thing to be found, at least 1 % of the picture."""
    for _ in range(8):
        chance = rng.random()
        if chance < SHAPES:
            layer = _painted(rng, random_shape(rng, size))
        else:
            prop = premultiplied(props[rng.integers(len(props))])
            layer = place(rng, _recoloured(rng, prop), size)
            if chance > 1.0 - JOINED:
                other = _painted(rng, random_shape(rng, size, _box(layer)))
                layer = over(layer, other) if rng.random() < 0.7 else over(other, layer)
        if layer[..., 3].mean() >= 0.01:
            break
    return layer


def _box(layer: Layer) -> tuple[float, float, float]:
    """Return the centre of the lower half of what is visible, and a radius, in pixels."""
    rows, columns = np.nonzero(layer[..., 3] > 0.5)
    if not len(rows):
        return 0.5 * len(layer), 0.5 * len(layer), 0.3 * len(layer)
    radius = 0.35 * max(np.ptp(rows), np.ptp(columns)) + 4.0
    return columns.mean(), 0.5 * (rows.mean() + rows.max()), radius


def premultiplied(rgba: NDArray[np.uint8]) -> Layer:
    """Return straight uint8 (H, W, 4) as a layer."""
    layer = rgba.astype(np.float32) / np.float32(255.0)
    layer[..., :3] *= layer[..., 3:]
    return layer


def place(rng: np.random.Generator, crop: Layer, size: int) -> Layer:
    """Turn, scale and move a crop into a picture of `size`; its long side fills 0.35 to 1.25."""
    height, width = crop.shape[:2]
    large = rng.random() < 0.12
    side = size * (rng.uniform(1.0, 1.25) if large else rng.uniform(0.35, 1.0))
    scale = side / max(height, width)
    stretch = np.exp(rng.normal(0.0, 0.08))
    sx, sy = scale * stretch * rng.choice([-1.0, 1.0]), scale / stretch
    angle = rng.uniform(-np.pi, np.pi) if rng.random() < 0.15 else rng.normal(0.0, 0.1)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos * sx, -sin * sy], [sin * sx, cos * sy]])
    room = np.maximum(0.5 * size - 0.5 * np.abs(matrix) @ [width, height], 0.06 * size)
    # Things are photographed near the middle more often than near the border.
    centre = 0.5 * size + room * rng.uniform(-1.0, 1.0, 2) * np.sqrt(rng.random())
    offset = centre - matrix @ [0.5 * width, 0.5 * height]
    if scale < 0.8:
        crop = cv2.GaussianBlur(crop, (0, 0), 0.35 / scale)
    # cv2 counts pixel centres as whole numbers.
    offset += matrix @ [0.5, 0.5] - 0.5
    affine = np.column_stack([matrix, offset])
    flags = cv2.INTER_LINEAR if scale < 1.1 else cv2.INTER_CUBIC
    layer = cv2.warpAffine(crop, affine, (size, size), flags=flags, borderValue=(0, 0, 0, 0))
    layer = np.clip(layer, 0.0, 1.0)
    layer[..., :3] = np.minimum(layer[..., :3], layer[..., 3:])
    return layer


def _recoloured(rng: np.random.Generator, layer: Layer) -> Layer:
    """Vary the colours, light and material of a prop's crop (H, W, 4)."""
    alpha = layer[..., 3:]
    height, width = alpha.shape[:2]
    side = max(height, width)
    rgb = layer[..., :3] / np.maximum(alpha, 1e-3)
    kind = rng.random()
    if kind < 0.3:
        rgb = rgb[..., rng.permutation(3)]
    elif kind < 0.42:
        rgb = 1.0 - (1.0 - rgb) * rng.uniform(0.05, 0.45)  # pale, as china or paper
    elif kind < 0.50:
        rgb = np.repeat(rgb.mean(2, keepdims=True), 3, 2) * rng.uniform(0.5, 1.3)
    elif kind < 0.56:
        rgb = rgb * rng.uniform(0.1, 0.4)
    rgb = rgb * rng.uniform(0.8, 1.2, 3).astype(np.float32)
    if rng.random() < 0.2:
        pattern = surface(rng, side)[:height, :width]
        rgb = rgb + rng.uniform(0.1, 0.7) * (pattern * (0.3 + 0.7 * rgb) - rgb)
    if rng.random() < 0.5:
        rgb = rgb * _light(rng, side)[:height, :width]
    return np.concatenate([np.clip(rgb, 0.0, 1.0) * alpha, alpha], 2).astype(np.float32)


def _light(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a smooth factor (S, S, 1) around 1."""
    field = ramp(rng, size) if rng.random() < 0.6 else smooth_field(rng, size, 2)
    strength = rng.uniform(0.1, 0.6)
    return (1.0 + strength * (field - 0.5))[..., None]


def random_shape(
    rng: np.random.Generator, size: int, near: tuple[float, float, float] | None = None
) -> NDArray[np.float32]:
    """Draw a silhouette (S, S) in 0..1: one to four joined ellipses, polygons, boxes and strokes.

    `near` is a centre (x, y) and radius in pixels; by default they are drawn. Loose parts are
    dropped.
    """
    if near is None:
        radius = rng.uniform(0.15, 0.5) * size
        room = max(0.5 * size - radius, 0.05 * size)
        x, y = 0.5 * size + rng.uniform(-room, room, 2)
    else:
        x, y, radius = near
    mask = np.zeros((2 * size, 2 * size), np.uint8)
    middle = 2.0 * np.array([x, y])
    for part in range(int(rng.integers(1, 5))):
        shift = 0.0 if part == 0 else rng.normal(0.0, 0.5 * radius, 2)
        share = 1.0 if part == 0 else rng.uniform(0.2, 0.8)
        kind = int(rng.integers(3 if part == 0 else 4))
        _part(rng, mask, kind, middle + 2.0 * shift, 2.0 * radius * share)
    if rng.random() < 0.15:
        hole = tuple(int(v) for v in middle + rng.normal(0.0, 0.4 * radius, 2))
        cv2.circle(mask, hole, int(radius * rng.uniform(0.2, 0.8)), 0, -1)
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(mask)
    if len(sizes) > 2:
        mask *= (labels == 1 + np.argmax(sizes[1:, cv2.CC_STAT_AREA])).astype(np.uint8)
    small = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255.0


def _part(
    rng: np.random.Generator, mask: NDArray, kind: int, centre: NDArray, radius: float
) -> None:
    turn = rng.uniform(0.0, 180.0) if rng.random() < 0.5 else 0.0
    if kind == 0:
        axes = (int(radius), int(radius * rng.uniform(0.3, 1.0)))
        cv2.ellipse(mask, tuple(int(v) for v in centre), axes, turn, 0, 360, 255, -1)
    elif kind == 1:
        corners = int(rng.integers(3, 11))
        angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, corners))
        reach = radius * rng.uniform(0.5, 1.0, corners)
        points = centre + np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None]
        cv2.fillPoly(mask, [points.astype(np.int32)], 255)
    elif kind == 2:
        sides = (1.6 * radius, 1.6 * radius * rng.uniform(0.25, 1.0))
        box = cv2.boxPoints((tuple(float(v) for v in centre), sides, turn))
        cv2.fillPoly(mask, [box.astype(np.int32)], 255)
    else:
        points = centre + np.cumsum(rng.normal(0.0, 0.4 * radius, (5, 2)), 0)
        thick = int(radius * rng.uniform(0.1, 0.4)) + 3
        cv2.polylines(mask, [points.astype(np.int32)], False, 255, thick)


def _painted(rng: np.random.Generator, alpha: NDArray[np.float32]) -> Layer:
    """Give a silhouette a material and the shading of something rounded."""
    size = len(alpha)
    rgb = (
        surface(rng, size) if rng.random() < 0.55 else np.broadcast_to(colour(rng), (size, size, 3))
    )
    if rng.random() < 0.75:
        distance = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        width = rng.uniform(2.0, 0.35 * size)
        height = width * np.sqrt(1.0 - (1.0 - np.clip(distance / width, 0.0, 1.0)) ** 2)
        height = cv2.GaussianBlur(height, (0, 0), 1.5)
        slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125)
        slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)
        angle = rng.uniform(-np.pi, 0.0)
        facing = 0.8 - slope_x * np.cos(angle) * 0.6 - slope_y * np.sin(angle) * 0.6
        shade = np.clip(facing / np.sqrt(1.0 + slope_x**2 + slope_y**2), 0.0, 1.2)
        low = rng.uniform(0.2, 0.8)
        rgb = rgb * (low + (1.15 - low) * shade)[..., None]
    rgb = np.clip(rgb * _light(rng, size), 0.0, 1.0)
    return np.concatenate([rgb * alpha[..., None], alpha[..., None]], 2).astype(np.float32)


def _with_distractors(
    rng: np.random.Generator, picture: NDArray[np.float32], props: list[NDArray[np.uint8]]
) -> NDArray[np.float32]:
    """Put one to three other things behind, out of focus."""
    size = len(picture)
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.6:
            layer = place(rng, premultiplied(props[rng.integers(len(props))]), size)
        else:
            layer = _painted(rng, random_shape(rng, size))
        shift = rng.uniform(-0.6, 0.6, 2) * size
        affine = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
        layer = cv2.warpAffine(layer, affine, (size, size), borderValue=(0, 0, 0, 0))
        picture = paste(picture, cv2.GaussianBlur(layer, (0, 0), rng.uniform(1.8, 6.0)))
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
            picture = picture * _light(rng, size)
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

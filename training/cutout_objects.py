"""Things for the cutout network to find: props at any place and made-up shapes, as layers.

Layers are (S, S, 4) float32 in 0..1, colour premultiplied by alpha.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.cutout_textures import colour, light, surface

Layer = NDArray[np.float32]

#: Share of scenes whose object is a made-up shape, and of those with a shape joined to a prop.
SHAPES, JOINED = 0.22, 0.08
#: Share of props that the picture's lower edge cuts off.
CUT_OFF = 0.06


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


def draw_object(rng: np.random.Generator, props: list[NDArray[np.uint8]], size: int) -> Layer:
    """Draw the thing to be found, at least 1 % of the picture; `props` are `crops`."""
    for _ in range(8):
        chance = rng.random()
        if chance < SHAPES:
            layer = painted(rng, random_shape(rng, size))
        else:
            prop = premultiplied(props[rng.integers(len(props))])
            put = cut_off_below if rng.random() < CUT_OFF else place
            layer = put(rng, _recoloured(rng, prop), size)
            if chance > 1.0 - JOINED:
                other = painted(rng, random_shape(rng, size, _box(layer)))
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


def over(front: Layer, back: Layer) -> Layer:
    """Return both layers as one, `front` nearer."""
    return front + back * (1.0 - front[..., 3:])


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


def cut_off_below(rng: np.random.Generator, crop: Layer, size: int) -> Layer:
    """Place a crop (H, W, 4) so that the picture's lower edge, and seldom a side, cuts it off."""
    height, width = crop.shape[:2]
    top = rng.uniform(0.02, 0.45) * size
    scale = size * rng.uniform(0.45, 1.15) / max(width, 0.6 * height)
    scale = max(scale, 1.05 * (size - top) / height)
    left = 0.5 * (size - scale * width) + size * rng.normal(0.0, 0.12)
    if scale < 0.8:
        crop = cv2.GaussianBlur(crop, (0, 0), 0.35 / scale)
    affine = np.array([[scale, 0.0, left], [0.0, scale, top]])
    layer = cv2.warpAffine(crop, affine, (size, size), borderValue=(0, 0, 0, 0))
    return np.clip(layer, 0.0, 1.0).astype(np.float32)


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
        rgb = rgb * light(rng, side)[:height, :width]
    return np.concatenate([np.clip(rgb, 0.0, 1.0) * alpha, alpha], 2).astype(np.float32)


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


def painted(rng: np.random.Generator, alpha: NDArray[np.float32]) -> Layer:
    """Give a silhouette a material and the shading of something rounded."""
    size = len(alpha)
    rgb = (
        surface(rng, size) if rng.random() < 0.55 else np.broadcast_to(colour(rng), (size, size, 3))
    )
    return shaded(rng, rgb, alpha)


def shaded(rng: np.random.Generator, rgb: NDArray[np.float32], alpha: NDArray[np.float32]) -> Layer:
    """Give a silhouette (S, S) that is filled with `rgb` (S, S, 3) light, mostly as if rounded."""
    size = len(alpha)
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
    rgb = np.clip(rgb * light(rng, size), 0.0, 1.0)
    return np.concatenate([rgb * alpha[..., None], alpha[..., None]], 2).astype(np.float32)

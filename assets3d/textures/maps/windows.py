"""Networks on the torus: rolled windows for any network, tiles for one that wraps by itself.

A network that pads its input, or has a place for every pixel, answers with maps that do not tile.
`blended_*` runs it on four rolls of the picture and lets each answer fade out towards its own edge,
where it is wrong; the mean is continuous on the torus whatever the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

#: A network as these functions see it: uint8 (H, W, 3) -> float (H, W) or (H, W, C).
Predict = Callable[[NDArray[np.uint8]], NDArray]


def window_weights(height_px: int, width_px: int) -> NDArray[np.float32]:
    """Return (H, W) sin^2 x sin^2, 0 at the edge; its four rolls by half sum to 1."""
    rows, columns = (
        np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2 for size in (height_px, width_px)
    )
    return np.outer(rows, columns).astype(np.float32)


def blended_vectors(predict: Predict, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit vectors (H, W, 3) that tile, from a network of normals."""
    answers = list(_answers(predict, picture))
    total = sum(weights[..., None] * answer for answer, weights in answers)
    length = np.linalg.norm(total, axis=2, keepdims=True)
    return (total / np.maximum(length, 1e-6)).astype(np.float32)


def blended_depth(predict: Predict, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a relative depth or height (H, W) that tiles, mean 0, from a network of either.

    Each answer loses its plane (a surface seen from straight above has none), then is scaled and
    moved so that it fits the first by least squares, weighted where both are trustworthy.
    """

    def flat(window: NDArray[np.uint8]) -> NDArray:
        answer = predict(window)
        return without_plane(answer, window_weights(*answer.shape))

    answers = list(_answers(flat, picture))
    first, first_weights = answers[0]
    total = np.zeros_like(first)
    for answer, weights in answers:
        scale, offset = _fit(answer, first, first_weights * weights)
        total += weights * (scale * answer + offset)
    total /= sum(weights for _, weights in answers)
    return (total - total.mean()).astype(np.float32)


def without_plane(field: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Subtract the plane (with its constant) that fits a field (H, W) best, by weighted squares."""
    height, width = field.shape
    y, x = np.mgrid[-1.0 : 1.0 : height * 1j, -1.0 : 1.0 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y]).reshape(3, -1)
    weighted = terms * weights.reshape(-1)
    values = np.asarray(field, np.float64).reshape(-1)
    plane = np.linalg.solve(weighted @ terms.T, weighted @ values)
    return (values - plane @ terms).reshape(height, width)


def in_tiles(
    evaluate: Callable[[NDArray[np.uint8]], tuple[NDArray, ...]],
    picture: NDArray[np.uint8],
    *,
    core_px: int,
    margin_px: int,
    into: tuple[NDArray, ...],
) -> None:
    """Run a network over windows of a picture on the torus, so that memory stays bounded.

    Args:
        evaluate: uint8 (h, w, 3) -> maps (h, w) or (h, w, C); what it says within `margin_px` of
            the edge is thrown away, so that is what its receptive radius must not exceed.
        picture: (H, W, 3).
        core_px: side of what is kept of a window.
        margin_px: overlap on each side, wrapped around; starts of windows are multiples of
            the greatest common divisor of both.
        into: arrays that the maps are written to, in the order that `evaluate` returns them.
    """
    height, width = picture.shape[:2]
    for top in range(0, height, core_px):
        for left in range(0, width, core_px):
            rows = np.arange(top - margin_px, min(top + core_px, height) + margin_px) % height
            columns = np.arange(left - margin_px, min(left + core_px, width) + margin_px) % width
            maps = evaluate(picture[np.ix_(rows, columns)])
            for wanted, found in zip(into, maps, strict=True):
                core = found[
                    margin_px : len(rows) - margin_px, margin_px : len(columns) - margin_px
                ]
                wanted[top : top + core_px, left : left + core_px] = core


def _answers(predict: Predict, picture: NDArray[np.uint8]) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield what the network says of each roll, and its weights (H, W), both rolled back."""
    height, width = picture.shape[:2]
    weights = window_weights(height, width)
    for down in (0, height // 2):
        for right in (0, width // 2):
            answer = predict(np.roll(picture, (down, right), (0, 1)))
            back = (-down, -right)
            yield np.roll(answer, back, (0, 1)), np.roll(weights, back, (0, 1))


def _fit(field: NDArray, target: NDArray, weights: NDArray) -> tuple[float, float]:
    """Return scale and offset so that scale * field + offset is nearest to `target`."""
    weights = weights / weights.sum()
    mean, wanted = float((weights * field).sum()), float((weights * target).sum())
    variance = float((weights * (field - mean) ** 2).sum())
    covariance = float((weights * (field - mean) * (target - wanted)).sum())
    # A network does not turn hills into valleys: without agreement the answer stays as it is.
    scale = covariance / variance if variance > 0.0 and covariance > 0.0 else 1.0
    return scale, wanted - scale * mean

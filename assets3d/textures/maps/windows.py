"""Networks on the torus: rolled windows for any network, tiles for one that wraps by itself.

A network that pads its input, or has a place for every pixel, answers with maps that do not tile.
`blended_*` runs it on four rolls of the picture and lets each answer fade out towards its own edge,
where it is wrong; the mean is continuous on the torus whatever the network does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: A network as these functions see it: uint8 (H, W, 3) -> float (H, W) or (H, W, C).
Predict = Callable[[NDArray[np.uint8]], NDArray]

# Side of the grid of pixels by which depths are brought together, and how different the units of
# one network's answers may be.
_ALIGNED_PX = 64
_LARGEST_SCALE = 5.0


def window_weights(height_px: int, width_px: int) -> NDArray[np.float32]:
    """Return (H, W) sin^2 x sin^2, 0 at the edge; its four rolls by half sum to 1."""
    rows, columns = (
        np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2 for size in (height_px, width_px)
    )
    return np.outer(rows, columns).astype(np.float32)


def blended_vectors(predict: Predict, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit vectors (H, W, 3) that tile, from a network of normals."""
    total = sum(w.weights[..., None] * w.answer for w in _answers(predict, picture))
    length = np.linalg.norm(total, axis=2, keepdims=True)
    return (total / np.maximum(length, 1e-6)).astype(np.float32)


def blended_values(predict: Predict, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return values (H, W) or (H, W, C) that tile, from a network of colours, roughness, ..."""
    answers = list(_answers(predict, picture))
    total = sum(_over_channels(w.weights, w.answer) * w.answer for w in answers)
    whole = np.asarray(sum(w.weights for w in answers))
    return (total / _over_channels(whole, answers[0].answer)).astype(np.float32)


def blended_depth(predict: Predict, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a relative depth or height (H, W) that tiles, mean 0, from a network of either.

    Each answer has a unit, a zero and a slant of its own (a surface seen from straight above has
    none). All four are brought together where two of them are trustworthy: what a window takes for
    a slant but another one sees return to the level that it came from is a large form, and stays.
    """
    answers = list(_answers(predict, picture))
    total = np.zeros(picture.shape[:2])
    for window, (scale, plane) in zip(answers, _alignment(answers), strict=True):
        ones, across, down = _terms(window, 1)
        slant = plane[0] * ones + plane[1] * across + plane[2] * down
        total += window.weights * (scale * window.answer - slant)
    total /= sum(window.weights for window in answers)
    return (total - total.mean()).astype(np.float32)


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


class _Window(NamedTuple):
    """What the network says of one roll, and its weights (H, W), both rolled back."""

    answer: NDArray
    weights: NDArray
    down: int
    right: int


def _answers(predict: Predict, picture: NDArray[np.uint8]) -> Iterator[_Window]:
    height, width = picture.shape[:2]
    weights = window_weights(height, width)
    for down in (0, height // 2):
        for right in (0, width // 2):
            answer = predict(np.roll(picture, (down, right), (0, 1)))
            back = (-down, -right)
            yield _Window(
                np.roll(answer, back, (0, 1)), np.roll(weights, back, (0, 1)), down, right
            )


def _terms(window: _Window, step: int) -> NDArray[np.float64]:
    """Return (3, h, w): one, and the place in the window from -1 to 1, across and down."""
    height, width = window.weights.shape
    y = (np.arange(step // 2, height, step) + window.down) % height / (height - 1) * 2.0 - 1.0
    x = (np.arange(step // 2, width, step) + window.right) % width / (width - 1) * 2.0 - 1.0
    across, down = np.meshgrid(x, y)
    return np.stack([np.ones_like(across), across, down])


def _alignment(windows: list[_Window]) -> list[tuple[float, NDArray[np.float64]]]:
    """Return the scale and the plane (3,) of each window that bring it to the first one's unit."""
    # A few thousand pixels say all about planes.
    step = max(1, min(windows[0].weights.shape) // _ALIGNED_PX)
    rows = slice(step // 2, None, step)
    fields = [np.asarray(w.answer[rows, rows], np.float64).ravel() for w in windows]
    weights = [w.weights[rows, rows].astype(np.float64).ravel() for w in windows]
    terms = [_terms(w, step).reshape(3, -1) for w in windows]
    unit = max(float(fields[0].std()), 1e-12 * (1.0 + float(np.abs(fields[0]).max())))
    fields = [field / unit for field in fields]
    scales, planes = _solved(fields, weights, terms, free=True)
    # A network does not turn hills into valleys: where the answers have little in common, their
    # units stay as they are.
    if not all(1.0 / _LARGEST_SCALE < scale < _LARGEST_SCALE for scale in scales):
        scales, planes = _solved(fields, weights, terms, free=False)
    return [(scale, unit * plane) for scale, plane in zip(scales, planes, strict=True)]


def _solved(
    fields: list[NDArray], weights: list[NDArray], terms: list[NDArray], *, free: bool
) -> tuple[list[float], list[NDArray[np.float64]]]:
    """Solve for planes, and scales where they are `free`, by least squares over all pairs.

    Every two windows shall say the same: scale * field - plane of one is that of the other, as much
    as both are trusted.
    """
    count = len(fields)
    blocks, wanted = [], []
    for one, other in itertools.combinations(range(count), 2):
        trust = np.sqrt(weights[one] * weights[other])
        block = np.zeros((len(trust), 4 * count))
        for window, sign in ((one, 1.0), (other, -1.0)):
            block[:, 3 * window : 3 * window + 3] = (-sign * trust * terms[window]).T
            block[:, 3 * count + window] = sign * trust * fields[window]
        fixed = [0] if free else list(range(count))
        wanted.append(-block[:, [3 * count + window for window in fixed]].sum(axis=1))
        block[:, [3 * count + window for window in fixed]] = 0.0
        blocks.append(block)
    found = np.linalg.lstsq(np.concatenate(blocks), np.concatenate(wanted), rcond=1e-9)[0]
    planes = [found[3 * window : 3 * window + 3] for window in range(count)]
    scales = found[3 * count :]
    scales[fixed] = 1.0
    return [float(scale) for scale in scales], planes


def _over_channels(weights: NDArray, field: NDArray) -> NDArray:
    """Return weights (H, W) in the shape in which they multiply a field (H, W) or (H, W, C)."""
    return weights if field.ndim == 2 else weights[..., None]

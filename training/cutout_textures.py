"""Procedural surfaces and backgrounds for the cutout scenes.

Every function draws from the generator that it is given. Pictures are (S, S, 3) float32 in 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]

#: Kinds of background and how often they are drawn.
BACKGROUNDS = {
    "white": 0.30,
    "plain": 0.12,
    "gradient": 0.10,
    "surface": 0.16,
    "table": 0.20,
    "patches": 0.12,
}


def choose(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """Draw a key in proportion to its value."""
    weights = np.array(list(shares.values()))
    place = np.searchsorted(weights.cumsum(), rng.random() * weights.sum(), side="right")
    return list(shares)[min(int(place), len(shares) - 1)]


def colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a colour (3,): grey, pastel, earthy or any."""
    kind = rng.random()
    if kind < 0.25:
        found = np.full(3, rng.random()) + rng.normal(0.0, 0.03, 3)
    elif kind < 0.5:
        found = 1.0 - rng.uniform(0.0, 0.4) * rng.random(3)
    elif kind < 0.7:
        found = rng.uniform(0.2, 0.9) * np.array(
            [1.0, rng.uniform(0.5, 0.85), rng.uniform(0.2, 0.7)]
        )
    else:
        found = rng.random(3)
    return np.clip(found, 0.0, 1.0).astype(np.float32)


def smooth_field(rng: np.random.Generator, size: int, cells: int) -> NDArray[np.float32]:
    """Return smooth noise (S, S) in 0..1 with about `cells` bumps along a side."""
    grid = rng.random((cells + 2, cells + 2), dtype=np.float32)
    return np.clip(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), 0.0, 1.0)


def rough_field(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return noise of three sizes of bumps (S, S) in 0..1."""
    first = int(rng.integers(1, 12))
    levels = [(1.0, first), (0.5, 2 * first), (rng.uniform(0.0, 0.5), 6 * first)]
    total = sum(weight for weight, _ in levels)
    field = sum(weight * smooth_field(rng, size, min(cells, size // 2)) for weight, cells in levels)
    return (field / np.float32(total)).astype(np.float32)


def ramp(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a linear ramp (S, S) from 0 to 1 in a random direction."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    line = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    field = np.float32(np.cos(angle)) * line[None, :] + np.float32(np.sin(angle)) * line[:, None]
    return (field - field.min()) / (field.max() - field.min())


def blend(field: NDArray[np.float32], first: NDArray, second: NDArray) -> Picture:
    """Return first where the field is 0 and second where it is 1."""
    return first + field[..., None] * (second - first)


def _grid(rng: np.random.Generator, size: int, lying: bool) -> tuple[NDArray, NDArray]:
    """Return coordinates (S, S) of a turned plane, one unit per side; `lying` recedes upwards."""
    line = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    x, y = (
        np.broadcast_to(line[None, :], (size, size)),
        np.broadcast_to(line[:, None], (size, size)),
    )
    if lying:
        depth = 1.0 / (0.65 + y)
        x, y = x * depth, depth
    angle = (
        rng.normal(0.0, 0.1) + rng.choice([0.0, 0.5 * np.pi])
        if rng.random() < 0.6
        else (rng.uniform(0.0, np.pi))
    )
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * x + sin * y, cos * y - sin * x


def surface(rng: np.random.Generator, size: int, lying: bool = False) -> Picture:
    """Draw a material: speckle, stripes, checks, planks or blotches in two colours."""
    kind = rng.integers(5)
    u, v = _grid(rng, size, lying)
    count = rng.uniform(2.0, 14.0)
    if kind == 0:
        field = rough_field(rng, size)
    elif kind == 1:
        field = 0.5 + 0.5 * np.sin(2.0 * np.pi * (count * u + rng.random()))
        field = np.clip((field - 0.5) * rng.uniform(1.0, 20.0) + 0.5, 0.0, 1.0)
    elif kind == 2:
        field = np.mod(np.floor(count * u) + np.floor(count * v), 2.0)
    elif kind == 3:
        field = _planks(rng, u, v, count * 0.5)
    else:
        field = np.clip((rough_field(rng, size) - 0.5) * rng.uniform(4.0, 30.0) + 0.5, 0.0, 1.0)
    first = colour(rng)
    near = np.clip(first + rng.normal(0.0, 0.12, 3).astype(np.float32), 0.0, 1.0)
    second = colour(rng) if rng.random() < 0.35 else near.astype(np.float32)
    picture = blend(field.astype(np.float32), first, second)
    grain = rng.uniform(0.0, 0.12) * (smooth_field(rng, size, size // 3) - 0.5)
    return np.clip(picture + grain[..., None].astype(np.float32), 0.0, 1.0)


def _planks(rng: np.random.Generator, u: NDArray, v: NDArray, count: float) -> NDArray[np.float32]:
    """Boards with grain along v and dark joints."""
    board = np.floor(count * u)
    tone = np.mod(np.sin(board * 12.9898 + rng.uniform(0.0, 9.0)) * 43758.5, 1.0)
    wave = 0.1 * rough_field(rng, len(u))
    grain = 0.5 + 0.5 * np.sin(60.0 * (u + 0.3 * wave + 0.02 * np.sin(3.0 * v + 6.0 * tone)))
    joint = np.abs(np.mod(count * u, 1.0) - 0.5) > 0.48
    return np.where(joint, 1.0, 0.5 * tone + 0.35 * grain).astype(np.float32)


def background(rng: np.random.Generator, size: int, kind: str) -> Picture:
    """Draw a background of one of the kinds of `BACKGROUNDS`."""
    if kind == "white":
        tone = 1.0 if rng.random() < 0.6 else rng.uniform(0.92, 1.0)
        return np.full((size, size, 3), tone, np.float32)
    if kind == "plain":
        return np.broadcast_to(colour(rng), (size, size, 3)).astype(np.float32)
    if kind == "gradient":
        field = ramp(rng, size) if rng.random() < 0.5 else smooth_field(rng, size, 1)
        return blend(field, colour(rng), colour(rng))
    if kind == "surface":
        return surface(rng, size)
    if kind == "table":
        return _table(rng, size)
    return _patches(rng, size)


def _calm(rng: np.random.Generator, size: int) -> Picture:
    """Something behind the table: plain, a gradient, or a material out of focus."""
    kind = rng.random()
    if kind < 0.6:
        return background(rng, size, "plain" if kind < 0.35 else "gradient")
    return cv2.GaussianBlur(surface(rng, size), (0, 0), rng.uniform(0.5, 6.0))


def _table(rng: np.random.Generator, size: int) -> Picture:
    """A table or floor below a wall, the edge between them at any height or out of sight."""
    top = surface(rng, size, lying=True) if rng.random() < 0.7 else _calm(rng, size)
    edge = int(size * rng.uniform(-0.2, 0.85))
    if edge > 0:
        wall = _calm(rng, size)
        slope = rng.normal(0.0, 0.03)
        rows = np.arange(size, dtype=np.float32)[:, None]
        columns = np.arange(size, dtype=np.float32)[None, :]
        share = np.clip(rows - edge - slope * (columns - size / 2), 0.0, 1.0)[..., None]
        top = wall + share * (top - wall)
    return top


def _patches(rng: np.random.Generator, size: int) -> Picture:
    """Big things out of focus: quadrangles and discs of several materials."""
    picture = _calm(rng, size).astype(np.float32)
    for _ in range(int(rng.integers(2, 7))):
        mask = np.zeros((size, size), np.float32)
        centre = rng.uniform(0.0, size, 2)
        if rng.random() < 0.5:
            corners = centre + rng.normal(0.0, 0.35 * size, (4, 2))
            cv2.fillConvexPoly(mask, cv2.convexHull(corners.astype(np.int32)), 1.0, cv2.LINE_AA)
        else:
            axes = tuple(int(v) for v in rng.uniform(0.05, 0.5, 2) * size)
            place = tuple(int(v) for v in centre)
            cv2.ellipse(mask, place, axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
        filling = _calm(rng, size) if rng.random() < 0.5 else surface(rng, size)
        picture += mask[..., None] * (filling - picture)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.5, 6.0))


def light(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return a smooth factor (S, S, 1) around 1."""
    field = ramp(rng, size) if rng.random() < 0.6 else smooth_field(rng, size, 2)
    strength = rng.uniform(0.1, 0.6)
    return (1.0 + strength * (field - 0.5))[..., None]

"""Backgrounds as photographs have them: cluttered, layered, out of focus; made up from noise.

No photograph is used. What is borrowed from photographs is their statistics: noise whose power
falls with frequency, and "dead leaves" (Lee, Mumford, Huang 2001), pieces of all sizes that hide
each other, which is what makes an edge inside a thing look like an edge of it.
Pictures are (S, S, 3) float32 in 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from training.cutout_textures import Picture, blend, colour, ramp, surface

#: Kinds of place and how often they are drawn.
PLACES = {"leaves": 0.3, "noise": 0.15, "room": 0.3, "landscape": 0.25}
#: Shares of places in focus and slightly out of focus; the others are a blur.
_SHARP, _SOFT = 0.3, 0.35


def palette(rng: np.random.Generator, near: NDArray[np.float32] | None = None) -> NDArray:
    """Draw two to five colours (N, 3), of one family more often than not, `near` a given one."""
    count = int(rng.integers(2, 6))
    if near is None and rng.random() < 0.4:
        return np.stack([colour(rng) for _ in range(count)])
    centre = colour(rng) if near is None else near
    tone = rng.uniform(0.4, 1.5, (count, 1))
    drawn = centre * tone + rng.normal(0.0, 0.08, (count, 3))
    return np.clip(drawn, 0.0, 1.0).astype(np.float32)


def noise(rng: np.random.Generator, size: int, colours: NDArray[np.float32]) -> Picture:
    """Colour noise by its value: clouds, fur, foliage, rust, as its spectrum and stretch have it.

    Args:
        rng: draws all.
        size: side in pixels.
        colours: (N, 3), from the lowest values to the highest.
    """
    frequency_y = fft.fftfreq(size).astype(np.float32)[:, None]
    frequency_x = fft.rfftfreq(size).astype(np.float32)[None]
    angle, stretch = rng.uniform(0.0, np.pi), np.float32(np.exp(abs(rng.normal(0.0, 0.8))))
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = cos * frequency_x + sin * frequency_y, cos * frequency_y - sin * frequency_x
    distance = np.hypot(stretch * along, across / stretch)
    amplitude = (distance + np.float32(0.7 / size)) ** np.float32(-rng.uniform(0.7, 2.2))
    amplitude[0, 0] = 0.0
    white = fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    field = fft.irfft2(white * amplitude, s=(size, size))
    field = 0.5 + rng.uniform(0.15, 0.5) * field / max(float(field.std()), 1e-6)
    place = np.clip(field, 0.0, 1.0) * (len(colours) - 1)
    low = np.minimum(place.astype(np.int64), len(colours) - 2)
    share = (place - low)[..., None].astype(np.float32)
    return (colours[low] * (1.0 - share) + colours[low + 1] * share).astype(np.float32)


def material(rng: np.random.Generator, size: int, colours: NDArray[np.float32]) -> Picture:
    """Draw one filling: one colour, shaded or not, noise, or a surface that brings its own."""
    kind = rng.random()
    if kind < 0.35:
        tone = colours[rng.integers(len(colours))]
        return blend(ramp(rng, size), tone, tone * rng.uniform(0.6, 1.0)).astype(np.float32)
    if kind < 0.75:
        return noise(rng, size, colours)
    return surface(rng, size)


def leaves(rng: np.random.Generator, size: int, colours: NDArray[np.float32]) -> Picture:
    """Draw dead leaves: pieces from large to small over each other, of one kind or of several."""
    fillings = [material(rng, size, colours) for _ in range(int(rng.integers(2, 5)))]
    picture = fillings[0].copy()
    kinds = rng.integers(0, 3, int(rng.integers(1, 4)))
    largest, smallest = rng.uniform(0.15, 0.5), rng.uniform(0.01, 0.06)
    upright = rng.random() < 0.5
    count = int(rng.integers(15, 90))
    # Sizes fall as their inverse square, the only law that looks alike at every distance.
    sizes = 1.0 / np.sqrt(
        1.0 / largest**2 + rng.random(count) * (1.0 / smallest**2 - 1.0 / largest**2)
    )
    for radius in -np.sort(-sizes) * size:
        mask = np.zeros((size, size), np.uint8)
        draw_piece(rng, mask, int(rng.choice(kinds)), rng.uniform(0, size, 2), radius, upright)
        filling = fillings[rng.integers(len(fillings))]
        inside = mask > 0
        if rng.random() < 0.6:
            tone = colours[rng.integers(len(colours))] * rng.uniform(0.5, 1.2)
            picture[inside] = 0.35 * filling[inside] + 0.65 * tone.astype(np.float32)
        else:
            picture[inside] = filling[inside]
    return np.clip(picture, 0.0, 1.0)


def draw_piece(
    rng: np.random.Generator,
    mask: NDArray[np.uint8],
    kind: int,
    centre: NDArray[np.floating],
    radius: float,
    upright: bool,
) -> None:
    """Fill an ellipse (0), a box (1) or a polygon (2) in `mask` with 255."""
    middle = tuple(float(v) for v in centre)
    turn = 0.0 if upright else rng.uniform(0.0, 180.0)
    if kind == 0:
        axes = (max(1, int(radius)), max(1, int(radius * rng.uniform(0.35, 1.0))))
        whole = tuple(int(v) for v in centre)
        cv2.ellipse(mask, whole, axes, turn, 0, 360, 255, -1)
    elif kind == 1:
        sides = 1.8 * radius * np.exp(rng.normal(0.0, 0.5, 2))
        corners = cv2.boxPoints((middle, tuple(float(v) for v in sides), turn))
        cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
    else:
        count = int(rng.integers(3, 9))
        angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, count))
        reach = radius * rng.uniform(0.4, 1.1, count)
        points = centre + np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None]
        cv2.fillPoly(mask, [points.astype(np.int32)], 255)


def _lines(rng: np.random.Generator, picture: Picture, colours: NDArray[np.float32]) -> None:
    """Draw masts, wires, shelves and lattices in place."""
    size = len(picture)
    for _ in range(int(rng.integers(1, 7))):
        tone = tuple(float(v) for v in colours[rng.integers(len(colours))] * rng.uniform(0.3, 1.1))
        thick = int(rng.integers(1, 1 + max(2, size // 24)))
        if rng.random() < 0.7:  # upright or level
            at, other = rng.integers(0, size, 2)
            ends = ((at, other), (at, size)) if rng.random() < 0.5 else ((0, at), (size, at))
        else:
            ends = tuple(map(tuple, rng.integers(0, size, (2, 2))))
        first, second = (tuple(int(v) for v in end) for end in ends)
        cv2.line(picture, first, second, tone, thick, cv2.LINE_AA)


def _room(rng: np.random.Generator, size: int, colours: NDArray[np.float32]) -> Picture:
    """A wall, a floor, and upright and level things before them: shelves, boxes, hangings."""
    picture = material(rng, size, colours).copy()
    floor = int(size * rng.uniform(0.5, 1.1))
    if floor < size:
        picture[floor:] = material(rng, size, palette(rng))[floor:]
    things = palette(rng) if rng.random() < 0.5 else colours
    for _ in range(int(rng.integers(2, 12))):
        width, height = (int(size * v) for v in rng.uniform(0.04, 0.5, 2))
        left = int(rng.integers(-width // 2, size))
        bottom = int(floor if rng.random() < 0.5 else rng.integers(0, size))
        top = bottom - height
        filling = material(rng, size, things)
        rows, columns = slice(max(0, top), max(0, bottom)), slice(max(0, left), left + width)
        picture[rows, columns] = filling[rows, columns]
    _lines(rng, picture, things)
    return picture


def _landscape(rng: np.random.Generator, size: int, colours: NDArray[np.float32]) -> Picture:
    """A sky, ground below a rough horizon, perhaps lights and masts."""
    rows = np.linspace(0.0, 1.0, size, dtype=np.float32)[:, None]
    sky = blend(np.broadcast_to(rows, (size, size)), colour(rng), colour(rng))
    picture = sky.astype(np.float32)
    if rng.random() < 0.4:
        picture = 0.6 * picture + 0.4 * noise(rng, size, palette(rng, near=picture[0, 0]))
    for _ in range(int(rng.integers(1, 4))):  # from far to near
        bumps = rng.standard_normal(size).cumsum()
        bumps = (bumps - bumps.mean()) / max(float(np.ptp(bumps)), 1e-6)
        edge = size * (rng.uniform(0.35, 1.0) + rng.uniform(0.0, 0.25) * bumps)
        ground = np.arange(size)[:, None] > edge[None]
        picture[ground] = material(rng, size, colours)[ground]
    if rng.random() < 0.5:
        _lines(rng, picture, colours)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(2, 12))):
            x, y = (int(v) for v in rng.uniform(0.0, size, 2))
            tone = tuple(float(v) for v in 1.0 - 0.4 * rng.random(3))
            cv2.circle(picture, (x, y), int(rng.integers(1, 5)), tone, -1, cv2.LINE_AA)
    return picture


def place_of(
    rng: np.random.Generator, size: int, kind: str, near: NDArray[np.float32] | None = None
) -> Picture:
    """Draw a place of one of the kinds of `PLACES`; `near` is a colour that it should have."""
    colours = palette(rng, near)
    draw = {"leaves": leaves, "noise": noise, "room": _room, "landscape": _landscape}[kind]
    picture = draw(rng, size, colours)
    focus = rng.random()
    if focus > _SHARP:
        most = 1.5 if focus < _SHARP + _SOFT else 0.06 * size
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, max(0.5, most)))
    return np.clip(picture, 0.0, 1.0).astype(np.float32)

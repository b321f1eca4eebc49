"""Shapes and colours of painting: steps, mixes, bevels, colours per element."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assets3d.textures.world.noise import Field


def smoothstep(low: float, high: float, values: Field) -> Field:
    """Return 0 below `low`, 1 above `high`, smooth between; falls if `low` > `high`."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def mix(
    a: Field | Sequence[float] | float,
    b: Field | Sequence[float] | float,
    share: Field | float,
) -> Field:
    """Return a where `share` (S, S) is 0 and b where it is 1.

    Each may be a number, a field (S, S), a colour (3,) or a coloured field (S, S, 3).
    """
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    share = np.asarray(share, np.float32)
    if any(part.ndim in (1, 3) for part in (a, b)):
        share = share[..., None]
    return a + (b - a) * share


def bevel(edge: Field, width: float) -> Field:
    """Return 0 at the edge rising to 1 at `width` inside, as a quarter circle."""
    t = 1.0 - np.clip(edge / width, 0.0, 1.0)
    return np.sqrt(np.maximum(1.0 - t * t, 0.0))


def colours_per_element(
    colour: Sequence[float],
    count: int,
    generator: np.random.Generator,
    *,
    value: float = 0.1,
    hue: float = 0.03,
) -> Field:
    """Return (count, 3) colours near `colour`: brightness up to ±value of itself, hue ±hue."""
    brightness = 1.0 + value * np.clip(generator.normal(0.0, 0.5, (count, 1)), -1.5, 1.5)
    tint = hue * np.clip(generator.normal(0.0, 0.5, (count, 3)), -1.5, 1.5)
    return np.clip(np.asarray(colour) * brightness + tint, 0.0, 1.0).astype(np.float32)

"""Waves on the torus: crests of one direction and length that wander, fork and end.

A sum of a few plane waves, each with whole numbers of crests per tile, around a mean direction
gives ripples of sand, furrows of bark or veins; being complex, it also tells where between two
crests each point lies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.noise import Field


def wave_field(
    size_px: int,
    crests: tuple[float, float],
    spread: tuple[float, float],
    generator: np.random.Generator,
    count: int = 24,
) -> NDArray[np.complex64]:
    """Return an (S, S) field whose angle is the phase and whose size is the strength, about 1.

    Args:
        size_px: side of the picture.
        crests: mean number of crests met going right and going down.
        spread: standard deviation of both numbers; 0 gives perfect waves.
        generator: draws the waves.
        count: how many are summed.
    """
    numbers = np.round(generator.normal(crests, spread, (count, 2)))
    phases = generator.uniform(0.0, 2 * np.pi, count)
    strengths = generator.rayleigh(1.0, count)
    strengths /= np.sqrt((strengths**2).sum())
    turns = 2j * np.pi * (np.arange(size_px) + 0.5) / size_px
    right = np.exp(turns[None, :] * numbers[:, :1])
    down = np.exp(turns[:, None] * numbers[:, 1]) * (strengths * np.exp(1j * phases))
    return (down @ right).astype(np.complex64)


def crest_phase(field: NDArray[np.complex64], shift: Field | float = 0.0) -> Field:
    """Return where between two crests each point lies, 0..1, after adding `shift` crests."""
    return (np.angle(field) / (2 * np.pi) + shift) % 1.0

"""Captions: a small grammar whose every word is true of the material."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assets3d.textures.world.catalogue import FAMILIES, sample_layers
from assets3d.textures.world.dice import Dice

# The words of a material do not depend on the size, so the smallest picture tells them.
_SMALLEST_PX = 16


def plain_caption(family: str, seed: int) -> str:
    """Return the fullest caption of a material with the family's plainest noun."""
    words = sample_layers(family, seed, _SMALLEST_PX).words
    return _sentence(words, FAMILIES[family].nouns[0])


def sample_caption(family: str, seed: int) -> str:
    """Return one of a material's captions: some of its words, one of its nouns.

    The caption is drawn from the same seed as the material; every word is one of the family's.

    Raises:
        KeyError: if the family is not in the catalogue.
        ValueError: if the seed is negative.
    """
    words = sample_layers(family, seed, _SMALLEST_PX).words
    return varied_caption(family, words, np.random.default_rng([seed, len(family)]))


def varied_caption(family: str, words: Sequence[str], generator: np.random.Generator) -> str:
    """Return a caption with each of the words kept three times in four, and one of the nouns."""
    dice = Dice(generator)
    nouns = FAMILIES[family].nouns
    kept = [word for word in words if dice.chance(0.75)]
    return _sentence(kept, nouns[0] if dice.chance(0.5) else dice.pick(nouns))


def _sentence(words: Sequence[str], noun: str) -> str:
    before = [word for word in words if not word.startswith("with ")]
    after = [word for word in words if word.startswith("with ")]
    return " ".join([*before, noun, *after])

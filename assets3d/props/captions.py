"""Captions: a small grammar whose every word is true of the prop."""

from __future__ import annotations

import numpy as np

from assets3d.props.materials import MATERIALS
from assets3d.props.prop import Prop, Words

_SYNONYMS = {
    "wooden": ("wooden", "wood"),
    "golden": ("golden", "gold"),
    "stone": ("stone", "rocky"),
    "tall": ("tall", "high"),
    "wide": ("wide", "broad"),
    "round": ("round", "rounded"),
    "small": ("small", "little"),
    "big": ("big", "large"),
    "grey": ("grey", "gray"),
    "turquoise": ("turquoise", "teal"),
}


def plain_caption(words: Words, noun: str) -> str:
    """Return the plainest caption that names colour, material and the first detail."""
    return _sentence(_main_words(words), noun, words.details[:1])


def sample_caption(prop: Prop, rng: np.random.Generator) -> str:
    """Return one of the prop's many captions: synonyms, an adjective or not, details or not."""
    words = list(_main_words(prop.words))
    if prop.words.adjectives and rng.random() < 0.35:
        words.insert(0, str(rng.choice(prop.words.adjectives)))
    words = [str(rng.choice(_SYNONYMS.get(word, (word,)))) for word in words]
    noun = prop.nouns[0] if rng.random() < 0.6 else str(rng.choice(prop.nouns))
    details = [d for d in prop.words.details if rng.random() < 0.6]
    return _sentence(tuple(words), noun, tuple(details))


def with_article(phrase: str) -> str:
    """Return "a phrase" or "an phrase" by its first letter."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _main_words(words: Words) -> tuple[str, ...]:
    material = MATERIALS[words.material].word if words.material else ""
    return tuple(word for word in (words.colour, material) if word)


def _sentence(words: tuple[str, ...], noun: str, details: tuple[str, ...]) -> str:
    phrase = " ".join((*words, noun))
    tail = f" with {' and '.join(details)}" if details else ""
    return f"{with_article(phrase)}{tail}"

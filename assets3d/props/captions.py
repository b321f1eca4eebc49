"""Captions: a small grammar whose every word is true of the prop.

[a | two | three] [size] [wear] [shape] [colour] [material] noun [with detail [and detail]]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assets3d.props.materials import MATERIALS
from assets3d.props.prop import Prop, Words

#: Other words for a word; the first is the plainest and comes most often.
SYNONYMS: dict[str, tuple[str, ...]] = {
    # materials
    "wooden": ("wooden", "wood", "timber"),
    "golden": ("golden", "gold"),
    "iron": ("iron", "metal"),
    "silver": ("silver", "silvery"),
    "stone": ("stone", "rocky"),
    "clay": ("clay", "terracotta"),
    "cloth": ("cloth", "fabric"),
    "glass": ("glass", "glassy"),
    "wicker": ("wicker", "woven"),
    # shapes and sizes
    "tall": ("tall", "high"),
    "wide": ("wide", "broad"),
    "round": ("round", "rounded"),
    "small": ("small", "little", "tiny"),
    "big": ("big", "large", "huge"),
    "thick": ("thick", "fat"),
    "thin": ("thin", "slender"),
    "slim": ("slim", "slender"),
    "pointed": ("pointed", "pointy"),
    # colours
    "red": ("red", "crimson"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rosy"),
    "grey": ("grey", "gray"),
    "turquoise": ("turquoise", "teal"),
    "blue": ("blue", "azure"),
    # wear
    "rusty": ("rusty", "rusted"),
    "mossy": ("mossy", "overgrown"),
    "old": ("old", "worn", "weathered"),
}

NUMBERS = ("no", "a", "two", "three")

_PLURALS = {
    "cactus": "cacti",
    "loaf": "loaves",
    "fish": "fish",
    "knife": "knives",
    "staff": "staves",
    "loaf of bread": "loaves of bread",
}


def plain_caption(words: Words, noun: str) -> str:
    """Return the plainest caption that names number, wear, colour, material, the first detail."""
    named = ((words.wear,) if words.wear else ()) + _main_words(words)
    return _sentence(named, noun, _details(words)[:1], words.count)


def sample_caption(prop: Prop, rng: np.random.Generator) -> str:
    """Return one of the prop's many captions: synonyms, an adjective or not, details or not."""
    given = prop.words
    words = []
    if given.size and rng.random() < 0.5:
        words.append(given.size)
    if given.wear and rng.random() < 0.85:
        words.append(given.wear)
    if given.adjectives and rng.random() < 0.35:
        words.append(str(rng.choice(given.adjectives)))
    words = [_synonym(word, rng) for word in (*words, *_main_words(given))]
    noun = prop.nouns[0] if rng.random() < 0.6 else str(rng.choice(prop.nouns))
    details = [d for d in _details(given) if rng.random() < 0.6]
    return _sentence(tuple(dict.fromkeys(words)), noun, tuple(details), given.count)


def with_article(phrase: str) -> str:
    """Return "a phrase" or "an phrase" by its first letter."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def plural(noun: str) -> str:
    """Return the plural of a noun phrase whose last word is the noun."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    *before, last = noun.split()
    if last in _PLURALS:
        return " ".join((*before, _PLURALS[last]))
    if last[-1] in "sxz" or last[-2:] in ("ch", "sh"):
        return f"{noun}es"
    if last[-1] == "y" and last[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def _main_words(words: Words) -> tuple[str, ...]:
    material = MATERIALS[words.material].word if words.material else ""
    return tuple(word for word in (words.colour, material) if word)


def _details(words: Words) -> tuple[str, ...]:
    """Return the details that may be said; of several things only what all share in plural."""
    if words.count == 1:
        return words.details
    return tuple(d for d in words.details if d.split()[0] not in ("a", "an"))


def _synonym(word: str, rng: np.random.Generator) -> str:
    choices: Sequence[str] = SYNONYMS.get(word, (word,))
    return choices[0] if rng.random() < 0.6 else str(rng.choice(choices))


def _sentence(words: tuple[str, ...], noun: str, details: tuple[str, ...], count: int) -> str:
    phrase = " ".join((*words, noun if count == 1 else plural(noun)))
    tail = f" with {' and '.join(details)}" if details else ""
    return f"{with_article(phrase) if count == 1 else f'{NUMBERS[count]} {phrase}'}{tail}"

"""From words to a material of the world: the family that they name, and a seed that fits them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from assets3d.errors import InputError
from assets3d.textures.world.catalogue import FAMILIES, sample_layers

#: How many seeds are looked at; the words of a material cost a few milliseconds each.
_TRIES = 256
#: Of so many that fit equally well, the one of which least is true that nobody asked for.
_ALIKE = 6
# The words of a material do not depend on the size.
_SMALLEST_PX = 16
# What people also say; no caption uses it, so no network learns it from here.
_ALSO = {
    "bricks": ("wall",),
    "cobble": ("stone wall", "stone road", "stone path", "dry stone"),
    "pavers": ("stone floor", "stone tiles", "floor", "path", "pavement"),
    "planks": ("wood", "wooden floor", "wooden wall", "parquet"),
    "metal_plates": ("steel",),
    "marble_tiles": ("bathroom tiles", "tiled floor"),
    "fabric": ("cloth", "canvas"),
    "soil": ("dirt",),
}
_IDLE = frozenset("a an the of and or with in on at some very old-looking texture surface".split())


@dataclass(frozen=True)
class Choice:
    """A material that fits a prompt.

    Attributes:
        family: its family.
        seed: its seed there.
        words: what is true of it, among them what the prompt asked for.
        unknown: words of the prompt that no material of the family goes by.
    """

    family: str
    seed: int
    words: tuple[str, ...]
    unknown: tuple[str, ...]


def choose(prompt: str, seed: int) -> Choice:
    """Return the material that fits the words best; other seeds give other ones as good.

    Raises:
        InputError: the words name no family.
    """
    asked = [_singular(word) for word in re.findall(r"[a-z]+", prompt.lower())]
    asked = [word for word in dict.fromkeys(asked) if word not in _IDLE]
    family = _named(asked, prompt)
    known = _words_of((*FAMILIES[family].words, *_names(family)))
    wanted = [word for word in asked if word in known]
    best = _fitting(family, seed, set(wanted))
    words = sample_layers(family, best, _SMALLEST_PX).words
    unknown = tuple(word for word in asked if word not in known)
    return Choice(family, best, words, unknown)


def _fitting(family: str, seed: int, wanted: set[str]) -> int:
    """Return the seed whose material has most of the wanted words, and few others."""
    named = _words_of(_names(family)) - _words_of(FAMILIES[family].words)
    best, found, alike = (-1, 0), seed * _TRIES, 0
    for candidate in range(seed * _TRIES, (seed + 1) * _TRIES):
        words = _words_of(sample_layers(family, candidate, _SMALLEST_PX).words)
        score = (len(words & wanted), -len(words - wanted))
        if score > best:
            best, found = score, candidate
        alike += score[0] == len(wanted - named)
        if alike == _ALIKE:
            break
    return found


def words_of_family(family: str) -> tuple[str, ...]:
    """Return the single words that a family's materials go by."""
    return tuple(word for word in FAMILIES[family].words if " and " not in word)


def _named(asked: list[str], prompt: str) -> str:
    """Return the family whose names the words hold most of, the earlier one where two do."""
    scores = {}
    for name, family in FAMILIES.items():
        names = [_words_of([noun]) for noun in _names(name)]
        whole = max((len(words) for words in names if words <= set(asked)), default=0)
        some = len(set().union(*names) & set(asked))
        described = len(_words_of(family.words) & set(asked))
        scores[name] = (whole, some, described if some else 0)
    best = max(scores, key=lambda name: scores[name])
    if scores[best][:2] == (0, 0):
        nouns = ", ".join(family.nouns[0] for family in FAMILIES.values())
        raise InputError(f"prompt: {prompt!r} names no material known here, wanted one of {nouns}")
    return best


def _names(family: str) -> tuple[str, ...]:
    """Return everything that a family goes by."""
    return (*FAMILIES[family].nouns, family, *_ALSO.get(family, ()))


def _words_of(phrases: Iterable[str]) -> set[str]:
    found = {_singular(word) for phrase in phrases for word in re.findall(r"[a-z]+", phrase)}
    return found - _IDLE


def _singular(word: str) -> str:
    """Return a word without the s of most plurals: bricks and brick are the same here."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word

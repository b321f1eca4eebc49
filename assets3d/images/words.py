"""What words a small text-to-image model knows, so that a person is told when it does not.

A model folder may carry `words.json`: {"words": ["red", "mushroom", ...], "synonyms": {"toadstool":
"mushroom", ...}}. Official models carry none: they are taken to know every word.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assets3d.errors import InputError

#: Words that carry no picture; not knowing them changes nothing.
_FUNCTION_WORDS = frozenset(
    "a an the of and or with without in on at by for from to its it is are was has have that this "
    "some very any one".split()
)


@dataclass(frozen=True)
class Words:
    """The vocabulary of a model.

    Attributes:
        words: lower-case words of the training captions.
        synonyms: other words, each with the known word or words that mean about the same.
    """

    words: frozenset[str]
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def known_form(self, word: str) -> str | None:
        """Return `word` in the form that the model knows (singular, synonym), or None."""
        singulars = [word[: -len(end)] + put for end, put in _PLURALS if word.endswith(end)]
        for form in (word, *singulars):
            if form in self.words:
                return form
            if form in self.synonyms:
                return self.synonyms[form]
        return word if word in _FUNCTION_WORDS else None


_PLURALS = (("ves", "f"), ("ies", "y"), ("es", ""), ("s", ""))


def read_words(folder: str | Path) -> Words | None:
    """Read `words.json` of a model folder; None where there is none.

    Raises:
        InputError: the file is not of the form above.
    """
    path = Path(folder) / "words.json"
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        words = frozenset(word.lower() for word in content["words"])
        synonyms = {k.lower(): v.lower() for k, v in content.get("synonyms", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"image.model: {path.name} cannot be read ({error!r}), wanted words and synonyms"
        ) from None
    return Words(words, synonyms)


def split_words(prompt: str) -> list[str]:
    """Return the words of a prompt in lower case, without punctuation."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?", prompt.lower())


def unknown_words(prompt: str, words: Words | None) -> dict[str, tuple[str, ...]]:
    """Return each word of `prompt` that the model does not know, with the known ones near it."""
    if words is None:
        return {}
    known = sorted(words.words | set(words.synonyms))
    return {
        word: tuple(difflib.get_close_matches(word, known, 3, cutoff=0.6))
        for word in dict.fromkeys(split_words(prompt))
        if words.known_form(word) is None
    }


def unknown_line(unknown: Mapping[str, tuple[str, ...]]) -> str:
    """Say in one line which words are unknown; empty when all are known."""
    if not unknown:
        return ""
    parts = (
        f"{word} (near: {', '.join(near)})" if near else word for word, near in unknown.items()
    )
    return "prompt: words this model was never taught: " + "; ".join(parts)


def in_known_words(prompt: str, words: Words | None) -> str:
    """Return `prompt` in the words that the model was taught.

    Synonyms and plurals are replaced. Unknown words are left out: the model's embeddings of their
    letters were never trained and would only disturb the picture.
    """
    if words is None:
        return prompt
    forms = (words.known_form(word) for word in split_words(prompt))
    return " ".join(form for form in forms if form is not None)

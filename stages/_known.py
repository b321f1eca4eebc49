"""What the embedded models know: families, colours, materials and wear, and a sheet to look at."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from assets3d.images.words import Words, read_words
from stages._models import EMBEDDED_ROOT

SHEET = Path("runs/known_props.png")
_WIDTH, _INDENT = 100, 12
_COLUMNS, _PICTURE_PX = 8, 128


def known_lines(words: Words | None) -> list[str]:
    """Return what may be said in a prompt, by kinds of words, and what is not yet taught.

    Args:
        words: of the image model; None where it knows everything.
    """
    from assets3d.props.catalogue import FAMILIES
    from assets3d.props.materials import MATERIALS, PALETTE

    known = functools.partial(_is_known, words)
    nouns = {name: family.nouns for name, family in FAMILIES.items()}
    taught = [names for names in nouns.values() if known(names[0])]
    rest = [names[0] for names in nouns.values() if not known(names[0])]
    shown = [names[0] + _others(names[1:], known) for names in taught]
    surfaces = sorted({material.word for material in MATERIALS.values() if material.word})
    groups = {
        "props": shown,
        "colours": [name for name in PALETTE if known(name)],
        "materials": [word for word in surfaces if known(word)],
    }
    if words is not None:
        named = [noun for names in nouns.values() for noun in names]
        said = " ".join([*named, *PALETTE, *surfaces, "a an and with"])
        others = sorted(words.words - set(said.split()))
        groups["also"] = [word for word in others if len(word) > 1]
    groups["not taught"] = rest
    return [line for name, entries in groups.items() if entries for line in _wrapped(name, entries)]


def _is_known(words: Words | None, phrase: str) -> bool:
    return words is None or all(words.known_form(part) for part in phrase.split())


def _others(nouns: Sequence[str], known: Callable[[str], bool]) -> str:
    found = [noun for noun in nouns if known(noun)]
    return f" ({', '.join(found)})" if found else ""


def _wrapped(name: str, entries: Sequence[str]) -> list[str]:
    return textwrap.wrap(
        ", ".join(entries),
        width=_WIDTH,
        initial_indent=name.ljust(_INDENT),
        subsequent_indent=" " * _INDENT,
    )


def image_words() -> Words | None:
    """Return the words of the embedded image model."""
    return read_words(EMBEDDED_ROOT / "image")


def draw_sheet(path: Path, words: Words | None) -> int:
    """Write a picture of one prop of every family that is known; return how many there are."""
    from assets3d.props.catalogue import FAMILIES
    from assets3d.props.sheet import overview

    names = [name for name, family in FAMILIES.items() if _is_known(words, family.nouns[0])]
    path.parent.mkdir(parents=True, exist_ok=True)
    overview(names, _PICTURE_PX, _COLUMNS).save(path, optimize=True)
    return len(names)

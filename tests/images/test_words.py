"""Known and unknown words of small models."""

import json

import pytest

from assets3d.errors import InputError
from assets3d.images.words import (
    Words,
    in_known_words,
    read_words,
    split_words,
    unknown_line,
    unknown_words,
)

WORDS = Words(
    frozenset({"a", "red", "mushroom", "white", "dots", "leaf"}), {"toadstool": "mushroom"}
)


def test_unknown_words_come_with_near_ones():
    found = unknown_words("A red mushrom, with the dragon's WHITE dots", WORDS)
    assert found == {"mushrom": ("mushroom",), "dragon's": ()}
    assert unknown_line(found) == (
        "prompt: words this model was never taught: mushrom (near: mushroom); dragon's"
    )
    assert unknown_line({}) == ""


def test_plurals_and_synonyms_are_known():
    assert unknown_words("red mushrooms, toadstools and leaves", WORDS) == {}
    assert in_known_words("Three red toadstools and leaves!", WORDS) == "red mushroom and leaf"


def test_models_without_a_list_know_everything():
    assert unknown_words("xyzzy", None) == {}
    assert in_known_words("Xyzzy, plugh", None) == "Xyzzy, plugh"


def test_split():
    assert split_words("Épée d'or; 2-handed_sword") == ["épée", "d'or", "2", "handed", "sword"]


def test_read(tmp_path):
    assert read_words(tmp_path) is None
    content = {"words": ["Red"], "synonyms": {"Crimson": "red"}}
    (tmp_path / "words.json").write_text(json.dumps(content))
    assert read_words(tmp_path) == Words(frozenset({"red"}), {"crimson": "red"})
    (tmp_path / "words.json").write_text("[1]")
    with pytest.raises(InputError, match=r"words\.json cannot be read"):
        read_words(tmp_path)

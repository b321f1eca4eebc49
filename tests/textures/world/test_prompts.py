"""Words choose the family they name and a material that they are true of."""

from __future__ import annotations

import pytest

from assets3d.errors import InputError
from assets3d.textures.world.catalogue import FAMILIES, sample_layers
from assets3d.textures.world.prompts import choose


@pytest.mark.parametrize("family", FAMILIES)
def test_every_noun_finds_a_family_of_that_name(family):
    noun = FAMILIES[family].nouns[0]
    assert noun in FAMILIES[choose(noun, 0).family].nouns


@pytest.mark.parametrize(
    ("prompt", "family", "words"),
    [
        ("a wall of red bricks", "bricks", {"red"}),
        ("mossy cobblestones", "cobble", {"mossy"}),
        ("blue painted wooden planks", "planks", {"blue", "painted"}),
        ("rusty corrugated iron", "corrugated_metal", {"rusty"}),
    ],
)
def test_what_is_asked_is_true(prompt, family, words):
    choice = choose(prompt, 4)
    assert choice.family == family
    assert words <= set(choice.words)
    assert sample_layers(choice.family, choice.seed, 32).words == choice.words


def test_seeds_differ_and_strange_words_are_named():
    choices = [choose("sparkling gravel", seed) for seed in range(3)]
    assert len({choice.seed for choice in choices}) == 3
    assert choices[0].unknown == ("sparkling",)


def test_words_of_nothing_known():
    with pytest.raises(InputError, match="names no material known here"):
        choose("a purple dragon", 0)


def test_what_nobody_asked_for_is_rare():
    asked = {seed: set(choose("mossy rock", seed).words) - {"mossy", "rock"} for seed in range(6)}
    usual = [set(sample_layers("rock", seed, 16).words) - {"mossy"} for seed in range(24)]
    assert sum(map(len, asked.values())) / 6 < sum(map(len, usual)) / 24

"""Which family a cutout shows: what words ask for, what the classifier sees, bad folders."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from assets3d.errors import InputError
from assets3d.images.recognition import as_seen, families_named, load_judge
from assets3d.images.recognition_network import SIDE_PX, Recogniser

NOUNS = {
    "mushroom": ("mushroom", "toadstool", "toadstools"),
    "chest": ("chest", "treasure chest"),
    "knife": ("knife", "knives", "dagger"),
    "bread": ("loaf of bread", "loaves of bread"),
    "mug": ("mug", "cup", "cups"),
    "trophy": ("trophy", "golden cup"),
}


@pytest.fixture
def folder(tmp_path):
    """Return the folder of an untrained classifier."""
    network = Recogniser(len(NOUNS))
    halves = {key: value.half().contiguous() for key, value in network.state_dict().items()}
    save_file(halves, tmp_path / "recogniser.safetensors")
    (tmp_path / "families.json").write_text(json.dumps(NOUNS))
    return tmp_path


def block(size=(64, 64), box=(10, 50, 20, 40), colour=(200, 30, 30)):
    """Return a cutout (H, W, 4) of a block."""
    rgba = np.zeros((*size, 4), np.uint8)
    top, bottom, left, right = box
    rgba[top:bottom, left:right] = (*colour, 255)
    return rgba


@pytest.mark.parametrize(
    ("prompt", "families"),
    [
        ("a red mushroom", ["mushroom"]),
        ("two old Toadstools with white dots", ["mushroom"]),
        ("a treasure chest", ["chest"]),
        ("a chest with a mug on it", ["chest"]),
        ("three rusty knives", ["knife"]),
        ("two loaves of bread", ["bread"]),
        ("a small loaf of bread", ["bread"]),
        ("a golden cup", ["trophy"]),
        ("a cup", ["mug"]),
        ("a mug shaped mushroom", ["mushroom"]),
        ("a dragon", []),
        ("chestnut", []),
        ("", []),
    ],
)
def test_the_last_and_longest_noun_counts(prompt, families):
    assert families_named(prompt, NOUNS) == families


def test_two_families_of_one_noun_both_count():
    assert families_named("a lamp", {"lantern": ("lamp",), "light": ("lamp",)}) == [
        "lantern",
        "light",
    ]


def test_where_a_thing_stands_and_how_large_it_is_drawn_do_not_matter():
    small, moved = block(box=(10, 50, 20, 40)), block(box=(20, 60, 2, 22))
    large = block((128, 128), (20, 100, 40, 80))
    first, second, third = as_seen([small, moved, large])
    assert first.shape == (4, SIDE_PX, SIDE_PX)
    torch.testing.assert_close(first, second)
    assert (first - third).abs().mean() < 0.05


def test_it_stands_on_white_whatever_lies_under_the_transparent_pixels():
    dirty = block()
    dirty[dirty[..., 3] == 0, :3] = 77
    torch.testing.assert_close(as_seen([dirty]), as_seen([block()]))
    assert as_seen([block()])[0, :, 0, 0].tolist() == [1.0, 1.0, 1.0, -1.0]
    empty = as_seen([np.zeros((9, 7, 4), np.uint8)])[0]
    assert (empty[:3] == 1.0).all() and (empty[3] == -1.0).all()


def test_the_judge_speaks_of_what_it_knows_only(folder):
    judge = load_judge(folder)
    shares = judge.families(block())
    assert list(shares) == list(NOUNS) and sum(shares.values()) == pytest.approx(1.0)
    assert judge(block(), "a dragon") is None
    told = judge(block(), "a mug")
    assert told == pytest.approx(0.05 + 0.95 * shares["mug"])
    assert judge(block(), "three cups") == told


def test_damaged_folders_are_named_in_one_line(folder):
    (folder / "families.json").write_text(json.dumps({"mug": ["mug"]}))
    with pytest.raises(InputError, match=r"choose.model: .*head"):
        load_judge(folder)
    (folder / "families.json").write_text("[1")
    with pytest.raises(InputError, match=r"choose.model: families.json is not there or damaged"):
        load_judge(folder)

"""Following the words, as far as colour tells."""

from __future__ import annotations

import numpy as np
import pytest

from assets3d.images.following import colours_asked, colours_followed, following
from assets3d.props.materials import PALETTE


def disc(rgb, share: float = 1.0) -> np.ndarray:
    """Return a disc, uint8 (64, 64, 4), of which a share from the top has a colour, shaded."""
    y, x = np.mgrid[:64, :64] - 31.5
    rgba = np.zeros((64, 64, 4), dtype=np.uint8)
    inside = x**2 + y**2 < 28**2
    light = 0.65 + 0.35 * (x - y + 56) / 112
    rows = np.where(inside.any(axis=1))[0]
    limit = np.quantile(np.where(inside)[0], share) if share else rows[0] - 1
    colour = np.where((y + 31.5 <= limit)[..., None], np.array(rgb), np.array((0.6, 0.6, 0.6)))
    rgba[..., :3] = np.clip(255 * colour * light[..., None], 0, 255)
    rgba[..., 3] = 255 * inside
    return rgba


@pytest.mark.parametrize("name", PALETTE)
def test_every_colour_of_the_prop_world_is_itself_and_not_its_opposite(name):
    assert colours_followed(disc(PALETTE[name]), f"a {name} mug") > 0.9
    opposite = {"red": "green", "green": "red", "blue": "orange", "white": "black"}
    other = opposite.get(name, "blue" if name not in ("turquoise", "purple") else "orange")
    assert colours_followed(disc(PALETTE[other]), f"a {name} mug") < 0.1


def test_more_of_the_colour_is_better_until_it_is_enough():
    marks = [colours_followed(disc(PALETTE["red"], share), "red cap") for share in (0, 0.1, 0.3, 1)]
    assert marks[0] == 0.0 < marks[1] < marks[2] == marks[3] == 1.0


def test_all_colours_of_a_prompt_count():
    half = disc(PALETTE["red"], 0.5)
    assert colours_followed(half, "a red and grey mug") == 1.0
    assert colours_followed(half, "a red and blue mug") == 0.5
    assert colours_asked("A golden cup, gray and RED, red") == ["yellow", "grey", "red"]


def test_nobody_can_tell_without_a_colour():
    assert following(disc(PALETTE["red"]), "a mug") is None
    assert following(disc(PALETTE["red"]), "redwood, greenish") is None
    nothing = np.zeros((8, 8, 4), dtype=np.uint8)
    assert following(nothing, "a red mug") == 0.0


def test_a_classifier_is_one_more_judge():
    judges = (colours_followed, lambda rgba, prompt: 0.5 if "mug" in prompt else None)
    red = disc(PALETTE["red"])
    assert following(red, "a red mug", judges) == 0.75
    assert following(red, "a mug", judges) == 0.5
    assert following(red, "a red pot", judges) == 1.0

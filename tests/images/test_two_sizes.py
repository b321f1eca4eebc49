"""A small picture first: the large one keeps its layout, and the settings are checked."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.images.steering import Steering, generate_steered
from assets3d.images.text_to_image import load_pipeline
from assets3d.images.two_sizes import First, generate_at_two_sizes, read_first
from tests.images.tiny_pipelines import tiny_pipeline

PROMPT = "a red crate"
OPTIONS = {"seed": 3, "steps": 4, "guidance": 3.0, "size_px": 128}


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline(tiny_pipeline("sd15"))


def test_the_large_one_goes_on_from_the_small_one(pipeline):
    small = generate_steered(pipeline, PROMPT, Steering(), **{**OPTIONS, "size_px": 64})
    enlarged = cv2.resize(small, (128, 128), interpolation=cv2.INTER_CUBIC)
    steering = Steering(init_picture=enlarged, strength=0.25)
    wanted = generate_steered(pipeline, PROMPT, steering, **OPTIONS)
    found = generate_at_two_sizes(pipeline, PROMPT, Steering(), First(64, 0.25), **OPTIONS)
    np.testing.assert_array_equal(found, wanted)
    assert not np.array_equal(found, generate_steered(pipeline, PROMPT, Steering(), **OPTIONS))


def test_what_is_not_square_keeps_its_proportions(pipeline):
    tall = np.full((96, 48, 3), 128, np.uint8)
    steering = Steering(init_picture=tall, strength=0.5)
    found = generate_at_two_sizes(pipeline, PROMPT, steering, First(64, 0.5), **OPTIONS)
    assert found.shape[0] > 1.7 * found.shape[1]
    assert 0.8 < found.shape[0] * found.shape[1] / 128**2 < 1.25


def test_less_than_a_step_is_refused(pipeline):
    with pytest.raises(InputError, match=r"strength: found 0\.1 with 4 steps"):
        generate_at_two_sizes(pipeline, PROMPT, Steering(), First(64, 0.1), **OPTIONS)


def test_a_profile_without_it_has_none():
    assert read_first({"size_px": 256}) is None
    assert read_first({"size_px": 256, "first": {"size_px": 128}}) == First(128)
    given = {"size_px": 128, "strength": 0.3}
    assert read_first({"size_px": 256, "first": given}) == First(128, 0.3)


@pytest.mark.parametrize(
    "given",
    [
        {"size_px": 256},
        {"size_px": 128, "strength": 0},
        {"size_px": 128, "strength": 1.5},
        {"size_px": "small"},
        {"strength": 0.5},
        {"size_px": 128, "steps": 3},
        128,
    ],
)
def test_what_cannot_be_is_one_line(given):
    with pytest.raises(InputError, match=r"image\.first: found .*, wanted \{size_px: a smaller"):
        read_first({"size_px": 256, "first": given})

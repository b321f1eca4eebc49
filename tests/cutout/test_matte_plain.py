"""What a model painted on one colour is found even where the network saw nothing."""

from __future__ import annotations

import numpy as np
import pytest

from assets3d.cutout.matte import off_plain_background


@pytest.mark.parametrize("colour", [255, 128, 0])
def test_what_differs_is_found_and_the_background_is_not(colour):
    picture = np.full((32, 32, 3), colour, np.uint8)
    picture[8:24, 8:24] = (200, 40, 60)
    alpha = off_plain_background(picture)
    assert (alpha[9:23, 9:23] == 1.0).all()
    assert alpha.sum() == 14 * 14  # the rim is the network's


def test_faint_noise_is_background_and_an_object_at_the_border_is_not_its_colour():
    rng = np.random.default_rng(0)
    picture = rng.integers(243, 256, (32, 32, 3)).astype(np.uint8)
    picture[:, :6] = (30, 90, 30)  # touches three borders
    alpha = off_plain_background(picture)
    assert (alpha[:, :5] == 1.0).all()
    assert (alpha[:, 5:] == 0.0).all()

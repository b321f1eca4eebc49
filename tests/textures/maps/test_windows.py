"""Networks that know no torus, read so that their answers tile."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from assets3d.textures.fields import normals_of_slopes
from assets3d.textures.maps.windows import (
    blended_depth,
    blended_values,
    blended_vectors,
    in_tiles,
    window_weights,
)
from assets3d.textures.seams import seam_report
from tests.textures.reliefs import noise_height

SIZE = 64
HEIGHT = noise_height(SIZE, finest_px=2.5)
#: A picture in which one can read the height: a pointwise network is a table.
PICTURE = np.zeros((SIZE, SIZE, 3), np.uint8)
PICTURE[...] = np.rint(255 * (HEIGHT - HEIGHT.min()) / np.ptp(HEIGHT))[..., None]


def grey(window):
    return window[..., 0].astype(np.float64) / 255.0


def padded(window):
    """What a network sees that continues its input with zeros: it darkens towards the edge."""
    return uniform_filter(grey(window), 9, mode="constant")


@pytest.mark.parametrize("size", [(64, 64), (32, 96), (2, 4)])
def test_weights_of_the_four_rolls_sum_to_one_and_vanish_at_the_edge(size):
    weights = window_weights(*size)
    down, right = size[0] // 2, size[1] // 2
    rolls = [np.roll(weights, (y, x), (0, 1)) for y in (0, down) for x in (0, right)]
    np.testing.assert_allclose(sum(rolls), 1.0, atol=1e-6)
    if min(size) > 8:
        assert weights[0].max() < 0.01
        assert weights[:, -1].max() < 0.01


def test_a_pointwise_network_is_read_exactly():
    np.testing.assert_allclose(blended_values(grey, PICTURE), grey(PICTURE), atol=1e-6)
    found = blended_depth(grey, PICTURE)
    np.testing.assert_allclose(found, grey(PICTURE) - grey(PICTURE).mean(), atol=1e-6)
    colours = blended_values(lambda window: window / 255.0, PICTURE)
    np.testing.assert_allclose(colours, PICTURE / 255.0, atol=1e-6)


def test_a_pointwise_network_of_normals_is_read_exactly():
    def slanted(window):
        g = grey(window)
        return np.dstack([g - 0.5, 0.3 - g, np.ones_like(g)]) * 7.0

    found = blended_vectors(slanted, PICTURE)
    wanted = slanted(PICTURE) / np.linalg.norm(slanted(PICTURE), axis=2, keepdims=True)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_zero_padding_shows_no_more():
    wanted = uniform_filter(grey(PICTURE), 9, mode="wrap")
    plain, blended = padded(PICTURE), blended_values(padded, PICTURE)
    assert seam_report(plain, "height").kink > 5.0
    assert seam_report(blended, "height").kink < 1.5
    # Half of the answers are right at the edge of the others.
    assert np.abs(plain - wanted).max() > 10.0 * np.abs(blended - wanted).max()
    depth = blended_depth(padded, PICTURE)
    assert depth.mean() == pytest.approx(0.0, abs=1e-6)
    assert seam_report(depth, "height").kink < 1.5


def test_zero_padded_normals_tile():
    def normals(window):
        # Differences across the edge of the window are those of a picture that goes on in black.
        padded_height = np.pad(padded(window), 1)
        slope_x = 20.0 * (padded_height[1:-1, 2:] - padded_height[1:-1, :-2])
        slope_y = 20.0 * (padded_height[2:, 1:-1] - padded_height[:-2, 1:-1])
        return normals_of_slopes(slope_x, slope_y)

    plain, blended = normals(PICTURE), blended_vectors(normals, PICTURE)
    assert seam_report(plain, "normal").seam_nb > 2.0
    assert seam_report(blended, "normal").seam_nb < 1.5
    np.testing.assert_allclose(np.linalg.norm(blended, axis=2), 1.0, atol=1e-5)


def test_units_zeros_and_slants_of_the_windows_do_not_matter():
    calls = iter(range(1, 100))

    def unsteady(window):
        """A depth network: each answer has a unit, a zero and a slant of its own."""
        call = next(calls)
        y, x = np.mgrid[: len(window), : window.shape[1]] / len(window)
        return (0.5 + 0.3 * call) * grey(window) + 5.0 * call + call * x - 2.0 * y

    # All are brought to the unit of the first.
    wanted = 0.8 * (grey(PICTURE) - grey(PICTURE).mean())
    np.testing.assert_allclose(blended_depth(unsteady, PICTURE), wanted, atol=1e-5)


def test_a_bowl_in_every_answer_leaves_no_seam():
    def bowl(window):
        y, x = np.mgrid[-1.0 : 1.0 : len(window) * 1j, -1.0 : 1.0 : window.shape[1] * 1j]
        return grey(window) + 0.5 * (x * x + y * y)

    found = blended_depth(bowl, PICTURE)
    own, left, given = (
        seam_report(h, "height").kink for h in (grey(PICTURE), found, bowl(PICTURE))
    )
    assert left - own < 0.25 * (given - own)
    assert np.corrcoef(found.ravel(), grey(PICTURE).ravel())[0, 1] > 0.9


def test_answers_without_anything_in_common_still_tile():
    generator = np.random.default_rng(0)
    found = blended_depth(lambda window: generator.normal(size=window.shape[:2]), PICTURE)
    assert np.isfinite(found).all()
    assert 0.2 < float(found.std()) < 1.0
    assert (
        np.abs(blended_depth(lambda window: np.full(window.shape[:2], 3.0), PICTURE)).max() < 1e-6
    )


@pytest.mark.parametrize(("core_px", "margin_px"), [(16, 4), (24, 8), (64, 4), (100, 40)])
def test_tiles_give_what_the_whole_gives(core_px, margin_px):
    def wrapped(window):
        return (uniform_filter(grey(window), 9, mode="wrap"), window / 255.0)

    whole = wrapped(PICTURE)
    into = tuple(np.full_like(field, np.nan) for field in whole)
    in_tiles(wrapped, PICTURE, core_px=core_px, margin_px=margin_px, into=into)
    for found, wanted in zip(into, whole, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_a_margin_below_the_reach_is_seen():
    def wrapped(window):
        return (uniform_filter(grey(window), 9, mode="wrap"),)

    into = (np.zeros((SIZE, SIZE)),)
    in_tiles(wrapped, PICTURE, core_px=16, margin_px=2, into=into)
    assert np.abs(into[0] - wrapped(PICTURE)[0]).max() > 1e-3

"""From networks' answers to relief: leaning surfaces, wild pixels, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from assets3d.textures.fields import height_of_slopes, normals_of_slopes, slopes_of_height
from assets3d.textures.maps.measures import height_errors, normal_errors
from assets3d.textures.maps.network_relief import (
    STEEPEST,
    relief_of_height,
    relief_of_normals,
)
from assets3d.textures.maps.relief import Relief, completed
from tests.textures.maps.tiny_networks import STEEPEST as WRITTEN
from tests.textures.maps.tiny_networks import truthful
from tests.textures.reliefs import brick_height, noise_height

SIZE = 64
HEIGHT = noise_height(SIZE, pixel_m=0.12, finest_px=2.5)
NORMALS = normals_of_slopes(*slopes_of_height(HEIGHT, 1.0))
PICTURE = truthful(HEIGHT)


def told(window):
    """What a truthful picture says, as normals."""
    slopes = (window[..., :2] / 255.0 - 0.5) * (2.0 * WRITTEN)
    return normals_of_slopes(slopes[..., 0], slopes[..., 1])


def turned(degrees):
    """A network that takes the surface for one that leans by so many degrees."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    return lambda window: told(window) @ about_x.T


def normals_of(relief):
    return normals_of_slopes(relief.slope_x, relief.slope_y)


@pytest.mark.parametrize("degrees", [50.0, 85.0, -70.0])
def test_a_surface_taken_for_a_floor_or_a_wall_is_set_upright(degrees):
    errors = normal_errors(normals_of(relief_of_normals(turned(degrees), PICTURE)), NORMALS)
    assert errors.mean_deg < 3.0


def test_relief_that_leans_to_one_side_for_the_most_part_stays():
    """Roof tiles: long gentle slopes and short steep steps."""
    y = np.mgrid[:SIZE, :SIZE][0] % 16
    roof = 0.4 * np.minimum(y, 4.0 * (16 - y)).astype(np.float32)
    wanted = normals_of_slopes(*slopes_of_height(roof, 1.0))
    assert normal_errors(wanted, 0.0 * wanted + np.array([0.0, 0.0, 1.0])).mean_deg > 20.0
    found = relief_of_normals(told, truthful(roof))
    assert normal_errors(normals_of(found), wanted).mean_deg < 1.0


def test_wild_pixels_are_held_down():
    def wild(window):
        found = told(window)
        found[::16, ::16] = [0.999, 0.0, 0.001]
        return found

    slopes = relief_of_normals(wild, PICTURE)
    assert float(np.hypot(slopes.slope_x, slopes.slope_y).max()) == pytest.approx(
        STEEPEST, rel=0.01
    )


@pytest.mark.parametrize("working_px", [None, 64, 128])
def test_height_of_any_working_size(working_px):
    height = brick_height(SIZE)
    found = relief_of_height(
        lambda w: 5.0 * w[..., 2].astype(float) - 99.0, truthful(height), working_px
    )
    assert not found.metric
    again = height_of_slopes(found.slope_x, found.slope_y, 1.0)
    assert height_errors(again, height).pearson_r > 0.98


def test_a_flat_answer_is_flat():
    found = relief_of_height(lambda window: np.zeros(window.shape[:2]), PICTURE)
    assert np.abs(found.slope_x).max() == 0.0


def test_a_relief_is_completed_by_what_it_lacks_only():
    flat, full = np.zeros((4, 4)), np.ones((4, 4))
    mine = Relief(flat, flat, metric=False, roughness=flat)
    both = completed(mine, Relief(full, full, True, full, full, np.ones((4, 4, 3))))
    assert both.slope_x is flat
    assert both.roughness is flat
    assert both.metallic is full
    assert (both.metric, both.base_colour.shape) == (False, (4, 4, 3))

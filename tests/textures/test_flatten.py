"""Uneven light goes, what is lit stays."""

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.mesh.glb import linear_from_srgb, srgb_from_linear
from assets3d.textures.flatten import flatten_light
from assets3d.textures.torus import blur

TINT = np.array([0.30, 0.22, 0.12], np.float32)


def _surface(height=192, width=256, seed=0):
    """Return what a surface reflects, linear (H, W, 3); all of it is fine texture."""
    generator = np.random.default_rng(seed)
    grain = blur(generator.standard_normal((height, width)).astype(np.float32), 2.0)
    return TINT * np.exp(0.3 * grain / grain.std())[..., None]


def _light(height=192, width=256, strength=1.0):
    """Return a lamp on one side, blue sky on the other and a vignette, linear (H, W, 3)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y / height - 0.5, x / width - 0.5
    casts = [1.4 * x - 0.4 * y, 0.9 * x - 0.4 * y, 0.2 * x - 0.9 * y]
    vignette = -1.5 * (x**2 + y**2)
    return np.stack([np.exp(strength * (cast + vignette)) for cast in casts], axis=-1)


def _edges(picture, axis):
    """Return the linear means of the two outer eighths, (2, 3)."""
    light = linear_from_srgb(picture).swapaxes(0, axis)
    strip = len(light) // 8
    return np.stack([light[:strip].mean((0, 1)), light[-strip:].mean((0, 1))])


@pytest.mark.parametrize("shape", [(192, 256), (600, 130), (64, 64)])
def test_opposite_edges_meet_and_the_mean_colour_stays(shape):
    picture = srgb_from_linear(_surface(*shape) * _light(*shape))
    found = flatten_light(picture)
    assert found.dtype == np.float32 and found.shape == picture.shape
    for axis in (0, 1):
        before, after = _edges(picture, axis), _edges(found, axis)
        assert np.abs(np.log(before[0] / before[1])).max() > 0.5
        assert np.abs(np.log(after[0] / after[1])).max() < 0.12
    np.testing.assert_allclose(
        linear_from_srgb(found).mean((0, 1)), linear_from_srgb(picture).mean((0, 1)), rtol=0.01
    )


def test_the_surface_under_the_light_comes_back():
    surface = _surface()
    found = linear_from_srgb(flatten_light(srgb_from_linear(surface * _light())))
    scale = found.mean((0, 1)) / surface.mean((0, 1))
    assert np.abs(np.log(found / (surface * scale))).mean() < 0.05


def test_even_light_changes_little_and_twice_is_as_good_as_once():
    picture = srgb_from_linear(_surface())
    once = flatten_light(picture)
    assert np.abs(once - picture).mean() < 0.02
    assert np.abs(flatten_light(once) - once).mean() < np.abs(once - picture).mean()


def test_bytes_and_floats_agree():
    picture = np.round(srgb_from_linear(_surface() * _light()) * 255).astype(np.uint8)
    found = flatten_light(picture)
    assert found.dtype == np.uint8
    single = flatten_light(picture.astype(np.float32) / 255.0)
    assert np.abs(found - single * 255.0).max() <= 0.51
    double = flatten_light(picture.astype(np.float64) / 255.0)
    assert double.dtype == np.float64
    np.testing.assert_allclose(double, single, atol=1e-5)


def test_highlights_in_dark_corners_are_rolled_off_not_cut():
    picture = srgb_from_linear(_surface() * _light(strength=1.5))
    picture[4:12, 4:12] = np.linspace(0.9, 1.0, 8)[:, None, None]
    found = flatten_light(picture)
    assert found.max() <= 1.0
    spot = found[4:12, 8]
    assert (np.diff(spot, axis=0) > 0.0).all()  # still told apart


@pytest.mark.parametrize("level", [0, 128, 255])
def test_plain_colours_stay(level):
    picture = np.full((40, 60, 3), level, np.uint8)
    picture[..., 2] = 0
    assert np.array_equal(flatten_light(picture), picture)


def test_half_black_pictures_stay_finite():
    picture = np.zeros((64, 64, 3), np.float32)
    picture[:, 40:] = 0.8
    found = flatten_light(picture)
    assert np.isfinite(found).all() and found.min() >= 0.0 and found.max() <= 1.0


def test_other_shapes_are_named():
    with pytest.raises(InputError, match=r"picture: has the shape \(8, 8\), wanted"):
        flatten_light(np.zeros((8, 8)))
    with pytest.raises(InputError, match=r"picture: has the shape \(8, 8, 4\), wanted"):
        flatten_light(np.zeros((8, 8, 4)))

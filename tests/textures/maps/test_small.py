"""The embedded network at work, on random weights: it knows the torus, windows and odd sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from assets3d.errors import InputError
from assets3d.textures.maps import small
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.maps.small_network import STRIDE_PX, MapsNetwork
from assets3d.textures.seams import seam_report

FIELDS = ("slope_x", "slope_y", "roughness", "metallic", "base_colour")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random weights, as a file."""
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        network = MapsNetwork()
    folder = tmp_path_factory.mktemp("maps")
    save_file(network.state_dict(), folder / "maps.safetensors")
    return folder


@pytest.fixture(scope="module")
def network(folder):
    return small.load_small(folder)


def picture(size, seed=0):
    from assets3d.textures.torus import blur

    noise = np.random.default_rng(seed).normal(size=(size, size, 3))
    smooth = blur(noise, 1.5) + 0.1 * noise
    return np.rint(127.5 + 40.0 * (smooth / smooth.std())).clip(0, 255).astype(np.uint8)


def test_a_rolled_picture_has_rolled_maps(network):
    given = picture(96)
    roll = (STRIDE_PX, 3 * STRIDE_PX)
    plain, rolled = (
        small.predict(network, given),
        small.predict(network, np.roll(given, roll, (0, 1))),
    )
    for name in FIELDS:
        wanted = np.roll(getattr(plain, name), roll, (0, 1))
        assert float(wanted.std()) > 1e-4
        np.testing.assert_allclose(getattr(rolled, name), wanted, atol=1e-4)


def test_windows_give_what_the_whole_gives(network, monkeypatch):
    """Above WHOLE_PX the picture is read in windows."""
    given = picture(256)
    whole = small.predict(network, given)
    for name, value in (("WHOLE_PX", 128), ("CORE_PX", 160), ("MARGIN_PX", 208)):
        monkeypatch.setattr(small, name, value)
    windows = small.predict(network, given)
    assert windows.slope_x.dtype == np.float16
    for name in FIELDS:
        found, wanted = (np.asarray(getattr(r, name), np.float32) for r in (windows, whole))
        assert np.abs(found - wanted).max() < 2e-3 * max(1.0, float(np.abs(wanted).max())), name


@pytest.mark.parametrize("size", [50, 90, 129])
def test_odd_sizes_are_resampled_and_tile(network, size):
    given = picture(size)
    found = small.predict(network, given)
    assert found.slope_x.shape == found.roughness.shape == (size, size)
    assert found.base_colour.shape == (size, size, 3)
    material = material_of(given, found, tile_m=1.0, delight=True)
    assert seam_report(material.height_m, "height").seam_nb < 2.2
    assert seam_report(material.normals, "normal").seam_nb < 1.5


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_picture_turned_with_its_light_has_turned_maps(network, turns):
    given = picture(64)
    plain = small.predict(network, given, 100.0)
    turned = small.predict(network, np.rot90(given, turns), 100.0 + 90.0 * turns)
    for name in ("roughness", "metallic", "base_colour"):
        np.testing.assert_array_equal(getattr(turned, name), np.rot90(getattr(plain, name), turns))
    # Anticlockwise, y down: what rose to the right rises upwards.
    x, y = np.rot90(plain.slope_x, turns), np.rot90(plain.slope_y, turns)
    for _ in range(turns):
        x, y = y, -x
    np.testing.assert_array_equal(turned.slope_x, x)
    np.testing.assert_array_equal(turned.slope_y, y)


def test_a_light_a_little_aside_changes_the_relief(network):
    given = picture(64)
    slopes = [small.predict(network, given, angle).slope_x for angle in (90.0, 120.0)]
    assert np.abs(slopes[0] - slopes[1]).max() > 1e-4


def test_what_cannot_be_read_is_one_line(tmp_path, network):
    with pytest.raises(InputError, match=r"maps.model: maps.safetensors is not in"):
        small.load_small(tmp_path)
    with pytest.raises(InputError, match=r"maps.picture: is 32x16 px, wanted a square"):
        small.predict(network, np.zeros((16, 32, 3), np.uint8))
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "maps.safetensors")
    with pytest.raises(InputError, match=r"maps.model: "):
        small.load_small(tmp_path)

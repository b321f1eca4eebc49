"""Networks that enlarge: whatever they do at their edges, the result tiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from assets3d.errors import InputError
from assets3d.textures import upscale_network
from assets3d.textures.seams import seam_report
from assets3d.textures.torus import blur, resized
from assets3d.textures.upscale_network import Upscaler, load_upscaler, upscaled_by
from tests.textures.maps.tiny_networks import enlarging, mixing
from tests.textures.maps.tiny_pretrained import copy_of, tiny

PICTURE = np.random.default_rng(0).normal(size=(48, 48, 3))
PICTURE = blur(PICTURE, 1.5)
PICTURE = np.rint(127.5 + 45.0 * PICTURE / PICTURE.std()).clip(0, 255).astype(np.uint8)


def repeated(window, factor=2):
    return (window.repeat(factor, 0).repeat(factor, 1) / 255.0).astype(np.float32)


@pytest.fixture(params=[256, 32, 20], ids="core-{}".format)
def core(request, monkeypatch):
    """One window that goes around the torus, whole cores, and cores that do not divide the side."""
    monkeypatch.setattr(upscale_network, "CORE_PX", request.param)
    monkeypatch.setattr(upscale_network, "MARGIN_PX", 8)
    return request.param


@pytest.mark.parametrize("window_px", [None, 40, 100])
def test_a_pointwise_network_is_asked_for_every_pixel_once(core, window_px):
    found = upscaled_by(Upscaler(repeated, window_px, "pointwise"), PICTURE, 2)
    np.testing.assert_array_equal(found, PICTURE.repeat(2, 0).repeat(2, 1))


def test_places_in_a_window_are_no_seams(core):
    """A network with a place for each pixel of its window is not seen in the result's edge."""

    def uneven(window):
        y, x = np.mgrid[-1.0 : 1.0 : 2j * len(window), -1.0 : 1.0 : 2j * window.shape[1]]
        return repeated(window) + 0.2 * (x * y)[..., None].astype(np.float32)

    found = upscaled_by(Upscaler(uneven, None, "uneven"), PICTURE, 2)
    own, left, given = (
        seam_report(p, "colour").kink for p in (repeated(PICTURE), found, uneven(PICTURE))
    )
    assert left - own < 0.05 * (given - own)


def test_zero_padding_shows_no_more(core):
    def padded(window):
        smooth = uniform_filter(window.astype(np.float32), (7, 7, 1), mode="constant")
        return repeated(smooth)

    found = upscaled_by(Upscaler(padded, None, "padded"), PICTURE, 2)
    wanted = repeated(uniform_filter(PICTURE.astype(np.float32), (7, 7, 1), mode="wrap"))
    # Where the padding reaches, a window has little weight.
    assert np.abs(found / 255.0 - wanted).max() < 0.06
    assert np.abs(padded(PICTURE) - wanted).max() > 0.3


@pytest.mark.parametrize(("has", "asked"), [(2, 2), (4, 4), (4, 2), (2, 4)])
def test_any_factor_with_any_network(tmp_path, has, asked):
    network = load_upscaler(enlarging(tmp_path / f"x{has}.onnx", has))
    found = upscaled_by(network, PICTURE, asked)
    assert (found.shape, found.dtype) == ((48 * asked, 48 * asked, 3), np.uint8)
    assert seam_report(found, "colour").low_frequency_step < 2.0
    again = resized(found, 48).astype(float)
    smooth = uniform_filter(PICTURE.astype(float), (5, 5, 1), mode="wrap")
    assert np.corrcoef(again.ravel(), smooth.ravel())[0, 1] > 0.95


def test_fixed_sizes_and_declared_forms(tmp_path):
    plain = upscaled_by(load_upscaler(enlarging(tmp_path / "a.onnx", 2)), PICTURE, 2)
    fixed = load_upscaler(enlarging(tmp_path / "b.onnx", 2, size=(96, 96)))
    assert fixed.window_px == 96
    # The zeros that it takes beyond its window lie elsewhere.
    assert np.abs(upscaled_by(fixed, PICTURE, 2).astype(float) - plain).max() <= 4.0
    # The same network in bytes, blue first.
    declared = {"range": [0, 255], "output_range": [0, 255], "colours": "bgr", "multiple_of": 7}
    other = load_upscaler(tmp_path / "a.onnx", declared=declared)
    assert other.window_px % 7 == 0
    assert np.abs(upscaled_by(other, PICTURE, 2).astype(float) - plain).max() <= 4.0


def test_swin2sr_from_a_folder():
    network = load_upscaler(tiny("swin2sr"))
    found = upscaled_by(network, PICTURE, 2)
    assert found.shape == (96, 96, 3)
    assert float(found.std()) > 0.0
    assert seam_report(found, "colour").seam_nb < 2.4


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: mixing(p, np.eye(3), np.zeros(3)), ("makes 112x112", "2 or 4 times")),
        (lambda p: enlarging(p, 3), ("2 or 4 times",)),
        (lambda p: enlarging(p, 2, size=(64, 64)), ("takes 64 px", "more than 64")),
        (lambda p: mixing(p, np.eye(1, 3), np.zeros(1)), ("1 channels", "wanted 3")),
    ],
)
def test_networks_that_do_something_else_are_one_line(tmp_path, make, words):
    with pytest.raises(InputError) as caught:
        upscaled_by(load_upscaler(make(tmp_path / "n.onnx")), PICTURE, 2)
    assert "\n" not in str(caught.value)
    for word in ("texture.upscaler", *words):
        assert word in str(caught.value)


def test_other_mistakes_are_one_line(tmp_path):
    network = Upscaler(repeated, None, "pointwise")
    with pytest.raises(InputError, match="upscale: is 3, wanted 2 or 4"):
        upscaled_by(network, PICTURE, 3)
    with pytest.raises(InputError, match="48x24 px, wanted a square"):
        upscaled_by(network, PICTURE[:24], 2)
    with pytest.raises(InputError, match="no file"):
        load_upscaler(tmp_path / "none.onnx")
    with pytest.raises(InputError, match=r"upscaler.rnage: unknown field, did you mean range"):
        load_upscaler(tmp_path / "n.onnx", declared={"rnage": 1})
    folder = copy_of("dpt", tmp_path / "dpt")
    with pytest.raises(InputError, match="is a dpt, wanted swin2sr"):
        load_upscaler(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="is a pickle"):
        load_upscaler(folder)

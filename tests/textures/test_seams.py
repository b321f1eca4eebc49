"""Seam numbers: perfect tiles pass wherever they wrap, cut ones do not."""

from dataclasses import asdict

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.textures.fields import normals_of_slopes, slopes_of_height
from assets3d.textures.seams import THRESHOLDS, SeamReport, exceeded, passes, seam_report
from assets3d.textures.torus import blur, resized, rolled
from tests.textures.reliefs import brick_height, noise_height

PIXEL_M = 0.01
KINDS = ("colour", "normal", "height")


def _maps(relief, seed=0, size_px=256):
    """Return a tile's maps by kind; the colour has its own noise, as a photograph has."""
    if relief == "bricks":
        height = blur(brick_height(size_px, PIXEL_M), 1.5) + 0.1 * noise_height(size_px, seed)
    else:
        height = noise_height(size_px, seed)
    generator = np.random.default_rng(seed)
    spots = blur(generator.standard_normal((*height.shape, 3)).astype(np.float32), 1.5)
    colour = 120.0 + 60.0 * (height / height.std())[..., None] + 60.0 * spots
    return {
        "colour": np.clip(colour, 0, 255).astype(np.uint8),
        "normal": normals_of_slopes(*slopes_of_height(height, PIXEL_M)),
        "height": height,
    }


@pytest.mark.parametrize("relief", ["bricks", "noise"])
def test_perfect_tiles_pass_wherever_they_wrap(relief):
    maps = _maps(relief)
    generator = np.random.default_rng(3)
    reports = {kind: [] for kind in KINDS}
    for _ in range(12):
        rows, columns = generator.integers(0, 256, 2)
        for kind, values in maps.items():
            reports[kind].append(seam_report(rolled(values, rows, columns), kind))
    for kind, found in reports.items():
        assert np.mean([passes(report, kind) for report in found]) >= 0.9, kind
        assert all(passes(report, kind, slack=2.0) for report in found), kind
        assert 0.7 < np.mean([report.seam_nb for report in found]) < 1.3


def _grain(size_px=256):
    """Return a tile whose neighbours have nothing in common, as fine gravel has."""
    grain = np.random.default_rng(4).standard_normal((size_px, size_px, 3))
    return np.clip(128.0 + 40.0 * grain, 0, 255).astype(np.uint8)


def test_an_enlarged_tile_is_measured_at_the_side_that_was_drawn():
    drawn = _grain(128)
    enlarged = resized(drawn, 256, kernel="lanczos")
    own = seam_report(drawn, "colour").seam_nb
    # Every other line has a larger step, and the wrap is one of those.
    assert seam_report(enlarged, "colour").seam_nb > 1.3 * own
    for size_px in (256, 300, 512):
        larger = resized(drawn, size_px, kernel="lanczos")
        found = seam_report(larger, "colour", detail_px=128).seam_nb
        assert found == pytest.approx(own, rel=0.15), size_px
    # A side that is no smaller than the map's own changes nothing.
    assert seam_report(drawn, "colour", detail_px=256) == seam_report(drawn, "colour")


@pytest.mark.parametrize("kind", KINDS)
def test_the_seam_of_an_enlarged_crop_is_found(kind):
    crop = _maps("noise")[kind][:230, :230]
    enlarged = resized(crop.astype(np.float32), 460)
    if kind == "normal":
        enlarged /= np.linalg.norm(enlarged, axis=-1, keepdims=True)
    report = seam_report(enlarged, kind, detail_px=230)
    assert exceeded(report, kind) == ["seam_nb", "seam_local"]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_cropped_tiles_do_not(kind, axis):
    values = _maps("noise")[kind]
    crop = values.take(range(230), axis=axis)
    report = seam_report(crop, kind)
    assert exceeded(report, kind) == ["seam_nb", "seam_local"]
    assert report.rank > 0.99 and report.seam_ratio > 2.0
    # The other axis wraps as before, the worse of both is reported.
    turned = seam_report(crop.swapaxes(0, 1), kind)
    assert asdict(turned) == pytest.approx(asdict(report), rel=1e-4)


def test_a_joint_at_the_wrap_is_no_seam_though_the_plain_ratio_says_so():
    height = brick_height(256, PIXEL_M, courses=16, offset=(1, 0))
    report = seam_report(height, "height")
    assert report.seam_ratio > 3.0
    assert passes(report, "height")


@pytest.mark.parametrize("kind", ["normal", "height"])
@pytest.mark.parametrize("row", [0, 100, 224])
def test_partial_seams_show_in_their_window_only(kind, row):
    values = _maps("noise")[kind].copy()
    values[row : row + 32, :128] = rolled(values, 0, 90)[row : row + 32, :128]
    report = seam_report(values, kind)
    assert "seam_local" in exceeded(report, kind)
    clean = seam_report(_maps("noise")[kind], kind)
    assert report.seam_local > 2.0 * clean.seam_local


def test_the_rest_of_an_edge_that_no_whole_window_covers_is_seen_too():
    values = noise_height(256)[:250].copy()
    before = seam_report(values[:, :], "height", window_px=8)
    values[243:, 0] += 5.0 * values.std()
    assert seam_report(values, "height").seam_local > 1.5 * before.seam_nb


def test_windows_grow_with_the_edge_so_that_fine_tiles_are_judged_as_coarse_ones():
    large = noise_height(512, seed=5)
    assert seam_report(large, "height") == seam_report(large, "height", window_px=32)
    assert seam_report(large, "height") != seam_report(large, "height", window_px=16)
    for size_px in (128, 256):
        small = large[:size_px, :size_px]
        assert seam_report(small, "height") == seam_report(small, "height", window_px=16)
    # Each axis has the windows of its own edge: that of the seam is 512 px long here.
    strip = large[:, :64]
    longer = seam_report(strip, "height", window_px=32)
    assert seam_report(strip, "height").seam_local == longer.seam_local


def test_a_bent_gradient_is_a_kink_where_values_match():
    x = np.linspace(-1.0, 1.0, 128, endpoint=False) + 1.0 / 128
    texture = 0.002 * noise_height(128) / noise_height(128).std()
    smooth = texture + np.cos(np.pi * x)
    bent = texture + np.abs(x)
    kinks = [seam_report(values, "height").kink for values in (smooth, bent)]
    assert kinks[0] < 2.0 < 4.0 < kinks[1]


def test_different_light_on_both_sides_is_a_low_frequency_step():
    grain = blur(np.random.default_rng(4).standard_normal((256, 256)).astype(np.float32), 1.0)
    even = seam_report(grain, "height").low_frequency_step
    ramp = grain + np.linspace(0.0, 2.0 * grain.std(), 256, dtype=np.float32)
    assert even < 5.0
    assert seam_report(ramp, "height").low_frequency_step > 5.0


@pytest.mark.parametrize("kind", ["colour", "normal", "height", "scalar"])
def test_constant_maps_have_no_seam(kind):
    values = np.full((32, 32, 3), 0.25, np.float32)
    if kind == "normal":
        values[:] = (0.0, 0.6, 0.8)
    elif kind in ("height", "scalar"):
        values = values[..., 0]
    assert seam_report(values, kind) == SeamReport(0, 0, 0, 0, 0, 0)
    # Nor do constants that rounding has touched, whatever the unit.
    noisy = values * (1.0 + 1e-7 * np.random.default_rng(0).standard_normal(values.shape))
    assert passes(seam_report(noisy.astype(np.float32), kind), kind)
    stripes = np.tile(np.arange(32.0) % 2, (32, 1))  # every line the same, in one axis
    assert passes(seam_report(stripes, "scalar"), "scalar")


def test_units_and_offsets_do_not_matter():
    height = noise_height(128)[:120]
    found = seam_report(height, "height")
    scaled = seam_report(height.astype(np.float64) * 1000.0, "height")
    assert scaled.seam_nb == pytest.approx(found.seam_nb, rel=1e-3)
    assert scaled.low_frequency_step == pytest.approx(found.low_frequency_step, rel=1e-3)


def test_dtypes_agree():
    colour = _maps("noise")["colour"][:200]
    found = seam_report(colour, "colour")
    wide = seam_report(colour.astype(np.uint16) * 257, "colour")
    single = seam_report(colour.astype(np.float32) / 255.0, "colour")
    for report in (wide, single):
        assert report.seam_local == pytest.approx(found.seam_local, rel=1e-3)


def test_limits_are_those_that_were_calibrated():
    limits = {kind: (limit.seam_nb, limit.seam_local) for kind, limit in THRESHOLDS.items()}
    assert limits["colour"] == (2.4, 4.1)
    assert limits["normal"] == (1.5, 3.2)
    assert limits["height"] == (2.2, 4.0)
    assert limits["scalar"] == (2.2, 8.0)
    report = SeamReport(2.3, 4.0, 1.0, 0.5, 1.0, 1.0)
    assert passes(report, "colour") and exceeded(report, "height") == ["seam_nb"]
    assert passes(report, "height", slack=2.0)


def test_bad_maps_are_named():
    with pytest.raises(InputError, match="map: is 2x9 px, wanted 4 px or more"):
        seam_report(np.zeros((9, 2)), "height")
    with pytest.raises(InputError, match="map: normals have 1 channels, wanted 3"):
        seam_report(np.zeros((9, 9)), "normal")
    with pytest.raises(InputError, match="detail_px is 3"):
        seam_report(np.zeros((9, 9)), "height", detail_px=3)

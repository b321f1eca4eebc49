import numpy as np
import pytest

from benchmarks.metrics import (
    chamfer_distance,
    f_score,
    mask_iou,
    masked_psnr,
    psnr,
    summary,
    surface_samples,
    union_mask,
)


def square(size=32, low=8, high=24, value=200):
    picture = np.zeros((size, size, 4), dtype=np.uint8)
    picture[low:high, low:high] = [value, value, value, 255]
    return picture


def test_psnr_of_a_known_error():
    a = np.zeros((4, 4, 3))
    assert psnr(a, a + 0.1) == pytest.approx(20.0)
    assert psnr(a, a) == pytest.approx(-20 * np.log10(0.5 / 255))


def test_the_mask_takes_the_background_out_of_the_score():
    a, b = square(value=200), square(value=100)
    inside = masked_psnr(a, b)
    large_a = np.pad(a, ((100, 100), (100, 100), (0, 0)))
    large_b = np.pad(b, ((100, 100), (100, 100), (0, 0)))
    assert masked_psnr(large_a, large_b) == pytest.approx(inside)


def test_colour_of_transparent_pixels_does_not_count():
    a = square()
    b = a.copy()
    b[a[..., 3] == 0, :3] = 255
    assert masked_psnr(a, b) > 50.0


def test_union_mask_grows_by_a_disc():
    alpha = np.zeros((41, 41))
    alpha[20, 20] = 1.0
    grown = union_mask(alpha, alpha, 8)
    assert grown[20, 28] and not grown[20, 29] and not grown[27, 27]


def test_iou_of_half_overlapping_squares():
    a, b = np.zeros((4, 6)), np.zeros((4, 6))
    a[:, :4], b[:, 2:] = 1, 1
    assert mask_iou(a, b) == pytest.approx(1 / 3)
    assert mask_iou(a * 0, b * 0) == 1.0


def test_distances_of_shifted_planes():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.uniform(0, 1, (5000, 2)), np.zeros((5000, 1))], axis=1)
    b = a + np.array([0, 0, 0.03])
    assert chamfer_distance(a, b, size=2.0) == pytest.approx(0.015, rel=0.01)
    assert f_score(a, b, 0.02) == 0.0
    assert f_score(a, b, 0.05) == 1.0
    assert f_score(a, a[:2500], 1e-9) == pytest.approx(2 / 3)


def test_samples_follow_area():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 0, 0], [8, 0, 0], [5, 3, 0]])
    points = surface_samples(vertices, np.array([[0, 1, 2], [3, 4, 5]]), 1000)
    assert (points[:, 0] < 2).mean() == pytest.approx(0.1, abs=0.01)


def test_summary_takes_the_bad_end():
    assert summary(list(range(11))) == {"mean": 5.0, "p10": 1.0, "count": 11}

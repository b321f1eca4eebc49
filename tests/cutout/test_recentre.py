"""recentre against kiui's own, where kiui's defects do not matter, and where they do."""

from pathlib import Path

import numpy as np
import pytest

from assets3d.cutout import recentre
from assets3d.errors import InputError

PARITY = Path(__file__).parents[3] / "shared" / "parity" / "recenter.npz"


def _box(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def _near(found, wanted):
    """Whether two boxes agree to a pixel: kiui truncates lengths where we round."""
    return all(abs(a - b) <= 1 for a, b in zip(found, wanted, strict=True))


def _kiui(rgba, border=0.2):
    """kiui's result, with its exclusive crop undone by a mask that is one pixel larger."""
    kiui_op = pytest.importorskip("kiui.op")
    top, bottom, left, right = _box(rgba[..., 3] > 0)
    mask = np.zeros(rgba.shape[:2], bool)
    mask[top : bottom + 1, left : right + 1] = True
    return kiui_op.recenter(rgba, mask, border_ratio=border)


@pytest.mark.parametrize(
    ("height", "width", "box", "border"),
    [
        (100, 200, (5, 95, 10, 190), 0.2),
        (180, 120, (3, 170, 20, 100), 0.3),
        (150, 150, (0, 149, 40, 60), 0.25),
    ],
)
def test_same_as_kiui_within_one_level_when_shrinking(height, width, box, border):
    # Opaque rectangle: premultiplied and straight resizing agree, so all channels must.
    generator = np.random.default_rng(0)
    rgba = np.zeros((height, width, 4), np.uint8)
    top, bottom, left, right = box
    shape = (bottom - top, right - left, 3)
    rgba[top:bottom, left:right, :3] = generator.integers(0, 256, shape)
    rgba[top:bottom, left:right, 3] = 255
    wanted = _kiui(rgba, border).astype(int)
    found = recentre(rgba, max(height, width), border).astype(int)
    assert _near(_box(found[..., 3]), _box(wanted[..., 3]))
    if _box(found[..., 3]) == _box(wanted[..., 3]):
        assert np.abs(found - wanted).max() <= 1
    else:  # one row or column more: the same picture stretched by a pixel
        assert np.abs(found.mean((0, 1)) - wanted.mean((0, 1))).max() < 2.5


def test_soft_alpha_agrees_with_kiui():
    rows, columns = np.mgrid[0:120, 0:160]
    distance = np.hypot((rows - 60) / 55.0, (columns - 80) / 75.0)
    rgba = np.zeros((120, 160, 4), np.uint8)
    rgba[..., :3] = (200, 60, 90)  # one colour everywhere: no fringe in either
    rgba[..., 3] = np.round(255 * np.clip((1.0 - distance) * 20.0, 0, 1))
    wanted, found = _kiui(rgba).astype(int), recentre(rgba, 160, min_alpha=1).astype(int)
    assert np.abs(found[..., 3] - wanted[..., 3]).mean() < 1.5
    seen = found[..., 3] > 0
    assert np.abs(found[seen][:, :3] - [200, 60, 90]).max() <= 1


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
def test_same_as_golden_recenter():
    data = np.load(PARITY)
    image, wanted = data["image"].copy(), data["out"].astype(int)
    top, bottom, left, right = _box(data["mask"])
    # Without the row and column that the reference drops, both see the same crop.
    image[~data["mask"]] = 0
    image[bottom - 1 :] = 0
    image[:, right - 1 :] = 0
    if _box(image[..., 3] > 0) != (top, bottom - 1, left, right - 1):
        pytest.skip("the golden mask's box changes with its last row")
    found = recentre(image, wanted.shape[0], 0.2, min_alpha=1, enlarge="area").astype(int)
    assert _box(found[..., 3]) == _box(wanted[..., 3])
    assert np.abs(found - wanted).max() <= 1


def test_empty_mask_is_an_input_error():
    with pytest.raises(InputError, match="wholly transparent"):
        recentre(np.zeros((9, 9, 4), np.uint8), 32)


def test_one_pixel_is_an_object():
    rgba = np.zeros((9, 9, 4), np.uint8)
    rgba[8, 3] = (1, 2, 3, 255)
    found = recentre(rgba, 20)
    assert (found[2:18, 2:18] == (1, 2, 3, 255)).all()
    assert found[..., 3].sum() == 16 * 16 * 255


def test_last_row_and_column_are_kept():
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[10:26, 10:26] = (255, 255, 255, 255)
    rgba[25, 10:26] = (255, 0, 0, 255)
    rgba[10:26, 25] = (0, 0, 255, 255)
    found = recentre(rgba, 20)  # 16 px of object: nothing is resampled
    assert np.array_equal(found[2:18, 2:18], rgba[10:26, 10:26])


@pytest.mark.parametrize("size_px", [64, 128, 257])
@pytest.mark.parametrize("shape", [(50, 30), (7, 90), (1, 40), (300, 200)])
def test_long_side_and_centre(shape, size_px):
    rgba = np.zeros((320, 320, 4), np.uint8)
    rgba[4 : 4 + shape[0], 9 : 9 + shape[1]] = 255
    found = recentre(rgba, size_px)
    top, bottom, left, right = _box(found[..., 3] > 127)
    assert max(bottom - top, right - left) == int(size_px * 0.8)
    assert abs((top + bottom) - size_px) <= 1
    assert abs((left + right) - size_px) <= 1


def test_edges_are_not_darkened():
    rgba = np.zeros((300, 300, 4), np.uint8)
    rows, columns = np.mgrid[0:300, 0:300]
    rgba[np.hypot(rows - 150, columns - 150) < 120] = (250, 240, 10, 255)
    found = recentre(rgba, 96)
    assert np.abs(found[found[..., 3] > 8][:, :3].astype(int) - [250, 240, 10]).max() <= 1


def test_a_faint_speck_does_not_set_the_scale():
    rgba = np.zeros((100, 100, 4), np.uint8)
    rgba[40:60, 40:60] = 255
    rgba[0, 0] = (255, 255, 255, 3)
    assert (recentre(rgba, 50)[5:45, 5:45, 3] == 255).all()

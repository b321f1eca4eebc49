"""Contact sheets and animations."""

import numpy as np
import pytest
from PIL import Image

from assets3d.images.animation import write_webp
from assets3d.images.sheet import contact_sheet


def test_sheet_holds_every_picture_at_its_place():
    pictures = [np.full((10, 20, 3), value, np.uint8) for value in (10, 20, 30, 40, 50)]
    sheet = contact_sheet(pictures, 3, gap_px=4)
    assert sheet.shape == (2 * 14 + 4, 3 * 24 + 4, 3)
    for index, value in enumerate((10, 20, 30, 40, 50)):
        top, left = 4 + index // 3 * 14, 4 + index % 3 * 24
        assert (sheet[top : top + 10, left : left + 20] == value).all()
    assert (sheet[:4] == sheet[0, 0]).all()


def test_alpha_lies_on_the_background_and_sizes_may_differ():
    clear = np.zeros((6, 6, 4), np.uint8)
    sheet = contact_sheet([clear, np.full((10, 12, 3), 9, np.uint8)], 8, background=(1, 0, 0))
    assert (sheet[8:18, 8:20] == (255, 0, 0)).all()
    assert sheet.shape == (26, 48, 3)


def test_labels_need_room_and_change_pixels():
    pictures = [np.full((40, 60, 3), 200, np.uint8)] * 2
    plain = contact_sheet(pictures, 2)
    labelled = contact_sheet(pictures, 2, ["front", "a label much too long for so small a picture"])
    assert labelled.shape[0] > plain.shape[0]
    assert labelled[plain.shape[0] - 8 :].min() < 120
    with pytest.raises(ValueError, match="1 labels for 2"):
        contact_sheet(pictures, 2, ["front"])


def test_webp_animation(tmp_path):
    frames = np.zeros((3, 16, 24, 4), np.uint8)
    frames[..., 0] = 250
    for index in range(3):
        frames[index, 4 * index : 4 * index + 4, :, 3] = 255
        frames[index, 4 * index, :, 3] = 128
    write_webp(frames, tmp_path / "a.webp", fps=8)
    write_webp(frames, tmp_path / "b.webp", fps=8)
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
    with Image.open(tmp_path / "a.webp") as picture:
        assert (picture.n_frames, picture.size) == (3, (24, 16))
        picture.load()
        assert picture.info["duration"] == 125
        assert picture.info["loop"] == 0
        assert picture.mode == "RGBA"

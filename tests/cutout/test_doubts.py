"""What makes a cut-out doubtful."""

import numpy as np

from assets3d.cutout.doubts import doubts, is_hazy, is_sure


def cut(*boxes):
    rgba = np.zeros((100, 120, 4), np.uint8)
    for top, bottom, left, right in boxes:
        rgba[top:bottom, left:right] = 255
    return rgba


def test_one_whole_object_leaves_no_doubt():
    assert doubts(cut((20, 80, 30, 90))) == []


def test_scraps_are_counted_and_specks_are_not():
    (line,) = doubts(cut((10, 60, 5, 40), (10, 60, 50, 80), (70, 90, 20, 60), (95, 97, 3, 5)))
    assert "in 3 separate pieces" in line


def test_nearly_nothing_and_what_the_edge_cuts():
    assert "tiny: 20 px" in doubts(cut((50, 54, 60, 65)))[0]
    assert "cut off" in doubts(cut((0, 50, 30, 90)))[0]


def test_an_answer_between_yes_and_no_is_hazy():
    answer = np.zeros((50, 50), np.float32)
    answer[10:40, 10:40] = 0.95
    assert is_sure(answer)
    assert not is_hazy(answer)
    answer[10:32, 10:40] = 0.5
    assert is_hazy(answer)
    assert not is_sure(np.full((50, 50), 0.6, np.float32))

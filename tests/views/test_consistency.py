"""Views of one object agree in height and width; others are told from them."""

import numpy as np
import pytest

from assets3d.cameras import four_views
from assets3d.views.consistency import PLAUSIBLE, contradiction
from tests.splats.solids import ball, box, cylinder, render_solid


@pytest.mark.parametrize(
    "solid", [ball(0.45), cylinder(0.3, 0.4), box(0.3, 0.4, 0.3), box(0.3, 0.4, 0.08)]
)
def test_true_views_do_not_contradict_each_other(solid):
    assert contradiction(render_solid(solid, four_views(96)).rgba) < PLAUSIBLE


def test_a_narrower_back_and_unequal_sides_are_noticed():
    def views(*sizes):
        rgba = np.zeros((4, 100, 100, 4), np.uint8)
        for view, (width, height) in zip(rgba, sizes, strict=True):
            view[10 : 10 + height, 10 : 10 + width] = 255
        return rgba

    assert contradiction(views((60, 70), (50, 70), (60, 70), (50, 70))) == 0.0
    assert contradiction(views((60, 70), (50, 80), (60, 70), (50, 70))) == pytest.approx(0.125)
    assert contradiction(views((60, 70), (50, 70), (45, 70), (50, 70))) == pytest.approx(0.25)
    assert contradiction(views((60, 70), (50, 70), (60, 70), (25, 70))) == pytest.approx(0.5)


def test_an_empty_view_is_the_worst_of_all():
    assert contradiction(np.zeros((4, 8, 8, 4), np.uint8)) == float("inf")

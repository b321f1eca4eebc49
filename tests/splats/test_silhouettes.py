import numpy as np

from assets3d.cameras import four_views
from assets3d.splats.silhouettes import signed_distance_px, without_haze
from assets3d.views.posed import Views
from tests.splats.solids import ball, render_solid


def views_of(*alphas):
    rgba = np.full((len(alphas), 32, 32, 4), 90, dtype=np.uint8)
    rgba[..., 3] = np.stack(alphas)
    return Views(rgba, four_views(32)[: len(alphas)])


def test_haze_becomes_what_it_is_nearer_to():
    alpha = np.zeros((32, 32), dtype=np.uint8)
    alpha[8:24, 4:16] = 150
    alpha[8:24, 16:28] = 100
    found = without_haze(views_of(alpha)).rgba[0]
    assert (found[10:22, 6:14, 3] == 255).all()
    assert (found[10:22, 18:26, 3] == 0).all()
    assert ((found[..., 3] >= 128) == (alpha >= 128)).all()  # the outline stays
    assert (found[..., :3] == 90).all()


def test_clean_outlines_keep_every_soft_pixel():
    views = render_solid(ball(0.5), four_views(48), supersample=4)
    assert ((views.rgba[..., 3] > 0) & (views.rgba[..., 3] < 255)).any()
    np.testing.assert_array_equal(without_haze(views).rgba, views.rgba)


def test_views_without_an_outline_stay_as_they_are():
    views = views_of(np.full((32, 32), 200), np.full((32, 32), 60))
    np.testing.assert_array_equal(without_haze(views).rgba, views.rgba)


def test_signed_distance_counts_from_the_outline():
    alpha = np.zeros((20, 20), dtype=np.float32)
    alpha[:, :10] = 1.0
    distance = signed_distance_px(alpha)[10]
    np.testing.assert_allclose(distance, 9.5 - np.arange(20), atol=0.26)

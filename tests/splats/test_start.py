import numpy as np

from assets3d.cameras import four_views, orbit_cameras
from assets3d.splats.carve import carve
from assets3d.splats.preview import render_rgba
from assets3d.splats.start import INSET, start_on_hull
from tests.splats.solids import ball, box, render_solid

BESIDE = orbit_cameras(np.array([45.0, 135.0]), np.array([10.0, 10.0]), 128)


def areas(solid):
    """Drawn outline from beside the views, and the true one, in pixels."""
    views = render_solid(solid, four_views(128))
    found, _, _ = start_on_hull(carve(views), views, 12_000, seed=0)
    drawn = render_rgba(found, BESIDE)[0][..., 3] > 0.5
    true = render_solid(solid, BESIDE).rgba[..., 3] > 127
    return drawn.sum(), true.sum()


def test_discs_on_a_ball_look_as_large_as_the_ball():
    drawn, true = areas(ball(0.5))
    assert abs(drawn / true - 1.0) < 0.03


def test_centres_lie_inside_but_not_beyond_the_middle_of_a_thin_board():
    thin = 0.012
    views = render_solid(box(0.4, 0.4, thin), four_views(256))
    found, _, spacing = start_on_hull(carve(views), views, 3_000, seed=0)
    assert INSET * spacing > thin  # full insets would come out on the other side
    flat = np.abs(found.position[:, :2]).max(axis=1) < 0.3
    assert np.abs(found.position[flat, 2]).max() < 2.0 * thin
    front = found.position[flat & (found.position[:, 2] > 0.0)]
    assert len(front) > 200

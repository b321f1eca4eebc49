"""Colours tell boxes from round things where outlines do not."""

import dataclasses

import numpy as np
import pytest

from assets3d.cameras import four_views, orbit_cameras
from assets3d.props import render_prop, sample_prop
from assets3d.splats import carve as carving
from assets3d.splats.photo_consistency import photo_consistency
from assets3d.splats.rounding import round_or_box
from assets3d.splats.rounding_choice import best_rounding
from assets3d.views.posed import Views
from tests.splats.solids import ball, box, cylinder, render_solid

ROUND, BOX = (round_or_box(kind, (True, True))[0] for kind in (False, True))


def on_guess(views, guess):
    return photo_consistency(views, carving._box_of(views).carved(48, guess))


def chosen(views):
    box_of = carving._box_of(views)
    return best_rounding(views, box_of.silhouettes, box_of.coarse, box_of.centre, box_of.half)


def one_colour(views):
    rgba = views.rgba.copy()
    rgba[..., :3] = 140
    return dataclasses.replace(views, rgba=rgba)


@pytest.mark.parametrize(
    ("solid", "right", "wrong"),
    [(cylinder(0.4, 0.5), ROUND, BOX), (box(0.4, 0.4, 0.4), BOX, ROUND)],
)
def test_colours_agree_on_the_true_surface_and_not_on_another(solid, right, wrong):
    views = render_solid(solid, four_views(128))
    found, other = on_guess(views, right), on_guess(views, wrong)
    assert other.difference > 0.05
    # A cube's sides face one camera each: nothing is shared, so nothing disagrees.
    assert found is None or found.difference < 0.5 * other.difference


def test_on_a_ball_a_point_looks_alike_from_two_sides_and_its_neighbours_do_not():
    found = on_guess(render_solid(ball(0.45), four_views(128)), ROUND)
    assert found.difference < 0.3 * found.by_chance


def test_views_that_share_no_surface_say_nothing():
    views = render_solid(ball(0.45), orbit_cameras(np.array([0.0, 180.0]), 0.0, 96))
    hull = carving._box_of(render_solid(ball(0.45), four_views(96))).carved(48, ROUND)
    assert photo_consistency(views, hull) is None


def test_a_thing_of_one_colour_is_left_to_its_outlines():
    square = one_colour(render_solid(box(0.35, 0.3, 0.4), four_views(96)))
    assert chosen(square).exponent == BOX.exponent
    upright = one_colour(render_solid(ball(0.45), four_views(96)))
    assert chosen(upright).turned is not None or chosen(upright).exponent == ROUND.exponent


@pytest.mark.parametrize(
    ("family", "boxes"), [("car", range(3, 7)), ("hammer", range(3, 7)), ("bush", range(1))]
)
def test_what_outlines_get_wrong_colours_put_right(family, boxes):
    """Cars and hammers are square below curved outlines; a bush has leaves of all colours."""
    cameras = four_views(256)
    found = [
        chosen(Views(render_prop(sample_prop(family, seed), cameras).rgba, cameras))
        for seed in range(800_000, 800_006)
    ]
    count = sum(guess.turned is None and guess.exponent == BOX.exponent for guess in found)
    assert count in boxes

"""Laws of the repainting modes, whatever the model draws: edges fit, the rest stays bit by bit."""

import numpy as np
import pytest

from assets3d.textures.seamless import canvas, masks, roll
from assets3d.textures.seamless.settings import SeamlessSettings, geometry_of, workflow_exact
from assets3d.textures.seams import passes, seam_report
from tests.textures.seamless.stand_ins import OtherMaterial, cropped_picture

MODES = {"roll": roll.repaired, "canvas": canvas.repaired}


def _seams(size_px):
    """Return how far each pixel lies from the nearer edge, in each axis, in px: (S, 1), (1, S)."""
    centres = np.arange(size_px) + 0.5
    distance = np.minimum(centres, size_px - centres)
    return distance[:, None], distance[None, :]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size_px", [64, 72, 128, 256])
def test_far_from_the_edges_nothing_changes(mode, size_px):
    tile = cropped_picture(size_px, 0)
    settings = SeamlessSettings(mode=mode)
    geometry = geometry_of(settings, size_px)
    found = MODES[mode](tile, geometry, settings, OtherMaterial())
    down, across = _seams(size_px)
    kept = (down >= geometry.half_width_px) & (across >= geometry.half_width_px)
    assert found.shape == tile.shape
    assert found.dtype == np.uint8
    assert np.array_equal(found[kept], tile[kept])
    assert (found[~kept] != tile[~kept]).mean() > 0.6


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ramp", ["linear", "smooth"])
@pytest.mark.parametrize("seed", range(4))
def test_edges_fit_even_where_the_model_draws_something_else(mode, ramp, seed):
    settings = SeamlessSettings(mode=mode, ramp=ramp)
    tile = cropped_picture(256, seed)
    assert not passes(seam_report(tile, "colour"), "colour")
    found = MODES[mode](tile, geometry_of(settings, 256), settings, OtherMaterial(50 + seed))
    for offset in (0, 37, 101):
        report = seam_report(np.roll(found, (offset, 2 * offset), axis=(0, 1)), "colour")
        assert passes(report, "colour", slack=1.3 if offset else 1.0)


@pytest.mark.parametrize(("half_width", "ramp"), [(4, 0), (4, 2), (8, 7), (12, 5), (14, 13)])
def test_two_rolls_reach_every_seam_and_touch_no_border(half_width, ramp):
    size = 128
    settings = SeamlessSettings(half_width_px=half_width, ramp_px=ramp, ramp="linear")
    geometry = geometry_of(settings, size)
    cross = masks.cross_without_ends(geometry, "linear")
    ends = np.roll(masks.ends(geometry, "linear"), 32, axis=(0, 1))
    for mask in (cross, ends):
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert not border.any()
    both = np.maximum(cross, np.roll(ends, -32, axis=(0, 1)))
    seam = [size // 2 - 1, size // 2]
    assert (both[seam] == 255).all()
    assert (both[:, seam] == 255).all()


def test_each_repaint_sees_the_seam_inside():
    painter = OtherMaterial()
    settings = SeamlessSettings()
    roll.repaired(cropped_picture(128, 0), geometry_of(settings, 128), settings, painter)
    assert [turn for _, _, turn, _ in painter.calls] == [0, 1]
    assert not any(soft for *_, soft in painter.calls)


def test_the_canvas_holds_the_tile_a_period_apart():
    tile = cropped_picture(128, 0)
    geometry = geometry_of(SeamlessSettings(mode="canvas"), 128)
    whole = canvas.four_copies(tile, geometry)
    assert whole.shape == (160, 160, 3)
    assert np.array_equal(whole, np.tile(tile, (2, 2, 1))[:160, :160])
    odd = canvas.four_copies(tile, geometry_of(workflow_exact(128), 128))
    assert odd.shape == (156, 156, 3)
    assert np.array_equal(odd[:128, :128], tile)
    assert np.array_equal(odd[128:, 10], tile[4:32, 10])


def test_the_graphs_own_overlays_leave_a_piece_of_seam_that_one_after_the_other_do_not():
    """Facts 1.5: wide crosses fade where the strips still show the unrepaired seam."""
    local = {}
    for overlay in ("three", "x-then-y"):
        settings = SeamlessSettings("canvas", half_width_px=24, ramp_px=12, overlay=overlay)
        geometry = geometry_of(settings, 256)
        numbers = []
        for seed in range(6):
            tile = cropped_picture(256, seed)
            found = canvas.repaired(tile, geometry, settings, OtherMaterial(60 + seed))
            numbers.append(seam_report(found, "colour", window_px=8).seam_local)
        local[overlay] = np.mean(numbers)
    assert local["x-then-y"] < local["three"]


def test_workflow_exact_keeps_the_size_and_draws_with_a_soft_mask_in_whole_cells():
    painter = OtherMaterial()
    settings = workflow_exact(256)
    found = canvas.repaired(cropped_picture(256, 0), geometry_of(settings, 256), settings, painter)
    assert found.shape == (256, 256, 3)
    ((picture, mask, _, soft),) = painter.calls
    assert soft
    assert picture.shape[:2] == mask.shape == (312, 312)  # 316 cut to cells of 8

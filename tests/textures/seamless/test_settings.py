"""Settings: every length has a default that fits, and what does not fit is one clear line."""

import pytest

from assets3d.errors import InputError
from assets3d.textures.seamless.settings import (
    SeamlessSettings,
    geometry_of,
    workflow_exact,
)


@pytest.mark.parametrize("mode", ["roll", "canvas"])
@pytest.mark.parametrize("size_px", [64, 72, 128, 256, 512, 768, 1024])
def test_defaults_fit_every_working_size(mode, size_px):
    geometry = geometry_of(SeamlessSettings(mode=mode), size_px)
    assert geometry.period_px == size_px
    assert 0 < geometry.ramp_px <= geometry.half_width_px


def test_defaults_are_those_of_the_facts_at_1024_px():
    geometry = geometry_of(SeamlessSettings(mode="canvas"), 1024)
    found = (geometry.period_px, geometry.canvas_px, geometry.half_width_px, geometry.ramp_px)
    assert found == (1024, 1280, 64, 32)


def test_the_graphs_own_numbers():
    settings = workflow_exact()
    geometry = geometry_of(settings, 1024)
    assert (geometry.period_px, geometry.canvas_px) == (1020, 1276)
    assert (settings.overlay, settings.paste_back) == ("three", False)


def test_the_graphs_take_half_widths_up_to_112_px():
    for width in (48, 112):
        geometry_of(
            SeamlessSettings(
                "canvas", half_width_px=width, canvas_px=1276, period_px=1020, overlay="three"
            ),
            1024,
        )
    with pytest.raises(InputError, match="half_width_px: found 114, wanted 4 to 112"):
        geometry_of(
            SeamlessSettings(
                "canvas", half_width_px=114, canvas_px=1276, period_px=1020, overlay="three"
            ),
            1024,
        )


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"mode": "quilt"}, "mode: found 'quilt', wanted one of roll, canvas, circular, patch"),
        ({"ramp": "round"}, "ramp: found 'round'"),
        ({"overlay": "two"}, "overlay: found 'two', wanted one of x-then-y, three"),
        ({"axes": "z"}, "axes: found 'z', wanted one of both, x, y"),
        ({"denoise": 0}, "denoise: found 0, wanted more than 0, at most 1"),
        ({"denoise": True}, "denoise: found True"),
        ({"style": "rock"}, "style: found 'rock', wanted words with {prompt}"),
    ],
)
def test_wrong_settings_are_named(fields, line):
    with pytest.raises(InputError) as raised:
        SeamlessSettings(**fields)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "size_px", "line"),
    [
        ({}, 60, "size_px: found 60, wanted a multiple of 8 of at least 64"),
        ({}, 100, "size_px: found 100"),
        ({"half_width_px": 300}, 1024, "half_width_px: found 300, wanted 4 to 170"),
        ({"half_width_px": 3, "ramp_px": 1}, 128, "half_width_px: found 3, wanted 4 to"),
        ({"half_width_px": 16, "ramp_px": 17}, 256, "ramp_px: found 17, wanted less than"),
        ({"half_width_px": 1.5}, 256, "half_width_px: found 1.5, wanted whole pixels"),
        ({"mode": "canvas", "period_px": 1020}, 1024, "period_px: found 1020, wanted a multiple"),
        ({"mode": "canvas", "period_px": 2048}, 1024, "period_px: found 2048"),
        ({"mode": "canvas", "canvas_px": 1030}, 1024, "canvas_px: found 1030, wanted a multiple"),
        ({"mode": "canvas", "canvas_px": 4096}, 1024, "canvas_px: found 4096"),
        (
            {"mode": "canvas", "half_width_px": 120},
            1024,
            "half_width_px: found 120, wanted 4 to 113",
        ),
    ],
)
def test_wrong_lengths_are_named(fields, size_px, line):
    with pytest.raises(InputError) as raised:
        geometry_of(SeamlessSettings(**fields), size_px)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)

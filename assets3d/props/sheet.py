"""A contact sheet of families, so that people can look at the prop world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from assets3d.cameras import orbit_cameras
from assets3d.props.catalogue import FAMILIES, sample_prop
from assets3d.props.render import render_prop

_LABEL_PX = 14


def contact_sheet(
    families: Sequence[str] | None, seeds: Sequence[int], size_px: int
) -> Image.Image:
    """Return a sheet: a row per family; per seed the front and a three-quarter view, on white."""
    names = list(families or FAMILIES)
    cameras = orbit_cameras([0.0, 35.0], [0.0, 20.0], size_px)
    width, height = 2 * size_px * len(seeds), (size_px + _LABEL_PX) * len(names)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, name in enumerate(names):
        top = row * (size_px + _LABEL_PX)
        for column, seed in enumerate(seeds):
            prop = sample_prop(name, seed)
            pair = np.concatenate(list(render_prop(prop, cameras).rgba), axis=1)
            picture = Image.fromarray(pair, "RGBA")
            left = 2 * size_px * column
            sheet.paste(picture, (left, top + _LABEL_PX), picture)
            draw.text((left + 3, top + 1), prop.caption, fill=(60, 60, 60))
    return sheet


def overview(families: Sequence[str], size_px: int, columns: int) -> Image.Image:
    """Return a sheet of one prop of each family, a three-quarter view on white over its name."""
    rows = -(-len(families) // columns)
    width, height = columns * size_px, rows * (size_px + _LABEL_PX)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    camera = orbit_cameras([30.0], [20.0], size_px)
    for place, name in enumerate(families):
        row, column = divmod(place, columns)
        left, top = column * size_px, row * (size_px + _LABEL_PX)
        picture = Image.fromarray(
            np.asarray(render_prop(sample_prop(name, 3), camera).rgba)[0], "RGBA"
        )
        sheet.paste(picture, (left, top), picture)
        label = FAMILIES[name].nouns[0]
        draw.text((left + (size_px - draw.textlength(label)) // 2, top + size_px), label, "#444")
    return sheet

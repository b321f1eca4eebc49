"""Contact sheets of families, so that people can look at the material world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from assets3d.textures.world.captions import plain_caption
from assets3d.textures.world.catalogue import sample_material
from assets3d.textures.world.picture import Light, lit, lit_picture

_LABEL_PX = 14
_COLUMNS = 3


def contact_sheet(
    family: str, seeds: Sequence[int], size_px: int, *, repeats: int = 3, show_px: int | None = None
) -> Image.Image:
    """Return a sheet of lit pictures of one family, each tiled `repeats` times both ways.

    `show_px` is the side of each tiling on the sheet; without it nothing is scaled down.
    """
    side = show_px or repeats * size_px
    rows = -(-len(seeds) // _COLUMNS)
    columns = min(_COLUMNS, len(seeds))
    sheet = Image.new("RGB", (columns * side, rows * (side + _LABEL_PX)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, seed in enumerate(seeds):
        row, column = divmod(number, _COLUMNS)
        tile = lit_picture(sample_material(family, seed, size_px), seed)
        tiled = Image.fromarray(np.tile(tile, (repeats, repeats, 1)))
        if tiled.width != side:
            tiled = tiled.resize((side, side), Image.Resampling.LANCZOS)
        left, top = column * side, row * (side + _LABEL_PX)
        sheet.paste(tiled, (left, top + _LABEL_PX))
        label = f"{family} {seed}: {plain_caption(family, seed)}"
        draw.text((left + 3, top + 1), label, fill=(60, 60, 60))
    return sheet


def close_look(family: str, seed: int, size_px: int) -> Image.Image:
    """Return one tile side by side: base colour, lit, height as grey."""
    material = sample_material(family, seed, size_px)
    height = material.height_m - material.height_m.min()
    grey = np.repeat((height / max(height.max(), 1e-9))[..., None], 3, axis=2)
    colour = (material.base_colour * 255 + 0.5).astype(np.uint8)
    views = [colour, lit(material, Light()), (grey * 255 + 0.5).astype(np.uint8)]
    return Image.fromarray(np.concatenate(views, axis=1))

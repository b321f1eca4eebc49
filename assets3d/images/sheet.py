"""Contact sheets: many pictures in one, for the gallery and for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assets3d.images.picture import on_background

#: Background between and behind the pictures, float sRGB.
NEUTRAL = (0.86, 0.86, 0.86)


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]],
    columns: int,
    labels: Sequence[str] | None = None,
    *,
    gap_px: int = 8,
    background: Sequence[float] = NEUTRAL,
) -> NDArray[np.uint8]:
    """Lay pictures out in a grid, row by row; return uint8 (H, W, 3).

    Args:
        pictures: uint8 (H, W, 3|4) each, sizes may differ: each is centred in its cell.
        columns: pictures per row; fewer pictures give a narrower sheet.
        labels: one short line per picture, written under it.
        gap_px: gap between the cells and round the sheet.
        background: float sRGB 0..1; pictures with alpha lie on it.
    """
    if not len(pictures) or columns < 1:
        raise ValueError(f"contact_sheet: {len(pictures)} pictures in {columns} columns")
    if labels is not None and len(labels) != len(pictures):
        raise ValueError(f"contact_sheet: {len(labels)} labels for {len(pictures)} pictures")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    cell_height = max(p.shape[0] for p in pictures)
    cell_width = max(p.shape[1] for p in pictures)
    label_px = max(12, min(20, cell_width // 14)) if labels else 0
    step_y = cell_height + gap_px + (label_px + gap_px // 2 if labels else 0)
    step_x = cell_width + gap_px
    colour = np.round(255.0 * np.asarray(background)).astype(np.uint8)
    sheet = np.tile(colour, (rows * step_y + gap_px, columns * step_x + gap_px, 1))
    for index, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        top = gap_px + index // columns * step_y + (cell_height - height) // 2
        left = gap_px + index % columns * step_x + (cell_width - width) // 2
        sheet[top : top + height, left : left + width] = on_background(picture, background)
    if labels is None:
        return sheet
    corners = [
        (gap_px + i % columns * step_x, gap_px + i // columns * step_y + cell_height + gap_px // 4)
        for i in range(len(labels))
    ]
    return _written(sheet, labels, corners, label_px, cell_width)


def _written(
    sheet: NDArray[np.uint8],
    labels: Sequence[str],
    corners: Sequence[tuple[int, int]],
    label_px: int,
    width_px: int,
) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(sheet)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=label_px)
    for label, corner in zip(labels, corners, strict=True):
        text = label
        while len(text) > 1 and draw.textlength(text, font=font) > width_px:
            text = text[:-2] + "…"
        draw.text(corner, text, fill=(40, 40, 40), font=font)
    return np.array(image)

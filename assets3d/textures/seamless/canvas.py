"""The procedure of the saved ComfyUI graphs: a second copy of the tile lies beyond the seams.

The tile is pasted four times onto a canvas, the seams between the copies are repainted as a cross,
and the strips beyond the seams are carried to the opposite edges, where they fade into what is
there. A strip's first column follows the period's last one in one drawing, so opposite edges fit.

The graphs take all strips from the same drawing, so that where one fades out another's unrepaired
seam shows. `x-then-y` carries the second strip from the result of the first, which is exact.
Importing this module imports no torch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.images.inpaint import laid_over
from assets3d.images.picture import resize_premultiplied
from assets3d.textures.seamless import masks
from assets3d.textures.seamless.masks import Mask
from assets3d.textures.seamless.repaint import Picture, Repaint
from assets3d.textures.seamless.settings import CELL_PX, Geometry, SeamlessSettings
from assets3d.textures.torus import resized


def repaired(
    tile: Picture, geometry: Geometry, settings: SeamlessSettings, repaint: Repaint
) -> Picture:
    """Return a tile whose opposite edges fit.

    Args:
        tile: uint8 (S, S, 3).
        geometry: lengths for S, from `geometry_of`.
        settings: overlay, shape of the ramp, whether only the cross is taken from the drawing.
        repaint: what draws, `Painter` or a stand-in.

    Returns:
        uint8 (S, S, 3). With `paste_back` and a period of S, farther from the edges than the
        half-width the very bytes of `tile`.
    """
    canvas = _in_whole_cells(four_copies(tile, geometry))
    mask = _enlarged(_cross(geometry, settings), len(canvas))
    # Where nothing is pasted back, the soft mask must already act while the model draws.
    drawn = repaint(canvas, mask, soft=not settings.paste_back)
    if settings.paste_back:
        drawn = laid_over(canvas, drawn, mask)
    carry = _carried_from_one if settings.overlay == "three" else _carried_one_by_one
    period = geometry.period_px
    result = carry(drawn, geometry, settings)[:period, :period]
    if settings.overlay == "three":
        return resize_premultiplied(result, geometry.size_px)  # as the graphs do
    return resized(result, geometry.size_px)


def four_copies(tile: Picture, geometry: Geometry) -> Picture:
    """Return the canvas (C, C, 3): copies a period apart, the one at the origin on top."""
    length, period = geometry.canvas_px, geometry.period_px
    canvas = np.zeros((length, length, 3), np.uint8)
    for top, left in ((period, 0), (0, period), (period, period), (0, 0)):
        part = tile[: length - top, : length - left]
        canvas[top : top + len(part), left : left + part.shape[1]] = part
    return canvas


def _in_whole_cells(canvas: Picture) -> Picture:
    """Cut the canvas to whole cells of the latent grid, as much on either side."""
    length = len(canvas) // CELL_PX * CELL_PX
    first = (len(canvas) - length) // 2
    return canvas[first : first + length, first : first + length]


def _cross(geometry: Geometry, settings: SeamlessSettings) -> Mask:
    return masks.cross(
        geometry.canvas_px,
        geometry.size_px,
        geometry.half_width_px,
        geometry.ramp_px,
        settings.ramp,
    )


def _carried_one_by_one(drawn: Picture, geometry: Geometry, settings: SeamlessSettings) -> Picture:
    """Carry the strip beyond the vertical seam to the left, then that beyond the other up."""
    period, scale = geometry.period_px, geometry.canvas_px / geometry.size_px
    beyond = geometry.canvas_px - np.arange(period, geometry.canvas_px) - 0.5
    half_width, ramp = (round(scale * w) for w in (geometry.half_width_px, geometry.ramp_px))
    near = masks.faded(beyond, half_width, ramp, settings.ramp)
    opaque = np.round(255.0 * (1.0 - near)).astype(np.uint8)
    result = drawn.copy()
    for turned in (result.swapaxes(0, 1), result):  # rows are strips of the first's columns
        strip = turned[period:]
        share = np.broadcast_to(opaque[:, None], strip.shape[:2])
        turned[: len(strip)] = laid_over(turned[: len(strip)], strip, share)
    return result


def _carried_from_one(drawn: Picture, geometry: Geometry, settings: SeamlessSettings) -> Picture:
    """Carry the strips left, up and both, each from the same drawing, as the graphs do."""
    period = geometry.period_px
    scaled = round(geometry.canvas_px * geometry.canvas_px / geometry.size_px)
    near = _enlarged(_cross(geometry, settings), scaled)[: geometry.canvas_px, : geometry.canvas_px]
    opaque = 255 - _enlarged(near, len(drawn))
    result = drawn.copy()
    for top, left in ((0, period), (period, 0), (period, period)):
        strip = drawn[top:, left:]
        height, width = strip.shape[:2]
        result[:height, :width] = laid_over(result[:height, :width], strip, opaque[top:, left:])
    return result


def _enlarged(mask: NDArray[np.uint8], length_px: int) -> Mask:
    """Return a mask at another size, bilinear."""
    return resize_premultiplied(mask[..., None].repeat(3, axis=2), length_px)[..., 0]

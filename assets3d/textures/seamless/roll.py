"""The default way: roll the seams into the middle of the picture, repaint them there, roll back.

Rolled by half its side, a tile's own border is material from its middle, which is continuous, and
its four edges meet in a cross. Only under the cross is anything repainted, so the rolled picture's
border, and with it the tile, stays continuous by construction. The arms of the cross would meet
that border, where the model would draw either end without knowing of the other. So the cross fades
out before it, and what is left of the seams, two patches, is repainted in a second roll in which
both lie inside: two repaints reach every seam of the torus, and no model needs to know of it.

Importing this module imports no torch.
"""

from __future__ import annotations

import numpy as np

from assets3d.images.inpaint import laid_over
from assets3d.textures.seamless import masks
from assets3d.textures.seamless.repaint import Picture, Repaint
from assets3d.textures.seamless.settings import Geometry, SeamlessSettings


def repaired(
    tile: Picture, geometry: Geometry, settings: SeamlessSettings, repaint: Repaint
) -> Picture:
    """Return a tile whose opposite edges fit.

    Args:
        tile: uint8 (S, S, 3).
        geometry: lengths for S, from `geometry_of`.
        settings: shape of the ramp.
        repaint: what draws, `Painter` or a stand-in.

    Returns:
        uint8 (S, S, 3); farther from the edges than the half-width, and near the middles of the
        edges that and twice the ramp, the very bytes of `tile`.
    """
    half, quarter = masks.rolled_by(geometry.size_px), geometry.size_px // 32 * 8
    cross = masks.cross_without_ends(geometry, settings.ramp)
    ends = masks.ends(geometry, settings.ramp)
    rolled = np.roll(tile, (half, half), axis=(0, 1))
    rolled = laid_over(rolled, repaint(rolled, cross, turn=0), cross)
    rolled, ends = (np.roll(each, (quarter, quarter), axis=(0, 1)) for each in (rolled, ends))
    rolled = laid_over(rolled, repaint(rolled, ends, turn=1), ends)
    return np.roll(rolled, (-half - quarter, -half - quarter), axis=(0, 1))

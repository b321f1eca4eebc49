"""How well splats show what the views that they were made from show.

Splats are of one solid object. Views that contradict each other (a handle that comes and goes, a
side that is too wide) cannot all be shown by one, so what is drawn from the splats differs from
what was imagined: the difference says how far the views agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.splats.gaussians import Gaussians
from assets3d.splats.preview import render_rgba
from assets3d.views.posed import Views

#: Alpha from which a pixel counts as the object.
_INSIDE = 0.5


@dataclass(frozen=True)
class Agreement:
    """Splats, drawn again from where their views were seen; everything 0..1, 1 is perfect.

    Attributes:
        front_iou: the front's outline: intersection over union with the first view's.
        outlines: the same of the other views, their mean.
        colours: 1 - the root of the mean squared difference of colour and alpha, over what either
            picture calls object, mean of the other views.
    """

    front_iou: float
    outlines: float
    colours: float

    @property
    def consistency(self) -> float:
        """How far the views beside the front agree with one object."""
        return self.outlines * self.colours


def agreement(gaussians: Gaussians, views: Views, threads: int | None = None) -> Agreement:
    """Draw splats from the cameras of their views and compare.

    Args:
        gaussians: the splats.
        views: what they were made from, the front first.
        threads: of the rasteriser.
    """
    drawn, _ = render_rgba(gaussians, views.cameras, threads)
    wanted = _premultiplied(views.rgba)
    outlines = [_iou(a, b) for a, b in zip(drawn, wanted, strict=True)]
    colours = [_likeness(a, b) for a, b in zip(drawn, wanted, strict=True)]
    beside = slice(1, None) if len(outlines) > 1 else slice(0, 1)
    return Agreement(outlines[0], float(np.mean(outlines[beside])), float(np.mean(colours[beside])))


def _premultiplied(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = rgba.astype(np.float32) / 255.0
    values[..., :3] *= values[..., 3:]
    return values


def _iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return how far two outlines agree; two empty pictures do not show an object."""
    inside, other = a[..., 3] >= _INSIDE, b[..., 3] >= _INSIDE
    return float((inside & other).sum() / max((inside | other).sum(), 1))


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return 1 - RMS difference of premultiplied pictures where either shows the object."""
    either = (a[..., 3] >= _INSIDE) | (b[..., 3] >= _INSIDE)
    if not either.any():
        return 0.0
    difference = a[either] - b[either]
    return 1.0 - min(1.0, float(np.sqrt((difference**2).mean())))

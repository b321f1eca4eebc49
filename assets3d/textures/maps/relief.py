"""The Relief record: what a back end says of a picture, before its maps are made to agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Relief:
    """Maps of one square picture of S x S pixels, float32 (float16 where memory counts).

    A back end's slopes need not be those of any height; `assemble.material_of` takes care of it.

    Attributes:
        slope_x: (S, S) dh/dx, in metres per metre.
        slope_y: (S, S) dh/dy, y down.
        metric: whether the slopes' size means something; False where only their pattern does, as
            from relative depth or luminance.
        roughness: (S, S) 0..1, perceptual; None where the back end does not know.
        metallic: (S, S) 0..1, or None.
        base_colour: (S, S, 3) 0..1, sRGB-encoded, without light and shadow, or None.
    """

    slope_x: NDArray[np.floating]
    slope_y: NDArray[np.floating]
    metric: bool = True
    roughness: NDArray[np.floating] | None = None
    metallic: NDArray[np.floating] | None = None
    base_colour: NDArray[np.floating] | None = None


def completed(relief: Relief, surface: Relief) -> Relief:
    """Return the relief with the surface of another back end where it knows nothing itself."""
    names = ("roughness", "metallic", "base_colour")
    unknown = [name for name in names if getattr(relief, name) is None]
    return replace(relief, **{name: getattr(surface, name) for name in unknown})

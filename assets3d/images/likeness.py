"""Which pictures look alike: 63 bits of what is left when only a picture's coarse shape counts.

A picture, small and grey, is taken apart into waves; each bit says whether one of the slowest 63,
the constant aside, is stronger than half of them. Size, compression, brightness and contrast hardly
change the bits; a mirrored, turned or cut picture has others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Pictures whose bits differ in no more places are likely of one and the same thing. By chance two
#: pictures differ in 31.
ALIKE_BITS = 8

_SIDE_PX = 32
_WAVES = 8


def fingerprint(picture: NDArray[np.uint8]) -> int:
    """Return the 63 bits of a picture.

    Args:
        picture: (H, W, 3) or (H, W, 4), sRGB; what is transparent counts as white.
    """
    from PIL import Image
    from scipy.fft import dctn

    shown: NDArray[np.float64] = picture[..., :3].astype(np.float64)
    if picture.shape[-1] == 4:
        alpha = picture[..., 3:].astype(np.float64) / 255
        shown = shown * alpha + 255 * (1 - alpha)
    grey = Image.fromarray(shown.mean(-1).astype(np.uint8))
    small = np.asarray(grey.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX), np.float64)
    waves = dctn(small, norm="ortho")[:_WAVES, :_WAVES].ravel()[1:]
    # Waves that rounding alone makes are none: every plain picture has the same bits.
    waves = np.where(np.abs(waves) < 1.0, 0.0, waves)
    return sum(1 << place for place, stronger in enumerate(waves > np.median(waves)) if stronger)


def bits_apart(first: int, second: int) -> int:
    """Return in how many places two fingerprints differ, 0 to 63."""
    return (first ^ second).bit_count()

"""Pictures and painters for tests of the seamless modes, without any model."""

import numpy as np

from assets3d.textures.torus import blur


def periodic_picture(size_px, seed):
    """Return smooth coloured noise (S, S, 3) that tiles."""
    noise = np.random.default_rng(seed).normal(size=(size_px, size_px, 3))
    smooth = blur(noise, 2.0)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def cropped_picture(size_px, seed, width_px=None):
    """Return the same cut out of a larger one: it does not tile."""
    whole = periodic_picture(2 * max(size_px, width_px or 0), seed)
    return np.ascontiguousarray(whole[:size_px, : width_px or size_px])


class OtherMaterial:
    """A painter that draws unrelated noise wherever it is let; the worst that a model can do.

    Attributes:
        calls: (picture, mask, turn, soft) of each repaint.
    """

    def __init__(self, seed=100):
        self.seed = seed
        self.calls = []

    def __call__(self, picture, mask, *, turn=0, soft=False):
        self.calls.append((picture, mask, turn, soft))
        height, width = mask.shape
        drawn = cropped_picture(height, self.seed + turn, width)
        return np.where(mask[..., None] > 0, drawn, picture)

"""Pictures and captions of materials as the image model learns them.

A picture is a whole tile's base colour under a little soft light from above, as diffusion
models draw textures: the maps step reads relief from that light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Captions of one tile: three of it, each plain, in the stage's style, and so with an article.
WORDINGS = 3


def render_picture(family: str, seed: int, size_px: int) -> NDArray[np.uint8]:
    """Return a tile (S, S, 3) under soft light from above, stronger for some seeds."""
    from assets3d.textures.world.catalogue import sample_material
    from assets3d.textures.world.picture import Light, lit

    rng = np.random.default_rng([seed, 1])
    light = Light(
        azimuth_deg=90.0,
        elevation_deg=60.0,
        strength=rng.uniform(0.25, 0.6),
        shadow=rng.uniform(0.0, 0.4),
        occlusion_power=rng.uniform(0.6, 1.1),
        gloss=0.15,
    )
    return lit(sample_material(family, seed, size_px), light)


def captions_of(family: str, seed: int) -> list[str]:
    """Return the captions of a tile: the fullest, one with words left out, a bare noun.

    Each stands there as it is, and twice as the texture step words a prompt.
    """
    from assets3d.textures.seamless.settings import STYLE
    from assets3d.textures.world.captions import plain_caption, varied_caption
    from assets3d.textures.world.catalogue import FAMILIES, sample_layers

    rng = np.random.default_rng([seed, 2])
    words, nouns = sample_layers(family, seed, 16).words, FAMILIES[family].nouns
    found = [
        plain_caption(family, seed),
        varied_caption(family, words, rng),
        nouns[int(rng.integers(len(nouns)))],
    ]
    assert len(found) == WORDINGS
    ways = ("{prompt}", STYLE, STYLE.replace("{prompt}", "a {prompt}"))
    return [way.replace("{prompt}", caption) for way in ways for caption in found]

"""How well the picture of an object follows its words, as far as that can be told.

What can be told without a network is colour: of an object asked for in red enough must be red.
Whether it is the thing that was asked for takes a classifier, which is one more judge: see
`assets3d.images.recognition`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

#: Looks at an object, uint8 (H, W, 4), and its words; answers 0..1, or None where it cannot tell.
Judge = Callable[[NDArray[np.uint8], str], float | None]

#: Word -> hue in degrees of CIELAB, for colours that have one; a hue may lie this far beside it.
_HUES_DEG = {
    "red": 35.0,
    "orange": 62.0,
    "yellow": 92.0,
    "green": 140.0,
    "teal": 195.0,
    "blue": 275.0,
    "purple": 315.0,
    "pink": 5.0,
    "brown": 62.0,
}
_BESIDE_DEG = 32.0
#: Word -> lowest and highest lightness in CIELAB, for what is a matter of light as well.
_LIGHTS = {
    "white": (70.0, 100.0),
    "grey": (22.0, 82.0),
    "black": (0.0, 32.0),
    "brown": (0.0, 62.0),
    "pink": (50.0, 100.0),
}
_SYNONYMS = {
    **{"gray": "grey", "golden": "yellow", "gold": "yellow", "silver": "grey", "crimson": "red"},
    **{"scarlet": "red", "violet": "purple", "magenta": "purple", "turquoise": "teal"},
    **{"cyan": "teal", "navy": "blue", "azure": "blue", "lime": "green", "emerald": "green"},
}
#: Less chroma has no hue that an eye would name.
_LEAST_CHROMA = 12.0
#: Handles, hoops and stems have their own colour: this share of the object in the asked one is all.
_ENOUGH_SHARE = 0.25
#: Alpha from which a pixel counts as the object.
_INSIDE = 128


def following(
    rgba: NDArray[np.uint8], prompt: str, judges: Sequence[Judge] | None = None
) -> float | None:
    """Return how well an object follows its words, 0..1, or None where nobody can tell.

    Args:
        rgba: the object, uint8 (H, W, 4), straight alpha.
        prompt: the words.
        judges: who is asked; the mean of those that can tell counts. `JUDGES` by default.
    """
    answers = [judge(rgba, prompt) for judge in (JUDGES if judges is None else judges)]
    told = [answer for answer in answers if answer is not None]
    return sum(told) / len(told) if told else None


def colours_asked(prompt: str) -> list[str]:
    """Return the colours that a prompt names, in its order, each once."""
    words = re.findall(r"[a-z]+", prompt.lower())
    named = [_SYNONYMS.get(word, word) for word in words]
    return list(dict.fromkeys(word for word in named if word in _HUES_DEG or word in _LIGHTS))


def colours_followed(rgba: NDArray[np.uint8], prompt: str) -> float | None:
    """Return how much of each asked colour the object has, the mean of them; None if none is asked.

    0: none of it; 1: as much as an object needs to be called by it, or more.
    """
    asked = colours_asked(prompt)
    if not asked:
        return None
    inside = rgba[..., 3] >= _INSIDE
    if not inside.any():
        return 0.0
    lab = _lab(rgba[..., :3][inside])
    shares = [float(_is(name, lab).mean()) for name in asked]
    return sum(min(1.0, share / _ENOUGH_SHARE) for share in shares) / len(shares)


#: Who says how well a picture follows its words, where nobody else is asked.
JUDGES: tuple[Judge, ...] = (colours_followed,)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return CIELAB (N, 3) of sRGB (N, 3): lightness 0..100, a, b."""
    import cv2

    values = (rgb.astype(np.float32) / 255.0)[None]
    return np.asarray(cv2.cvtColor(values, cv2.COLOR_RGB2LAB)[0], dtype=np.float32)


def _is(name: str, lab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say of which colours (N, 3) in CIELAB the name is right."""
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    low, high = _LIGHTS.get(name, (0.0, 100.0))
    lit = (lab[:, 0] >= low) & (lab[:, 0] <= high)
    if name not in _HUES_DEG:
        return lit & (chroma < _LEAST_CHROMA)
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    beside = np.abs((hue - _HUES_DEG[name] + 180.0) % 360.0 - 180.0)
    return lit & (chroma >= _LEAST_CHROMA) & (beside <= _BESIDE_DEG)

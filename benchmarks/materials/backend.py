"""The maps step's back end that is measured: the embedded network, else brightness alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.maps import luminance, small
from assets3d.textures.maps.relief import Relief

Predict = Callable[[NDArray[np.uint8]], Relief]

BACK_ENDS = ("small", "luminance")


def usual_backend() -> str:
    """Return `small` where its weights lie in this checkout."""
    return "small" if (small.EMBEDDED / "maps.safetensors").is_file() else "luminance"


def predictor(backend: str) -> Predict:
    """Return what reads the relief off a picture (S, S, 3).

    Raises:
        InputError: the network's weights are not there.
    """
    if backend == "luminance":
        return luminance.predict
    network = small.load_small()
    return lambda picture: small.predict(network, picture)

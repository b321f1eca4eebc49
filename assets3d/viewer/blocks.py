"""Arrays and pictures as text."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = 65535


def block(values: NDArray[Any]) -> str:
    """Return an array's bytes, little-endian, row after row, as base64."""
    ordered = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return base64.b64encode(ordered.tobytes()).decode("ascii")


def quantised(points: NDArray[np.floating]) -> dict[str, Any]:
    """Return (N, 3) points in 16 bits per coordinate: origin + data / 65535 * size."""
    low = points.min(axis=0).astype(np.float64)
    size = np.maximum(points.max(axis=0) - low, 1e-9)
    steps = np.round((points - low) / size * _STEPS).astype(np.uint16)
    return {"origin": low.tolist(), "size": size.tolist(), "data": block(steps)}


def picture_url(
    picture: NDArray[np.uint8], side_px: int, quality: int = 88, *, lossless: bool = False
) -> str:
    """Return a picture (H, W) or (H, W, 3), shrunk to `side_px` at most, as a WebP data URL."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    if max(image.size) > side_px:
        share = side_px / max(image.size)
        width, height = (max(1, round(side * share)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "WEBP", quality=quality, lossless=lossless, method=2)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")

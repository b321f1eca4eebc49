"""Short looping animations as WebP: turntables and spins that any browser shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_webp(
    frames: Sequence[NDArray[np.uint8]], path: str | Path, fps: float, *, quality: int = 80
) -> None:
    """Write frames (F, H, W, 3|4) as an endless animated WebP; the same frames give the same bytes.

    Args:
        frames: uint8, all of one size; alpha is kept.
        path: the file to write.
        fps: frames per second, at most 100.
        quality: WebP's lossy quality, 0..100.
    """
    from PIL import Image

    if not len(frames) or not 0.0 < fps <= 100.0:
        raise ValueError(f"write_webp: {len(frames)} frames at {fps} per second")
    if len({f.shape for f in frames}) > 1:
        raise ValueError("write_webp: frames of different sizes")
    first, *rest = (Image.fromarray(np.ascontiguousarray(f)) for f in frames)
    first.save(
        path,
        format="WEBP",
        save_all=True,
        append_images=rest,
        duration=round(1000.0 / fps),
        loop=0,
        quality=quality,
        method=4,
    )

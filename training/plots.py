"""A loss curve as a PNG, drawn with Pillow, and contact sheets."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw


def plot_log(log: Path, png: Path, width_px: int = 640, height_px: int = 320) -> None:
    """Draw the log's losses against minutes, the loss axis logarithmic."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    points = [(row["minutes"], row["loss"]) for row in lines if row.get("loss", 0.0) > 0.0]
    picture = Image.new("RGB", (width_px, height_px), "white")
    draw = ImageDraw.Draw(picture)
    if len(points) >= 2:
        low, high = min(p[1] for p in points), max(p[1] for p in points)
        span = max(1e-9, math.log(high / low)) if low > 0 else 1.0
        last = max(1e-9, points[-1][0])
        placed = [
            (
                50 + (width_px - 60) * minutes / last,
                10 + (height_px - 40) * (1.0 - math.log(loss / low) / span),
            )
            for minutes, loss in points
        ]
        draw.line(placed, fill="black", width=1)
        draw.text((2, 4), f"{high:.3g}", fill="black")
        draw.text((2, height_px - 42), f"{low:.3g}", fill="black")
        draw.text((width_px - 90, height_px - 18), f"{last:.1f} minutes", fill="black")
    draw.rectangle((50, 10, width_px - 10, height_px - 30), outline="grey")
    picture.save(png)


def contact_sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Tile (N, H, W, 3) pictures row by row; missing places stay white."""
    count, height, width = pictures.shape[:3]
    rows = -(-count // columns)
    padded = np.full((rows * columns, height, width, 3), 255, dtype=np.uint8)
    padded[:count] = pictures
    tiled = padded.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiled.reshape(rows * height, columns * width, 3))

"""How fast the gallery of many assets opens: its index page in a real browser, from a file.

python -m benchmarks.gallery [--assets 1000] [--out benchmarks/results/gallery.json]

Every card has a picture of its own, as exported props have; pictures are loaded when they come near
the window. Needs Chromium, as the tests of the gallery do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stages._page import page as index_page
from stages._report import AssetReport
from stages.gallery import write_gallery
from stages.specs import PropSpec
from tests.browser import Page, opened

OUT = Path(__file__).parent / "results/gallery.json"
TARGET_MS = 3000
_LOADS = 5
_BARS = tuple([name, 5, 10] for name in ("triangles", "texture_px", "materials", "file_bytes"))


def write_index(runs: Path, count: int) -> Path:
    """Write a gallery's index of `count` exported props with pictures of noise; return its path."""
    spec = PropSpec(prompt="a crate", seed=1)
    record: dict[str, Any] = {"files": {"thumbnail.png": {}}, "warnings": []}
    record |= {"numbers": {}, "models": {}}
    reports = []
    generator = np.random.default_rng(1)
    for number in range(count):
        folder = runs / f"export/crate_{number:04d}"
        folder.mkdir(parents=True)
        noise = generator.integers(0, 255, (16, 16, 3), np.uint8).repeat(16, 0).repeat(16, 1)
        Image.fromarray(noise).save(folder / "thumbnail.png")
        package = {"budget": {"name": "desktop", "bars": list(_BARS)}, "words": "prompt: a crate"}
        found = ({"export": folder}, {"export": record}, (), {}, package)
        reports.append(AssetReport(folder.name, spec, *found))
    write_gallery([], runs / "gallery")
    index = runs / "gallery/index.html"
    index.write_text(index_page(reports, runs / "gallery"), encoding="utf-8")
    return index


async def load_times_ms(page: Page, loads: int = _LOADS) -> list[float]:
    """Load the open page anew so many times; return until its load event, each in milliseconds."""
    navigation = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    found = []
    for _ in range(loads):
        await page.call("Page.reload")
        await page.wait_for(f"{navigation} > 0")
        found.append(float(await page.evaluate(navigation)))
    return found


def measure(count: int) -> dict[str, Any]:
    """Return how long the index of `count` assets takes to open."""

    async def run(index: Path) -> list[float]:
        async with opened("about:blank", (1000, 760)) as page:
            await page.call("Page.navigate", url=index.as_uri())
            await page.wait_for("location.href !== 'about:blank'")
            return await load_times_ms(page)

    with tempfile.TemporaryDirectory(prefix="assets3d-benchmark-") as folder:
        index = write_index(Path(folder), count)
        times = asyncio.run(run(index))
        return {
            "assets": count,
            "page_mib": round(index.stat().st_size / 2**20, 2),
            "first_ms": round(times[0]),
            "median_ms": round(float(np.median(times))),
            "target_ms": TARGET_MS,
            "load_before": os.getloadavg()[0],
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("--assets", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    text = json.dumps(measure(options.assets), indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""The page in a real browser: it draws, keys reach the animal, no error in the console."""

from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import numpy as np
import pytest
from aiohttp.test_utils import TestServer
from PIL import Image

from motion.control.controller import Controller
from motion.network import Network
from motion.play.server import make_app
from motion.weights import embedded_weights
from tests.browser import opened

pytestmark = pytest.mark.slow


def test_the_page_draws_and_obeys():
    network = Network(embedded_weights())

    async def drive() -> tuple[bytes, list[float], str, list[str]]:
        async with TestServer(make_app(lambda: Controller(network)), host="127.0.0.1") as server:
            async with opened(str(server.make_url("/"))) as page:
                await page.wait_for("scene && last")
                before = await page.evaluate("Array.from(last.subarray(3, 6))")
                await page.key("KeyW", down=True)
                await page.wait_for(f"Math.hypot(last[3] - {before[0]}, last[4] - {before[1]}) > 1")
                picture = await page.picture()
                await page.key("KeyW", down=False)
                await page.wait_for("last[0] === number")
                after = await page.evaluate("Array.from(last.subarray(3, 6))")
                # The line is written with the next frame drawn, so a slow machine shows it later.
                numbers = "document.getElementById('numbers').textContent"
                await page.wait_for(f"{numbers}.includes('command 2 of 2')")
                text = await page.evaluate(numbers)
                return (
                    picture,
                    [b - a for a, b in zip(before, after, strict=True)],
                    text,
                    page.errors,
                )

    picture, moved, text, errors = asyncio.run(drive())
    if folder := os.environ.get("PICTURES"):  # to be looked at
        (Path(folder) / "play.png").write_bytes(picture)
    assert errors == []
    assert moved[1] > 0.9  # ahead is +Z
    assert "command 2 of 2" in text
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    middle = pixels[150:500, 250:650]
    assert middle.std() > 12  # tiles and a body, not one colour
    assert (middle.sum(axis=2) < 300).mean() > 0.01  # the wolf's dark back

"""A real Chromium without a window, driven through its DevTools protocol; for tests of pages."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--mute-audio"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    "--remote-debugging-port=0",
)


def chromium() -> str:
    """Return the browser's path; without one, skip, and fail where nothing may be skipped."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    if os.environ.get("CI") == "true":
        pytest.fail("Chromium is not installed")
    pytest.skip("Chromium is not installed")


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.errors: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a DevTools method and return its result; collect errors of the page meanwhile."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=60)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def wait_for(self, expression: str, seconds: float = 60.0) -> None:
        """Wait until an expression is true in the page."""
        for _ in range(int(seconds / 0.1)):
            if await self.evaluate(expression):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {expression}; errors: {self.errors}")

    async def key(self, code: str, *, down: bool) -> None:
        """Press or release a key by its code, such as KeyW."""
        kind = "keyDown" if down else "keyUp"
        await self.call("Input.dispatchKeyEvent", type=kind, code=code, key=code[-1].lower())

    async def picture(self) -> bytes:
        """Return the page as PNG."""
        answer = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"]["exception"].get("description", "?"))
        if message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            # What the browser itself says: a file that is not found, a script that is blocked.
            place = params["entry"].get("url", "")
            if place.startswith("file:"):  # from a server it asks for an icon that nobody named
                self.errors.append(f"{params['entry']['text']} {place}")
        if message.get("method") == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(str([a.get("value") for a in params["args"]]))


@asynccontextmanager
async def opened(address: str, size: tuple[int, int] = (900, 600)) -> AsyncIterator[Page]:
    """Open an address and yield the page."""
    browser = chromium()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            browser,
            *_FLAGS,
            f"--user-data-dir={folder}",
            f"--window-size={size[0]},{size[1]}",
        ]
        process = subprocess.Popen(
            [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            async with aiohttp.ClientSession() as session:
                port = await _port(Path(folder) / "DevToolsActivePort")
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    targets = await answer.json()
                (target,) = [t for t in targets if t["type"] == "page"]
                url = target["webSocketDebuggerUrl"]
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    page = Page(socket)
                    for domain in ("Page", "Runtime", "Log"):
                        await page.call(f"{domain}.enable")
                    await page.call("Page.navigate", url=address)
                    await page.wait_for("document.readyState === 'complete'")
                    yield page
        finally:
            process.terminate()
            process.wait(timeout=20)


async def _port(path: Path) -> int:
    for _ in range(600):
        if path.is_file() and (text := path.read_text()):
            return int(text.splitlines()[0])
        await asyncio.sleep(0.1)
    raise AssertionError("Chromium did not start")

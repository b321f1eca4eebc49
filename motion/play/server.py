"""A page on loopback and the socket that it talks through; one simulation for each page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

from motion.control.controller import Controller
from motion.looks.proxy import proxy_for
from motion.play.live import STEPS_A_SECOND, Keys, Simulation
from motion.skeleton import QUADRUPED

HOST = "127.0.0.1"
_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".js": "text/javascript"}
#: A machine that falls this far behind stops trying to catch up.
_BEHIND_S = 0.25


def make_app(make_controller: Callable[[], Controller]) -> web.Application:
    """Return the web application.

    Args:
        make_controller: makes a fresh controller for each page that connects.
    """
    app = web.Application(middlewares=[_only_loopback])
    app.router.add_get("/", _file("index.html"))
    app.router.add_get("/view.js", _file("view.js"))
    app.router.add_get("/scene.js", _file("scene.js"))
    app.router.add_get("/live", _live(make_controller))
    return app


@web.middleware
async def _only_loopback(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse other host names: a page elsewhere could point its own at this machine."""
    name = request.host.rsplit(":", 1)[0]
    origin = request.headers.get("Origin")
    if name not in ("127.0.0.1", "localhost") or origin not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text="this page is for this machine only")
    return await handler(request)


def _file(name: str) -> Any:
    async def give(_: web.Request) -> web.Response:
        path = _PAGE / name
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix])

    return give


def _live(make_controller: Callable[[], Controller]) -> Any:
    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps(body_message()))
        simulation = Simulation(make_controller())
        running = asyncio.create_task(_simulate(socket, simulation))
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    try:
                        simulation.push(*_read(message.data))
                    except (ValueError, TypeError, KeyError) as error:
                        await socket.send_str(json.dumps({"error": str(error)}))
        finally:
            running.cancel()
        return socket

    return talk


def _read(text: str) -> tuple[int, Keys]:
    entry = json.loads(text)
    return int(entry["number"]), Keys(**entry["keys"])


async def _simulate(socket: web.WebSocketResponse, simulation: Simulation) -> None:
    due = time.perf_counter()
    while not socket.closed:
        try:
            await socket.send_bytes(simulation.step().packed())
        except ConnectionError:
            return
        due += 1.0 / STEPS_A_SECOND
        wait = due - time.perf_counter()
        if wait < -_BEHIND_S:
            due = time.perf_counter()
        await asyncio.sleep(max(0.0, wait))


def body_message() -> dict[str, Any]:
    """Return the proxy's mesh as lists, for a page to upload once."""
    skinned = proxy_for(QUADRUPED)
    mesh = skinned.mesh
    assert mesh.colours is not None
    assert mesh.normals is not None
    return {
        "vertices": np.round(mesh.vertices, 5).ravel().tolist(),
        "normals": np.round(mesh.normals, 3).ravel().tolist(),
        "colours": np.round(mesh.colours, 3).ravel().tolist(),
        "faces": mesh.faces.ravel().tolist(),
        "joints": skinned.joints.ravel().tolist(),
        "weights": np.round(skinned.weights, 4).ravel().tolist(),
        "stepsASecond": STEPS_A_SECOND,
    }

"""The poses of an animated GLB, frame by frame. glTF 2.0, sections 3.7.3 and 3.11."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.viewer.gltf_arrays import array

#: Between frames the viewer blends, so more are not seen.
FPS, MOST_FRAMES = 30.0, 3000

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Poses:
    """One animation.

    Attributes:
        name: its name.
        fps: frames per second, even steps from 0 to the end.
        seconds: how long it lasts, to a tenth of a millisecond: files hold 32-bit times.
        worlds: (F, N, 4, 4) transforms of every node.
        sections: what happens when: dicts with name, start_s, end_s.
    """

    name: str
    fps: float
    seconds: float
    worlds: Array
    sections: Sequence[dict[str, Any]] = ()


def poses_of(document: dict[str, Any], data: bytes) -> list[Poses]:
    """Return every animation of a document; without one, the rest pose as a single frame."""
    found = [_animated(document, data, entry) for entry in document.get("animations", [])]
    return found or [Poses("rest", FPS, 0.0, _worlds(document, 1, {}))]


def _animated(document: dict[str, Any], data: bytes, entry: dict[str, Any]) -> Poses:
    samplers = entry["samplers"]
    times = [array(document, data, sampler["input"]).astype(np.float64) for sampler in samplers]
    end = round(max(float(t[-1]) for t in times), 4)
    steps = int(np.floor(min(end * FPS, MOST_FRAMES - 1) + 1e-6))
    # A little slower than FPS where the end falls between two frames, or it would be cut off.
    fps, frames = (steps / end if steps else FPS), steps + 1
    at = np.arange(frames) / fps
    tracks = {}
    for channel in entry["channels"]:
        node, path = channel["target"].get("node"), channel["target"]["path"]
        if node is not None and path in ("translation", "rotation", "scale"):
            sampler = samplers[channel["sampler"]]
            values = array(document, data, sampler["output"]).astype(np.float64)
            mode = sampler.get("interpolation", "LINEAR")
            tracks[node, path] = sampled(times[channel["sampler"]], values, at, mode)
    extras = entry.get("extras") or {}
    sections = tuple(extras.get("sections", ()))
    return Poses(entry.get("name", "clip"), fps, end, _worlds(document, frames, tracks), sections)


def sampled(times: Array, values: Array, at: Array, mode: str) -> Array:
    """Return (F, K) values of a track at the times `at`; turns take the shorter way.

    Splines are taken at their keys and joined by straight lines.
    """
    if mode == "CUBICSPLINE":
        values = values[1::3]
    after = np.clip(np.searchsorted(times, at, side="right"), 1, max(len(times) - 1, 1))
    if len(times) == 1:
        return np.repeat(values[:1], len(at), axis=0)
    before = after - 1
    share = (at - times[before]) / np.maximum(times[after] - times[before], 1e-9)
    share = np.clip(share, 0.0, 1.0)[:, None]
    if mode == "STEP":
        share = np.floor(share)
    first, second = values[before], values[after]
    if values.shape[1] == 4:
        second = np.where((first * second).sum(axis=1, keepdims=True) < 0.0, -second, second)
    return first + share * (second - first)


def _worlds(document: dict[str, Any], frames: int, tracks: dict[tuple[int, str], Array]) -> Array:
    nodes = document["nodes"]
    worlds = np.zeros((frames, len(nodes), 4, 4))
    parents = {child: n for n, node in enumerate(nodes) for child in node.get("children", [])}
    waiting = [number for number in range(len(nodes)) if number not in parents]
    while waiting:
        number = waiting.pop()
        local = _local(nodes[number], number, frames, tracks)
        above = parents.get(number)
        worlds[:, number] = local if above is None else worlds[:, above] @ local
        waiting += nodes[number].get("children", [])
    return worlds


def _local(
    node: dict[str, Any], number: int, frames: int, tracks: dict[tuple[int, str], Array]
) -> Array:
    if "matrix" in node:
        return np.broadcast_to(np.array(node["matrix"], float).reshape(4, 4).T, (frames, 4, 4))
    rest = {"translation": (0.0, 0.0, 0.0), "rotation": (0.0, 0.0, 0.0, 1.0), "scale": (1.0,) * 3}
    move, turn, scale = (
        tracks.get((number, path), np.broadcast_to(node.get(path, given), (frames, len(given))))
        for path, given in rest.items()
    )
    local = np.zeros((frames, 4, 4))
    local[:, :3, :3] = _matrices(turn) * scale[:, None, :]
    local[:, :3, 3] = move
    local[:, 3, 3] = 1.0
    return local


def _matrices(quaternions: Array) -> Array:
    """Return (F, 3, 3) rotations of (F, 4) quaternions x, y, z, w of any length."""
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)

"""What an animation in a GLB moves: tracks of a clip in each mode, samplers and channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb_builder import GlbBuilder
from motion.clip import Clip, continuous
from motion.editing.ground import ground_track, relative_to_ground

Mode = Literal["root_motion", "in_place", "hips_only"]
MODES: tuple[Mode, ...] = ("root_motion", "in_place", "hips_only")
ROOT = "Root"


@dataclass(frozen=True)
class Tracks:
    """What an animation moves; arrays are float32, one row a frame.

    Attributes:
        root_places: (T, 3) of the node Root, or None where it stays at the origin.
        root_turns: (T, 4) x, y, z, w of the node Root, or None.
        hips_places: (T, 3) of joint 0, relative to Root.
        turns: (T, J, 4) x, y, z, w, relative to the parents (joint 0: to Root).
    """

    root_places: NDArray[np.float32] | None
    root_turns: NDArray[np.float32] | None
    hips_places: NDArray[np.float32]
    turns: NDArray[np.float32]


def tracks_of(clip: Clip, mode: Mode) -> Tracks:
    """Return what moves in each mode, in the nodes' own frames."""
    turns = clip.rotations_xyzw.copy()
    root_places = root_turns = None
    hips = clip.root_positions_m
    if mode != "hips_only":
        ground = ground_track(clip)
        hips, turns[:, 0] = relative_to_ground(clip, ground)
        turns[:, 0] = continuous(turns[:, 0])
        if mode == "root_motion":
            zero, half = np.zeros(len(clip)), ground[:, 2] / 2.0
            root_places = _single(np.column_stack([ground[:, 0], zero, ground[:, 1]]))
            root_turns = _single(np.column_stack([zero, np.sin(half), zero, np.cos(half)]))
    return Tracks(root_places, root_turns, _single(hips), _single(turns))


def appended(
    builder: GlbBuilder,
    tracks: Sequence[tuple[int, str, NDArray[np.float32]]],
    frames: int,
    fps: float,
    times: dict[tuple[int, float], int],
) -> dict[str, Any]:
    """Append tracks and return the samplers and channels of an animation.

    Args:
        builder: takes the tracks.
        tracks: node number, "translation" or "rotation", and values, one row a frame.
        frames: how many frames.
        fps: their rate.
        times: time accessors by (frames, fps), shared between animations; added to.
    """
    if (frames, fps) not in times:
        times[frames, fps] = builder.array((np.arange(frames) / fps).astype("<f4"), bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    for number, (node, path, values) in enumerate(tracks):
        output = builder.array(values.astype("<f4"))
        samplers.append({"input": times[frames, fps], "interpolation": "LINEAR", "output": output})
        channels.append({"sampler": number, "target": {"node": node, "path": path}})
    return {"samplers": samplers, "channels": channels}


def sections_extras(clip: Clip, mode: Mode) -> dict[str, Any]:
    """Return what glTF has no field for: frame rate, mode and the timeline of commands."""
    return {"fps": clip.fps, "frames": len(clip), "mode": mode, "sections": _timeline(clip)}


def _timeline(clip: Clip) -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "start_s": round(part.first / clip.fps, 6),
            "end_s": round(part.last / clip.fps, 6),
        }
        for part in clip.sections
    ]


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)

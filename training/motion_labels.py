"""Style labels of captured clips: from a sidecar CSV, or guessed from height, tilt and speed.

The sidecar of `dog.bvh` is `dog.csv` with the header `frames,style`. Each row labels frames `a` or
`a-b` (counted from 0, b included) with idle, move, jump, sit, stand (rearing) or lie; labels
change linearly over the frames between rows.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, median_filter

from assets3d.errors import InputError
from motion.clip import Clip, world_pose
from motion.features import FPS, IDLE, JUMP, LIE, MOVE, SIT, STAND, STYLES
from motion.skeleton import QUADRUPED
from training.motion_features import smooth_root

#: What decides, in metres, metres a second and radians of the line from hips to neck.
MOVING_MPS, LYING_SHARE, SITTING_RAD, REARING_RAD, JUMPING_SHARE = 0.2, 0.55, 0.3, 0.75, 1.18


def read_labels(path: Path, frames: int) -> NDArray[np.float64]:
    """Return (frames, 6) labels of a sidecar CSV; raises InputError naming file and row."""
    keyed: list[tuple[int, int, int]] = []
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != ["frames", "style"]:
            raise InputError(f"{path.name}: header {reader.fieldnames}, wanted frames,style")
        for number, row in enumerate(reader, start=2):
            keyed.append(_row(row, f"{path.name} line {number}", frames))
    if not keyed:
        raise InputError(f"{path.name}: no rows, wanted at least one label")
    keyed.sort()
    places = [frame for first, last, _ in keyed for frame in (first, last)]
    values = np.repeat(np.eye(6)[[style for _, _, style in keyed]], 2, axis=0)
    at = np.arange(frames)
    return np.stack([np.interp(at, places, values[:, k]) for k in range(6)], axis=1)


def _row(row: dict[str, str], where: str, frames: int) -> tuple[int, int, int]:
    style = (row["style"] or "").strip().lower()
    if style not in STYLES:
        raise InputError(f"{where}: style {style!r}, wanted one of {', '.join(STYLES)}")
    first, _, last = (row["frames"] or "").partition("-")
    try:
        begin = int(first)
        end = int(last) if last else begin
    except ValueError:
        raise InputError(f"{where}: frames {row['frames']!r}, wanted a or a-b") from None
    if not 0 <= begin <= end < frames:
        raise InputError(f"{where}: frames {begin}-{end}, wanted within 0-{frames - 1}")
    return begin, end, STYLES.index(style)


def guessed_labels(clip: Clip) -> NDArray[np.float64]:
    """Return (T, 6) labels guessed from height of the hips, pitch of the trunk and speed."""
    places, _ = world_pose(clip)
    root = smooth_root(places)
    speed = np.linalg.norm(np.gradient(root[:, :2], axis=0), axis=1) * FPS
    hips = places[:, 0, 1]
    trunk = places[:, QUADRUPED.index("Neck")] - places[:, 0]
    pitch = np.arctan2(trunk[:, 1], np.hypot(trunk[:, 0], trunk[:, 2]))
    standing = np.percentile(hips, 60)
    still = speed < MOVING_MPS
    style = np.where(still, IDLE, MOVE)
    style[still & (hips < 0.8 * standing) & (pitch > SITTING_RAD)] = SIT
    style[still & (hips < LYING_SHARE * standing) & (pitch <= SITTING_RAD)] = LIE
    style[(pitch > REARING_RAD) & (hips > 0.8 * standing)] = STAND
    style = median_filter(style, size=15)
    flying = (hips > JUMPING_SHARE * standing) & (speed > 0.5)
    style[maximum_filter1d(flying.astype(np.uint8), size=int(0.7 * FPS)) > 0] = JUMP
    soft = gaussian_filter1d(np.eye(6)[style], 0.1 * FPS, axis=0, mode="nearest")
    return np.asarray(soft / soft.sum(axis=1, keepdims=True))

"""BVH files: any rotation order and channel layout in, one plain layout out.

Right-handed, +Y up. The zero pose of a file is the clip's rest pose: a joint's rotations are
relative to it and its offsets are vectors of it. Position channels are absolute (importers
disagree on whether the root's OFFSET is added, so it is written as zero and never added).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from motion.clip import Clip, continuous
from motion.files.bvh_hierarchy import Hierarchy, read_hierarchy
from motion.skeleton import Skeleton

Unit = Literal["cm", "m"]
_METRES = {"cm": 0.01, "m": 1.0}
#: Joints below the root whose position channels move by less than this have a fixed offset.
_STILL_M = 1e-3
#: No skeleton has more metres of bones than this.
_LONGEST_M = 30.0
#: A frame rate this close to a whole number is one, written with few digits (0.0166667).
_WHOLE_FPS = 1e-4


def write_bvh(path: Path, clip: Clip, *, unit: Unit = "cm") -> None:
    """Write the clip: root with 6 channels, others Zrotation Xrotation Yrotation, end sites.

    Angles are degrees without jumps of a turn between frames. A leaf that is no site gets an end
    site of length zero, because many readers want every branch to end in one. Written whole under
    another name first, then renamed.
    """
    skeleton, scale = clip.skeleton, 1.0 / _METRES[unit]
    turning = ~skeleton.sites
    order = [joint for joint in _depth_first(skeleton) if turning[joint]]
    angles = euler_zxy_deg(clip.rotations_xyzw[:, order])
    columns = np.concatenate([clip.root_positions_m * scale, angles.reshape(len(clip), -1)], axis=1)
    form = " ".join(["%.6f"] * columns.shape[1])
    lines = ["HIERARCHY", *_branch(skeleton, 0, 0, scale), "MOTION", f"Frames: {len(clip)}"]
    lines.append(f"Frame Time: {1.0 / clip.fps:.8f}")
    lines += [form % tuple(row) for row in (columns + 0.0).tolist()]
    partial = path.with_name(path.name + ".part")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    partial.replace(path)


def euler_zxy_deg(rotations_xyzw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, J, 3) angles in degrees about Z, X, Y of (T, J, 4), smooth from frame to frame.

    (z, x, y) and (z + 180, 180 - x, y + 180) are the same rotation, so each step takes whichever of
    the two is nearer to the last frame, and each angle the nearest of its turns.
    """
    frames, joints = rotations_xyzw.shape[:2]
    with warnings.catch_warnings():  # at gimbal lock scipy fixes one angle, which is what we want
        warnings.simplefilter("ignore", UserWarning)
        angles = Rotation.from_quat(rotations_xyzw.reshape(-1, 4)).as_euler("ZXY", degrees=True)
    angles = angles.reshape(frames, joints, 3)
    other = np.array([180.0, 180.0, 180.0]) + angles * [1.0, -1.0, 1.0]
    same_step = np.abs(_wrapped(np.diff(angles, axis=0))).sum(axis=-1)
    cross_step = np.abs(_wrapped(other[1:] - angles[:-1])).sum(axis=-1)
    crossings = np.cumsum(cross_step < same_step, axis=0) % 2 == 1
    on_other = np.concatenate([np.zeros((1, joints), bool), crossings])
    return np.unwrap(np.where(on_other[..., None], other, angles), period=360.0, axis=0)


def read_bvh(path: Path, *, unit: Unit | Literal["auto"] = "auto", name: str | None = None) -> Clip:
    """Read a BVH file as a clip of its own skeleton, whatever that is.

    Args:
        path: the file.
        unit: what the file's lengths are in; BVH does not say. "auto" takes a skeleton whose bones
            add up to more than 30 for one in centimetres: animals and people have 2 to 10 m of
            bones.
        name: the clip's name, by default the file's name without its ending.

    Raises:
        InputError: naming the line that is cut, has a wrong count, or holds no finite number.
    """
    try:
        lines = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError(f"bvh: {path.name} cannot be read: {error.strerror}") from error
    hierarchy = read_hierarchy(lines, path.name)
    values, fps = _motion(lines, hierarchy, path.name)
    if unit == "auto":
        total = np.linalg.norm(hierarchy.offsets[1:], axis=1).sum()
        unit = "cm" if total > _LONGEST_M else "m"
    positions, offsets = _positions(values, hierarchy, _METRES[unit], path.name)
    skeleton = hierarchy.skeleton(_METRES[unit])
    skeleton = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.sites)
    return Clip(skeleton, positions, _rotations(values, hierarchy), fps, name or path.stem)


def _wrapped(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return (degrees + 180.0) % 360.0 - 180.0


def _children(skeleton: Skeleton, joint: int) -> list[int]:
    return [int(child) for child in np.flatnonzero(skeleton.parents == joint)]


def _depth_first(skeleton: Skeleton, joint: int = 0) -> list[int]:
    found = [joint]
    for child in _children(skeleton, joint):
        found += _depth_first(skeleton, child)
    return found


def _branch(skeleton: Skeleton, joint: int, depth: int, scale: float) -> list[str]:
    tabs = "\t" * depth
    offset = skeleton.offsets_m[joint] * scale if depth else np.zeros(3)
    inner = [f"{tabs}\tOFFSET " + " ".join(f"{value + 0.0:.6f}" for value in offset)]
    if skeleton.sites[joint]:
        return [f"{tabs}End Site", f"{tabs}{{", *inner, f"{tabs}}}"]
    places = "" if depth else "Xposition Yposition Zposition "
    count = 3 if depth else 6
    inner.append(f"{tabs}\tCHANNELS {count} {places}Zrotation Xrotation Yrotation")
    for child in _children(skeleton, joint):
        inner += _branch(skeleton, child, depth + 1, scale)
    if not _children(skeleton, joint):
        inner += [f"{tabs}\tEnd Site", f"{tabs}\t{{", f"{tabs}\t\tOFFSET 0 0 0", f"{tabs}\t}}"]
    kind = "JOINT" if depth else "ROOT"
    return [f"{tabs}{kind} {skeleton.names[joint]}", f"{tabs}{{", *inner, f"{tabs}}}"]


def _motion(
    lines: list[str], hierarchy: Hierarchy, source: str
) -> tuple[NDArray[np.float64], float]:
    """Return the (T, C) motion block and its frame rate."""
    numbered = [
        (number, line)
        for number, line in enumerate(lines[hierarchy.motion_line :], hierarchy.motion_line + 1)
        if line.strip()
    ]
    frames = int(_setting(numbered, 0, "Frames", source))
    frame_time_s = _setting(numbered, 1, "Frame Time", source)
    rows = numbered[2:]
    last = len(lines)
    if len(rows) != frames:
        raise InputError(
            f"bvh: {source} line {last}: found {len(rows)} frames, wanted the {frames} it announces"
        )
    fps = 1.0 / frame_time_s
    whole = round(fps)
    fps = float(whole) if whole and abs(fps / whole - 1.0) < _WHOLE_FPS else fps
    return _table(rows, len(hierarchy.channels), source), fps


def _setting(numbered: list[tuple[int, str]], place: int, key: str, source: str) -> float:
    number, line = numbered[place] if place < len(numbered) else (0, "the end of the file")
    head, _, tail = line.partition(":")
    try:
        value = float(tail) if head.strip().lower() == key.lower() else np.nan
    except ValueError:
        value = np.nan
    if not np.isfinite(value) or value <= 0:
        where = f"line {number}" if number else "after MOTION"
        raise InputError(f"bvh: {source} {where}: found {line.strip()!r}, wanted {key}: a number")
    return value


def _table(rows: list[tuple[int, str]], width: int, source: str) -> NDArray[np.float64]:
    flat: list[float] = []
    for number, line in rows:
        texts = line.split()
        if len(texts) != width:
            raise InputError(
                f"bvh: {source} line {number}: found {len(texts)} numbers, wanted {width}"
            )
        try:
            flat.extend(map(float, texts))
        except ValueError as error:
            raise InputError(
                f"bvh: {source} line {number}: found {str(error).split(': ')[-1]}, wanted a number"
            ) from None
    values = np.array(flat).reshape(len(rows), width)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"bvh: {source} line {rows[row][0]}: found {values[row, column]} in column "
            f"{column + 1}, wanted a finite number"
        )
    return values


def _rotations(values: NDArray[np.float64], hierarchy: Hierarchy) -> NDArray[np.float64]:
    rotations = np.zeros((len(values), len(hierarchy.names), 4))
    rotations[..., 3] = 1.0
    for joint in range(len(hierarchy.names)):
        turns = [
            (column, "XYZ"[channel.axis])
            for column, channel in enumerate(hierarchy.channels)
            if channel.joint == joint and channel.kind == "rotation"
        ]
        if turns:  # capitals are intrinsic: the file's Z X Y means Rz Rx Ry
            columns = [column for column, _ in turns]
            order = "".join(axis for _, axis in turns)
            angles = values[:, columns]
            rotations[:, joint] = Rotation.from_euler(order, angles, degrees=True).as_quat()
    return continuous(rotations)


def _positions(
    values: NDArray[np.float64], hierarchy: Hierarchy, metres: float, source: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the root's (T, 3) places and the (J, 3) offsets, metres."""
    offsets = hierarchy.offsets * metres
    places = np.repeat(offsets[:1], len(values), axis=0)
    for column, channel in enumerate(hierarchy.channels):
        if channel.kind != "position":
            continue
        track = values[:, column] * metres
        if channel.joint == 0:
            places[:, channel.axis] = track
            continue
        # Exporters that give every joint six channels repeat its offset, or write zeros.
        if np.ptp(track) > _STILL_M:
            raise InputError(
                f"bvh: {source}: joint {hierarchy.names[channel.joint]} moves by "
                f"{np.ptp(track):.3f} m against its parent, wanted bones of fixed length"
            )
        if abs(track.mean()) > _STILL_M:
            offsets[channel.joint, channel.axis] = track.mean()
    return places, offsets

"""Clips at another frame rate, and the parts of a clip as clips of their own."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline
from scipy.spatial.transform import Rotation

from assets3d.errors import InputError
from motion.clip import Clip, Section, continuous

#: A new frame this close to an old one is that one, so that 60 to 30 fps keeps every second frame.
_SAME_FRAME = 1e-6


def resample(clip: Clip, fps: float) -> Clip:
    """Return the clip with a pose exactly every 1 / fps seconds from its first.

    Rotations go the shortest way at constant speed (slerp), places along a Catmull-Rom curve
    through the old frames. What is left of the last old frame interval is cut off.

    Raises:
        InputError: when the rate is no positive number.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise InputError(f"fps: found {fps}, wanted a positive number")
    if fps == clip.fps:
        return clip
    frames = math.floor((len(clip) - 1) * fps / clip.fps + _SAME_FRAME) + 1
    moments = np.minimum(np.arange(frames) * clip.fps / fps, len(clip) - 1)
    moments = np.where(np.abs(moments - np.rint(moments)) < _SAME_FRAME, np.rint(moments), moments)
    ground = None
    if clip.ground is not None:
        unwound = np.column_stack([clip.ground[:, :2], np.unwrap(clip.ground[:, 2])])
        ground = _curve(unwound, moments)
    return Clip(
        clip.skeleton,
        _curve(clip.root_positions_m, moments),
        _slerped(clip.rotations_xyzw, moments),
        fps,
        clip.name,
        _moved_sections(clip, fps, frames),
        ground,
    )


def section_clips(clip: Clip) -> tuple[Clip, ...]:
    """Return each section as a clip of its own, at its own place in the world; one if none."""
    if not clip.sections:
        return (clip,)
    return tuple(
        Clip(
            clip.skeleton,
            clip.root_positions_m[part.first : part.last],
            clip.rotations_xyzw[part.first : part.last],
            clip.fps,
            part.name,
            (),
            None if clip.ground is None else clip.ground[part.first : part.last],
        )
        for part in clip.sections
        if part.last > part.first
    )


def _curve(values: NDArray[np.float64], moments: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(values) < 2:
        return values[np.zeros(len(moments), int)]
    slopes = np.gradient(values, axis=0)
    return np.asarray(CubicHermiteSpline(np.arange(len(values)), values, slopes)(moments))


def _slerped(rotations: NDArray[np.float64], moments: NDArray[np.float64]) -> NDArray[np.float64]:
    before = np.floor(moments).astype(int)
    after = np.minimum(before + 1, len(rotations) - 1)
    joints = rotations.shape[1]
    start = Rotation.from_quat(rotations[before].reshape(-1, 4))
    end = Rotation.from_quat(rotations[after].reshape(-1, 4))
    shares = np.repeat(moments - before, joints)
    steps = (start.inv() * end).as_rotvec() * shares[:, None]
    turned = (start * Rotation.from_rotvec(steps)).as_quat().reshape(-1, joints, 4)
    return continuous(turned)


def _moved_sections(clip: Clip, fps: float, frames: int) -> tuple[Section, ...]:
    def moved(frame: int) -> int:
        if frame >= len(clip):
            return frames
        return min(math.ceil(frame * fps / clip.fps - _SAME_FRAME), frames)

    return tuple(Section(part.name, moved(part.first), moved(part.last)) for part in clip.sections)

"""A mannequin around the 22-joint body: pale limbs, dark joints, mittens and a plain head.

Drawn in a T pose at 1.75 m, +X left; other sizes scale all of it, other names are met by number.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from motion.humanoid.body import HUMANOID
from motion.looks.proxy import Anchor, Part
from motion.skeleton import Skeleton

_PALE = ((0.88, 0.86, 0.82), (0.74, 0.72, 0.70))
_DARK = ((0.30, 0.34, 0.40), (0.22, 0.25, 0.30))

_MIDDLE: tuple[Part, ...] = (
    Part(
        "pelvis",
        ("left_hip", -1.5, 3, 0),
        ("right_hip", 1.5, 3, 0),
        (9.6, 9.6),
        _PALE,
        4,
        depth=0.95,
    ),
    Part("spine1", ("spine1", 0, -5, 1), ("spine2", 0, -3, 0), (9.2, 9.6), _DARK, 5, 1.2, 0.85),
    Part("spine2", ("spine2", 0, 1, 0), ("spine3", 0, 0, 0), (10.2, 11.2), _PALE, 4, 1.25, 0.82),
    Part("spine3", ("spine3", 0, 2, 0), ("neck", 0, -9, 0), (11.6, 10.2), _PALE, 5, 1.38, 0.86),
    Part("neck", ("neck", 0, -3, -0.5), ("head", 0, 1, 0), (5.0, 4.6), _DARK, 2.5),
    Part("head", ("head", 0, 5, 1.0), ("head", 0, 10.0, 1.4), (6.9, 7.8), _PALE, 3, 0.88, 1.05),
    Part("head", ("head", 0, 1.8, 4.0), ("head", 0, 5, 5.0), (3.6, 4.4), _PALE, 4, 0.95),
    Part("head", ("head", 0, 5.4, 8.6), ("head", 0, 6.8, 8.4), (1.4, 0.9), _PALE, 2.0),
)
_LEFT: tuple[Part, ...] = (
    Part("left_collar", ("left_collar", 3, 1, 0), ("left_shoulder", -2, 1, 0), (5, 5.4), _PALE, 5),
    Part(
        "left_shoulder",
        ("left_shoulder", 0.5, 0, 0),
        ("left_shoulder", 2, 0, 0),
        (5.5, 5.3),
        _DARK,
        1.5,
    ),
    Part(
        "left_shoulder",
        ("left_shoulder", 5.5, 0, 0),
        ("left_elbow", -4, 0, 0),
        (4.9, 4.1),
        _PALE,
        1.5,
    ),
    Part(
        "left_elbow", ("left_elbow", -0.5, 0, 0), ("left_elbow", 0.5, 0, 0), (3.8, 3.8), _DARK, 1.5
    ),
    Part("left_elbow", ("left_elbow", 4.5, 0, 0), ("left_wrist", -3, 0, 0), (4.0, 2.9), _PALE, 1.5),
    Part(
        "left_wrist", ("left_wrist", -0.5, 0, 0), ("left_wrist", 0.8, 0, 0), (2.5, 2.5), _DARK, 1.5
    ),
    Part(
        "left_wrist",
        ("left_wrist", 4.5, 0, 0),
        ("left_wrist", 8.5, -0.2, 0),
        (2.5, 2.5),
        _PALE,
        1.5,
        depth=1.6,
    ),
    Part(
        "left_wrist",
        ("left_wrist", 9, -0.2, 0),
        ("left_wrist", 15, -0.8, 0),
        (2.1, 1.5),
        _PALE,
        2.0,
        depth=1.7,
    ),
    Part(
        "left_wrist",
        ("left_wrist", 4, -0.6, 3.2),
        ("left_wrist", 8.5, -1.4, 6.0),
        (1.6, 1.2),
        _PALE,
        1.5,
    ),
    Part("left_hip", ("left_hip", 1.5, -2, 0), ("left_hip", 1, -8, 0), (8.2, 8.2), _DARK, 3.0),
    Part("left_hip", ("left_hip", 0.8, -12, 0), ("left_knee", 0, 7, 0), (8.2, 6.0), _PALE, 2.0),
    Part("left_knee", ("left_knee", 0, 1, 0), ("left_knee", 0, -1, 0), (5.3, 5.2), _DARK, 1.5),
    Part("left_knee", ("left_knee", 0, -7, -0.5), ("left_ankle", 0, 6, 0), (5.3, 3.6), _PALE, 1.5),
    Part(
        "left_knee", ("left_knee", 0, -9, -2.2), ("left_knee", 0, -17, -2.0), (4.6, 3.9), _PALE, 3.0
    ),
    Part(
        "left_ankle",
        ("left_ankle", 0, 0.8, 0),
        ("left_ankle", 0, -0.8, 0.3),
        (3.4, 3.4),
        _DARK,
        1.5,
    ),
    Part(
        "left_ankle",
        ("left_ankle", 0.2, -4.3, -3.6),
        ("left_foot", -0.6, 2.0, -1),
        (3.6, 3.6),
        _PALE,
        2.5,
    ),
    Part(
        "left_foot",
        ("left_foot", -0.2, 0.8, 0),
        ("left_foot", 0.2, 0.4, 6.0),
        (2.9, 2.3),
        _PALE,
        2.0,
        1.45,
    ),
)


def is_humanoid(skeleton: Skeleton) -> bool:
    """Return whether a skeleton is the 22-joint body by its names, or by its shape alone."""
    known = set(HUMANOID.names) <= set(skeleton.names)
    return known or np.array_equal(skeleton.parents, HUMANOID.parents)


def mannequin(skeleton: Skeleton) -> tuple[Part, ...]:
    """Return the parts of a mannequin for a 22-joint skeleton of any size and names."""
    own = np.linalg.norm(skeleton.offsets_m[1:], axis=1).sum()
    scale = float(own / np.linalg.norm(HUMANOID.offsets_m[1:], axis=1).sum())
    right = tuple(_mirrored(part) for part in _LEFT)
    return tuple(_fitted(part, skeleton, scale) for part in (*_MIDDLE, *_LEFT, *right))


def _mirrored(part: Part) -> Part:
    def other(anchor: Anchor) -> Anchor:
        name, x, y, z = anchor
        return name.replace("left", "right"), -x, y, z

    bone = part.bone.replace("left", "right")
    return replace(part, bone=bone, start=other(part.start), end=other(part.end))


def _fitted(part: Part, skeleton: Skeleton, scale: float) -> Part:
    def named(name: str) -> str:
        if name in skeleton.names:
            return name
        return skeleton.names[HUMANOID.index(name)]

    def anchor(given: Anchor) -> Anchor:
        name, x, y, z = given
        return named(name), x * scale, y * scale, z * scale

    return replace(
        part,
        bone=named(part.bone),
        start=anchor(part.start),
        end=anchor(part.end),
        radii_cm=(part.radii_cm[0] * scale, part.radii_cm[1] * scale),
        blend_cm=part.blend_cm * scale,
    )

"""What the proxies are made of: a wolf, a mannequin, and capsules for any other skeleton."""

from __future__ import annotations

import numpy as np

from motion.looks.mannequin import is_humanoid, mannequin
from motion.looks.proxy import Part
from motion.skeleton import QUADRUPED, Skeleton

_BACK, _SIDE, _CREAM = (0.30, 0.29, 0.31), (0.52, 0.48, 0.45), (0.83, 0.78, 0.71)
_TAN, _DARK, _BLACK = (0.60, 0.52, 0.45), (0.22, 0.21, 0.23), (0.06, 0.06, 0.07)
_MUZZLE, _AMBER = (0.58, 0.50, 0.43), (0.72, 0.46, 0.12)


def parts_for(skeleton: Skeleton) -> tuple[Part, ...]:
    """Return the parts that fit a skeleton's joint names."""
    if set(QUADRUPED.names) <= set(skeleton.names):
        return WOLF
    if is_humanoid(skeleton):
        return mannequin(skeleton)
    return plain(skeleton)


def _both(*parts: Part) -> tuple[Part, ...]:
    """Return the parts of the left side and, mirrored, of the right."""

    def other(name: str) -> str:
        return name.replace("Left", "Right")

    mirrored = []
    for part in parts:
        (a, ax, ay, az), (b, bx, by, bz) = part.start, part.end
        mirrored.append(
            Part(
                other(part.bone),
                (other(a), -ax, ay, az),
                (other(b), -bx, by, bz),
                part.radii_cm,
                part.colours,
                part.blend_cm,
                part.squash,
                part.depth,
                part.apart,
            )
        )
    return parts + tuple(mirrored)


WOLF: tuple[Part, ...] = (
    # trunk: rump, loin, ribs with a deep keel, withers
    Part("Hips", ("Hips", 0, -3.6, 5), ("Tail", 0, -4.6, 2), (7.2, 6.0), (_BACK, _SIDE), 3, 0.86),
    Part(
        "Spine",
        ("Spine", 0, -3.5, 3),
        ("Spine1", 0, -3.0, -1),
        (7.3, 8.0),
        (_BACK, _CREAM),
        4,
        0.84,
    ),
    Part(
        "Spine1",
        ("Spine1", 0, -4.5, 1),
        ("Neck", 0, -6.5, -7),
        (8.6, 10.2),
        (_BACK, _CREAM),
        4,
        0.80,
    ),
    Part("Spine1", ("Neck", 0, 0.2, -8), ("Neck", 0, -0.6, 0), (6.9, 7.0), (_BACK, _SIDE), 4, 0.9),
    # neck with a ruff
    Part(
        "Neck", ("Neck", 0, -1.5, 0), ("Head", 0, -1.5, -0.5), (7.6, 5.6), (_BACK, _SIDE), 4, 0.88
    ),
    Part(
        "Neck", ("Neck", 0, -7.5, 3), ("Head", 0, -7.0, -1.5), (6.6, 4.9), (_CREAM, _CREAM), 3, 0.9
    ),
    # head
    Part(
        "Head", ("Head", 0, 0.6, 1.5), ("Head", 0, 0.2, 5.0), (5.4, 4.7), (_BACK, _SIDE), 2.5, 1.08
    ),
    Part(
        "Head",
        ("Head", 0, -0.8, 6.5),
        ("HeadSite", 0, 0.4, -1.8),
        (3.5, 2.15),
        (_MUZZLE, _CREAM),
        2.2,
        0.95,
    ),
    Part(
        "Head",
        ("Head", 0, -3.4, 5.0),
        ("HeadSite", 0, -1.4, -4.0),
        (2.5, 1.5),
        (_CREAM, _CREAM),
        1.5,
        1.0,
    ),
    *_both(
        Part(
            "Head",
            ("Head", 3.4, -2.2, 3.2),
            ("Head", 2.6, -2.6, 6.2),
            (3.1, 2.2),
            (_CREAM, _CREAM),
            2,
        ),
        Part(
            "Head",
            ("Head", 3.0, 3.4, 0.8),
            ("Head", 4.5, 9.6, 0.2),
            (2.6, 0.6),
            (_DARK, _DARK),
            1.2,
            1.0,
            0.6,
        ),
        Part(
            "Head",
            ("Head", 2.5, 1.55, 8.3),
            ("Head", 2.5, 1.55, 8.3),
            (1.05, 1.05),
            (_BLACK, _AMBER),
            apart=True,
        ),
    ),
    Part(
        "Head",
        ("HeadSite", 0, 1.35, -0.1),
        ("HeadSite", 0, 1.35, -0.1),
        (1.35, 1.35),
        (_BLACK, _BLACK),
        squash=1.15,
        depth=0.8,
        apart=True,
    ),
    # fore legs
    *_both(
        Part(
            "LeftShoulder",
            ("LeftShoulder", 0.4, 2, 0),
            ("LeftArm", -1.2, 0.5, -1),
            (5.0, 4.8),
            (_BACK, _SIDE),
            3,
            0.8,
        ),
        Part(
            "LeftArm",
            ("LeftArm", -0.8, 0, -1),
            ("LeftForeArm", -0.6, 0.5, 0.6),
            (4.8, 3.0),
            (_SIDE, _TAN),
            2.5,
            0.85,
        ),
        Part(
            "LeftForeArm",
            ("LeftForeArm", -0.5, 0, 0.6),
            ("LeftHand", 0, 0, 0),
            (3.0, 1.9),
            (_TAN, _CREAM),
            1.5,
        ),
        Part(
            "LeftHand",
            ("LeftHand", 0, 0.5, 0),
            ("LeftHandSite", 0, 0.9, -1.6),
            (1.9, 2.2),
            (_CREAM, _CREAM),
            1.2,
        ),
        Part(
            "LeftHand",
            ("LeftHandSite", 0, 0.2, -1.4),
            ("LeftHandSite", 0, -0.1, 0.9),
            (2.15, 1.9),
            (_CREAM, _CREAM),
            1.4,
            1.2,
        ),
    ),
    # hind legs
    *_both(
        Part(
            "LeftUpLeg",
            ("LeftUpLeg", -0.6, 0.5, 1.5),
            ("LeftLeg", -0.2, 2.5, -1.8),
            (6.6, 4.2),
            (_SIDE, _SIDE),
            3,
            0.74,
        ),
        Part(
            "LeftLeg",
            ("LeftLeg", 0, 0.8, -0.8),
            ("LeftFoot", 0, 0.3, 0.2),
            (3.8, 1.9),
            (_TAN, _TAN),
            2.0,
            0.85,
        ),
        Part(
            "LeftFoot",
            ("LeftFoot", 0, 0, -0.2),
            ("LeftFootSite", 0, 1.2, 0),
            (1.9, 1.8),
            (_CREAM, _CREAM),
            1.2,
        ),
        Part(
            "LeftFoot",
            # A paw rolls by twenty degrees while it stands: nearly a ball round its joint.
            ("LeftFootSite", 0, 0.0, -0.1),
            ("LeftFootSite", 0, 0.1, 1.9),
            (2.1, 1.75),
            (_CREAM, _CREAM),
            1.4,
            1.2,
        ),
    ),
    # tail
    Part("Tail", ("Tail", 0, -1.0, 1), ("Tail1", 0, 0, 0), (2.6, 3.9), (_BACK, _SIDE), 2.5),
    Part("Tail1", ("Tail1", 0, 0, 0), ("Tail1Site", 0, 2.6, 3.6), (3.9, 3.0), (_SIDE, _CREAM), 2.5),
    Part(
        "Tail1",
        ("Tail1Site", 0, 2.6, 3.6),
        ("Tail1Site", 0, 0.0, 0.0),
        (3.0, 0.9),
        (_DARK, _DARK),
        1.5,
    ),
)


def plain(skeleton: Skeleton) -> tuple[Part, ...]:
    """Return one capsule for each bone, a sixth as thick as it is long."""
    parts = []
    for joint, parent in enumerate(skeleton.parents):
        length_cm = float(np.linalg.norm(skeleton.offsets_m[joint])) * 100
        if parent < 0 or length_cm < 0.5:
            continue
        radius = float(np.clip(length_cm / 6, 1.0, 7.0))
        bone = skeleton.names[parent]
        parts.append(
            Part(
                bone,
                (bone, 0, 0, 0),
                (skeleton.names[joint], 0, 0, 0),
                (radius, radius * 0.8),
                (_SIDE, _CREAM),
                1.5,
            )
        )
    return tuple(parts)

"""The 22-joint body that text-to-motion systems write (HumanML3D, the SMPL body without hands).

Its rest pose is a T: legs straight down, arms straight out, palms down, toes forward. Proportions
are those of a person of 1.75 m; a clip brings its own bone lengths (`motion.humanoid.joints`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from motion.clip import Clip
from motion.skeleton import Skeleton

#: name, parent, offset from the parent in metres (+X left, +Y up, +Z forward).
_JOINTS: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("pelvis", -1, (0.0, 0.0, 0.0)),
    ("left_hip", 0, (0.075, -0.085, 0.0)),
    ("right_hip", 0, (-0.075, -0.085, 0.0)),
    ("spine1", 0, (0.0, 0.115, -0.02)),
    ("left_knee", 1, (0.0, -0.40, 0.0)),
    ("right_knee", 2, (0.0, -0.40, 0.0)),
    ("spine2", 3, (0.0, 0.135, 0.01)),
    ("left_ankle", 4, (0.0, -0.41, 0.0)),
    ("right_ankle", 5, (0.0, -0.41, 0.0)),
    ("spine3", 6, (0.0, 0.06, 0.01)),
    ("left_foot", 7, (0.02, -0.06, 0.13)),
    ("right_foot", 8, (-0.02, -0.06, 0.13)),
    ("neck", 9, (0.0, 0.21, -0.02)),
    ("left_collar", 9, (0.08, 0.12, -0.01)),
    ("right_collar", 9, (-0.08, 0.12, -0.01)),
    ("head", 12, (0.0, 0.10, 0.03)),
    ("left_shoulder", 13, (0.10, 0.03, -0.01)),
    ("right_shoulder", 14, (-0.10, 0.03, -0.01)),
    ("left_elbow", 16, (0.26, 0.0, 0.0)),
    ("right_elbow", 17, (-0.26, 0.0, 0.0)),
    ("left_wrist", 18, (0.25, 0.0, 0.0)),
    ("right_wrist", 19, (-0.25, 0.0, 0.0)),
)

#: Height of the foot joints (the balls of the feet) over the ground when they carry the body.
FOOT_HEIGHT_M = 0.02
#: Hip, knee, ankle and foot of each leg; shoulder, elbow and wrist of each arm; left before right.
LEGS = ((1, 4, 7, 10), (2, 5, 8, 11))
ARMS = ((16, 18, 20), (17, 19, 21))
FEET = (10, 11)
PELVIS, SPINE, CHEST, NECK, HEAD = 0, (3, 6), 9, 12, 15
COLLARS = (13, 14)


def with_offsets(offsets_m: np.ndarray) -> Skeleton:
    """Return the 22 joints with other rest offsets (22, 3), standing on the ground y = 0."""
    skeleton = Skeleton(
        tuple(name for name, _, _ in _JOINTS),
        np.array([parent for _, parent, _ in _JOINTS], np.int32),
        np.array(offsets_m, np.float64),
        np.zeros(len(_JOINTS), bool),
    )
    skeleton.offsets_m[0] = 0.0
    lowest = skeleton.rest_positions_m[list(FEET), 1].min()
    skeleton.offsets_m[0, 1] = FOOT_HEIGHT_M - lowest
    return skeleton


#: The 22 joints at 1.75 m.
HUMANOID = with_offsets(np.array([offset for _, _, offset in _JOINTS]))


def _names(center: str, left: str, right: str) -> dict[str, str]:
    """Pair the joints' names with others, given for the middle, the left and the right side.

    Order of the middle: pelvis, spine1..3, neck, head; of a side: hip, knee, ankle, foot, collar,
    shoulder, elbow, wrist.
    """
    limbs = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
    middle = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
    pairs = dict(zip(middle, center.split(), strict=True))
    for side, names in (("left", left), ("right", right)):
        pairs |= {f"{side}_{limb}": n for limb, n in zip(limbs, names.split(), strict=True)}
    return {name: pairs[name] for name, _, _ in _JOINTS}


_MIXAMO_SIDE = "UpLeg Leg Foot ToeBase Shoulder Arm ForeArm Hand".split()
_UNITY_SIDE = "UpperLeg LowerLeg Foot Toes Shoulder UpperArm LowerArm Hand".split()
_UNREAL_SIDE = "thigh calf foot ball clavicle upperarm lowerarm hand".split()


def _prefixed(prefix: str, names: list[str]) -> str:
    return " ".join(prefix + name for name in names)


#: Our joint names to those of well-known rigs, for retargeting by name.
NAME_MAPS: Mapping[str, Mapping[str, str]] = {
    "mixamo": {
        joint: "mixamorig:" + name
        for joint, name in _names(
            "Hips Spine Spine1 Spine2 Neck Head",
            _prefixed("Left", _MIXAMO_SIDE),
            _prefixed("Right", _MIXAMO_SIDE),
        ).items()
    },
    "unity": _names(
        "Hips Spine Chest UpperChest Neck Head",
        _prefixed("Left", _UNITY_SIDE),
        _prefixed("Right", _UNITY_SIDE),
    ),
    "unreal": _names(
        "pelvis spine_01 spine_02 spine_03 neck_01 head",
        " ".join(name + "_l" for name in _UNREAL_SIDE),
        " ".join(name + "_r" for name in _UNREAL_SIDE),
    ),
}


def renamed(clip: Clip, rig: str) -> Clip:
    """Return the clip with the joint names of a rig in `NAME_MAPS`: mixamo, unity or unreal."""
    names = tuple(NAME_MAPS[rig][name] for name in clip.skeleton.names)
    return replace(clip, skeleton=replace(clip.skeleton, names=names))

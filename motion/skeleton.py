"""Skeletons: names, parents, offsets and a standing rest pose.

The quadruped is the one that the network was designed for: 21 joints and 6 end sites, in the order
of the network's input and output (shared facts: bone table of the published dog capture).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BONE_COUNT = 27

_LEFT, _BACKWARD = (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)


@dataclass(frozen=True)
class Skeleton:
    """A tree of J joints whose rest pose has identity rotations, so rest offsets are world vectors.

    Attributes:
        names: J joint names; parents come before children.
        parents: (J,) int32, -1 for joint 0.
        offsets_m: (J, 3) from the parent to the joint in the rest pose; joint 0: its rest position.
        sites: (J,) bool, True for end sites: they have a place but no rotation of their own.
    """

    names: tuple[str, ...]
    parents: NDArray[np.int32]
    offsets_m: NDArray[np.float64]
    sites: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Return the number of the joint of that name."""
        return self.names.index(name)

    @property
    def rest_positions_m(self) -> NDArray[np.float64]:
        """(J, 3) places in the rest pose, standing on the ground y = 0."""
        places = self.offsets_m.copy()
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                places[joint] += places[parent]
        return places


@dataclass(frozen=True)
class _Bone:
    """One row of the bone table.

    Attributes:
        offset_cm: from the parent's joint, in the parent's own axes at zero rotation.
        along: the rest direction in the world of the bone's own axis `axis`; None for end sites.
        axis: "x" where the bone lies along its local +X; "-y" for the hind feet.
        rolled: True where local axes carry a further quarter turn about local X (head, shoulders).
    """

    name: str
    parent: int
    offset_cm: tuple[float, float, float]
    along: tuple[float, float, float] | None = None
    axis: str = "x"
    rolled: bool = False


#: Rest directions are those of a standing dog with slightly bent legs.
_BONES = (
    _Bone("Hips", -1, (0, 0, 0), _BACKWARD),
    _Bone("Spine", 0, (0, 0, 0), (0, -2.5, 19)),
    _Bone("Spine1", 1, (19, 0, 0), (0, 1, 22)),
    _Bone("Neck", 2, (22.5, 0.6, 0), (0, 7, 12)),
    _Bone("Head", 3, (14, 0.0308777, 0), (0, -3, 16.7), rolled=True),
    _Bone("HeadSite", 4, (17, 0, 0)),
    _Bone("LeftShoulder", 2, (19.8, 3.7, 4.3), (2.5, -5.5, 5), rolled=True),
    _Bone("LeftArm", 6, (8, 0, 0), (0.4, -10.6, -10.9)),
    _Bone("LeftForeArm", 7, (15.2, 0, 0), (-0.6, -17.4, 3.6)),
    _Bone("LeftHand", 8, (17.8, 0, 0), (0, -5.9, 4.1)),
    _Bone("LeftHandSite", 9, (7.2, 0, 0)),
    _Bone("RightShoulder", 2, (19.8, 3.7, -4.3), (-2.5, -5.5, 5), rolled=True),
    _Bone("RightArm", 11, (8, 0, 0.151654), (-0.4, -10.6, -10.9)),
    _Bone("RightForeArm", 12, (15.2, 0, 0), (0.6, -17.4, 3.6)),
    _Bone("RightHand", 13, (17.8, 0, 0), (0, -5.9, 4.1)),
    _Bone("RightHandSite", 14, (7.2, 0, 0)),
    _Bone("LeftUpLeg", 0, (5.98425, -7.666, 4.78879), (0.8, -13.3, 8.8)),
    _Bone("LeftLeg", 16, (16, 0, 0), (-0.3, -12.4, -13)),
    _Bone("LeftFoot", 17, (18, 0, 0), (0, -10.6, 2.0), axis="-y"),
    _Bone("LeftFootSite", 18, (0, -10.8, 0)),
    _Bone("RightUpLeg", 0, (5.98425, -7.66598, -4.78879), (-0.8, -13.3, 8.8)),
    _Bone("RightLeg", 20, (16, 0, 0), (0.3, -12.4, -13)),
    _Bone("RightFoot", 21, (18, 0, 0), (0, -10.6, 2.0), axis="-y"),
    _Bone("RightFootSite", 22, (0, -10.8, 0)),
    _Bone("Tail", 0, (6.83696, -0.722574, 0), (0, -6.6, -10)),
    _Bone("Tail1", 24, (12, 0, 0), (0, -7, -9.7)),
    _Bone("Tail1Site", 25, (12, 0, 0)),
)

#: Height at which the paws' end sites rest when they carry the animal.
PAW_HEIGHT_M = 0.02


def _rest_axes(bone: _Bone, parent: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return a bone's own axes in the rest pose as columns: X, Y (up), Z (forward)."""
    if bone.along is None:
        assert parent is not None
        return parent
    along = np.asarray(bone.along) / np.linalg.norm(bone.along)
    if bone.axis == "x":
        sideways = np.asarray(_LEFT) - along * np.dot(_LEFT, along)
        z = sideways / np.linalg.norm(sideways)
        axes = np.stack([along, np.cross(z, along), z], axis=1)
    else:
        z = np.asarray(_LEFT) + along * np.dot(_LEFT, -along)
        z /= np.linalg.norm(z)
        axes = np.stack([np.cross(-along, z), -along, z], axis=1)
    if bone.rolled:  # a quarter turn about local X: Y becomes Z
        axes = np.stack([axes[:, 0], axes[:, 2], -axes[:, 1]], axis=1)
    return axes


def _unrolled(bone: _Bone, axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the axes without the further quarter turn, in which the table's offsets are given."""
    if not bone.rolled:
        return axes
    return np.stack([axes[:, 0], -axes[:, 2], axes[:, 1]], axis=1)


def _quadruped() -> tuple[Skeleton, NDArray[np.float64]]:
    axes: list[NDArray[np.float64]] = []
    offsets = np.zeros((BONE_COUNT, 3))
    for number, bone in enumerate(_BONES):
        parent = axes[bone.parent] if bone.parent >= 0 else None
        axes.append(_rest_axes(bone, parent))
        if parent is not None:
            frame = _unrolled(_BONES[bone.parent], parent)
            offsets[number] = frame @ np.asarray(bone.offset_cm) / 100.0
    skeleton = Skeleton(
        tuple(bone.name for bone in _BONES),
        np.array([bone.parent for bone in _BONES], np.int32),
        offsets,
        np.array([bone.along is None for bone in _BONES]),
    )
    paws = skeleton.rest_positions_m[[10, 15, 19, 23], 1]
    offsets[0, 1] = PAW_HEIGHT_M - paws.min()
    return skeleton, np.stack(axes)


#: The 27 bones, and the (27, 3, 3) rest rotations A of the network's own bone axes: a bone whose
#: axes in the world are G (columns X, Y = up, Z = forward) has turned from rest by G @ A.T.
QUADRUPED, REST_AXES = _quadruped()

#: The ends of the legs, in the order left fore, right fore, left hind, right hind.
PAWS = (10, 15, 19, 23)
#: The three joints above each paw that leg inverse kinematics turns, from the top.
LEGS = ((7, 8, 9), (12, 13, 14), (16, 17, 18), (20, 21, 22))

"""Clips of other rest poses, told in the quadruped's standing rest pose.

The published dog captures have the 27 bones of our table, but their zero pose is a stick: every
bone lies along its parent's +X. What a bone's axes are in the standing pose is known (A), so
offset' = A_parent offset, turn' = turn A^T, and nothing about the motion changes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from motion.clip import Clip, local_rotations, world_pose
from motion.skeleton import PAW_HEIGHT_M, PAWS, QUADRUPED, REST_AXES, Skeleton

Rest = Literal["auto", "standing", "capture"]
#: Head, both shoulders and HeadSite carry a quarter turn about their own X in the network's axes,
#: which the captured files do not have.
ROLLED = (4, 5, 6, 11)
_UNROLL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
#: Bones whose rest direction tells the two rest poses apart: the chains of legs, neck and tail.
_TELLING = (4, 5, 8, 9, 10, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26)
_ALIKE_DEG = 20.0
_SAME_M = 1e-5


def capture_axes(rolled: bool = False) -> NDArray[np.float64]:
    """Return the (27, 3, 3) axes, in the standing pose, of bones that lie along +X in zero pose.

    Args:
        rolled: True for data whose head and shoulders already carry the network's quarter turn.
    """
    axes = REST_AXES.copy()
    if not rolled:
        for bone in ROLLED:
            axes[bone] = axes[bone] @ _UNROLL
    return axes


def rebased(clip: Clip, rest: Rest = "auto", *, rolled: bool = False, source: str = "") -> Clip:
    """Return the clip on the quadruped's bones and standing rest pose; names decide, not order.

    Bone lengths stay the clip's own; where they are the table's, the skeleton is `QUADRUPED`.

    Args:
        clip: any clip that has the 27 bones (end sites named <Parent>Site); others are left out.
        rest: what the clip's zero pose is: "standing" (as we write it), "capture" (a stick along
            +X, as published), or "auto" to see by the offsets.
        rolled: see `capture_axes`; only for "capture".
        source: the file's name, for error messages.

    Raises:
        InputError: naming the bones that are missing, hang elsewhere, or lie in neither rest pose.
    """
    where = f"bvh: {source}: " if source else "bvh: "
    order = _matched(clip.skeleton, where)
    offsets = clip.skeleton.offsets_m[order]
    if rest == "auto":
        rest = _recognised(offsets, rolled, where)
    axes = capture_axes(rolled) if rest == "capture" else np.broadcast_to(np.eye(3), (27, 3, 3))
    _, turns = world_pose(clip)
    turns = turns[:, order] @ axes.swapaxes(-1, -2)
    return Clip(
        _skeleton(offsets, axes),
        clip.root_positions_m,
        local_rotations(QUADRUPED, turns),
        clip.fps,
        clip.name,
        clip.sections,
        clip.ground,
    )


def _matched(skeleton: Skeleton, where: str) -> list[int]:
    """Return for each of the 27 bones its number in the clip's skeleton."""
    missing = [name for name in QUADRUPED.names if name not in skeleton.names]
    extra = [name for name in skeleton.names if name not in QUADRUPED.names]
    if missing:
        also = f"; it also has {', '.join(extra)}" if extra else ""
        raise InputError(
            f"{where}found {len(skeleton)} bones without {', '.join(missing)}{also}, wanted the "
            f"{len(QUADRUPED)} of the quadruped"
        )
    order = [skeleton.index(name) for name in QUADRUPED.names]
    for bone, number in enumerate(order):
        parent = QUADRUPED.parents[bone]
        wanted = order[parent] if parent >= 0 else -1
        if skeleton.parents[number] != wanted:
            found = skeleton.parents[number]
            raise InputError(
                f"{where}found {QUADRUPED.names[bone]} under "
                f"{skeleton.names[found] if found >= 0 else 'nothing'}, wanted it under "
                f"{QUADRUPED.names[parent] if parent >= 0 else 'nothing'}"
            )
    return order


def _recognised(offsets: NDArray[np.float64], rolled: bool, where: str) -> Rest:
    capture = _rest_offsets(offsets, capture_axes(rolled))
    angles = {"standing": _mean_angle_deg(offsets), "capture": _mean_angle_deg(capture)}
    if angles["standing"] < _ALIKE_DEG:
        return "standing"
    if angles["capture"] < _ALIKE_DEG:
        return "capture"
    raise InputError(
        f"{where}found a zero pose {angles['standing']:.0f} degrees from the standing one and "
        f"{angles['capture']:.0f} from the captures' stick along +X, wanted one of the two"
    )


def _mean_angle_deg(offsets: NDArray[np.float64]) -> float:
    bones = list(_TELLING)
    ours, theirs = QUADRUPED.offsets_m[bones], offsets[bones]
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosines = (ours * theirs).sum(axis=1) / np.maximum(lengths, 1e-12)
    return float(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))).mean())


def _rest_offsets(offsets: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = offsets.copy()
    moved[1:] = np.einsum("jab,jb->ja", axes[QUADRUPED.parents[1:]], offsets[1:])
    return moved


def _skeleton(offsets: NDArray[np.float64], axes: NDArray[np.float64]) -> Skeleton:
    """Return the quadruped with these bones' lengths, standing on its paws."""
    moved = _rest_offsets(offsets, axes)
    if np.abs(moved[1:] - QUADRUPED.offsets_m[1:]).max() < _SAME_M:
        return QUADRUPED
    moved[0] = 0.0
    skeleton = Skeleton(QUADRUPED.names, QUADRUPED.parents, moved, QUADRUPED.sites)
    moved[0, 1] = PAW_HEIGHT_M - skeleton.rest_positions_m[list(PAWS), 1].min()
    return skeleton

"""From joint positions to rotations with twist, for the 22-joint body.

Positions say where a bone points but not how it is turned about itself. What is known:
- pelvis and chest have three rigid children each: the whole rotation is a least-squares fit
  (Kabsch 1976);
- knees and elbows are hinges: their bending plane fixes the twist of thigh and upper arm;
- a leg that is straight shows it by its foot;
- the spine between pelvis and chest shares their difference;
- all else (collars, neck, shins, forearms, feet) turns no more than it must.
The evidence for a limb's twist is weighed in every frame and solved for over the whole clip, so a
limb that is straight for a while is carried from the last evidence to the next, without a jump.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.spatial.transform import Rotation

from motion.humanoid.body import ARMS, CHEST, COLLARS, LEGS, NECK, PELVIS, SPINE
from motion.skeleton import Skeleton

Array = NDArray[np.float64]

_PELVIS_CHILDREN, _CHEST_CHILDREN = (1, 2, 3), (12, 13, 14)
#: Sine of a hinge's bend below which its plane says nothing, and from which it says all.
_BEND_FROM, _BEND_TO = 0.12, 0.45
#: How much a hinge, a foot and the least turn count, against 1 for staying as in the frame before.
_HINGE_WEIGHT, _FOOT_WEIGHT, _REST_WEIGHT = 50.0, 4.0, 0.02
_UP, _LEFT = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])


def rigid_children() -> dict[int, tuple[int, ...]]:
    """Return the joints whose children keep their places to each other, and those children."""
    return {PELVIS: _PELVIS_CHILDREN, CHEST: _CHEST_CHILDREN}


def fit_rotations(rest: Array, seen: Array) -> Array:
    """Return (T, 3, 3) rotations that take vectors (N, 3) nearest to (T, N, 3) (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(np.einsum("tni,nj->tij", seen, rest))
    u[..., 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return np.asarray(u @ vt)


def solve_rotations(skeleton: Skeleton, positions_m: Array) -> Array:
    """Return (T, 22, 3, 3) rotations from rest in the world that reach positions (T, 22, 3).

    Bones are aimed from where the rotations so far have brought the joint, so a bone length that
    is not quite the skeleton's leaves no error that grows along the limb.
    """
    turns = np.broadcast_to(np.eye(3), (*positions_m.shape, 3)).copy()
    places = positions_m.copy()
    for joint, children in rigid_children().items():
        seen = positions_m[:, list(children)] - positions_m[:, [joint]]
        turns[:, joint] = fit_rotations(skeleton.offsets_m[list(children)], seen)
    for number, joint in enumerate(SPINE, start=1):
        between = _between(turns[:, PELVIS], turns[:, CHEST], number / (len(SPINE) + 1))
        _aim_joint(skeleton, positions_m, places, turns, joint, between)
    _place(skeleton, places, turns, CHEST)
    for joint in (NECK, *COLLARS):
        _aim_joint(skeleton, positions_m, places, turns, joint, turns[:, CHEST])
    for leg in LEGS:
        _solve_limb(skeleton, positions_m, places, turns, leg, _LEFT)
    for arm, hinge in zip(ARMS, (-_UP, _UP), strict=True):
        _solve_limb(skeleton, positions_m, places, turns, arm, hinge)
    leaves = sorted(set(range(len(skeleton))) - set(skeleton.parents.tolist()))
    turns[:, leaves] = turns[:, skeleton.parents[leaves]]
    return turns


def _place(skeleton: Skeleton, places: Array, turns: Array, joint: int) -> None:
    """Put a joint where its parent's rotation has it."""
    parent = skeleton.parents[joint]
    if parent >= 0:
        places[:, joint] = places[:, parent] + turns[:, parent] @ skeleton.offsets_m[joint]


def _aim_joint(
    skeleton: Skeleton, wanted: Array, places: Array, turns: Array, joint: int, start: Array
) -> None:
    """Turn a joint by the least that aims its one child at its wanted place."""
    child = int(np.flatnonzero(skeleton.parents == joint)[0])
    _place(skeleton, places, turns, joint)
    turns[:, joint] = _aimed(start, skeleton.offsets_m[child], wanted[:, child] - places[:, joint])


def _solve_limb(
    skeleton: Skeleton,
    wanted: Array,
    places: Array,
    turns: Array,
    limb: tuple[int, ...],
    hinge_rest: Array,
) -> None:
    """Solve hip and knee (and ankle), or shoulder and elbow."""
    upper, middle, end = limb[:3]
    _place(skeleton, places, turns, upper)
    parent = turns[:, skeleton.parents[upper]]
    bone, lower = wanted[:, middle] - places[:, upper], wanted[:, end] - wanted[:, middle]
    axis, trust = _hinge_evidence(bone, lower)
    evidence = [(axis, trust)]
    if len(limb) == 4:
        toes = wanted[:, limb[3]] - wanted[:, end]
        foot, foot_trust = _foot_evidence(lower, toes, skeleton.offsets_m[limb[3]])
        # A knee that seems to bend forwards, as generated ones do, must not turn the leg about.
        agree = np.einsum("ti,ti->t", _unit(axis), _unit(foot)).clip(0.0, 1.0)
        trust = trust * (1.0 - np.minimum(foot_trust, 1.0) * (1.0 - agree))
        evidence = [(axis, trust), (foot, foot_trust)]
    inverse = parent.swapaxes(1, 2)
    seen = [(_rotate(inverse, vector), weight) for vector, weight in evidence]
    rest_bone = _unit(skeleton.offsets_m[middle])
    local = _twisted(rest_bone, hinge_rest, _unit(_rotate(inverse, bone)), seen)
    turns[:, upper] = parent @ local
    for joint in limb[1:-1]:
        start = turns[:, skeleton.parents[joint]]
        _aim_joint(skeleton, wanted, places, turns, joint, start)


def _hinge_evidence(upper: Array, lower: Array) -> tuple[Array, Array]:
    """Return a hinge's axis (T, 3) and how far (T,) it is to be believed."""
    axis = np.cross(_unit(upper), _unit(lower))
    bend = np.linalg.norm(axis, axis=1)
    share = np.clip((bend - _BEND_FROM) / (_BEND_TO - _BEND_FROM), 0.0, 1.0)
    return axis, _HINGE_WEIGHT * share**2 * (3.0 - 2.0 * share)


def _foot_evidence(shin: Array, foot: Array, foot_rest: Array) -> tuple[Array, Array]:
    """Return the leg's sideways axis as the foot shows it, and how far it is to be believed."""
    along, foot = _unit(shin), _unit(foot)
    sideways = np.cross(foot, along)
    toes_out = np.arctan2(foot_rest[0], foot_rest[2])  # about +Y, which is -shin at rest
    axis = Rotation.from_rotvec(along * toes_out).apply(sideways)
    return axis, _FOOT_WEIGHT * np.linalg.norm(sideways, axis=1) ** 2


def _twisted(rest: Array, side: Array, bone: Array, seen: list[tuple[Array, Array]]) -> Array:
    """Return (T, 3, 3) rotations taking `rest` to bone (T, 3), twisted as the evidence says.

    Args:
        rest: (3,) the bone's direction at rest.
        side: (3,) the direction at rest of what the evidence shows, across the bone.
        bone: (T, 3) the bone's direction, in the parent's rotation.
        seen: pairs of vectors (T, 3) and weights (T,).
    """
    least = _aimed(np.broadcast_to(np.eye(3), (len(bone), 3, 3)), rest, bone)
    # The least turn jumps where a bone points against its rest direction: it must not count there.
    trust = _REST_WEIGHT * ((1.0 + bone @ rest) / 2.0) ** 2
    carried = _carried(least[0], bone)
    across = np.cross(rest, side)
    total = np.zeros(len(bone), complex)
    for vector, weight in [*seen, (least @ side, trust)]:
        local = _rotate(carried.swapaxes(1, 2), vector)
        angle = np.arctan2(local @ across, local @ side)
        total += weight * np.exp(1j * angle)
    twist = _smooth_angle(np.angle(total), np.abs(total))
    return np.asarray(carried @ Rotation.from_rotvec(twist[:, None] * rest).as_matrix())


def _carried(first: Array, bone: Array) -> Array:
    """Return rotations (T, 3, 3) that follow the bone from frame to frame without any twist."""
    steps = _between_directions(bone[:-1], bone[1:], _LEFT)
    out = [first]
    for step in steps:
        out.append(step @ out[-1])
    return np.stack(out)


def _smooth_angle(angle: Array, weight: Array) -> Array:
    """Return the unwrapped angle of least weighted error and least change from frame to frame."""
    estimate, unwrapped = float(angle[np.argmax(weight)]), np.empty_like(angle)
    for frame, (value, trust) in enumerate(zip(angle, weight, strict=True)):
        error = (value - estimate + np.pi) % (2.0 * np.pi) - np.pi
        unwrapped[frame] = estimate + error
        estimate += error * trust / (trust + 1.0)
    ends = np.full(len(angle), 2.0)
    ends[0] = ends[-1] = 1.0
    bands = np.stack([np.full(len(angle), -1.0), weight + ends + 1e-9])
    return np.asarray(solveh_banded(bands, weight * unwrapped))


def _aimed(start: Array, rest: Array, wanted: Array) -> Array:
    """Turn rotations (T, 3, 3) by the least that brings vector `rest` onto wanted (T, 3)."""
    now = _unit(start @ rest)
    helper = np.cross(rest, _LEFT if abs(_unit(rest)[0]) < 0.9 else _UP)
    return np.asarray(_between_directions(now, _unit(wanted), start @ helper) @ start)


def _between_directions(a: Array, b: Array, helper: Array) -> Array:
    """Return the least rotations (T, 3, 3) from unit a to unit b; half turns about `helper`."""
    axis, cosine = np.cross(a, b), np.einsum("ti,ti->t", a, b)
    sine = np.linalg.norm(axis, axis=1)
    opposite = (cosine < 0) & (sine < 1e-7)
    fallback = np.broadcast_to(helper, a.shape)
    fallback = _unit(fallback - a * np.einsum("ti,ti->t", fallback, a)[:, None])
    axis = np.where(opposite[:, None], fallback, axis / np.maximum(sine, 1e-300)[:, None])
    angle = np.arctan2(sine, cosine)
    return np.asarray(Rotation.from_rotvec(axis * angle[:, None]).as_matrix())


def _between(first: Array, second: Array, share: float) -> Array:
    """Return the rotations a share of the way from one set (T, 3, 3) to another."""
    start = Rotation.from_matrix(first)
    way = (start.inv() * Rotation.from_matrix(second)).as_rotvec()
    return np.asarray((start * Rotation.from_rotvec(way * share)).as_matrix())


def _rotate(matrices: Array, vectors: Array) -> Array:
    return np.asarray(np.einsum("tij,tj->ti", matrices, vectors))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))

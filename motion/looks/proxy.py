"""Proxy meshes: a body of blended tapered capsules around a skeleton, coloured and skinned.

The parts are tapered capsules joined by a smooth minimum of their distances (Quilez), meshed by
marching cubes and brought to a few thousand faces. A part belongs to the bone that moves it; a
vertex follows the bones whose parts are nearest, so that joints bend softly.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import vertex_normals
from motion.looks.proxy_ball import ball_mesh
from motion.looks.skinned_mesh import SkinnedMesh
from motion.skeleton import QUADRUPED, Skeleton

Anchor = tuple[str, float, float, float]
Colour = tuple[float, float, float]

FACES = 3600
CELL_M = 0.006
#: How fast a farther bone's share of a vertex falls with distance.
SOFTNESS_M = 0.013
#: How fast a farther part's share of the colour falls.
COLOUR_SOFTNESS_M = 0.007


@dataclass(frozen=True)
class Part:
    """A tapered capsule from one point to another.

    Attributes:
        bone: name of the joint that moves it.
        start: a joint's name and centimetres from it in the rest pose (left, up, forward).
        end: the other end.
        radii_cm: at start and end.
        colours: sRGB on top and below.
        blend_cm: how far it melts into what was there before it.
        squash: width over height: below 1 flattened sideways, above 1 widened.
        depth: the same along z, for ears.
        apart: True for eyes and noses: a small ball of its own, not melted in.
    """

    bone: str
    start: Anchor
    end: Anchor
    radii_cm: tuple[float, float]
    colours: tuple[Colour, Colour]
    blend_cm: float = 2.0
    squash: float = 1.0
    depth: float = 1.0
    apart: bool = False


def proxy_for(skeleton: Skeleton) -> SkinnedMesh:
    """Return the mesh for a skeleton: a wolf, a person, or plain capsules by bone names.

    The same skeleton always gives the same mesh; it is made once in a process.
    """
    offsets = np.round(skeleton.offsets_m, 6)
    return _proxy(skeleton.names, skeleton.parents.tobytes(), offsets.tobytes())


@functools.lru_cache(maxsize=8)
def _proxy(names: tuple[str, ...], parents: bytes, offsets: bytes) -> SkinnedMesh:
    from motion.looks.proxy_parts import parts_for

    skeleton = Skeleton(
        names,
        np.frombuffer(parents, np.int32),
        np.frombuffer(offsets, np.float64).reshape(-1, 3),
        np.zeros(len(names), bool),
    )
    return built(skeleton, parts_for(skeleton))


def built(skeleton: Skeleton, parts: Sequence[Part], faces: int = FACES) -> SkinnedMesh:
    """Return the mesh of these parts around the skeleton's rest pose."""
    melted = [part for part in parts if not part.apart]
    body = _surface(skeleton, melted, faces)
    joints, weights = _weights(skeleton, melted, body.vertices)
    colours = _colours(skeleton, melted, body)
    meshes = [Mesh(body.vertices, body.faces, normals=body.normals, colours=colours)]
    for part in (part for part in parts if part.apart):
        start, end = _ends(skeleton, part)
        ball = ball_mesh(
            (start + end) / 2,
            part.radii_cm[0] / 100.0 * size(skeleton) * np.array([part.squash, 1.0, part.depth]),
            part.colours,
        )
        meshes.append(ball)
        number = skeleton.index(part.bone)
        joints = np.vstack(
            [joints, np.tile(np.array([number, 0, 0, 0], np.uint8), (len(ball.vertices), 1))]
        )
        one = np.tile(np.array([1, 0, 0, 0], np.float32), (len(ball.vertices), 1))
        weights = np.vstack([weights, one])
    return SkinnedMesh(_joined(meshes), joints, weights)


def _ends(skeleton: Skeleton, part: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places = skeleton.rest_positions_m
    # The parts are drawn for our own skeleton: a larger animal is thicker too.
    scale = size(skeleton)
    return tuple(  # type: ignore[return-value]
        places[skeleton.index(name)] + scale * np.array(delta) / 100.0
        for name, *delta in (part.start, part.end)
    )


def size(skeleton: Skeleton) -> float:
    """Return how large a quadruped is against ours; 1 for any other skeleton."""
    if not set(QUADRUPED.names) <= set(skeleton.names):
        return 1.0
    reference = np.linalg.norm(QUADRUPED.offsets_m[1:], axis=1).sum()
    return float(np.linalg.norm(skeleton.offsets_m[1:], axis=1).sum() / reference)


def _distance(skeleton: Skeleton, part: Part, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (N,) distances in metres from a part's surface, negative inside."""
    start, end = _ends(skeleton, part)
    radii = np.array(part.radii_cm) / 100.0 * size(skeleton)
    stretch = np.array([part.squash, 1.0, part.depth])
    start, end = start / stretch, end / stretch
    along = end - start
    local = points / stretch.astype(np.float32) - start.astype(np.float32)
    length = float(along @ along)
    share = np.clip(local @ along.astype(np.float32) / max(length, 1e-12), 0.0, 1.0)
    off = local - share[:, None] * along.astype(np.float32)
    radius = radii[0] + share * (radii[1] - radii[0])
    return ((np.linalg.norm(off, axis=1) - radius) * stretch.min()).astype(np.float32)


def _surface(skeleton: Skeleton, parts: Sequence[Part], faces: int) -> Mesh:
    from skimage.measure import marching_cubes

    from assets3d.mesh.simplify import simplified

    field, low = _field(skeleton, parts)
    vertices, triangles, _, _ = marching_cubes(field, 0.0, spacing=(CELL_M,) * 3)
    vertices = (vertices + low).astype(np.float32)
    # marching_cubes winds towards growing values, which is outwards here; assets want that too.
    mesh = simplified(Mesh(vertices, triangles[:, ::-1].astype(np.int32)), faces)
    return Mesh(mesh.vertices, mesh.faces, normals=vertex_normals(mesh.vertices, mesh.faces))


def _field(
    skeleton: Skeleton, parts: Sequence[Part]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the smooth minimum on a grid and the grid's first corner; each part only nearby."""
    boxes = [_box(skeleton, part) for part in parts]
    low = np.min([box[0] for box in boxes], axis=0)
    high = np.max([box[1] for box in boxes], axis=0)
    shape = tuple(int(n) for n in np.ceil((high - low) / CELL_M).astype(int) + 1)
    field = np.full(shape, 4 * CELL_M, np.float32)
    for part, (first, last) in zip(parts, boxes, strict=True):
        start = np.maximum(np.floor((first - low) / CELL_M).astype(int), 0)
        stop = np.minimum(np.ceil((last - low) / CELL_M).astype(int) + 1, shape)
        region = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        axes = [np.arange(a, b) * CELL_M for a, b in zip(start, stop, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) + low
        near = _distance(skeleton, part, points.astype(np.float32)).reshape(field[region].shape)
        field[region] = _smooth_minimum(field[region], near, part.blend_cm / 100.0)
    return field, low


def _box(skeleton: Skeleton, part: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start, end = _ends(skeleton, part)
    reach = max(part.radii_cm) / 100.0 * size(skeleton) * np.array([part.squash, 1.0, part.depth])
    reach = reach + part.blend_cm / 100.0 + 3 * CELL_M
    return np.minimum(start, end) - reach, np.maximum(start, end) + reach


def _smooth_minimum(
    first: NDArray[np.float32], second: NDArray[np.float32], width: float
) -> NDArray[np.float32]:
    """Return the polynomial smooth minimum (Quilez 2013)."""
    nearness = np.clip(width - np.abs(first - second), 0.0, None) / width
    return np.minimum(first, second) - nearness * nearness * np.float32(width / 4.0)


def _weights(
    skeleton: Skeleton, parts: Sequence[Part], vertices: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the four nearest bones of each vertex, neighbours in the tree of the nearest only."""
    count = len(skeleton)
    nearest = np.full((len(vertices), count), np.inf, np.float32)
    for part in parts:
        bone = skeleton.index(part.bone)
        nearest[:, bone] = np.minimum(nearest[:, bone], _distance(skeleton, part, vertices))
    own = nearest.argmin(axis=1)
    excess = nearest - nearest[np.arange(len(vertices)), own][:, None]
    shares = np.exp(-excess / (SOFTNESS_M * size(skeleton)))
    shares[~_related(skeleton)[own]] = 0.0
    joints = np.argsort(-shares, axis=1, kind="stable")[:, :4]
    weights = np.take_along_axis(shares, joints, axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    weights[weights < 0.02] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    return np.where(weights > 0, joints, 0).astype(np.uint8), weights.astype(np.float32)


def _related(skeleton: Skeleton) -> NDArray[np.bool_]:
    """Return (J, J): same bone, parent and child, siblings, or grandparent and grandchild."""
    count = len(skeleton)
    up = np.zeros((count, count), bool)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            up[joint, parent] = True
    grand = up @ up
    return np.eye(count, dtype=bool) | up | up.T | grand | grand.T | (up @ up.T)


def _colours(skeleton: Skeleton, parts: Sequence[Part], body: Mesh) -> NDArray[np.float32]:
    assert body.normals is not None
    upward = np.clip(body.normals[:, 1] * 0.75 + 0.5, 0.0, 1.0)[:, None]
    upward = upward * upward * (3.0 - 2.0 * upward)
    distances = np.stack([_distance(skeleton, part, body.vertices) for part in parts], axis=1)
    shares = np.exp(-(distances - distances.min(axis=1, keepdims=True)) / COLOUR_SOFTNESS_M)
    shares /= shares.sum(axis=1, keepdims=True)
    tops = shares @ np.array([part.colours[0] for part in parts])
    bottoms = shares @ np.array([part.colours[1] for part in parts])
    return np.clip(upward * tops + (1 - upward) * bottoms, 0.0, 1.0).astype(np.float32)


def _joined(meshes: Sequence[Mesh]) -> Mesh:
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.vstack([mesh.vertices for mesh in meshes]),
        np.vstack([m.faces + s for m, s in zip(meshes, starts, strict=True)]).astype(np.int32),
        normals=np.vstack([m.normals for m in meshes if m.normals is not None]),
        colours=np.vstack([m.colours for m in meshes if m.colours is not None]),
    )

"""A mesh bound to a skeleton's rest pose, and linear blend skinning."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import vertex_normals
from motion.clip import Clip, world_pose


@dataclass(frozen=True)
class SkinnedMesh:
    """A mesh in a skeleton's rest pose.

    Attributes:
        mesh: vertices in metres, +Y up, standing where the rest pose stands.
        joints: (N, 4) uint8 numbers of the skeleton's joints that move each vertex.
        weights: (N, 4) float32 shares, largest first; each row sums to 1, unused places are 0 with
            joint 0.
    """

    mesh: Mesh
    joints: NDArray[np.uint8]
    weights: NDArray[np.float32]


def posed_vertices(skinned: SkinnedMesh, clip: Clip) -> NDArray[np.float32]:
    """Return the (T, N, 3) vertices of every pose, metres, in the world."""
    places, turns = world_pose(clip)
    shifts = places - np.einsum("tjab,jb->tja", turns, clip.skeleton.rest_positions_m)
    matrices = np.concatenate([turns, shifts[..., None]], axis=-1).astype(np.float32)
    vertices = np.column_stack([skinned.mesh.vertices, np.ones(len(skinned.mesh.vertices))])
    vertices = vertices.astype(np.float32)
    posed = np.zeros((len(clip), len(vertices), 3), np.float32)
    for frame in range(len(clip)):
        blend = np.einsum("nk,nkab->nab", skinned.weights, matrices[frame][skinned.joints])
        posed[frame] = np.einsum("nab,nb->na", blend, vertices)
    return posed


def posed_mesh(skinned: SkinnedMesh, clip: Clip, frame: int) -> Mesh:
    """Return the mesh in one pose of the clip, with its own vertex normals."""
    one = replace(
        clip,
        root_positions_m=clip.root_positions_m[frame : frame + 1],
        rotations_xyzw=clip.rotations_xyzw[frame : frame + 1],
        sections=(),
        ground=None,
    )
    vertices = posed_vertices(skinned, one)[0]
    return replace(
        skinned.mesh, vertices=vertices, normals=vertex_normals(vertices, skinned.mesh.faces)
    )

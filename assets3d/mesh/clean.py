"""Repair a triangle soup from fusion: one closed, outward, manifold and smooth surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import breadth_first_order

from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import unit
from assets3d.mesh.topology import (
    edge_ids,
    face_components,
    face_cross,
    half_edges,
    is_closed,
    neighbour_pairs,
    signed_volumes,
)


def compacted(vertices: NDArray, faces: NDArray) -> Mesh:
    """Return a mesh without the vertices that no face uses."""
    used, inverse = np.unique(faces, return_inverse=True)
    return Mesh(
        np.ascontiguousarray(vertices[used], dtype=np.float32),
        inverse.reshape(faces.shape).astype(np.int32),
    )


def drop_degenerate_faces(mesh: Mesh) -> Mesh:
    """Remove faces that use a vertex twice and faces that occur twice."""
    faces = mesh.faces
    ordered = np.sort(faces, axis=1)
    proper = (ordered[:, 0] != ordered[:, 1]) & (ordered[:, 1] != ordered[:, 2])
    _, first = np.unique(ordered, axis=0, return_index=True)
    keep = np.zeros(len(faces), dtype=bool)
    keep[first] = True
    return compacted(mesh.vertices, faces[keep & proper])


def keep_large_components(mesh: Mesh, minimum_share: float = 0.02) -> Mesh:
    """Keep the pieces with at least `minimum_share` of the largest piece's volume or area.

    Closed pieces that wind inwards are cavities nobody can see, and go too.
    """
    count, labels = face_components(mesh.faces)
    if count <= 1:
        return mesh
    area = np.bincount(
        labels, np.linalg.norm(face_cross(mesh.vertices, mesh.faces), axis=1), minlength=count
    )
    volume = signed_volumes(mesh.vertices, mesh.faces, labels, count)
    # A thin sword has little volume and a floating speck has little of both.
    large = (area >= minimum_share * area.max()) | (volume >= minimum_share * volume.max())
    keep = large & (volume > 0.0)
    if not keep.any():
        keep = area >= area.max()
    return compacted(mesh.vertices, mesh.faces[keep[labels]])


def fix_winding(mesh: Mesh) -> Mesh:
    """Turn faces so that neighbours agree and every piece encloses a positive volume."""
    faces = mesh.faces.copy()
    if not is_closed(faces):
        flip = _disagreeing_faces(faces)
        faces[flip] = faces[flip][:, ::-1]
    count, labels = face_components(faces)
    inward = signed_volumes(mesh.vertices, faces, labels, count) < 0.0
    turn = inward[labels]
    faces[turn] = faces[turn][:, ::-1]
    return Mesh(mesh.vertices, faces)


def _disagreeing_faces(faces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Walk over each piece from its first face; mark the faces that run against it."""
    pairs = neighbour_pairs(faces)
    directed = half_edges(faces)
    count = len(faces)
    starts_a = directed[pairs[:, 2] * count + pairs[:, 0], 0]
    starts_b = directed[pairs[:, 3] * count + pairs[:, 1], 0]
    against = np.where(starts_a == starts_b, 2, 1)  # 2: both run the same way along the edge
    graph = coo_matrix((against, (pairs[:, 0], pairs[:, 1])), shape=(count, count)).tocsr()
    graph = graph.maximum(graph.T)
    flip = np.zeros(count, dtype=bool)
    pieces, labels = face_components(faces)
    for piece in range(pieces):
        root = int(np.argmax(labels == piece))
        order, parents = breadth_first_order(graph, root, directed=False)
        found = order[1:]
        if not len(found):  # a face without neighbours runs against nobody
            continue
        # All at once: looking up one entry of a sparse matrix takes as long as a whole row of them.
        turns = np.asarray(graph[parents[found], found]).ravel() == 2
        for face, parent, turn in zip(found, parents[found], turns, strict=True):
            flip[face] = flip[parent] ^ turn
    return flip


def make_closed(mesh: Mesh, rounds: int = 8) -> Mesh:
    """Cut away the faces at edges shared by more than two, then close what is open with fans.

    Decimation can pinch a surface; marching cubes alone cannot. A mesh that is closed comes back as
    it is. Small wounds only: this is repair after decimation, not reconstruction.
    """
    mesh = drop_degenerate_faces(mesh)
    for _ in range(rounds):
        if is_closed(mesh.faces):
            return mesh
        edge, counts = edge_ids(mesh.faces)
        crowded = (counts[edge] > 2).reshape(3, -1).any(axis=0)
        vertices, faces = _with_holes_filled(mesh.vertices, mesh.faces[~crowded])
        mesh = drop_degenerate_faces(Mesh(vertices, faces))
    return mesh


def _with_holes_filled(vertices: NDArray, faces: NDArray) -> tuple[NDArray, NDArray]:
    loops = _boundary_loops(faces)
    new_vertices, new_faces = [vertices], [faces]
    count = len(vertices)
    for loop in loops:
        if len(loop) == 3:
            new_faces.append(np.array([loop], dtype=np.int32))
            continue
        centre = np.full(len(loop), count, dtype=np.int32)
        new_vertices.append(vertices[loop].mean(axis=0, keepdims=True))
        new_faces.append(np.stack([loop, np.roll(loop, -1), centre], axis=1).astype(np.int32))
        count += 1
    return np.concatenate(new_vertices).astype(np.float32), np.concatenate(new_faces)


def _boundary_loops(faces: NDArray) -> list[NDArray[np.int32]]:
    """Return the rims of holes as vertex loops that run so that a fan over them faces outwards."""
    edge, counts = edge_ids(faces)
    rim = half_edges(faces)[counts[edge] == 1]
    following: dict[int, list[int]] = {}
    for start, end in rim:
        following.setdefault(int(end), []).append(int(start))
    loops = []
    while following:
        start = next(iter(following))
        loop, seen = [start], {start: 0}
        while True:
            choices = following.get(loop[-1])
            if not choices:
                break
            step = choices.pop()
            if not choices:
                del following[loop[-1]]
            if step in seen:  # a rim that touches itself: cut off the small loop
                closed = loop[seen[step] :]
                if len(closed) >= 3:
                    loops.append(np.array(closed, dtype=np.int32))
                for vertex in closed[1:]:
                    del seen[vertex]
                loop = loop[: seen[step] + 1]
                if len(loop) == 1 and step not in following:
                    break
                continue
            seen[step] = len(loop)
            loop.append(step)
    return loops


def taubin(mesh: Mesh, iterations: int = 3, shrink: float = 0.5, swell: float = -0.53) -> Mesh:
    """Smooth without shrinking: a Laplacian step, then a longer one back (Taubin 1995)."""
    average = _vertex_average(mesh)
    vertices = mesh.vertices.astype(np.float64)
    for _ in range(iterations):
        for step in (shrink, swell):
            vertices = vertices + step * (average @ vertices - vertices)
    return Mesh(vertices.astype(np.float32), mesh.faces)


def _vertex_average(mesh: Mesh) -> csr_matrix:
    directed = half_edges(mesh.faces)
    count = len(mesh.vertices)
    links = coo_matrix((np.ones(len(directed)), (directed[:, 0], directed[:, 1])), (count, count))
    links = (links + links.T).tocsr()
    links.data[:] = 1.0
    return diags(1.0 / np.maximum(np.asarray(links.sum(axis=1)).ravel(), 1.0)) @ links


def unfolded(mesh: Mesh, rounds: int = 6) -> Mesh:
    """Pull back corners of faces that lie folded over their neighbours, as decimation leaves some.

    A face is folded when at least two of its three neighbours look the other way; at the edge of a
    blade only one does.
    """
    pairs = neighbour_pairs(mesh.faces)
    average = _vertex_average(mesh)
    vertices = mesh.vertices.astype(np.float64)
    for _ in range(rounds):
        normals = unit(face_cross(vertices, mesh.faces))
        against = np.einsum("ij,ij->i", normals[pairs[:, 0]], normals[pairs[:, 1]]) < 0.0
        turned = np.bincount(pairs[against, :2].ravel(), minlength=len(mesh.faces)) >= 2
        if not turned.any():
            break
        corners = np.unique(mesh.faces[turned])
        vertices[corners] = (average @ vertices)[corners]
    return Mesh(vertices.astype(np.float32), mesh.faces)


def bilateral_normals(
    mesh: Mesh, normal_iterations: int = 6, vertex_iterations: int = 12, angle_deg: float = 25.0
) -> Mesh:
    """Flatten noisy faces and keep edges: filter the face normals, then let the vertices follow.

    Normals after Zheng et al. 2011, "Bilateral normal filtering for mesh denoising"; vertices after
    Sun et al. 2007, "Fast and effective feature-preserving mesh denoising".

    Args:
        mesh: a closed mesh.
        normal_iterations: passes over the normals; each reaches one ring of faces further.
        vertex_iterations: passes over the vertices.
        angle_deg: normals further apart than about this do not mix.
    """
    pairs = neighbour_pairs(mesh.faces)
    cross = face_cross(mesh.vertices, mesh.faces)
    area, normals = np.linalg.norm(cross, axis=1), unit(cross)
    count = len(mesh.faces)
    a = np.concatenate([pairs[:, 0], pairs[:, 1], np.arange(count)])
    b = np.concatenate([pairs[:, 1], pairs[:, 0], np.arange(count)])
    width = 2.0 * (1.0 - np.cos(np.radians(angle_deg)))
    for _ in range(normal_iterations):
        apart = np.sum((normals[a] - normals[b]) ** 2, axis=1)
        weight = area[b] * np.exp(-apart / (2.0 * width))
        normals = unit(coo_matrix((weight, (a, b)), (count, count)).tocsr() @ normals)
    return Mesh(_follow_normals(mesh, normals, vertex_iterations), mesh.faces)


def _follow_normals(mesh: Mesh, normals: NDArray, iterations: int) -> NDArray[np.float32]:
    """Move each vertex along the wanted normals of its faces until the faces lie square to them."""
    vertices = mesh.vertices.astype(np.float64)
    corner = mesh.faces.ravel()
    rows = np.repeat(np.arange(len(mesh.faces)), 3)
    shape = (len(vertices), len(mesh.faces))
    gather = coo_matrix((np.ones(len(corner)), (corner, rows)), shape).tocsr()
    share = 1.0 / np.maximum(np.bincount(corner, minlength=len(vertices)), 1)[:, None]
    offset_of_vertex = gather @ np.einsum("fi,fj->fij", normals, normals).reshape(-1, 9)
    offset_of_vertex = offset_of_vertex.reshape(-1, 3, 3)
    for _ in range(iterations):
        centres = vertices[mesh.faces].mean(axis=1)
        along = gather @ (normals * np.einsum("ij,ij->i", normals, centres)[:, None])
        back = np.einsum("nij,nj->ni", offset_of_vertex, vertices)
        vertices = vertices + share * (along - back)
    return vertices.astype(np.float32)

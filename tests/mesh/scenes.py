"""Meshes with known shapes, and splats that lie on them."""

from __future__ import annotations

import numpy as np

from assets3d.mesh.mesh import Mesh
from assets3d.splats.gaussians import Gaussians, from_parts


def mesh_of(field, half=0.6, cells=60) -> Mesh:
    """Marching cubes over field(x, y, z), negative inside."""
    from skimage.measure import marching_cubes

    axis = np.linspace(-half, half, cells, dtype=np.float32)
    grid = np.meshgrid(axis, axis, axis, indexing="ij")
    vertices, faces, _, _ = marching_cubes(field(*grid), 0.0)
    vertices = vertices * (axis[1] - axis[0]) - half
    return Mesh(vertices.astype(np.float32), np.ascontiguousarray(faces, dtype=np.int32))


def sphere(radius=0.5, **grid) -> Mesh:
    return mesh_of(lambda x, y, z: np.sqrt(x * x + y * y + z * z) - radius, **grid)


def torus(ring=0.38, tube=0.13, **grid) -> Mesh:
    return mesh_of(lambda x, y, z: np.hypot(np.hypot(x, z) - ring, y) - tube, **grid)


def box(hx, hy, hz, **grid) -> Mesh:
    return mesh_of(
        lambda x, y, z: np.maximum(np.maximum(abs(x) - hx, abs(y) - hy), abs(z) - hz), **grid
    )


def surfels(mesh: Mesh, colour, count=4000, seed=0, spread=1.0) -> Gaussians:
    """Flat splats evenly at random over a mesh; colour is (3,) or a function of positions."""
    rng = np.random.default_rng(seed)
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    # Stratified along the list of faces, which marching cubes gives in spatial order.
    share = (np.arange(count) + rng.random(count)) / count
    face = np.searchsorted(np.cumsum(area) / area.sum(), share).clip(0, len(area) - 1)
    a, b = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1.0 - a, a * (1.0 - b), a * b], axis=1)
    position = np.einsum("kc,kcj->kj", weights, corners[face])
    normal = cross[face] / area[face, None]
    rotation = np.concatenate(
        [1.0 + normal[:, 2:], -normal[:, 1:2], normal[:, :1], np.zeros((count, 1))], axis=1
    )
    rotation[normal[:, 2] < -0.9999] = [0.0, 1.0, 0.0, 0.0]
    rotation /= np.linalg.norm(rotation, axis=1, keepdims=True)
    radius = spread * np.sqrt(area.sum() / 2.0 / count)
    scale = np.tile([radius, radius, 0.15 * radius], (count, 1))
    rgb = colour(position) if callable(colour) else np.tile(colour, (count, 1))
    return from_parts(position, np.full(count, 0.95), scale, rotation, rgb)


def enclosed_volume(mesh: Mesh) -> float:
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0)


def welded(mesh: Mesh) -> Mesh:
    """Join vertices at the same place: seams of texture and normals vanish."""
    places, inverse = np.unique(mesh.vertices, axis=0, return_inverse=True)
    return Mesh(places, inverse.reshape(-1)[mesh.faces].astype(np.int32))

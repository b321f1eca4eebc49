"""Splats in, a game-ready textured mesh in metres out: the mesh step as one function."""

from __future__ import annotations

import dataclasses
import logging
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.mesh.bake import baked
from assets3d.mesh.clean import (
    bilateral_normals,
    keep_large_components,
    taubin,
    unfolded,
)
from assets3d.mesh.fuse import fused
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import corner_normals
from assets3d.mesh.prune import pruned
from assets3d.mesh.simplify import simplified
from assets3d.mesh.supported import supported_pieces
from assets3d.mesh.topology import face_components
from assets3d.mesh.unwrap import unwrap
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.normalise import LONG_SIDE, robust_bounds, scale_and_move
from assets3d.views.posed import Views

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a mesh is made from splats; the defaults suit a prop of 5k faces with a 1024 texture."""

    depth_views: int = 50
    depth_px: int = 320
    voxels: float = 3e6
    longest_voxels: int = 256
    colour_views: int = 32
    unwrap_limit_s: float = 30.0
    threads: int | None = None


@dataclass
class Report:
    """What one run did: seconds per step, counts, how the texture was laid out, and the placing.

    A point of the splats' frame lies at (point - pivot) * metres_per_unit in the mesh.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    splats_kept: int = 0
    dense_faces: int = 0
    metres_per_unit: float = 0.0
    pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)
    atlas: str = ""
    pieces: int = 1


def mesh_from_splats(
    gaussians: Gaussians,
    *,
    faces: int,
    texture_px: int,
    height_m: float,
    sources: Views | None = None,
    settings: Settings | None = None,
    report: Report | None = None,
) -> Mesh:
    """Return the textured mesh of the splats, in metres, base centre at the origin, facing +Z.

    The steps: prune, fuse depth into a volume, clean and smooth, simplify, unwrap, bake, place. No
    step draws random numbers, so the same splats always give the same mesh.

    Args:
        gaussians: splats in the package's frame (+Y up, +Z front), any size and place.
        faces: face budget, never exceeded.
        texture_px: side of the base colour, a power of two.
        height_m: height of the result along +Y.
        sources: exact pictures in the splats' frame that should show through, such as the cutout.
        settings: how thorough to be.
        report: filled in with timings and counts when given.

    Raises:
        InputError: when the splats hold no solid object.
    """
    if texture_px < 16 or texture_px & (texture_px - 1):
        raise InputError(f"texture_px: found {texture_px}, wanted a power of two from 16")
    if faces < 16:
        raise InputError(f"faces: found {faces}, wanted at least 16")
    if not (np.isfinite(height_m) and height_m > 0.0):
        raise InputError(f"height_m: found {height_m}, wanted metres above 0")
    settings, report = settings or Settings(), report or Report()
    clock = _Clock(report.seconds)

    kept = pruned(gaussians)
    if len(kept) == 0:
        raise InputError("splats: no opaque splats found, wanted a solid object")
    centre, scale = _normalising(kept)
    kept = scale_and_move(kept, scale, -centre)
    report.splats_kept = len(kept)
    clock.lap("prune")
    if sources is not None:
        sources = Views(sources.rgba, _moved_cameras(sources.cameras, centre, scale))
    dense = fused(
        kept,
        views=settings.depth_views,
        size_px=settings.depth_px,
        voxels=settings.voxels,
        longest=settings.longest_voxels,
        sources=sources,
        threads=settings.threads,
    )
    clock.lap("fuse")
    low_poly = shaped(dense, faces, sources)
    report.pieces = face_components(low_poly.faces)[0]
    report.dense_faces = len(dense.faces)
    clock.lap("clean and simplify")
    corner_uvs, report.atlas = unwrap(low_poly, texture_px, settings.unwrap_limit_s)
    mesh = with_corners(low_poly, corner_uvs, corner_normals(low_poly.vertices, low_poly.faces))
    clock.lap("unwrap")
    texture = baked(
        mesh,
        kept,
        texture_px,
        cameras=settings.colour_views,
        sources=sources,
        threads=settings.threads,
    )
    clock.lap("bake")
    _log.info("mesh: %d faces from %d splats, %s", len(mesh.faces), len(kept), report.seconds)
    mesh, pivot, factor = placed(dataclasses.replace(mesh, base_colour=texture), height_m)
    report.metres_per_unit = float(factor * scale)
    x, y, z = (pivot / scale + centre).tolist()
    report.pivot = (x, y, z)
    return mesh


def shaped(dense: Mesh, faces: int, sources: Views | None = None) -> Mesh:
    """Return the fused surface cleaned, smoothed with its edges kept, and at its face budget."""
    mesh = supported_pieces(keep_large_components(dense), sources)
    mesh = taubin(mesh, iterations=4)
    # Normals are filtered at a middle resolution: there, one ring of faces is about as wide as the
    # bumps that splats leave, and noise is flattened at a few steps.
    mesh = simplified(mesh, max(4 * faces, 20_000))
    mesh = keep_large_components(bilateral_normals(mesh))
    return unfolded(keep_large_components(simplified(mesh, faces)))


def with_corners(mesh: Mesh, corner_uvs: NDArray, corner_normals: NDArray) -> Mesh:
    """Return the mesh with texture coordinates and normals, split where they differ."""
    corners = len(mesh.faces) * 3
    vertex = mesh.faces.reshape(corners, 1).astype(np.float32)
    keys = np.concatenate(
        [vertex, corner_uvs.reshape(corners, 2), corner_normals.reshape(corners, 3)], axis=1
    ).astype(np.float32)
    # float32 holds vertex numbers exactly up to 16 million.
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))  # keep the order of first use: good for caches
    rows = np.sort(first)
    return Mesh(
        mesh.vertices[mesh.faces.reshape(-1)[rows]],
        order[inverse.reshape(-1)].reshape(-1, 3).astype(np.int32),
        uvs=np.ascontiguousarray(keys[rows, 1:3]),
        normals=np.ascontiguousarray(keys[rows, 3:6]),
    )


def placed(mesh: Mesh, height_m: float) -> tuple[Mesh, NDArray[np.float64], float]:
    """Stand the mesh on y = 0, `height_m` high, centred over the origin in x and z.

    Returns:
        The mesh, and what was done to it: (vertex - pivot) * scale.
    """
    low, high = mesh.bounds.astype(np.float64)
    scale = height_m / max(high[1] - low[1], 1e-9)
    pivot = np.array([(low[0] + high[0]) / 2.0, low[1], (low[2] + high[2]) / 2.0])
    vertices = ((mesh.vertices - pivot) * scale).astype(np.float32)
    return dataclasses.replace(mesh, vertices=vertices), pivot, scale


def _normalising(gaussians: Gaussians) -> tuple[NDArray[np.float64], float]:
    low, high = robust_bounds(gaussians)
    return (low + high) / 2.0, LONG_SIDE / max(float((high - low).max()), 1e-9)


def _moved_cameras(cameras: Cameras, centre: NDArray, scale: float) -> Cameras:
    poses = cameras.world_from_camera.copy()
    poses[:, :3, 3] = (poses[:, :3, 3] - centre) * scale
    return dataclasses.replace(cameras, world_from_camera=poses)


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds, self._last = seconds, time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self._seconds[step], self._last = now - self._last, now

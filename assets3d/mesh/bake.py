"""Colour a mesh's texture from splats: render them all round, keep what each camera truly sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from assets3d.cameras import Cameras
from assets3d.mesh.depth import all_round_cameras, reach
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.texels import Texels, covered_texels
from assets3d.native.surface import add_picture
from assets3d.splats.gaussians import Gaussians
from assets3d.views.posed import Views

if TYPE_CHECKING:
    import torch

#: How far, in world units of the normalised object, a texel may lie behind the depth picture.
DEPTH_TOLERANCE = 0.012
#: Pixels at steps in depth mix near and far; colour is trusted fully only this far from them.
EDGE_PX = 3.0
#: Texels of dilation round each chart; the rest of the atlas gets the mean colour.
DILATION_PX = 8
#: Splats whose mean depth is this far from the mesh do not colour it.
DEPTH_AGREEMENT = 0.03
#: How much a true picture outweighs one of the splats.
SOURCE_STRENGTH = 12.0


def baked(
    mesh: Mesh,
    gaussians: Gaussians,
    texture_px: int,
    *,
    cameras: int = 32,
    sources: Views | None = None,
    threads: int | None = None,
) -> NDArray[np.uint8]:
    """Return the (T, T, 3) sRGB base colour of a mesh, row 0 at the top.

    Args:
        mesh: with texture coordinates and normals, in the splats' (normalised) frame.
        gaussians: the pruned splats.
        texture_px: T.
        cameras: how many pictures of the splats are taken, evenly all round.
        sources: true pictures; where they see the surface well they outweigh the splats.
        threads: threads of the rasteriser.
    """
    texels = covered_texels(mesh, texture_px, threads)
    total = np.zeros((len(texels.index), 3), dtype=np.float32)
    weight = np.zeros(len(texels.index), dtype=np.float32)
    values = gaussians.tensor()

    def add(
        camera: Cameras, colour: NDArray, depth: NDArray, trust: NDArray, power: float, share: float
    ) -> None:
        layers = np.concatenate([depth[..., None], trust[..., None], colour], axis=2)
        add_picture(
            *(total, weight, texels.position, texels.normal, texels.face_normal, camera, layers),
            tolerance=DEPTH_TOLERANCE,
            power=power,
            strength=share,
            threads=threads,
        )

    # At half the texture's side the pictures are about as fine as the texels.
    for camera in _each(all_round_cameras(cameras, max(128, texture_px // 2), reach(gaussians))):
        depth = _mesh_depth(mesh, camera, threads)
        colour, solid = _splat_picture(values, camera, depth, threads)
        add(camera, colour, depth, _trust(depth, solid), power=4.0, share=1.0)
    if sources is not None:
        for camera, picture in zip(_each(sources.cameras), sources.rgba, strict=True):
            depth = _mesh_depth(mesh, camera, threads)
            rgba = picture.astype(np.float32) / 255.0
            trust = _trust(depth, _eroded(rgba[..., 3]))
            add(camera, rgba[..., :3], depth, trust, power=3.0, share=SOURCE_STRENGTH)
    return _texture(texels, total, weight)


def _each(cameras: Cameras) -> list[Cameras]:
    return [cameras[index] for index in range(len(cameras))]


def _splat_picture(
    values: torch.Tensor, camera: Cameras, mesh_depth: NDArray[np.float32], threads: int | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return straight colour (H, W, 3) and how solid the splats are at the mesh's surface (H, W).

    Where the splats' mean depth leaves the mesh, the colour comes through a gap from behind or from
    a speck in front.
    """
    import torch

    from assets3d.splats.rasterise import rasterise

    with torch.no_grad():
        raster = rasterise(values, None, camera, threads=threads)
    alpha = np.maximum(raster.alpha.numpy(), 1e-4)
    apart = np.abs(raster.depth.numpy() / alpha - mesh_depth)
    solid = alpha * np.clip(2.0 - apart / DEPTH_AGREEMENT, 0.02, 1.0)
    return raster.features.numpy() / alpha[..., None], solid


def _eroded(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pull a cutout's rim in by a pixel: its outermost pixels still hold some background."""
    return ndimage.minimum_filter(alpha, size=3)


def _mesh_depth(mesh: Mesh, camera: Cameras, threads: int | None) -> NDArray[np.float32]:
    from assets3d.native.mesh_renderer import render_mesh

    return render_mesh(Mesh(mesh.vertices, mesh.faces), camera, threads=threads).depth[0]


def _trust(depth: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 0..1 per pixel: low where the splats are thin and near steps in the mesh's depth."""
    import cv2

    far = np.where(depth > 0.0, depth, np.float32(1e3))
    near = np.where(depth > 0.0, depth, np.float32(-1e3))
    kernel = np.ones((3, 3), dtype=np.uint8)
    step = cv2.dilate(far, kernel) - cv2.erode(near, kernel) > 0.06
    distance = cv2.distanceTransform((~step).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    solid = np.clip((alpha - 0.6) / 0.35, 0.0, 1.0)
    # A little trust remains at steps, so that thin parts which are nothing but rim get a colour.
    return (solid * np.clip(distance / EDGE_PX, 0.02, 1.0) ** 2).astype(np.float32)


def _texture(texels: Texels, total: NDArray, weight: NDArray) -> NDArray[np.uint8]:
    """Average, fill what no camera saw from the nearest seen surface, dilate the charts."""
    seen = weight > 1e-4
    if not seen.any():
        return np.full((texels.size_px, texels.size_px, 3), 128, dtype=np.uint8)
    colour = total / np.maximum(weight, 1e-12)[:, None]
    if not seen.all():
        colour[~seen] = _from_nearest(texels.position, colour, seen)
    mean = colour[seen].mean(axis=0)
    flat = np.zeros((texels.size_px**2, 3), dtype=np.float32)
    flat[:] = mean
    flat[texels.index] = colour
    covered = np.zeros(texels.size_px**2, dtype=bool)
    covered[texels.index] = True
    picture = _dilated(
        flat.reshape(texels.size_px, texels.size_px, 3), covered.reshape(texels.size_px, -1)
    )
    return np.clip(np.rint(picture * 255.0), 0, 255).astype(np.uint8)


def _from_nearest(
    position: NDArray[np.float32], colour: NDArray[np.float32], seen: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return colours for the unseen texels: the mean of some seen texels nearest in space."""
    rows = np.flatnonzero(seen)
    rows = rows[:: max(1, len(rows) // 60_000)]
    distance, index = cKDTree(position[rows]).query(position[~seen], k=min(4, len(rows)))
    distance, index = distance.reshape(len(distance), -1), index.reshape(len(index), -1)
    weight = 1.0 / (distance + 1e-4)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.einsum("mk,mkj->mj", weight, colour[rows[index]]).astype(np.float32)


def _dilated(picture: NDArray[np.float32], covered: NDArray[np.bool_]) -> NDArray[np.float32]:
    distance, (row, column) = ndimage.distance_transform_edt(~covered, return_indices=True)
    near = (distance <= DILATION_PX) & ~covered
    picture[near] = picture[row[near], column[near]]
    return picture

"""The kernel's inner loops of the mesh step: voxel distances, texel cover, pictures on texels."""

from __future__ import annotations

import ctypes
import os

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.native.library import kernel, pointer


class PictureStruct(ctypes.Structure):
    """A3dPicture of surface.cpp."""

    _fields_ = (
        ("view", ctypes.c_float * 12),
        *((name, ctypes.c_float) for name in ("fx", "fy", "cx", "cy")),
        *((name, ctypes.c_int32) for name in ("width", "height")),
        ("layers", ctypes.c_void_p),
    )


def integrate(
    points: NDArray[np.float32],
    cameras: Cameras,
    layers: NDArray[np.float32],
    *,
    voxel: float,
    band: float,
    step: float,
    threads: int | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the signed distance of points in voxels, clipped to ±band, and who sees through them.

    Args:
        points: (M, 3) world positions.
        cameras: V cameras.
        layers: (V, H, W, 4) depth, confidence, incidence, pixels outside the silhouette.
        voxel: world units per voxel.
        band: truncation in voxels.
        step: neighbouring depths further apart than this, in world units, are not blended.
        threads: None takes all processors. No influence on the result.

    Returns:
        (M,) distance and (M,) number of cameras that see free space there.
    """
    points, layers = _floats(points), _floats(layers)
    pictures = (PictureStruct * len(cameras))(
        *(_picture(cameras, index, layers[index]) for index in range(len(cameras)))
    )
    distance, votes = np.zeros(len(points), np.float32), np.zeros(len(points), np.float32)
    kernel().a3d_integrate(
        pointer(points),
        ctypes.c_int64(len(points)),
        pictures,
        len(cameras),
        *(ctypes.c_float(value) for value in (voxel, band, step)),
        pointer(distance),
        pointer(votes),
        threads or os.cpu_count() or 1,
    )
    return distance, votes


def cover_texels(
    corners: NDArray[np.float32], size_px: int, reach: float = 0.75, threads: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the face that covers each texel, (T, T), -1 for none, and its weights, (T, T, 3).

    Args:
        corners: (F, 3, 2) texel coordinates of the faces' corners from the top left.
        size_px: T.
        reach: a texel no face holds goes to the nearest face within this many texels.
        threads: None takes all processors. No influence on the result.
    """
    corners = _floats(corners)
    owner = np.full((size_px, size_px), -1, dtype=np.int32)
    weights = np.zeros((size_px, size_px, 3), dtype=np.float32)
    kernel().a3d_cover_texels(
        pointer(corners),
        len(corners),
        size_px,
        ctypes.c_float(reach),
        pointer(owner),
        pointer(weights),
        threads or os.cpu_count() or 1,
    )
    return owner, weights


def add_picture(
    total: NDArray[np.float32],
    weight: NDArray[np.float32],
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    face_normals: NDArray[np.float32],
    camera: Cameras,
    layers: NDArray[np.float32],
    *,
    tolerance: float,
    power: float,
    strength: float,
    threads: int | None = None,
) -> None:
    """Add one picture to the points it sees, in place: colour (M, 3) to `total`, share to `weight`.

    Args:
        total: (M, 3) float32, contiguous.
        weight: (M,) float32, contiguous.
        points: (M, 3) world positions on the surface.
        normals: (M, 3) smooth unit normals.
        face_normals: (M, 3) unit normals of the faces.
        camera: one camera.
        layers: (H, W, 5) the surface's depth, trust 0..1, red, green, blue.
        tolerance: how far a point may lie behind the depth and still be seen, world units.
        power: shares fall as cos^power of the angle to the normal.
        strength: factor on all shares.
        threads: None takes all processors. No influence on the result.
    """
    points, normals, face_normals = _floats(points), _floats(normals), _floats(face_normals)
    layers = _floats(layers)
    picture = _picture(camera, 0, layers)
    eye = _floats(camera.positions[0])
    kernel().a3d_add_picture(
        pointer(points),
        pointer(normals),
        pointer(face_normals),
        ctypes.c_int64(len(points)),
        ctypes.byref(picture),
        pointer(eye),
        *(ctypes.c_float(value) for value in (tolerance, power, strength)),
        pointer(total),
        pointer(weight),
        threads or os.cpu_count() or 1,
    )


def _floats(values: NDArray) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)


def _picture(cameras: Cameras, index: int, layers: NDArray[np.float32]) -> PictureStruct:
    rows = cameras.opencv_from_world[index, :3].ravel().tolist()
    return PictureStruct(
        (ctypes.c_float * 12)(*rows),
        *cameras.intrinsics_px[index].tolist(),
        cameras.width_px,
        cameras.height_px,
        layers.ctypes.data,
    )

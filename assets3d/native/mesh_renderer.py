"""Draw a mesh on the CPU: a z-buffer in C++ for previews, turntables without EGL, and checks."""

from __future__ import annotations

import ctypes
import os
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.errors import InputError, PassingError
from assets3d.mesh.mesh import Mesh
from assets3d.native.library import MeshPictureStruct, MeshSceneStruct, kernel

NEAR = 0.01
_MOST_SAMPLES = 8


class MeshRender(NamedTuple):
    """V pictures of a mesh.

    Attributes:
        rgba: (V, H, W, 4) uint8, straight alpha, antialiased by the samples.
        depth: (V, H, W) float32 along the camera's axis, 0 where nothing is.
        normal: (V, H, W, 3) float32, world, as the mesh has it (not turned to the viewer).
        face: (V, H, W) int32, -1 where nothing is.

    Depth, normal and face are those of the pixel's nearest sample.
    """

    rgba: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
    face: NDArray[np.int32]


def render_mesh(
    mesh: Mesh,
    cameras: Cameras,
    *,
    shading: Literal["flat_light", "unlit"] = "unlit",
    background: tuple[float, float, float] | None = None,
    supersample: int = 1,
    threads: int | None = None,
) -> MeshRender:
    """Draw the mesh from each camera.

    Colour is the texture (bilinear, repeating) when there are uvs and a texture, else the vertex
    colours, else grey. "flat_light" adds a key and a fill light that travel with the camera, in
    linear light, on `mesh.normals` or else the faces' own. Triangles that reach behind the near
    plane (0.01) are left out.

    Args:
        mesh: any triangle mesh; both sides of a face are drawn.
        cameras: V cameras.
        shading: "unlit" shows colours as they are.
        background: sRGB 0..1 behind the mesh, alpha is then 255; None keeps it transparent.
        supersample: samples per pixel along each axis, 1 to 8.
        threads: None takes all processors. No influence on the result.

    Raises:
        InputError: for indices out of range or arrays of the wrong shape.
    """
    if not 1 <= supersample <= _MOST_SAMPLES:
        raise InputError(f"supersample: found {supersample}, wanted 1 to {_MOST_SAMPLES}")
    if shading not in ("flat_light", "unlit"):
        raise InputError(f"shading: found {shading!r}, wanted flat_light or unlit")
    size = (len(cameras), cameras.height_px, cameras.width_px)
    result = MeshRender(
        np.zeros((*size, 4), np.uint8),
        np.zeros(size, np.float32),
        np.zeros((*size, 3), np.float32),
        np.full(size, -1, np.int32),
    )
    arrays = _arrays(mesh)
    scene = _scene(arrays, shading == "flat_light", background, supersample)
    threads = threads or os.cpu_count() or 1
    for index in range(len(cameras)):
        _aim(scene, cameras, index)
        picture = MeshPictureStruct(*(part[index].ctypes.data for part in result))
        if not kernel().a3d_render_mesh(ctypes.byref(scene), ctypes.byref(picture), threads):
            raise PassingError(f"mesh: found too little memory for {len(mesh.faces)} faces")
    return result


def _arrays(mesh: Mesh) -> dict[str, NDArray | None]:
    """Return the mesh's arrays as the kernel reads them; the caller keeps them alive."""
    count = len(mesh.vertices)
    wanted = {
        "vertices": (mesh.vertices, np.float32, (count, 3)),
        "faces": (mesh.faces, np.int32, (len(mesh.faces), 3)),
        "normals": (mesh.normals, np.float32, (count, 3)),
        "colours": (mesh.colours, np.float32, (count, 3)),
        "uvs": (mesh.uvs, np.float32, (count, 2)),
    }
    arrays: dict[str, NDArray | None] = {}
    for name, (array, dtype, shape) in wanted.items():
        arrays[name] = None if array is None else np.ascontiguousarray(array, dtype=dtype)
        if array is not None and array.shape != shape:
            raise InputError(f"mesh.{name}: found shape {array.shape}, wanted {shape}")
    faces = arrays["faces"]
    if faces is not None and faces.size and not (0 <= faces.min() and faces.max() < count):
        raise InputError(f"mesh.faces: found an index outside 0..{count - 1}, wanted none")
    texture = mesh.base_colour
    if texture is not None and (texture.ndim != 3 or texture.shape[2] != 3 or not texture.size):
        raise InputError(f"mesh.base_colour: found shape {texture.shape}, wanted (T, T, 3)")
    arrays["texture"] = None if texture is None else np.ascontiguousarray(texture, dtype=np.uint8)
    return arrays


def _scene(
    arrays: dict[str, NDArray | None],
    lit: bool,
    background: tuple[float, float, float] | None,
    supersample: int,
) -> MeshSceneStruct:
    scene = MeshSceneStruct()
    for name, array in arrays.items():
        setattr(scene, name, None if array is None else array.ctypes.data)
    vertices, faces, texture = arrays["vertices"], arrays["faces"], arrays["texture"]
    assert vertices is not None
    assert faces is not None
    scene.vertex_count, scene.face_count = len(vertices), len(faces)
    if texture is not None:
        scene.texture_height, scene.texture_width = texture.shape[:2]
    scene.near_plane, scene.lit, scene.supersample = NEAR, int(lit), supersample
    if background is not None:
        scene.background = (ctypes.c_float * 3)(*background)
        scene.has_background = 1
    return scene


def _aim(scene: MeshSceneStruct, cameras: Cameras, index: int) -> None:
    rows = cameras.opencv_from_world[index, :3]
    scene.view = (ctypes.c_float * 12)(*rows.ravel().tolist())
    scene.fx, scene.fy, scene.cx, scene.cy = cameras.intrinsics_px[index].tolist()
    scene.width, scene.height = cameras.width_px, cameras.height_px

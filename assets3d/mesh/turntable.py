"""Turntable pictures of a mesh under a soft studio light, on a transparent background.

Two renderers with the same cameras and lights: pyrender where OpenGL works without a screen (EGL),
and our own CPU renderer, which works everywhere and gives the same bytes on every run.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras, look_at, orbit_cameras
from assets3d.mesh.glb import linear_from_srgb, srgb_from_linear
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import unit, vertex_normals

_log = logging.getLogger(__name__)

Renderer = Literal["auto", "pyrender", "native"]

FOV_Y_DEG = 30.0
ELEVATION_DEG = 15.0
#: Share of the frame that the object fills at its widest.
FILL = 0.9
#: Direction towards each light in camera axes (right, up, towards the viewer), and its strength.
_LIGHTS = (
    ((-0.45, 0.75, 0.65), 0.62),  # key, from the upper left
    ((0.85, 0.15, 0.50), 0.22),  # fill, from the right
    ((0.10, 0.55, -0.85), 0.25),  # rim, from behind
)
#: Ambient light from above and from below; pyrender knows only their mean.
_SKY, _GROUND = 0.42, 0.26


def turntable(
    mesh: Mesh, frames: int, size_px: int, renderer: Renderer = "auto"
) -> NDArray[np.uint8]:
    """Return (frames, size_px, size_px, 4) uint8 pictures, straight alpha, the front view first.

    The camera goes round by equal steps; the last frame does not repeat the first.
    """
    cameras, centred = _framed(mesh, 360.0 * np.arange(frames) / frames, ELEVATION_DEG, size_px)
    return render(centred, cameras, renderer)


def portrait(
    mesh: Mesh, size_px: int, azimuth_deg: float = 30.0, renderer: Renderer = "auto"
) -> NDArray[np.uint8]:
    """Return one (size_px, size_px, 4) uint8 picture from a little to the side."""
    cameras, centred = _framed(mesh, np.array([azimuth_deg]), ELEVATION_DEG, size_px)
    return render(centred, cameras, renderer)[0]


def render(mesh: Mesh, cameras: Cameras, renderer: Renderer = "auto") -> NDArray[np.uint8]:
    """Return (V, H, W, 4) uint8 studio pictures of a mesh from any cameras."""
    if mesh.normals is None:
        mesh = dataclasses.replace(mesh, normals=vertex_normals(mesh.vertices, mesh.faces))
    if renderer == "pyrender" or (renderer == "auto" and egl_works()):
        return _render_pyrender(mesh, cameras)
    return _render_native(mesh, cameras)


def _framed(
    mesh: Mesh, azimuths_deg: NDArray, elevation_deg: float, size_px: int
) -> tuple[Cameras, Mesh]:
    """Return cameras that see the whole mesh in every frame, and the mesh moved to their centre."""
    low, high = mesh.bounds.astype(np.float64)
    middle = (low + high) / 2.0
    radius = max(float(np.linalg.norm(high - low)) / 2.0, 1e-9)
    vertices = ((mesh.vertices - middle) / radius).astype(np.float32)
    distance = 1.02 / np.sin(np.radians(FOV_Y_DEG) / 2.0)
    cameras = orbit_cameras(azimuths_deg, elevation_deg, size_px, distance, FOV_Y_DEG)
    # Zoom in until the widest frame fills its share: a slender thing is not left tiny.
    local = (
        np.einsum("vij,nj->vni", cameras.opencv_from_world[:, :3, :3], vertices)
        + cameras.opencv_from_world[:, None, :3, 3]
    )
    spread = np.abs(local[..., :2] / local[..., 2:]).max() * 2.0 * cameras.intrinsics_px[0, 0]
    intrinsics = cameras.intrinsics_px.copy()
    intrinsics[:, :2] *= FILL * size_px / spread
    cameras = dataclasses.replace(cameras, intrinsics_px=intrinsics)
    return cameras, dataclasses.replace(mesh, vertices=vertices)


def _render_native(mesh: Mesh, cameras: Cameras) -> NDArray[np.uint8]:
    from assets3d.native.mesh_renderer import render_mesh

    pictures = []
    double = cameras.resized(2 * cameras.width_px, 2 * cameras.height_px)
    for index in range(len(cameras)):
        drawn = render_mesh(mesh, double[index], shading="unlit")
        pictures.append(_shaded(drawn.rgba[0], drawn.normal[0], double[index]))
    return np.stack(pictures)


def _shaded(
    rgba: NDArray[np.uint8], normal: NDArray[np.float32], camera: Cameras
) -> NDArray[np.uint8]:
    """Light a picture by its normals, in linear light as pyrender does, and halve its size."""
    light = _GROUND + (_SKY - _GROUND) * (normal[..., 1] * 0.5 + 0.5)
    for direction, strength in _LIGHTS:
        towards = camera.world_from_camera[0, :3, :3] @ unit(np.array(direction))
        light = light + strength * np.clip(normal @ towards.astype(np.float32), 0.0, None)
    linear = linear_from_srgb(np.arange(256) / 255.0)[rgba[..., :3]] * light[..., None]
    alpha = rgba[..., 3:] / np.float32(255.0)
    height, width = rgba.shape[0] // 2, rgba.shape[1] // 2
    halved = np.concatenate([srgb_from_linear(linear) * alpha, alpha], axis=2)
    halved = halved.reshape(height, 2, width, 2, 4).mean(axis=(1, 3))
    return _straight(halved)


def _straight(premultiplied: NDArray[np.floating]) -> NDArray[np.uint8]:
    alpha = premultiplied[..., 3:]
    colour = premultiplied[..., :3] / np.maximum(alpha, 1e-4)
    straight = np.concatenate([np.where(alpha > 0.0, colour, 0.0), alpha], axis=-1)
    return np.clip(np.rint(straight * 255.0), 0, 255).astype(np.uint8)


@functools.cache
def egl_works() -> bool:
    """Say whether pyrender can draw here; asked once per process."""
    try:
        pyrender = _pyrender()
        drawer = pyrender.OffscreenRenderer(8, 8)
        drawer.delete()
    except Exception as error:  # whatever a driver raises, it means the same to us
        _log.info("turntable: no EGL here (%s), drawing with the CPU renderer", error)
        return False
    return True


def _pyrender():
    # Both must be in place before pyrender's own code runs: it picks its platform at import, and
    # version 0.1.45 still says numpy.infty, which NumPy 2 took away.
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    if not hasattr(np, "infty"):
        setattr(np, "infty", np.inf)  # noqa: B010 (the name itself is banned in our code)
    import pyrender

    return pyrender


def _render_pyrender(mesh: Mesh, cameras: Cameras) -> NDArray[np.uint8]:
    pyrender = _pyrender()
    scene = pyrender.Scene(bg_color=[0.0, 0.0, 0.0, 0.0], ambient_light=[(_SKY + _GROUND) / 2] * 3)
    scene.add(_pyrender_mesh(pyrender, mesh))
    fx, fy, cx, cy = cameras.intrinsics_px[0]
    eye = scene.add(pyrender.IntrinsicsCamera(fx, fy, cx, cy, znear=0.05, zfar=100.0))
    lights = [
        scene.add(pyrender.DirectionalLight(color=np.ones(3), intensity=np.pi * strength))
        for _, strength in _LIGHTS
    ]
    drawer = pyrender.OffscreenRenderer(cameras.width_px, cameras.height_px)
    pictures = []
    try:
        for pose in cameras.world_from_camera:
            scene.set_pose(eye, pose)
            for light, (direction, _) in zip(lights, _LIGHTS, strict=True):
                scene.set_pose(light, pose @ look_at([direction])[0])
            drawn, _ = drawer.render(scene, flags=pyrender.RenderFlags.RGBA)
            # Four samples a pixel: at the rim, colour is already mixed with transparent black.
            pictures.append(_straight(drawn / np.float32(255.0)))
    finally:
        drawer.delete()
    return np.stack(pictures)


def _pyrender_mesh(pyrender, mesh: Mesh):
    texture = None
    if mesh.uvs is not None and mesh.base_colour is not None:
        texture = pyrender.Texture(
            source=np.ascontiguousarray(mesh.base_colour), source_channels="RGB"
        )
    material = pyrender.MetallicRoughnessMaterial(
        baseColorTexture=texture, metallicFactor=0.0, roughnessFactor=1.0, alphaMode="OPAQUE"
    )
    colours = None
    if texture is None and mesh.colours is not None:
        linear = linear_from_srgb(mesh.colours)
        colours = np.column_stack([linear, np.ones(len(linear), dtype=np.float32)])
    primitive = pyrender.Primitive(
        positions=mesh.vertices,
        normals=mesh.normals,
        texcoord_0=None if texture is None else mesh.uvs,
        color_0=colours,
        indices=mesh.faces,
        material=material,
        mode=4,
    )
    return pyrender.Mesh([primitive])

"""Pictures of a material: its maps side by side, tiles on a tilted plane, the ball.

Shaded here, in linear light, with the microfacet model that glTF describes; the plane has its real
relief, with shade and edges, the ball is that of the GLB.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.images.sheet import contact_sheet
from assets3d.mesh.glb import linear_from_srgb
from assets3d.textures.cube_sphere import FACES, face_coordinates
from assets3d.textures.material import Material
from assets3d.textures.shading import Field, Sky, Sun, Surface, picture_of, shaded, sunlit
from assets3d.textures.shrink import shrunk

__all__ = ["GRAZING", "Sun", "lit_plane", "lit_sphere", "maps_sheet", "tiled"]

#: Tiles along each side of the plane.
PLANE_TILES = 3
#: The plane's eye: elevation, distance in half planes, half the picture's width at distance 1, and
#: how far above the picture's middle the plane's is, in half widths.
_ELEVATION_DEG, _DISTANCE, _LENS, _RAISED = 42.0, 2.9, 0.49, 0.075
#: Steps of a ray through the relief, before the last one is divided.
_MARCH_STEPS = 24
#: The ball is turned to show three faces; it fills so much of the picture.
_YAW_DEG, _PITCH_DEG, _BALL_FILL = -30.0, 20.0, 0.94
#: Above the surface, where there is none.
_FAR = np.float32(1e3)
#: Rays per pixel along each axis.
_RAYS = 2
_BACKDROP = np.array([0.05, 0.05, 0.055], np.float32)

#: Low over the surface, so that every bump and every seam throws its light or shade.
GRAZING = Sun(150.0, 24.0, 4.6)
#: A large lamp at the upper left, a weak one at the right, one behind the ball for its rim.
_STUDIO = (Sun(130.0, 40.0, 3.0, 0.12), Sun(-10.0, 25.0, 0.7, 0.2), Sun(70.0, -20.0, 1.6, 0.12))


def maps_sheet(material: Material, size_px: int) -> NDArray[np.uint8]:
    """Return the six maps side by side, each `size_px` wide, with their names."""
    small = shrunk(material, size_px)
    span = float(np.ptp(small.height_m)) or 1.0
    grey = {
        "height": (small.height_m - small.height_m.min()) / span,
        "roughness": small.roughness,
        "occlusion": small.occlusion,
        "metallic": small.metallic,
    }
    pictures = {"base colour": small.base_colour, "normal": 0.5 + 0.5 * small.normals}
    pictures |= {name: np.repeat(values[..., None], 3, axis=2) for name, values in grey.items()}
    return contact_sheet([_bytes(p) for p in pictures.values()], 3, list(pictures))


def tiled(picture: NDArray[np.uint8], times: int = PLANE_TILES) -> NDArray[np.uint8]:
    """Return a picture (H, W) or (H, W, C) repeated `times` along both axes."""
    return np.tile(picture, (times, times) + (1,) * (picture.ndim - 2))


def lit_plane(material: Material, size_px: int, sun: Sun = GRAZING) -> NDArray[np.uint8]:
    """Return three tiles by three on a tilted plane under one light, (H, S, 3) sRGB."""
    width, height = _RAYS * size_px, _RAYS * round(0.62 * size_px)
    tilt = np.deg2rad(_ELEVATION_DEG)
    eye = np.array([0.0, -np.cos(tilt), np.sin(tilt)]) * _DISTANCE
    up = np.array([0.0, np.sin(tilt), np.cos(tilt)])
    x, y = _screen(width, height)
    rays = _LENS * (y - _RAISED)[..., None] * up - eye / _DISTANCE
    rays[..., 0] += _LENS * x
    # A tile covers at most this many rays, so finer detail would only glitter.
    seen = shrunk(material, max(32, round(width / PLANE_TILES)))
    relief = seen.height_m * np.float32(2.0 / (PLANE_TILES * seen.tile_m))  # in half planes
    places, inside = _relief_hit(relief, eye, rays.astype(np.float32))
    lit = sunlit(seen.height_m, seen.pixel_m, sun)
    columns, rows = _texels(seen.size_px, *_plane_tiles(places))
    view = -rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    light = shaded(
        _surface(seen, columns, rows),
        view.astype(np.float32),
        [sun],
        Sky(up=(0.0, 0.0, 1.0)),
        np.asarray(_at(lit, columns, rows)),
    )
    return _picture(light, inside)


def lit_sphere(material: Material, size_px: int, sun: Sun | None = None) -> NDArray[np.uint8]:
    """Return the ball of the GLB, one tile on each of its faces, (S, S, 3) sRGB.

    Args:
        material: any.
        size_px: S.
        sun: the only lamp; by default there are three, as in a studio.
    """
    x, y = (v / _BALL_FILL for v in _screen(_RAYS * size_px, _RAYS * size_px))
    inside = x**2 + y**2 <= 1.0
    z = np.sqrt(np.maximum(1.0 - x**2 - y**2, 0.0))
    outward = np.stack([x, y, z], axis=-1).astype(np.float32)
    outward /= np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-6)
    turn = _turn()  # picture from ball
    index, across, upward = face_coordinates(outward @ turn)
    right = (np.asarray([face.right for face in FACES], np.float32) @ turn.T)[index]
    east = right - (right * outward).sum(axis=-1, keepdims=True) * outward
    east /= np.maximum(np.linalg.norm(east, axis=-1, keepdims=True), 1e-6)
    # A face is about as wide as two thirds of the picture.
    seen = shrunk(material, max(32, round(0.7 * _RAYS * size_px)))
    columns, rows = _texels(seen.size_px, 0.5 + 0.5 * across, 0.5 - 0.5 * upward)
    surface = _surface(seen, columns, rows)
    n = surface.normals
    normals = n[..., :1] * east + n[..., 1:2] * np.cross(outward, east) + n[..., 2:] * outward
    surface = Surface(
        surface.colour, normals, surface.roughness, surface.occlusion, surface.metallic
    )
    view = np.zeros_like(normals)
    view[..., 2] = 1.0
    suns = [sun] if sun else _STUDIO
    return _picture(shaded(surface, view, suns, Sky(up=(0.0, 1.0, 0.0))), inside)


def without_backdrop(sphere: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture by `lit_sphere` with the ball alone, (S, S, 4), straight alpha."""
    size_px = len(sphere)
    x, y = (v / _BALL_FILL for v in _screen(_RAYS * size_px, _RAYS * size_px))
    inside = (x**2 + y**2 <= 1.0).reshape(size_px, _RAYS, size_px, _RAYS)
    alpha = inside.mean(axis=(1, 3), dtype=np.float32)[..., None]
    backdrop = picture_of(_BACKDROP[None, None]).astype(np.float32)
    ball = (sphere - (1.0 - alpha) * backdrop) / np.maximum(alpha, 1e-6)
    return _bytes(np.concatenate([ball / 255.0, alpha], axis=-1) * (alpha > 0.0))


def _relief_hit(relief: Field, eye: NDArray, rays: Field) -> tuple[Field, NDArray[np.bool_]]:
    """Return where rays meet the relief, (H, W, 2) in half planes, and whether on the plane.

    Rays are followed from the highest level to the lowest; the step that passes below the surface
    is divided as if the surface were straight in it.
    """
    highest, lowest = float(relief.max()), float(relief.min())
    steepness = rays[..., :2] / np.minimum(rays[..., 2:], -1e-6)

    def over(level: Field | float) -> tuple[Field, Field]:
        """Return the places at a level, and how far above the surface that is."""
        down = np.broadcast_to(level, rays.shape[:2]).astype(np.float32) - np.float32(eye[2])
        places: Field = eye[:2].astype(np.float32) + steepness * down[..., None]
        on_plane = (np.abs(places) <= 1.0).all(axis=-1)
        surface = _at(relief, *_texels(len(relief), *_plane_tiles(places)))
        return places, np.where(on_plane, level - surface, _FAR)

    hit = np.full(rays.shape[:2], np.float32(lowest))
    found = np.zeros(rays.shape[:2], bool)
    before = np.full(rays.shape[:2], _FAR)
    step = (highest - lowest) / _MARCH_STEPS
    for number in range(_MARCH_STEPS + 1):
        level = highest - number * step
        above = over(level)[1]
        # Rounding leaves the lowest points a hair above the lowest level.
        passed = ~found & (above <= 1e-6)
        share = above / np.minimum(above - before, -1e-9)
        hit = np.where(passed, level + step * np.clip(share, 0.0, 1.0), hit).astype(np.float32)
        found |= passed
        before = above
    return over(hit)[0], found


def _plane_tiles(places: Field) -> tuple[Field, Field]:
    """Return tiles to the right and down of places (..., 2) in half planes, y up."""
    half = np.float32(PLANE_TILES / 2.0)
    return places[..., 0] * half + half, half - places[..., 1] * half


def _screen(width_px: int, height_px: int) -> tuple[NDArray, NDArray]:
    """Return x and y (H, W), y up; the width spans -1..1."""
    x = (np.arange(width_px) + 0.5) / width_px * 2.0 - 1.0
    y = height_px / width_px - (np.arange(height_px) + 0.5) / width_px * 2.0
    return tuple(np.meshgrid(x, y))  # type: ignore[return-value]


def _turn() -> Field:
    """Return the (3, 3) rotation from the ball's frame to the picture's."""
    yaw, pitch = np.deg2rad([_YAW_DEG, _PITCH_DEG])
    round_y = np.array(
        [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]], np.float32
    )
    round_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]],
        np.float32,
    )
    return round_x @ round_y


def _texels(size_px: int, across: NDArray, down: NDArray) -> tuple[Field, Field]:
    """Return columns and rows of places in tiles; `_at` wraps them."""
    columns, rows = (np.asarray(v * size_px - 0.5, np.float32) for v in (across, down))
    return columns, rows


def _at(values: Field, columns: Field, rows: Field) -> Field:
    """Sample a map bilinearly on the torus."""
    import cv2

    found = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found, np.float32)


def _surface(material: Material, columns: Field, rows: Field) -> Surface:
    return Surface(
        colour=_at(linear_from_srgb(material.base_colour), columns, rows),
        normals=_at(material.normals, columns, rows),
        roughness=_at(material.roughness, columns, rows),
        occlusion=_at(material.occlusion, columns, rows),
        metallic=_at(material.metallic, columns, rows),
    )


def _picture(light: Field, inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Encode, and take the mean of each pixel's rays."""
    rays = picture_of(np.where(inside[..., None], light, _BACKDROP)).astype(np.float32)
    height, width = rays.shape[0] // _RAYS, rays.shape[1] // _RAYS
    mean = rays.reshape(height, _RAYS, width, _RAYS, 3).mean(axis=(1, 3))
    return np.rint(mean).astype(np.uint8)


def _bytes(values: NDArray) -> NDArray[np.uint8]:
    return np.round(255.0 * np.clip(values, 0.0, 1.0)).astype(np.uint8)

"""Pictures of a material: its maps side by side, tiles on a tilted plane, a sphere.

Shaded here, in linear light, with the microfacet model that glTF describes (GGX with Smith's
shadowing, Schlick's Fresnel): the pictures show what an engine will.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.images.sheet import contact_sheet
from assets3d.mesh.glb import linear_from_srgb, srgb_from_linear
from assets3d.textures.material import Material
from assets3d.textures.shrink import shrunk

Field = NDArray[np.float32]

#: Tiles along each side of the plane.
PLANE_TILES = 3
_EYE_ELEVATION_DEG, _EYE_DISTANCE, _LENS, _SPHERE_TILES = 42.0, 2.7, 0.5, 4.0
_DIELECTRIC = np.float32(0.04)
_SKY, _GROUND = np.array([0.36, 0.38, 0.42], np.float32), np.array([0.2, 0.19, 0.18], np.float32)
_BACKDROP = np.array([0.05, 0.05, 0.055], np.float32)


@dataclass(frozen=True)
class Sun:
    """A far light. Azimuth turns from the picture's right to its top."""

    azimuth_deg: float
    elevation_deg: float
    strength: float

    @property
    def towards(self) -> Field:
        """(3,) unit vector to the light: right, up, out of the surface."""
        azimuth, elevation = np.deg2rad([self.azimuth_deg, self.elevation_deg])
        level = np.cos(elevation) * np.array([np.cos(azimuth), np.sin(azimuth)])
        return np.append(level, np.sin(elevation)).astype(np.float32)


#: Low over the surface, so that every bump and every seam throws its light or shade.
GRAZING = Sun(150.0, 24.0, 3.6)


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


def lit_plane(material: Material, size_px: int, sun: Sun = GRAZING) -> NDArray[np.uint8]:
    """Return three tiles by three on a tilted plane under one light, (H, S, 3) sRGB."""
    height_px = round(0.62 * size_px)
    tilt = np.deg2rad(_EYE_ELEVATION_DEG)
    eye = np.array([0.0, -np.cos(tilt), np.sin(tilt)]) * _EYE_DISTANCE
    right = np.array([1.0, 0.0, 0.0])
    up = np.array([0.0, np.sin(tilt), np.cos(tilt)])
    ahead = -eye / _EYE_DISTANCE
    x, y = _screen(size_px, height_px)
    rays = ahead + _LENS * x[..., None] * right + _LENS * y[..., None] * up
    distance = -eye[2] / np.minimum(rays[..., 2], -1e-6)
    points = eye + rays * distance[..., None]
    inside = (np.abs(points[..., :2]) <= 1.0).all(axis=-1)
    tiles = points[..., :2] * (PLANE_TILES / 2.0) + PLANE_TILES / 2.0
    # A tile covers at most this many pixels of the picture, so finer detail would only glitter.
    seen = shrunk(material, max(32, round(size_px / PLANE_TILES)))
    sampled = _sampled(seen, tiles[..., 0], -tiles[..., 1])
    view = -rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    colour = _shaded(sampled, sampled.normals, view.astype(np.float32), sun)
    return _picture(colour, inside)


def lit_sphere(material: Material, size_px: int, sun: Sun | None = None) -> NDArray[np.uint8]:
    """Return a sphere that wears the material, four tiles round its belt, (S, S, 3) sRGB."""
    x, y = _screen(size_px, size_px)
    x, y = x / 0.92, y / 0.92
    inside = x**2 + y**2 <= 1.0
    z = np.sqrt(np.maximum(1.0 - x**2 - y**2, 0.0))
    outward = np.stack([x, y, z], axis=-1).astype(np.float32)
    longitude, latitude = np.arctan2(x, z), np.arcsin(np.clip(y, -1.0, 1.0))
    along = _SPHERE_TILES * longitude / (2.0 * np.pi)
    upward = _SPHERE_TILES * latitude / (2.0 * np.pi)
    east = np.stack([np.cos(longitude), 0.0 * x, -np.sin(longitude)], axis=-1).astype(np.float32)
    north = np.cross(outward, east)
    seen = shrunk(material, max(32, size_px // 2))
    sampled = _sampled(seen, along, -upward)
    n = sampled.normals
    normals = n[..., :1] * east + n[..., 1:2] * north + n[..., 2:] * outward
    view = np.broadcast_to(np.array([0.0, 0.0, 1.0], np.float32), normals.shape)
    colour = _shaded(sampled, normals, view, sun or Sun(125.0, 38.0, 3.2))
    return _picture(colour, inside)


def _screen(width_px: int, height_px: int) -> tuple[NDArray, NDArray]:
    """Return x and y (H, W), y up; the width spans -1..1."""
    x = (np.arange(width_px) + 0.5) / width_px * 2.0 - 1.0
    y = ((np.arange(height_px) + 0.5) / width_px * 2.0 - height_px / width_px) * -1.0
    return tuple(np.meshgrid(x, y))  # type: ignore[return-value]


def _sampled(material: Material, across: NDArray, down: NDArray) -> Material:
    """Return the maps at places in tiles (y down), bilinear on the torus, linear base colour."""
    import cv2

    size = material.size_px
    columns = ((across % 1.0) * size - 0.5).astype(np.float32)
    rows = ((down % 1.0) * size - 0.5).astype(np.float32)

    def at(values: Field) -> Field:
        found = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(found, np.float32)

    return Material(
        base_colour=at(linear_from_srgb(material.base_colour)),
        height_m=at(material.height_m),
        normals=at(material.normals),
        roughness=at(material.roughness),
        occlusion=at(material.occlusion),
        metallic=at(material.metallic),
        tile_m=material.tile_m,
    )


def _shaded(seen: Material, normals: Field, view: Field, sun: Sun) -> Field:
    """Return the light (H, W, 3) that leaves towards `view`; the colour of `seen` is linear."""
    normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    metal = seen.metallic[..., None]
    diffuse = seen.base_colour * (1.0 - metal)
    mirror = _DIELECTRIC * (1.0 - metal) + seen.base_colour * metal
    towards = sun.towards
    half = towards + view
    half = half / np.linalg.norm(half, axis=-1, keepdims=True)
    n_l = np.maximum(normals @ towards, 0.0)
    n_v = np.maximum((normals * view).sum(-1), 1e-3)
    n_h = np.clip((normals * half).sum(-1), 0.0, 1.0)
    v_h = np.clip((view * half).sum(-1), 0.0, 1.0)
    alpha = np.maximum(seen.roughness, 0.05) ** 2
    a2 = alpha**2
    spread = a2 / (np.pi * (n_h**2 * (a2 - 1.0) + 1.0) ** 2)
    smith = n_l * np.sqrt(n_v**2 * (1.0 - a2) + a2) + n_v * np.sqrt(n_l**2 * (1.0 - a2) + a2)
    glint = spread * 0.5 / np.maximum(smith, 1e-4)
    fresnel = mirror + (1.0 - mirror) * ((1.0 - v_h) ** 5)[..., None]
    direct = (diffuse / np.pi * (1.0 - fresnel) + glint[..., None] * fresnel) * n_l[..., None]
    sky = 0.5 + 0.5 * normals[..., 1:2]
    around = (_SKY * sky + _GROUND * (1.0 - sky)) * seen.occlusion[..., None]
    # What a rough mirror shows of an even sky is about the sky.
    return sun.strength * direct + around * (diffuse + mirror)


def _picture(colour: Field, inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    lit = np.where(inside[..., None], colour, _BACKDROP)
    # Highlights are rolled off, not clipped.
    mapped = np.where(lit < 0.6, lit, 0.6 + 0.4 * (1.0 - np.exp(-(lit - 0.6) / 0.4)))
    return _bytes(srgb_from_linear(mapped))


def _bytes(values: NDArray) -> NDArray[np.uint8]:
    return np.round(255.0 * np.clip(values, 0.0, 1.0)).astype(np.uint8)

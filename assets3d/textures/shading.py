"""Light on a material, for pictures: the microfacet model of glTF under suns and a soft sky.

All colours are linear light. Directions are unit vectors in whatever frame the normals are in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.glb import srgb_from_linear
from assets3d.textures.torus import rolled

Field = NDArray[np.float32]

_DIELECTRIC = np.float32(0.04)
#: Half of the sun's shade, as a part of its height over the surface.
_PENUMBRA = 0.2


@dataclass(frozen=True)
class Sun:
    """A far light. Azimuth turns from the picture's right to its top.

    Attributes:
        azimuth_deg: where it stands, 90 is the top of the picture.
        elevation_deg: over the surface (or, on a ball, towards the viewer).
        strength: irradiance on what faces it; white then reflects strength / pi.
        size: the least microfacet alpha it is mirrored with: a lamp of some width, not a point.
    """

    azimuth_deg: float
    elevation_deg: float
    strength: float
    size: float = 0.04

    @property
    def towards(self) -> Field:
        """(3,) unit vector to the light: right, up, out of the picture or surface."""
        azimuth, elevation = np.deg2rad([self.azimuth_deg, self.elevation_deg])
        level = np.cos(elevation) * np.array([np.cos(azimuth), np.sin(azimuth)])
        return np.append(level, np.sin(elevation)).astype(np.float32)


@dataclass(frozen=True)
class Sky:
    """Light from all round: one radiance above, another below, a horizon between them."""

    up: tuple[float, float, float]
    above: tuple[float, float, float] = (0.52, 0.55, 0.60)
    below: tuple[float, float, float] = (0.14, 0.13, 0.12)

    def radiance(self, directions: Field, width: Field | float) -> Field:
        """Return (..., 3) light from directions; the horizon is `width` wide, as a sine."""
        height = directions @ np.asarray(self.up, np.float32)
        share = np.clip(0.5 + 0.5 * height / width, 0.0, 1.0)[..., None]
        share = share * share * (3.0 - 2.0 * share)
        below, above = (np.asarray(colour, np.float32) for colour in (self.below, self.above))
        return below + share * (above - below)


@dataclass(frozen=True)
class Surface:
    """What is seen at each pixel; colour (..., 3) linear, normals (..., 3) of any length."""

    colour: Field
    normals: Field
    roughness: Field
    occlusion: Field
    metallic: Field


def shaded(
    surface: Surface,
    view: Field,
    suns: Sequence[Sun],
    sky: Sky,
    sunlit: Field | float = 1.0,
) -> Field:
    """Return the light (..., 3) that leaves a surface.

    Args:
        surface: at each pixel.
        view: (..., 3) unit vectors to the eye.
        suns: each by GGX with Smith's height-correlated shadowing and Schlick's Fresnel.
        sky: its mirror image by the fit of the split sum (Karis 2014).
        sunlit: (...) 0..1, how much of the first sun reaches the surface.
    """
    normals = surface.normals / np.linalg.norm(surface.normals, axis=-1, keepdims=True)
    metal = surface.metallic[..., None]
    diffuse = surface.colour * (1.0 - metal)
    mirror = _DIELECTRIC * (1.0 - metal) + surface.colour * metal
    n_v = np.maximum((normals * view).sum(axis=-1), 1e-3)
    alpha = np.maximum(surface.roughness, 0.05) ** 2
    scale, bias = _split_sum(surface.roughness, n_v)
    bounced = 2.0 * n_v[..., None] * normals - view
    mirrored = sky.radiance(bounced, 0.12 + 0.88 * surface.roughness)
    light = surface.occlusion[..., None] * (
        diffuse * sky.radiance(normals, 1.0) + mirrored * (mirror * scale + bias)
    )
    for index, sun in enumerate(suns):
        towards = sun.towards
        n_l = np.clip(normals @ towards, 0.0, 1.0)
        half = view + towards
        half = half / np.linalg.norm(half, axis=-1, keepdims=True)
        n_h = np.clip((normals * half).sum(axis=-1), 0.0, 1.0)
        v_h = np.clip((view * half).sum(axis=-1), 0.0, 1.0)
        fresnel = mirror + (1.0 - mirror) * ((1.0 - v_h) ** 5)[..., None]
        glint = _glint(np.maximum(alpha, sun.size), n_l, n_v, n_h)[..., None]
        reflected = diffuse / np.float32(np.pi) * (1.0 - fresnel) + glint * fresnel
        reaching = n_l * (sunlit if index == 0 else surface.occlusion)
        light = light + sun.strength * reaching[..., None] * reflected
    return np.asarray(light, np.float32)


def sunlit(height_m: Field, pixel_m: float, sun: Sun) -> Field:
    """Return (S, S) 0..1, how much of the sun relief leaves over, on the torus.

    The steepest rise towards the sun is looked for in growing steps and held against its height.
    """
    across, up, out = (float(v) for v in sun.towards)
    level = float(np.hypot(across, up))
    rise = out / max(level, 1e-6)
    reach_px = min(float(np.ptp(height_m)) / (pixel_m * max(rise, 1e-3)), len(height_m) / 2.0)
    steepest = np.zeros_like(height_m)
    seen = {(0, 0)}
    distance_px = 1.0
    while distance_px <= reach_px:
        right, down = (
            round(distance_px * across / level),
            round(-distance_px * up / level),
        )
        if (right, down) not in seen:
            seen.add((right, down))
            there = rolled(height_m, -down, -right) - height_m
            np.maximum(steepest, there / (pixel_m * float(np.hypot(right, down))), out=steepest)
        distance_px += max(1.0, 0.12 * distance_px)
    share = np.clip(0.5 + (rise - steepest) / (2.0 * _PENUMBRA * rise), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def picture_of(light: Field) -> NDArray[np.uint8]:
    """Return sRGB bytes of linear light; highlights are rolled off, not clipped."""
    rolled_off = 0.6 + 0.4 * (1.0 - np.exp(-(np.maximum(light, 0.6) - 0.6) / 0.4))
    encoded = srgb_from_linear(np.where(light < 0.6, light, rolled_off))
    return np.rint(255.0 * encoded).astype(np.uint8)


def _glint(alpha: Field, n_l: Field, n_v: Field, n_h: Field) -> Field:
    """Return D times V of the GGX model (Walter et al. 2007; Heitz 2014)."""
    a2 = alpha**2
    spread = a2 / (np.float32(np.pi) * (n_h**2 * (a2 - 1.0) + 1.0) ** 2)
    smith = n_l * np.sqrt(n_v**2 * (1.0 - a2) + a2) + n_v * np.sqrt(n_l**2 * (1.0 - a2) + a2)
    return spread * 0.5 / np.maximum(smith, 1e-4)


def _split_sum(roughness: Field, n_v: Field) -> tuple[Field, Field]:
    """Return scale and bias (..., 1) of the mirror colour under an even sky."""
    x = 1.0 - roughness
    y = 0.0425 - 0.0275 * roughness
    z = 1.04 - 0.572 * roughness
    w = 0.022 * roughness - 0.04
    fade = np.minimum(x * x, np.exp2(-9.28 * n_v)) * x + y
    return (-1.04 * fade + z)[..., None], (1.04 * fade + w)[..., None]

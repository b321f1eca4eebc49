"""A lit picture of a material, as photographs and diffusion models show it: light baked in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.material import Material
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.noise import Field
from assets3d.textures.world.shaping import smoothstep

_SHADOW_STEPS = 12


@dataclass(frozen=True)
class Light:
    """How a picture is lit and taken.

    Attributes:
        azimuth_deg: where the light comes from, from +x (right) towards +y (up).
        elevation_deg: how high it stands over the plane.
        strength: 0..1, share of the directional light; the rest is ambient.
        shadow: 0..1, how dark cast shadows are.
        occlusion_power: how strongly hollows are darkened.
        gloss: factor on highlights and on what metal mirrors.
        exposure: factor on everything.
        tint: factors on red, green and blue.
        noise: standard deviation of grain, in code values 0..1.
    """

    azimuth_deg: float = 125.0
    elevation_deg: float = 50.0
    strength: float = 0.7
    shadow: float = 0.6
    occlusion_power: float = 0.8
    gloss: float = 0.5
    exposure: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = 0.0


def sample_light(generator: np.random.Generator) -> Light:
    """Return a light of the kind that textures are pictured under, seldom none.

    It comes from above, where lamps and the sun are: without that convention a dent lit from one
    side and a bump lit from the other are the same picture. It is mostly low enough to show relief,
    as the light is that texture photographers choose and image models draw.
    """
    dice = Dice(generator)
    warmth = dice.between(-0.06, 0.08)
    return Light(
        azimuth_deg=float(generator.normal(95.0, 15.0)),
        elevation_deg=dice.between(30.0, 70.0),
        strength=0.0 if dice.chance(0.06) else dice.between(0.3, 1.0),
        shadow=0.0 if dice.chance(0.4) else dice.between(0.2, 0.8),
        occlusion_power=dice.between(0.2, 1.4),
        gloss=dice.between(0.0, 1.0),
        exposure=dice.between(0.8, 1.2),
        tint=(1.0 + warmth, 1.0 + dice.between(-0.02, 0.02), 1.0 - warmth),
        noise=dice.between(0.0, 0.015),
    )


def lit_picture(material: Material, seed: int) -> NDArray[np.uint8]:
    """Return the material under a light drawn from the seed, (S, S, 3) sRGB; it tiles exactly.

    Raises:
        ValueError: if the seed is negative.
    """
    generator = np.random.default_rng(seed)
    return lit(material, sample_light(generator), generator)


def lit(
    material: Material, light: Light, generator: np.random.Generator | None = None
) -> NDArray[np.uint8]:
    """Return the material under the light, seen straight from above, (S, S, 3) sRGB.

    A level surface keeps its own brightness under every light. Without a generator there is no
    grain.
    """
    azimuth, elevation = np.deg2rad([light.azimuth_deg, light.elevation_deg])
    flat = np.cos(elevation)
    towards = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])
    halfway = towards + np.array([0.0, 0.0, 1.0])
    halfway /= np.linalg.norm(halfway)
    facing = np.maximum(material.normals @ towards.astype(np.float32), 0.0) / towards[2]
    if light.shadow and light.strength:
        facing *= 1.0 - light.shadow * _cast_shadow(material, azimuth, elevation)
    ambient = material.occlusion**light.occlusion_power
    shading = (1.0 - light.strength) * ambient + light.strength * facing * (0.4 + 0.6 * ambient)
    shine = np.maximum(material.normals @ halfway.astype(np.float32), 0.0)
    # Wide and faint on rough surfaces, narrow and bright on smooth ones (Blinn-Phong).
    smooth = (1.0 - material.roughness) ** 2
    highlight = light.gloss * light.strength * smooth * shine ** (8.0 + 120.0 * smooth) * ambient
    base = _linear(material.base_colour)
    # Metal mirrors surroundings that are bright towards the light and dark away from it.
    leaning = 2.0 * material.normals[..., 2] * (material.normals @ towards.astype(np.float32))
    leaning = np.tanh(3.0 * (leaning - towards[2]))
    shading *= 1.0 + light.gloss * smooth * material.metallic * (0.9 * leaning - 0.1)
    mirror = 0.3 + (base - 0.3) * material.metallic[..., None]
    colour = base * shading[..., None] + mirror * highlight[..., None]
    colour *= light.exposure * np.asarray(light.tint, np.float32)
    encoded = _encoded(colour)
    if generator is not None and light.noise:
        encoded += light.noise * generator.standard_normal(encoded.shape, dtype=np.float32)
    return (np.clip(encoded, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _cast_shadow(material: Material, azimuth: float, elevation: float) -> Field:
    """Return 0..1, how far each point lies in the shadow of what stands towards the light."""
    height_px = material.height_m / np.float32(material.pixel_m)
    rise = np.tan(elevation)
    reach = float(np.ptp(height_px)) / rise
    shadow = np.zeros_like(height_px)
    for distance in np.unique(np.round(np.linspace(1.0, max(reach, 1.0), _SHADOW_STEPS))):
        right, down = distance * np.cos(azimuth), -distance * np.sin(azimuth)
        blocker = np.roll(height_px, (-round(down), -round(right)), axis=(0, 1))
        over = blocker - height_px - np.float32(np.hypot(round(right), round(down)) * rise)
        # Penumbrae widen with distance from what throws them.
        np.maximum(shadow, smoothstep(0.0, 0.5 + 0.15 * distance, over), out=shadow)
    return shadow


def _linear(code: Field) -> Field:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _encoded(linear: Field) -> Field:
    linear = np.maximum(linear, 0.0)
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear ** np.float32(1 / 2.4) - 0.055
    )

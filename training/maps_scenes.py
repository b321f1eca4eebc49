"""What the maps network sees while it is trained: lit pieces of materials, and what is true there.

A piece is either a whole tile, which is periodic as in use, or a window of one, whose edge does not
count. It is turned and mirrored, lit, and sometimes treated like a photograph.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from assets3d.textures.fields import normals_of_slopes
from assets3d.textures.maps.small import FROM_ABOVE_DEG
from assets3d.textures.material import Material
from assets3d.textures.world.picture import Light, lit, sample_light
from training.maps_data import Tiles

#: Sides to which tiles are brought before a piece is cut out, and how often.
TILE_SIDES_PX = (128, 192, 256, 384, 512)
TILE_SIDE_SHARES = (0.2, 0.15, 0.35, 0.15, 0.15)
#: Pixels at the edge of a window that do not count: there the network sees a seam.
EDGE_PX = 8
#: Pixels around a window that are lit and cut off again, since shadows fall across its edge.
SHADOW_PX = 16
#: Share of the pictures that are lit from farther off, how far off, and how well it is said where
#: that is; the others are lit about from above, and nothing is said. What is lit from the side or
#: below is turned first, see `assets3d.textures.maps.small`: networks of this size learned half as
#: much where light came from everywhere, even when told.
TOLD, OFF_DEG, SAID_DEG = 0.2, 45.0, 8.0
#: Share of the pictures that stay as they were lit.
CLEAN = 0.4


@dataclass(frozen=True)
class Scene:
    """One training sample.

    Attributes:
        picture: (S, S, 3) uint8.
        slopes: (S, S, 2) float32.
        roughness: (S, S) float32 0..1.
        metallic: (S, S) float32 0..1.
        base_colour: (S, S, 3) float32 0..1, in the picture's own tone.
        light: (2,) float32 unit vector towards the light, right and up, as somebody would say who
            looks at the picture.
        counts: (S, S) bool, where a loss is taken.
    """

    picture: NDArray[np.uint8]
    slopes: NDArray[np.float32]
    roughness: NDArray[np.float32]
    metallic: NDArray[np.float32]
    base_colour: NDArray[np.float32]
    light: NDArray[np.float32]
    counts: NDArray[np.bool_]


def make_scene(
    rng: np.random.Generator, tiles: list[Tiles], size_px: int, plain: float = 0.0
) -> Scene:
    """Cut a piece of `size_px` out of a random tile, and light it.

    Args:
        rng: decides everything.
        tiles: by size, small ones first.
        size_px: side of the piece.
        plain: 0..1; chance that the light is strong and low, that the colour varies less, the less
            the more plain, and that nothing is done to the picture.
    """
    side = max(size_px, int(rng.choice(TILE_SIDES_PX, p=TILE_SIDE_SHARES)))
    margin = 0 if side == size_px else SHADOW_PX
    material, slopes = _piece(rng, tiles, side, size_px + 2 * margin)
    generator = np.random.default_rng(int(rng.integers(2**31)))
    light = sample_light(generator)
    told = rng.random() < TOLD
    if told:
        off_deg = float(rng.uniform(-OFF_DEG, OFF_DEG))
        light = replace(light, azimuth_deg=FROM_ABOVE_DEG + off_deg)
    easy = rng.random() < plain
    if easy:
        strength, elevation_deg = rng.uniform((0.7, 35.0), (1.0, 60.0))
        light = replace(light, strength=strength, elevation_deg=elevation_deg)
        material = _paler(material, float(rng.uniform(0.0, 1.0 - plain)))
    scene = _scene(light, generator, material, slopes, margin)
    if told:
        said_deg = light.azimuth_deg + rng.normal(0.0, SAID_DEG)
        scene = replace(scene, light=_towards(said_deg))
    if margin:
        scene.counts[:] = False
        scene.counts[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX] = True
    return scene if easy or rng.random() < CLEAN else as_photographed(rng, scene)


def whole_scene(tiles: Tiles, place: int, seed: int) -> Scene:
    """Return a whole tile at its own size, lit as `seed` says and not treated further."""
    material, slopes = _material(
        tiles.size_px,
        *(maps[place] for maps in (tiles.base_colour, tiles.height, tiles.slopes, tiles.scalars)),
    )
    generator = np.random.default_rng(seed)
    return _scene(sample_light(generator), generator, material, slopes, 0)


def _scene(
    light: Light,
    generator: np.random.Generator,
    material: Material,
    slopes: NDArray[np.float32],
    margin: int,
) -> Scene:
    picture = lit(material, light, generator)
    inner = slice(margin, len(picture) - margin)
    fields = (picture, slopes, material.roughness, material.metallic, material.base_colour)
    kept = (field[inner, inner] for field in fields)
    counts = np.ones((inner.stop - margin,) * 2, bool)
    return Scene(*kept, light=_towards(FROM_ABOVE_DEG), counts=counts)


def _paler(material: Material, contrast: float) -> Material:
    """Return the material with its colours' difference from their mean times `contrast`."""
    mean = material.base_colour.mean((0, 1))
    return replace(material, base_colour=mean + contrast * (material.base_colour - mean))


def _towards(azimuth_deg: float) -> NDArray[np.float32]:
    azimuth = np.deg2rad(azimuth_deg)
    return np.array([np.cos(azimuth), np.sin(azimuth)], np.float32)


def _piece(
    rng: np.random.Generator, tiles: list[Tiles], side_px: int, size_px: int
) -> tuple[Material, NDArray[np.float32]]:
    """Return a piece of a tile that was brought to `side_px`, and its slopes."""
    # Tiles are not enlarged where there are larger ones; of those that serve, all are as likely.
    serving = [group for group in tiles if group.size_px >= side_px] or tiles[-1:]
    place = int(rng.integers(sum(len(group) for group in serving)))
    for group in serving:
        if place < len(group):
            break
        place -= len(group)
    window = round(group.size_px * size_px / side_px)
    rows, columns = (
        np.arange(start, start + window) % group.size_px
        for start in rng.integers(group.size_px, size=2)
    )
    across, down, turned = rng.random(3) < 0.5
    maps = []
    for field in (group.base_colour, group.height, group.slopes, group.scalars):
        cut = field[place][np.ix_(rows, columns)].astype(np.float32)
        cut = resized(cut, size_px)
        cut = cut[:, ::-1] if across else cut
        cut = cut[::-1] if down else cut
        maps.append(np.ascontiguousarray(cut.swapaxes(0, 1) if turned else cut))
    maps[2] *= (-1.0 if across else 1.0, -1.0 if down else 1.0)
    if turned:
        maps[2] = maps[2][..., ::-1]
    return _material(side_px, *maps)


def resized(field: NDArray[np.float32], size_px: int) -> NDArray[np.float32]:
    """Resize a window (S, S) or (S, S, C); slopes keep their values, whatever the scale."""
    if len(field) == size_px:
        return field
    way = cv2.INTER_AREA if len(field) > size_px else cv2.INTER_CUBIC
    return cv2.resize(field, (size_px, size_px), interpolation=way)


def _material(
    side_px: int, colour: NDArray, height: NDArray, slopes: NDArray, scalars: NDArray
) -> tuple[Material, NDArray[np.float32]]:
    """Return a material and its slopes; lengths are sides of the tile, `side_px` pixels long."""
    slopes = np.ascontiguousarray(slopes, dtype=np.float32)
    roughness, metallic, occlusion = (
        (scalars[..., i].astype(np.float32) / 255.0).clip(0.0, 1.0) for i in range(3)
    )
    material = Material(
        base_colour=(colour.astype(np.float32) / 255.0).clip(0.0, 1.0),
        height_m=height.astype(np.float32),
        normals=normals_of_slopes(slopes[..., 0], slopes[..., 1]),
        roughness=roughness,
        occlusion=occlusion,
        metallic=metallic,
        tile_m=len(height) / side_px,
    )
    return material, slopes


def as_photographed(rng: np.random.Generator, scene: Scene) -> Scene:
    """Change tone, sharpness and noise; what changes the tone changes the base colour too."""
    seen, colour = scene.picture.astype(np.float32) / 255.0, scene.base_colour
    gain, gamma = np.exp(rng.normal(0.0, (0.15, 0.15)))
    tint = np.exp(rng.normal(0.0, 0.06, 3))
    grey = rng.random() if rng.random() < 0.3 else 0.0
    swap = rng.permutation(3) if rng.random() < 0.3 else np.arange(3)

    def toned(x: NDArray) -> NDArray:
        x = gain * x[..., swap] ** gamma * tint
        return x + grey * (x.mean(2, keepdims=True) - x)

    seen, colour = toned(seen), toned(colour).clip(0.0, 1.0).astype(np.float32)
    if rng.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 1.2), borderType=cv2.BORDER_REFLECT)
    if rng.random() < 0.3:
        seen = seen + rng.normal(0.0, rng.uniform(0.005, 0.03), seen.shape)
    photo = np.round(255.0 * seen.clip(0.0, 1.0)).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
        photo = cv2.imdecode(cv2.imencode(".jpg", photo, quality)[1], cv2.IMREAD_COLOR)
    return replace(scene, picture=photo, base_colour=colour)

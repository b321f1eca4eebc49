"""The catalogue: every family by name, and the one way to draw a material from it."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from assets3d.textures.material import Material
from assets3d.textures.torus import rolled
from assets3d.textures.world.families import (
    bark,
    bricks,
    cobble,
    concrete,
    corrugated,
    fabric,
    gravel,
    leather,
    marble_tiles,
    metal_plates,
    moss,
    pavers,
    planks,
    rock,
    roof_tiles,
    sand,
    snow,
    soil,
)
from assets3d.textures.world.family import Family
from assets3d.textures.world.layers import Layers, finish

#: Where tiles begin is drawn in parts of the side: whole pixels at all sizes that are a multiple.
_CORNERS = 64

#: Seeds from here on are for benchmarks only; training stays below.
BENCHMARK_SEED_START = 1_000_000

_ALL: tuple[Family, ...] = (
    bricks.BRICKS,
    cobble.COBBLE,
    planks.PLANKS,
    metal_plates.METAL_PLATES,
    fabric.FABRIC,
    roof_tiles.ROOF_TILES,
    leather.LEATHER,
    gravel.GRAVEL,
    sand.SAND,
    bark.BARK,
    rock.ROCK,
    moss.MOSS,
    moss.GRASS,
    soil.SOIL,
    soil.MUD,
    concrete.CONCRETE,
    marble_tiles.MARBLE_TILES,
    pavers.PAVERS,
    corrugated.CORRUGATED,
    snow.SNOW,
    snow.ICE,
)

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}

#: Families that no training command may see.
HELD_OUT_FAMILIES: tuple[str, ...] = tuple(f.name for f in FAMILIES.values() if f.held_out)

#: The families for training, in a fixed order.
TRAINING_FAMILIES: tuple[str, ...] = tuple(f.name for f in FAMILIES.values() if not f.held_out)


def sample_layers(family: str, seed: int, size_px: int) -> Layers:
    """Return what a family paints for a seed; the same layout and words at every size.

    Raises:
        KeyError: if the family is not in `FAMILIES`.
        ValueError: if the seed is negative.
    """
    layers = FAMILIES[family].paint(size_px, _generator(family, seed))
    # Families begin with a whole brick or board, so the tile's edge would run along a joint. Any
    # corner tiles as well; an odd one leaves the joints of every lattice of 2, 4, 8, ... inside.
    corner = 2 * _generator(f"{family} corner", seed).integers(0, _CORNERS // 2, 2) + 1
    rows, columns = (int(part) * size_px // _CORNERS for part in corner)
    arrays = ("base_colour", "height", "roughness", "metallic")
    turned = {name: rolled(getattr(layers, name), rows, columns) for name in arrays}
    return dataclasses.replace(layers, **turned)


def sample_material(family: str, seed: int, size_px: int) -> Material:
    """Return the material of a family and seed; the same layout and tile side at every size.

    Raises:
        KeyError: if the family is not in `FAMILIES`.
        ValueError: if the seed is negative.
    """
    tile_m = _generator(f"{family} tile", seed).uniform(*FAMILIES[family].tile_m)
    return finish(sample_layers(family, seed, size_px), float(tile_m))


def _generator(name: str, seed: int) -> np.random.Generator:
    if seed < 0:
        raise ValueError(f"seed: found {seed}, wanted a whole number from 0 up")
    # The name enters through a hash, not Python's own, which differs between processes.
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng([number, seed])

"""Render the procedural materials that the maps network learns from, once.

    python -m training.maps_data --out training/out/materials

Each family gets tiles of two sizes (fine ones are dear) and some whose seeds only validate. Shards
of a few tiles are written whole, so a stopped run goes on where it was. Arrays only, no pickles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.seeds import FIRST_BENCHMARK_SEED, TRAINING_SEEDS, VALIDATION_SEEDS
from training.shards import write_shard

SHARD = 8
#: Side of the tiles -> training tiles per family.
SIZES_PX = {256: 64, 512: 16}
#: The place of the first training seed of each size.
FIRST_SEED = {256: 0, 512: 100_000}
VALIDATION_PX, VALIDATION_TILES = 256, 4


@dataclass(frozen=True)
class Tiles:
    """N tiles of one size in memory.

    Attributes:
        base_colour: (N, S, S, 3) uint8, sRGB-encoded.
        height: (N, S, S) float16 in tile sides.
        slopes: (N, S, S, 2) float16 dh/dx and dh/dy, y down.
        scalars: (N, S, S, 3) uint8 of 0..255: roughness, metallic, occlusion.
        families: (N,) names.
        seeds: (N,) int64.
    """

    base_colour: NDArray[np.uint8]
    height: NDArray[np.float16]
    slopes: NDArray[np.float16]
    scalars: NDArray[np.uint8]
    families: NDArray[np.str_]
    seeds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def size_px(self) -> int:
        """Side of the tiles."""
        return self.base_colour.shape[1]


@dataclass(frozen=True)
class Job:
    """One shard to render."""

    path: Path
    family: str
    seeds: tuple[int, ...]
    size_px: int


def training_families() -> tuple[str, ...]:
    """Return the sorted names of the families that the network may see."""
    from assets3d.textures.world.catalogue import TRAINING_FAMILIES

    return tuple(sorted(TRAINING_FAMILIES))


def assert_trainable(tiles: Iterable[tuple[str, int]]) -> None:
    """Refuse benchmark seeds and held-out families.

    Raises:
        ValueError: naming the first tile that must stay unseen.
    """
    known = training_families()
    for family, seed in tiles:
        if family not in known or not 0 <= seed < FIRST_BENCHMARK_SEED:
            raise ValueError(f"materials: found {family} {seed}, which is kept for benchmarks")


def render_tile(family: str, seed: int, size_px: int) -> dict[str, NDArray]:
    """Render one tile into the arrays of `Tiles`, without their first axis."""
    from assets3d.textures.fields import slopes_of_height
    from assets3d.textures.world.catalogue import sample_material

    material = sample_material(family, seed, size_px)
    scalars = (material.roughness, material.metallic, material.occlusion)
    slopes = slopes_of_height(material.height_m, material.pixel_m)
    return {
        "base_colour": _as_bytes(material.base_colour),
        "height": (material.height_m / material.tile_m).astype(np.float16),
        "slopes": np.stack(slopes, axis=-1).astype(np.float16),
        "scalars": _as_bytes(np.stack(scalars, axis=-1)),
        "families": np.array(family),
        "seeds": np.array(seed, dtype=np.int64),
    }


def _as_bytes(values: NDArray) -> NDArray[np.uint8]:
    return np.round(255.0 * np.clip(values, 0.0, 1.0)).astype(np.uint8)


def render_shard(job: Job) -> None:
    """Render one shard and write it whole."""
    assert_trainable((job.family, seed) for seed in job.seeds)
    rows = [render_tile(job.family, seed, job.size_px) for seed in job.seeds]
    arrays = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    write_shard(job.path, arrays)


def plan(folder: Path, sizes_px: dict[int, int], validation_tiles: int) -> list[Job]:
    """Return the shards still to be rendered: validation first, then the families in turn.

    Args:
        folder: where the shards lie.
        sizes_px: side of the tiles -> training tiles per family.
        validation_tiles: per family, of `VALIDATION_PX`.
    """
    families = training_families()
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for i, family in enumerate(families):
        # Each family has seeds of its own, so that a dice rolled alike makes no look-alikes.
        start = VALIDATION_SEEDS.start + 100 * i
        seeds = tuple(range(start, start + validation_tiles))
        jobs.append(Job(folder / f"validation_{family}.npz", family, seeds, VALIDATION_PX))
    for place in range(0, max(sizes_px.values()), SHARD):
        for size, count in sizes_px.items():
            for i, family in enumerate(families):
                start = TRAINING_SEEDS.start + FIRST_SEED[size] + 1000 * i + place
                seeds = tuple(range(start, start + min(SHARD, count - place)))
                path = folder / f"tiles{size}_{family}_{place:04d}.npz"
                jobs += [Job(path, family, seeds, size)] if seeds else []
    return [job for job in jobs if not job.path.exists()]


def load_tiles(folder: Path, split: str, limit: int | None = None) -> list[Tiles]:
    """Read a split into memory.

    Args:
        folder: what `--out` named.
        split: "training" or "validation".
        limit: read no more shards than this.

    Returns:
        The tiles by their size, small ones first.

    Raises:
        FileNotFoundError: nothing has been rendered yet.
        ValueError: a tile that must stay unseen is among them.
    """
    pattern = {"training": "tiles*_*.npz", "validation": "validation_*.npz"}[split]
    paths = sorted(Path(folder).glob(pattern))[:limit]
    if not paths:
        raise FileNotFoundError(f"{folder}: no {pattern}, run `python -m training.maps_data` first")
    by_size: dict[int, list[dict[str, NDArray]]] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            shard = {key: file[key] for key in file.files}
        by_size.setdefault(shard["slopes"].shape[1], []).append(shard)
    names = [field.name for field in fields(Tiles)]
    found = [
        Tiles(**{name: np.concatenate([shard[name] for shard in shards]) for name in names})
        for _, shards in sorted(by_size.items())
    ]
    for tiles in found:
        assert_trainable(zip(tiles.families.tolist(), tiles.seeds.tolist(), strict=True))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("training/out/materials"))
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of tiles")
    options = parser.parse_args(arguments)
    sizes = {size: max(1, round(options.share * count)) for size, count in SIZES_PX.items()}
    jobs = plan(options.out, sizes, VALIDATION_TILES)
    started = time.monotonic()
    for done, job in enumerate(jobs, start=1):
        render_shard(job)
        minutes = (time.monotonic() - started) / 60.0
        left = minutes / done * (len(jobs) - done)
        print(
            f"{job.path.name} ({done}/{len(jobs)}), {minutes:.1f} min, {left:.1f} left", flush=True
        )
    print(f"{options.out}: {len(jobs)} shards rendered")


if __name__ == "__main__":
    main()

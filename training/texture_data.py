"""Render the pictures and captions that the text-to-texture network learns from, once.

    python -m training.texture_data --out training/out/texture128

A picture is a whole tile's base colour under a little soft light from the upper left, as diffusion
models draw textures: the maps step reads relief from that light. Shards of a few tiles are written
whole, so a stopped run goes on where it was. Arrays only, no pickles.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.maps_data import Job, assert_trainable, training_families
from training.seeds import TRAINING_SEEDS, VALIDATION_SEEDS

FOLDER = Path("training/out/texture128")
SIZE_PX = 128
SHARD = 16
TRAINING_TILES, VALIDATION_TILES = 192, 8
#: Past the seeds that the maps network sees.
FIRST_SEED = 200_000
FIRST_VALIDATION_SEED = 5000
#: Captions of one tile: the full one, three with words left out, one or two bare nouns.
CAPTIONS = 6
BARE = 2


@dataclass(frozen=True)
class Textures:
    """N pictures in memory.

    Attributes:
        pictures: (N, S, S, 3) uint8, sRGB-encoded; each is a tile, periodic both ways.
        captions: (N, K) of the same tile.
        families: (N,) names.
        seeds: (N,) int64.
    """

    pictures: NDArray[np.uint8]
    captions: NDArray[np.str_]
    families: NDArray[np.str_]
    seeds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.seeds)


def render_picture(family: str, seed: int, size_px: int) -> NDArray[np.uint8]:
    """Return a tile (S, S, 3) under soft light from the upper left, stronger for some seeds."""
    from assets3d.textures.world.catalogue import sample_material
    from assets3d.textures.world.picture import Light, lit

    rng = np.random.default_rng([seed, 1])
    light = Light(
        azimuth_deg=125.0,
        elevation_deg=60.0,
        strength=rng.uniform(0.25, 0.6),
        shadow=rng.uniform(0.0, 0.4),
        occlusion_power=rng.uniform(0.6, 1.1),
        gloss=0.15,
    )
    return lit(sample_material(family, seed, size_px), light)


def captions_of(family: str, seed: int) -> list[str]:
    """Return `CAPTIONS` captions of a tile, the fullest first, bare nouns last."""
    from assets3d.textures.world.captions import plain_caption, varied_caption
    from assets3d.textures.world.catalogue import FAMILIES, sample_layers

    rng = np.random.default_rng([seed, 2])
    words, nouns = sample_layers(family, seed, 16).words, FAMILIES[family].nouns
    varied = [varied_caption(family, words, rng) for _ in range(CAPTIONS - 1 - BARE)]
    bare = [nouns[0], nouns[int(rng.integers(len(nouns)))]]
    return [plain_caption(family, seed), *varied, *bare]


def render_shard(job: Job) -> None:
    """Render one shard and write it whole.

    Raises:
        ValueError: a tile that must stay unseen is among them.
    """
    assert_trainable((job.family, seed) for seed in job.seeds)
    arrays = {
        "pictures": np.stack([render_picture(job.family, s, job.size_px) for s in job.seeds]),
        "captions": np.array([captions_of(job.family, seed) for seed in job.seeds]),
        "families": np.array([job.family] * len(job.seeds)),
        "seeds": np.array(job.seeds, dtype=np.int64),
    }
    unfinished = job.path.with_name(job.path.name + ".unfinished")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(job.path)


def plan(
    folder: Path,
    size_px: int = SIZE_PX,
    tiles: int = TRAINING_TILES,
    validation_tiles: int = VALIDATION_TILES,
) -> list[Job]:
    """Return the shards still to be rendered: validation first, then the families in turn.

    Args:
        folder: where the shards lie.
        size_px: side of the pictures.
        tiles: for training, per family.
        validation_tiles: per family.
    """
    families = training_families()
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for i, family in enumerate(families):
        start = VALIDATION_SEEDS.start + FIRST_VALIDATION_SEED + 100 * i
        seeds = tuple(range(start, start + validation_tiles))
        jobs.append(Job(folder / f"validation_{family}.npz", family, seeds, size_px))
    for place in range(0, tiles, SHARD):
        for i, family in enumerate(families):
            start = TRAINING_SEEDS.start + FIRST_SEED + 1000 * i + place
            seeds = tuple(range(start, start + min(SHARD, tiles - place)))
            jobs.append(Job(folder / f"training_{family}_{place:04d}.npz", family, seeds, size_px))
    return [job for job in jobs if not job.path.exists()]


def load_textures(folder: Path, split: str, limit: int | None = None) -> Textures:
    """Read a split into memory.

    Args:
        folder: what `--out` named.
        split: "training" or "validation".
        limit: keep no more pictures than this, of all families alike.

    Raises:
        FileNotFoundError: nothing has been rendered yet.
        ValueError: a tile that must stay unseen is among them.
    """
    paths = sorted(Path(folder).glob(f"{split}_*.npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: run `python -m training.texture_data` first")
    shards = []
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            shards.append({key: file[key] for key in file.files})
    names = ("pictures", "captions", "families", "seeds")
    arrays = {name: np.concatenate([shard[name] for shard in shards]) for name in names}
    assert_trainable(zip(arrays["families"].tolist(), arrays["seeds"].tolist(), strict=True))
    if limit is not None and limit < len(arrays["seeds"]):
        places = np.linspace(0, len(arrays["seeds"]) - 1, limit).round().astype(int)
        arrays = {name: array[places] for name, array in arrays.items()}
    return Textures(**arrays)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--size-px", type=int, default=SIZE_PX)
    parser.add_argument("--tiles", type=int, default=TRAINING_TILES, help="per family")
    parser.add_argument("--validation-tiles", type=int, default=VALIDATION_TILES)
    options = parser.parse_args(arguments)
    jobs = plan(options.out, options.size_px, options.tiles, options.validation_tiles)
    started = time.monotonic()
    for done, job in enumerate(jobs, start=1):
        render_shard(job)
        minutes = (time.monotonic() - started) / 60.0
        left = minutes / done * (len(jobs) - done)
        print(f"{job.path.name} ({done}/{len(jobs)}), {left:.1f} min left", flush=True)
    print(f"{options.out}: {len(jobs)} shards rendered")


if __name__ == "__main__":
    main()

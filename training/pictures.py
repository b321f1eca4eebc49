"""Render what the image model learns from, once: fronts of props, and tiles of materials.

    python -m training.pictures --props 6000 --tiles 96 --size 256 --out training/out/pictures256

Shards are written whole (temporary file, then rename), so a stopped run goes on where it was.
Arrays only, no pickles. Splits share no seed, and benchmark seeds are in neither.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training import maps_data
from training.material_pictures import captions_of, render_picture
from training.seeds import (
    TRAINING_SEEDS,
    VALIDATION_SEEDS,
    assert_trainable,
    choose_props,
    training_families,
)
from training.shards import render_all, write_shard

FOLDER = Path("training/out/pictures256")
SIZE_PX = 256
PROPS_A_SHARD, TILES_A_SHARD = 100, 24
CAPTIONS = 9
#: Past the seeds that the maps network sees.
FIRST_TILE_SEED, FIRST_VALIDATION_TILE_SEED = 200_000, 5000
SEEDS_A_FAMILY = 250


@dataclass(frozen=True)
class Pictures:
    """N pictures in memory.

    Attributes:
        rgba: (N, S, S, 4) uint8, straight alpha; tiles are opaque.
        captions: (N, 9) of the same picture, the plain one first.
        families: (N,) names.
        seeds: (N,) int64.
        is_tile: (N,) bool: the picture of a material, periodic both ways; else a prop's front.
    """

    rgba: NDArray[np.uint8]
    captions: NDArray[np.str_]
    families: NDArray[np.str_]
    seeds: NDArray[np.int64]
    is_tile: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rgba)


@dataclass(frozen=True)
class Job:
    """One shard to render: its file, and the props or materials in it."""

    path: Path
    members: tuple[tuple[str, int], ...]
    is_tile: bool
    size_px: int
    device: str


def render_front(family: str, seed: int, size_px: int, device: str) -> NDArray[np.uint8]:
    """Return a prop's front view, (S, S, 4) straight alpha."""
    from assets3d.cameras import orbit_cameras
    from assets3d.props import render_prop, sample_prop

    cameras = orbit_cameras([0.0], [0.0], size_px)
    return np.asarray(render_prop(sample_prop(family, seed), cameras, device=device).rgba[0])


def prop_captions(family: str, seed: int) -> list[str]:
    """Return `CAPTIONS` captions of a prop, its plain one first."""
    from assets3d.props import sample_caption, sample_prop

    prop, rng = sample_prop(family, seed), np.random.default_rng([seed, 0x0B17])
    return [prop.caption, *(sample_caption(prop, rng) for _ in range(CAPTIONS - 1))]


def render_shard(job: Job) -> str:
    """Render one shard and write it whole; return its file name.

    Raises:
        ValueError: something that must stay unseen is among its members.
    """
    import torch

    if job.device == "cpu":
        torch.set_num_threads(1)
    (maps_data.assert_trainable if job.is_tile else assert_trainable)(job.members)
    captions_for = captions_of if job.is_tile else prop_captions
    render = _render_tile if job.is_tile else functools.partial(render_front, device=job.device)
    arrays = {
        "rgba": np.stack([render(*member, size_px=job.size_px) for member in job.members]),
        "captions": np.array([captions_for(*member) for member in job.members]),
        "families": np.array([family for family, _ in job.members]),
        "seeds": np.array([seed for _, seed in job.members], dtype=np.int64),
    }
    write_shard(job.path, arrays)
    return job.path.name


def _render_tile(family: str, seed: int, size_px: int) -> NDArray[np.uint8]:
    return np.dstack(
        [render_picture(family, seed, size_px), np.full((size_px,) * 2, 255, np.uint8)]
    )


def plan(
    folder: Path, props: int, tiles: int, validation: tuple[int, int], size_px: int, device: str
) -> list[Job]:
    """Return the shards still to be rendered; validation first, then props and tiles in turn.

    Args:
        folder: where the shards lie.
        props: for training.
        tiles: for training, per family of materials.
        validation: props, and tiles per family.
        size_px: side of the pictures.
        device: where props are rendered.

    Raises:
        ValueError: the folder holds pictures of another size or other families.
    """
    families, materials = training_families(), maps_data.training_families()
    wanted = {"size_px": size_px, "families": [*families, *materials]}
    index = folder / "index.json"
    if index.exists() and (found := json.loads(index.read_text())) != wanted:
        raise ValueError(f"{folder}: found a data set of {found}, wanted {wanted} or a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    index.write_text(json.dumps(wanted) + "\n")

    def job(name: str, members: list[tuple[str, int]], is_tile: bool) -> Job:
        return Job(folder / f"{name}.npz", tuple(members), is_tile, size_px, device)

    first = VALIDATION_SEEDS.start + FIRST_VALIDATION_TILE_SEED
    jobs = [
        job("validation_props", choose_props("validation", 0, validation[0], families), False),
        job("validation_tiles", _tiles(materials, first, 0, validation[1]), True),
    ]
    prop_jobs = [
        job(
            f"training_props_{start:05d}",
            choose_props("training", start, min(PROPS_A_SHARD, props - start), families),
            False,
        )
        for start in range(0, props, PROPS_A_SHARD)
    ]
    first = TRAINING_SEEDS.start + FIRST_TILE_SEED
    each = max(1, TILES_A_SHARD // len(materials))
    tile_jobs = [
        job(
            f"training_tiles_{place:04d}",
            _tiles(materials, first, place, min(place + each, tiles)),
            True,
        )
        for place in range(0, tiles, each)
    ]
    # In turn, so that a run that is stopped early has some of both.
    order = sorted(
        [(i / len(jobs), one) for jobs in (prop_jobs, tile_jobs) for i, one in enumerate(jobs)],
        key=lambda pair: pair[0],
    )
    jobs += [one for _, one in order]
    return [one for one in jobs if not one.path.exists()]


def _tiles(families: tuple[str, ...], first: int, start: int, end: int) -> list[tuple[str, int]]:
    """Return the tiles of places start..end of each family, whose seeds differ between families."""
    return [
        (family, first + SEEDS_A_FAMILY * i + place)
        for i, family in enumerate(families)
        for place in range(start, end)
    ]


def load_pictures(folder: Path, split: str, limit: int | None = None) -> Pictures:
    """Read a split into memory, props first.

    Args:
        folder: what `--out` named.
        split: "training" or "validation".
        limit: keep no more props than this, and no more tiles.

    Raises:
        FileNotFoundError: nothing has been rendered yet.
        ValueError: something that must stay unseen is among them.
    """
    shards = []
    for kind in ("props", "tiles"):
        for shard in read_shards(folder, split, kind, limit):
            shard["is_tile"] = np.full(len(shard["seeds"]), kind == "tiles")
            shards.append(shard)
    return Pictures(**{key: np.concatenate([s[key] for s in shards]) for key in shards[0]})


def read_shards(
    folder: Path, split: str, kind: Literal["props", "tiles"], limit: int | None = None
) -> Iterator[dict[str, NDArray]]:
    """Read a split's shards of one kind, one by one; arguments and errors of `load_pictures`."""
    check = {"props": assert_trainable, "tiles": maps_data.assert_trainable}[kind]
    paths = sorted(Path(folder).glob(f"{split}_{kind}*.npz"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no {kind}, run `python -m training.pictures` first")
    count = 0
    for path in paths:
        if limit is not None and count >= limit:
            break
        with np.load(path, allow_pickle=False) as file:
            shard = {key: file[key][: None if limit is None else limit - count] for key in file}
        count += len(shard["seeds"])
        check(zip(shard["families"].tolist(), shard["seeds"].tolist(), strict=True))
        yield shard


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--props", type=int, default=6000, help="training props")
    parser.add_argument("--tiles", type=int, default=96, help="training tiles per material family")
    parser.add_argument(
        "--validation", type=int, nargs=2, default=(96, 4), help="props, tiles each"
    )
    parser.add_argument("--size", type=int, default=SIZE_PX, help="picture size in px")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    validation = (options.validation[0], options.validation[1])
    jobs = plan(options.out, options.props, options.tiles, validation, options.size, options.device)
    render_all(jobs, render_shard, options.workers)
    print(f"{options.out}: {len(jobs)} shards rendered")


if __name__ == "__main__":
    main()

"""Render the training set once: four standard views and one orbit view of each prop.

    python -m training.data --count 4000 --size 128 --workers 2 --out training/out/props128

Shards of 100 props are written whole (temporary file, then rename), so a stopped run goes on where
it was. Arrays only, no pickles. `validation.npz` holds props whose seeds are never trained on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.seeds import assert_trainable, choose_props, training_families
from training.shards import render_all, write_shard

SHARD = 100
CAPTIONS = 9
ORBIT_ELEVATIONS_DEG = (-15.0, 45.0)


@dataclass(frozen=True)
class Job:
    """One shard to render: its file, and the props in it."""

    path: Path
    props: tuple[tuple[str, int], ...]
    size_px: int
    device: str


@dataclass(frozen=True)
class PropPictures:
    """N rendered props in memory.

    Attributes:
        rgba: (N, 5, S, S, 4) uint8, straight alpha: front, right, back, left, one orbit view.
        families: (N,) names.
        seeds: (N,) int64.
        captions: (N, 9) variants of the caption, the prop's plain one first.
        orbit_deg: (N, 2) azimuth and elevation of the orbit view.
    """

    rgba: NDArray[np.uint8]
    families: NDArray[np.str_]
    seeds: NDArray[np.int64]
    captions: NDArray[np.str_]
    orbit_deg: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rgba)


def render_one(family: str, seed: int, size_px: int, device: str) -> dict[str, NDArray]:
    """Render one prop by the five cameras; the orbit camera and captions follow from the seed."""
    from assets3d.cameras import orbit_cameras
    from assets3d.props import render_prop, sample_caption, sample_prop

    rng = np.random.default_rng([seed, 0x0B17])
    prop = sample_prop(family, seed)
    orbit = np.array([rng.uniform(0.0, 360.0), rng.uniform(*ORBIT_ELEVATIONS_DEG)])
    cameras = orbit_cameras(
        [0.0, 90.0, 180.0, 270.0, orbit[0]], [0.0, 0.0, 0.0, 0.0, orbit[1]], size_px
    )
    captions = [prop.caption] + [sample_caption(prop, rng) for _ in range(CAPTIONS - 1)]
    return {
        "rgba": np.asarray(render_prop(prop, cameras, device=device).rgba, dtype=np.uint8),
        "families": np.array(family),
        "seeds": np.array(seed, dtype=np.int64),
        "captions": np.array(captions),
        "orbit_deg": orbit,
    }


def render_shard(job: Job) -> str:
    """Render one shard and write it whole; return its file name."""
    import torch

    if job.device == "cpu":
        torch.set_num_threads(1)
    assert_trainable(job.props)
    rows = [render_one(family, seed, job.size_px, job.device) for family, seed in job.props]
    arrays = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    write_shard(job.path, arrays)
    return job.path.name


def plan(folder: Path, count: int, validation: int, size_px: int, device: str) -> list[Job]:
    """Return the shards still to be rendered; `validation.npz` first, since every command needs it.

    Raises:
        ValueError: the folder holds pictures of another size or other families.
    """
    families = training_families()
    wanted = {"size_px": size_px, "families": list(families)}
    index = folder / "index.json"
    if index.exists() and (found := json.loads(index.read_text())) != wanted:
        raise ValueError(f"{folder}: found a data set of {found}, wanted {wanted} or a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    index.write_text(json.dumps(wanted) + "\n")
    jobs = [
        Job(
            folder / "validation.npz",
            tuple(choose_props("validation", 0, validation, families)),
            size_px,
            device,
        )
    ]
    for start in range(0, count, SHARD):
        props = tuple(choose_props("training", start, min(SHARD, count - start), families))
        jobs.append(Job(folder / f"shard_{start // SHARD:05d}.npz", props, size_px, device))
    return [job for job in jobs if not job.path.exists()]


def load_props(folder: Path, split: str, limit: int | None = None) -> PropPictures:
    """Read a split of a rendered data set into memory.

    Args:
        folder: what `--out` named.
        split: "training" or "validation".
        limit: read no more props than this.

    Raises:
        FileNotFoundError: nothing has been rendered yet.
        ValueError: a prop that must stay unseen is among them.
    """
    name = {"training": "shard_*.npz", "validation": "validation.npz"}[split]
    paths = sorted(Path(folder).glob(name))
    if not paths:
        raise FileNotFoundError(f"{folder}: no {name}, run `python -m training.data` first")
    parts, total = [], 0
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            parts.append({key: file[key] for key in file.files})
        total += len(parts[-1]["seeds"])
        if limit is not None and total >= limit:
            break
    arrays = {key: np.concatenate([part[key] for part in parts])[:limit] for key in parts[0]}
    pictures = PropPictures(**arrays)
    assert_trainable(zip(pictures.families.tolist(), pictures.seeds.tolist(), strict=True))
    return pictures


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=4000, help="training props")
    parser.add_argument("--validation", type=int, default=96, help="validation props")
    parser.add_argument("--size", type=int, default=128, help="picture size in px")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("training/out/props128"))
    options = parser.parse_args(arguments)
    jobs = plan(options.out, options.count, options.validation, options.size, options.device)
    render_all(jobs, render_shard, options.workers)
    print(f"{options.out}: {options.count} training and {options.validation} validation props")


if __name__ == "__main__":
    main()

"""Props as the shape network meets them: four pictures, the guess by rule, the truth.

    python -m training.shape_data --data training/out/props128 --out training/out/shapes --workers 2

Half of the items are seen as they were drawn, half with outlines that wobble and colours that
shift, as imagined views do. Each shard is of one shard of `training.data`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.seeds import assert_trainable
from training.shards import render_all, write_shard

#: Share of items whose pictures are spoilt, and how far their outlines go, in parts of a picture.
SPOILT, MOVED, WOBBLE = 0.5, 0.02, 0.012
#: Distances are stored as whole numbers, this many to the network's reach.
STEPS = 127


@dataclass(frozen=True)
class Job:
    """One shard to be made of one shard of pictures."""

    pictures: Path
    path: Path


@dataclass(frozen=True)
class Shapes:
    """N things in memory.

    Attributes:
        rgba: (N, 4, S, S, 4) uint8: front, right, back, left.
        distance_px: (N, 4, S, S) float16 signed distances to the outlines.
        guess: (N, R, R, R) int8 signed distance by rule, `STEPS` to the network's reach.
        truth: (N, R, R, R) int8, the same of the prop.
        low: (N, 3) world position of the first voxel's centre.
        spacing: (N,) of voxels.
        families: (N,) names.
    """

    rgba: NDArray[np.uint8]
    distance_px: NDArray[np.float16]
    guess: NDArray[np.int8]
    truth: NDArray[np.int8]
    low: NDArray[np.float64]
    spacing: NDArray[np.float64]
    families: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.rgba)


def make_shard(job: Job) -> str:
    """Make one shard and write it whole; return its file name."""
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with np.load(job.pictures, allow_pickle=False) as file:
        pictures, families, seeds = file["rgba"][:, :4], file["families"], file["seeds"]
    assert_trainable(zip(families.tolist(), seeds.tolist(), strict=True))
    rows = []
    for rgba, family, seed in zip(pictures, families.tolist(), seeds.tolist(), strict=True):
        rng = np.random.default_rng([seed, 0x5A9E])
        seen = spoilt(rgba, rng) if rng.random() < SPOILT else rgba
        row = one(seen, family, seed)
        if row is not None:
            rows.append(row)
    write_shard(job.path, {key: np.stack([row[key] for row in rows]) for key in rows[0]})
    return job.path.name


def one(rgba: NDArray[np.uint8], family: str, seed: int) -> Mapping[str, NDArray] | None:
    """Return an item's arrays (see `Shapes`), or None where the outlines have nothing in common."""
    import torch

    from assets3d.cameras import four_views
    from assets3d.errors import InputError
    from assets3d.props import sample_prop
    from assets3d.splats.carve import carve_for_network
    from assets3d.splats.silhouettes import without_haze
    from assets3d.views.posed import Views

    views = without_haze(Views(rgba, four_views(rgba.shape[1])))
    try:
        cube, silhouettes = carve_for_network(views)
    except InputError:
        return None
    with torch.inference_mode():
        points = torch.from_numpy(cube.points.astype(np.float32)).reshape(-1, 3)
        truth = -sample_prop(family, seed).distance(points.unbind(1))
    return {
        "rgba": views.rgba,
        "distance_px": silhouettes.distance_px.astype(np.float16),
        "guess": _whole(cube.distance, cube.spacing),
        "truth": _whole(truth.numpy().reshape(cube.distance.shape), cube.spacing),
        "low": cube.low,
        "spacing": np.array(cube.spacing),
        "families": np.array(family),
    }


def _whole(distance: NDArray[np.float32], spacing: float) -> NDArray[np.int8]:
    from assets3d.splats.shape_network import REACH

    share = np.clip(distance / np.float32(REACH * spacing), -1.0, 1.0)
    return np.rint(STEPS * share).astype(np.int8)


def spoilt(rgba: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move, scale, bend, blur and recolour four pictures (4, S, S, 4), each in its own way.

    The front least: it is what the others were imagined from.
    """
    size = rgba.shape[1]
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    found = []
    for view, picture in enumerate(rgba):
        strength = (0.3 if view == 0 else 1.0) * rng.uniform(0.2, 1.0)
        scale = 1.0 + strength * MOVED * rng.normal(size=2)
        shift = strength * MOVED * size * rng.normal(size=2)
        bend = cv2.resize(
            rng.normal(size=(7, 7, 2)).astype(np.float32), (size, size), None, 0, 0, cv2.INTER_CUBIC
        )
        bend *= strength * WOBBLE * size
        middle = size / 2.0
        x = (columns - middle) * scale[0] + middle + shift[0] + bend[..., 0]
        y = (rows - middle) * scale[1] + middle + shift[1] + bend[..., 1]
        held = picture.astype(np.float32) / 255.0
        held[..., :3] *= held[..., 3:]
        held = cv2.remap(held, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
        if rng.random() < 0.5:
            held = cv2.GaussianBlur(held, (0, 0), rng.uniform(0.3, 1.2))
        colour = held[..., :3] / np.maximum(held[..., 3:], 1e-3)
        colour = colour * (1.0 + strength * 0.15 * rng.normal(size=3))
        straight = np.concatenate([colour, held[..., 3:]], 2)
        found.append(np.rint(255.0 * np.clip(straight, 0.0, 1.0)).astype(np.uint8))
    return np.stack(found)


def load_shapes(folder: Path, split: str, limit: int | None = None) -> Shapes:
    """Read a split into memory.

    Args:
        folder: what `--out` named.
        split: "training" or "validation".
        limit: read no more items than this.

    Raises:
        FileNotFoundError: nothing has been made yet.
    """
    name = {"training": "shard_*.npz", "validation": "validation.npz"}[split]
    paths = sorted(folder.glob(name))
    if not paths:
        raise FileNotFoundError(f"{folder}: no {name}, run `python -m training.shape_data` first")
    parts, total = [], 0
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            parts.append({key: file[key] for key in file.files})
        total += len(parts[-1]["spacing"])
        if limit is not None and total >= limit:
            break
    return Shapes(**{key: np.concatenate([p[key] for p in parts])[:limit] for key in parts[0]})


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("training/out/props128"))
    parser.add_argument("--out", type=Path, default=Path("training/out/shapes"))
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    sources = [options.data / "validation.npz", *sorted(options.data.glob("shard_*.npz"))]
    jobs = [Job(source, options.out / source.name) for source in sources if source.is_file()]
    render_all([job for job in jobs if not job.path.exists()], make_shard, options.workers)


if __name__ == "__main__":
    main()

"""Encode fronts of props and tiles of materials once, for the training of the image model.

    python -m training.picture_latents --autoencoder assets3d/weights/image/vae

Mean latents of the pictures on white and, unless told otherwise, of the mirrored ones: an
autoencoder does not mirror exactly. (Most fronts are symmetric, and encoding takes its time on a
CPU.) Tiles are encoded with padding that wraps, so that their latents are periodic too. The file
names the hash of the autoencoder that made it, so that no other is mixed in. `--halved` encodes
them at half the size, for a first training that sees four times as many (`training.text_to_image`).
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

from assets3d.textures.seamless.circular import circular_padding
from training.backgrounds import on_white
from training.latents import (
    AUTOENCODER,
    autoencoder_hash,
    check_latents_file,
    encode,
    load_autoencoder,
    made_from,
    write_latents_file,
)
from training.pictures import FOLDER as PICTURES
from training.pictures import load_pictures

FILE = "picture_latents.safetensors"
FOLDER = Path("training/out/picture_latents")


@dataclass(frozen=True)
class PictureLatents:
    """N pictures' latents in memory.

    Attributes:
        latents: (N, 1 or 2, C, h, w) float16: as it is, mirrored.
        captions: (N, K) variants of the caption.
        is_tile: (N,) bool, see `Pictures`.
    """

    latents: torch.Tensor
    captions: NDArray[np.str_]
    is_tile: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.latents)


def on_torus(*, unet: nn.Module | None = None, vae: nn.Module | None = None) -> Any:
    """Return a context in which the networks' padding wraps, as the stage's mode circular does."""
    nothing = nn.Identity()
    return circular_padding(SimpleNamespace(unet=unet or nothing, vae=vae or nothing))


def write_latents(
    data: Path,
    autoencoder_folder: Path,
    out: Path,
    device: str,
    limit: int | None,
    mirrored: bool = True,
    halved: bool = False,
) -> None:
    """Encode both splits into `out`, unless the same work already lies there."""
    autoencoder = load_autoencoder(autoencoder_folder, device)
    out.mkdir(parents=True, exist_ok=True)
    for split in ("validation", "training"):
        pictures = load_pictures(data, split, limit)
        wanted = {"autoencoder": autoencoder_hash(autoencoder_folder), "count": len(pictures)}
        wanted["mirrored"] = mirrored
        if halved:
            wanted["halved"] = True
        path = out / f"{split}.{FILE}"
        if path.exists() and made_from(path) == wanted:
            print(f"{path}: already there")
            continue
        started = time.monotonic()
        parts = []
        for start in range(0, len(pictures), 16):
            rgba = torch.from_numpy(pictures.rgba[start : start + 16])
            # Props come first; a batch across the border is taken for one of props.
            tiles = bool(pictures.is_tile[start : start + 16].all())
            with on_torus(vae=autoencoder) if tiles else nullcontext():
                ways = (rgba, rgba.flip(2)) if mirrored else (rgba,)
                shown = [F.avg_pool2d(on_white(x), 2 if halved else 1) for x in ways]
                encoded = [encode(autoencoder, x, device) for x in shown]
            parts.append(torch.stack(encoded, 1).half())
        words = {"captions": pictures.captions.tolist(), "is_tile": pictures.is_tile.tolist()}
        write_latents_file(path, {"latents": torch.cat(parts)}, wanted, words)
        print(f"{path}: {len(pictures)} pictures in {time.monotonic() - started:.0f} s", flush=True)


def load_picture_latents(folder: Path, split: str, autoencoder_folder: Path) -> PictureLatents:
    """Read a split's latents.

    Raises:
        FileNotFoundError: nothing has been encoded yet.
        ValueError: they were made by another autoencoder.
    """
    path = Path(folder) / f"{split}.{FILE}"
    check_latents_file(path, autoencoder_folder, "training.picture_latents")
    with safe_open(path, framework="pt") as file:
        words = file.metadata()
        return PictureLatents(
            file.get_tensor("latents"),
            np.array(json.loads(words["captions"])),
            np.array(json.loads(words["is_tile"])),
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=PICTURES)
    parser.add_argument("--autoencoder", type=Path, default=AUTOENCODER)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--mirrored", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--halved", action="store_true", help="pictures at half their size")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    write_latents(
        options.data,
        options.autoencoder,
        options.out,
        options.device,
        options.limit,
        options.mirrored,
        options.halved,
    )


if __name__ == "__main__":
    main()

"""Encode the rendered views once, for the training of the views network.

    python -m training.latents --autoencoder assets3d/weights/image/vae

Mean latents of the pictures on white, and of the mirrored pictures (an autoencoder does not mirror
exactly). The file names the hash of the autoencoder that made it, so that no other is mixed in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from training.backgrounds import on_white
from training.data import load_props

FILE = "latents.safetensors"
#: Where the commands look unless told otherwise.
FOLDER = Path("training/out/latents128")
AUTOENCODER = Path("assets3d/weights/image/vae")


@dataclass(frozen=True)
class Latents:
    """N props' latents in memory.

    Attributes:
        plain: (N, 4, C, h, w) float16, front, right, back, left, already scaled.
        mirrored: (N, 4, C, h, w) float16 of the mirrored props: pictures flipped, right and left
            swapped.
        captions: (N, K) variants of the caption.
        families: (N,) names.
    """

    plain: torch.Tensor
    mirrored: torch.Tensor
    captions: NDArray[np.str_]
    families: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.plain)


def mirror_views(rgba: torch.Tensor) -> torch.Tensor:
    """Return the four views (N, 4, H, W, C) of the objects mirrored in the plane x = 0.

    The front and back pictures flip; the right camera sees what the left one saw, flipped.
    """
    return rgba[:, [0, 3, 2, 1]].flip(3)


def load_autoencoder(folder: Path, device: str) -> nn.Module:
    """Load an exported autoencoder as float32."""
    from diffusers import AutoencoderKL

    loaded = AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32, local_files_only=True)
    return loaded.eval().requires_grad_(False).to(device)


def autoencoder_hash(folder: Path) -> str:
    """Return the sha256 of the weights."""
    return hashlib.sha256(
        (Path(folder) / "diffusion_pytorch_model.safetensors").read_bytes()
    ).hexdigest()


def encode(autoencoder: nn.Module, pictures: torch.Tensor, device: str) -> torch.Tensor:
    """Encode (B, 3, H, W) in -1..1 to scaled mean latents (B, 4, H/8, W/8) float32 on the CPU."""
    scale = autoencoder.config.scaling_factor
    with torch.no_grad():
        parts = [
            autoencoder.encode(part.to(device)).latent_dist.mode().cpu() * scale
            for part in pictures.split(16)
        ]
    return torch.cat(parts)


def decode(autoencoder: nn.Module, latents: torch.Tensor) -> NDArray[np.uint8]:
    """Decode scaled latents (B, 4, h, w) to pictures (B, H, W, 3)."""
    device = next(autoencoder.parameters()).device
    latents = latents.to(device).float() / autoencoder.config.scaling_factor
    with torch.no_grad():
        pictures = torch.cat([autoencoder.decode(part).sample for part in latents.split(8)])
    pictures = ((pictures.clamp(-1, 1) + 1.0) * 127.5).round().byte()
    return pictures.permute(0, 2, 3, 1).cpu().numpy()


def encode_views(autoencoder: nn.Module, rgba: torch.Tensor, device: str) -> torch.Tensor:
    """Encode (N, V, H, W, 4) uint8 views on white; return (N, V, C, h, w) float16."""
    views = rgba.shape[1]
    parts = []
    for chunk in rgba.split(16):
        latents = encode(autoencoder, on_white(chunk.flatten(0, 1)), device).half()
        parts.append(latents.unflatten(0, (len(chunk), views)))
    return torch.cat(parts)


def write_latents(
    data: Path, autoencoder_folder: Path, out: Path, device: str, limit: int | None
) -> None:
    """Encode both splits into `out`, unless the same work already lies there."""
    autoencoder, mark = (
        load_autoencoder(autoencoder_folder, device),
        autoencoder_hash(autoencoder_folder),
    )
    out.mkdir(parents=True, exist_ok=True)
    for split in ("validation", "training"):
        props = load_props(data, split, limit)
        wanted = {"autoencoder": mark, "count": len(props)}
        path = out / f"{split}.{FILE}"
        if path.exists() and made_from(path) == wanted:
            print(f"{path}: already there")
            continue
        started = time.monotonic()
        rgba = torch.from_numpy(props.rgba[:, :4])
        tensors = {
            "plain": encode_views(autoencoder, rgba, device),
            "mirrored": encode_views(autoencoder, mirror_views(rgba), device),
        }
        words = {"captions": props.captions.tolist(), "families": props.families.tolist()}
        write_latents_file(path, tensors, wanted, words)
        print(f"{path}: {len(props)} props in {time.monotonic() - started:.0f} s")


def load_latents(folder: Path, split: str, autoencoder_folder: Path) -> Latents:
    """Read a split's latents.

    Raises:
        ValueError: they were made by another autoencoder.
    """
    path = Path(folder) / f"{split}.{FILE}"
    check_latents_file(path, autoencoder_folder, "training.latents")
    with safe_open(path, framework="pt") as file:
        words = file.metadata()
        return Latents(
            file.get_tensor("plain"),
            file.get_tensor("mirrored"),
            np.array(json.loads(words["captions"])),
            np.array(json.loads(words["families"])),
        )


def write_latents_file(
    path: Path,
    tensors: Mapping[str, torch.Tensor],
    origin: Mapping[str, Any],
    words: Mapping[str, Any],
) -> None:
    """Write latents whole, with what they were made from and lists that go with them."""
    unfinished = path.with_name(path.name + ".unfinished")
    metadata = {name: json.dumps(value) for name, value in {"made_from": origin, **words}.items()}
    save_file(dict(tensors), unfinished, metadata=metadata)
    unfinished.replace(path)


def check_latents_file(path: Path, autoencoder_folder: Path, command: str) -> None:
    """Refuse latents that are not there or are another autoencoder's.

    Raises:
        FileNotFoundError: naming the command that writes them.
        ValueError: they were made by another autoencoder.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: run `python -m {command}` first")
    if made_from(path)["autoencoder"] != autoencoder_hash(autoencoder_folder):
        raise ValueError(
            f"{path}: found another autoencoder's latents, wanted {autoencoder_folder}'s"
        )


def made_from(path: Path) -> dict[str, Any]:
    """Return what a file of latents was made from."""
    with safe_open(path, framework="pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["made_from"])
        return found


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("training/out/props128"))
    parser.add_argument("--autoencoder", type=Path, default=AUTOENCODER)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=None)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    write_latents(options.data, options.autoencoder, options.out, options.device, options.limit)


if __name__ == "__main__":
    main()

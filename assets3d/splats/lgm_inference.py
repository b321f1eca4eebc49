"""Using LGM: its input from posed pictures, its Gaussians back in our world, its checkpoints.

Traps, each with a test: LGM's own elevation counts downwards, ours upwards (only `Cameras` are used
here, so the sign never enters); and it was trained with view 0 as the identity rotation at
(0, 0, 1.5), so poses are made relative to view 0 and the Gaussians turned back.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.cameras import FOV_Y_DEG, ORBIT_RADIUS, Cameras, pixel_rays
from assets3d.checkpoints import build_with, read_weights
from assets3d.errors import InputError
from assets3d.images.picture import on_background, resize_premultiplied
from assets3d.splats.gaussians import Gaussians
from assets3d.splats.lgm import HEAD, LGM
from assets3d.splats.lgm_blocks import VIEWS
from assets3d.splats.lgm_config import LGMConfig, Variant, lgm_config
from assets3d.splats.normalise import rotate, scale_and_move
from assets3d.views.posed import Views

#: Splats fainter than this are dropped, as the reference does before it writes a file.
MIN_OPACITY = 0.005
#: How far the field of view may be from what the network was trained with.
_FOV_TOLERANCE_DEG = 2.0

_MEAN = np.array([0.485, 0.456, 0.406])
_DEVIATION = np.array([0.229, 0.224, 0.225])

_GOOD_FILES = ("model_fp16_fixrot.safetensors", "model.safetensors")
_OLD_FILE = "model_fp16.safetensors"


def lgm_rays(cameras: Cameras) -> NDArray[np.float32]:
    """Return (V, 6, H, W) Pluecker rays of pixel centres: origin x direction, then direction."""
    origins, directions = pixel_rays(cameras)
    rays = np.concatenate([np.cross(origins, directions), directions], axis=-1)
    return np.ascontiguousarray(rays.transpose(0, 3, 1, 2), dtype=np.float32)


def network_input(views: Views, size_px: int) -> torch.Tensor:
    """Return (1, V, 9, size, size) float32: normalised RGB on white, moments, directions.

    The cameras are taken as they are; see `canonical_cameras`.
    """
    rgb = np.stack([on_background(resize_premultiplied(p, size_px)) for p in views.rgba])
    return join_rays(rgb / 255.0, views.cameras.resized(size_px, size_px))


def join_rays(rgb: NDArray, cameras: Cameras) -> torch.Tensor:
    """Normalise pictures (V, S, S, 3) in 0..1 and append their rays; return (1, V, 9, S, S)."""
    pixels = ((rgb - _MEAN) / _DEVIATION).astype(np.float32).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.concatenate([pixels, lgm_rays(cameras)], axis=1))[None]


def canonical_cameras(cameras: Cameras) -> tuple[Cameras, NDArray[np.float64], float]:
    """Move the world so that view 0 is the identity rotation at (0, 0, 1.5).

    Returns:
        The moved cameras; the (3, 3) rotation that takes moved directions back to the world; and
        the factor that takes moved lengths back. Both are 1 for `four_views`.
    """
    first = cameras.world_from_camera[0]
    distance = float(np.linalg.norm(first[:3, 3]))
    world_from_moved = first[:3, :3]
    poses = cameras.world_from_camera.copy()
    poses[:, :3, 3] *= ORBIT_RADIUS / distance
    poses[:, :3] = world_from_moved.T @ poses[:, :3]
    moved = Cameras(poses, cameras.intrinsics_px, cameras.width_px, cameras.height_px)
    return moved, world_from_moved, distance / ORBIT_RADIUS


def reconstruct(model: LGM, views: Views) -> Gaussians:
    """Run the network on four views, 90 degrees apart, front first; see `four_views`.

    Returns:
        Gaussians in the world of `views`, without those of opacity below 0.005.

    Raises:
        InputError: another number of views, or a field of view far from the 49.1 degrees it knows.
    """
    _check(views)
    cameras, rotation, scale = canonical_cameras(views.cameras)
    pictures = network_input(Views(views.rgba, cameras), model.config.size_px)
    device = next(model.parameters()).device
    with torch.inference_mode():
        values = model(pictures.to(device))[0].float().cpu().numpy()
    gaussians = Gaussians(np.ascontiguousarray(values[values[:, 3] >= MIN_OPACITY]))
    return scale_and_move(rotate(gaussians, rotation), scale, np.zeros(3))


def load_lgm(
    folder: str | Path,
    variant: Variant,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
) -> LGM:
    """Load an LGM from a folder or one safetensors file; names and shapes must be the variant's.

    Args:
        folder: holds model_fp16_fixrot.safetensors or model.safetensors; for "embedded" a
            config.json beside it gives the shape.
        variant: which network.
        device: "cpu", "cuda", ...
        dtype: None for float32 on a CPU and float16 elsewhere; the head is float32 in any case.

    Raises:
        InputError: no such weights, a pickle, the withdrawn checkpoint, or other names or shapes.
    """
    if dtype is None:
        dtype = torch.float32 if torch.device(device).type == "cpu" else torch.float16
    path = _weights_path(Path(folder))
    config = lgm_config(variant)
    described = path.parent / "config.json"
    if variant == "embedded" and described.is_file():
        config = _read_config(described)
    weights = read_weights(path, "lgm")
    return build_with(lambda: LGM(config), weights, f"lgm {variant}", dtype, HEAD).to(device)


def _read_config(path: Path) -> LGMConfig:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"lgm: {path.name} cannot be read ({error})") from None
    if not isinstance(values, dict):
        raise InputError(f"lgm: {path.name} holds no object of keys and values")
    return LGMConfig.from_json(values)


def _weights_path(given: Path) -> Path:
    """Find the weights; refuse the one checkpoint that no longer fits the activations."""
    path = given
    if given.is_dir():
        names = [name for name in (*_GOOD_FILES, _OLD_FILE) if (given / name).is_file()]
        pickles = sorted(p for s in ("*.bin", "*.pt", "*.pth", "*.ckpt") for p in given.glob(s))
        if names:
            path = given / names[0]
        elif pickles:
            path = pickles[0]  # refused by the reader, with the way out
        else:
            raise InputError(f"lgm: no {' or '.join(_GOOD_FILES)} in {given.name}/")
    if path.name == _OLD_FILE:
        raise InputError(
            f"lgm: {_OLD_FILE} was trained with rotations normalised along the wrong axis,"
            f" wanted {_GOOD_FILES[0]}"
        )
    return path


def _check(views: Views) -> None:
    if len(views) != VIEWS:
        raise InputError(f"splats lgm: found {len(views)} views, wanted {VIEWS}, 90 degrees apart")
    focal = views.cameras.intrinsics_px[:, 1]
    fov_deg = np.degrees(2.0 * np.arctan(views.cameras.height_px / (2.0 * focal)))
    worst = float(fov_deg[np.argmax(np.abs(fov_deg - FOV_Y_DEG))])
    if abs(worst - FOV_Y_DEG) > _FOV_TOLERANCE_DEG:
        raise InputError(
            f"splats lgm: found a field of view of {worst:.1f} degrees, wanted {FOV_Y_DEG}"
        )

"""What four level outlines leave open, guessed by a network that has seen many things.

`rounding` guesses by rule: round or square, flat or domed. A network trained on the prop world
knows more: that a mug is hollow, that a chair has four legs and not two walls. It is asked on a
coarse cube of voxels, and only ever takes away from the hull.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from assets3d.cameras import Cameras, four_views
from assets3d.splats.shape_network import REACH, VIEWS, ShapeNetwork
from assets3d.splats.silhouettes import seen

if TYPE_CHECKING:
    from torch import Tensor

#: The field that error messages begin with.
FIELD = "splats.shape"
#: How far a camera may be from the standard one, as the length of the difference of directions.
_NEAR = 0.1

#: The cube's surroundings (20, 48, 48, 48) to signed distances (48, 48, 48) in voxels.
ShapeGuess = Callable[["Tensor"], NDArray[np.float32]]


def load_shape(folder: Path) -> ShapeGuess:
    """Load the network from a folder of `shape.safetensors`.

    Raises:
        InputError: the file is missing, damaged or of another network.
        PassingError: the disk failed.
    """
    from assets3d.checkpoints import build_with, find_weights, read_weights

    weights = read_weights(find_weights(folder, "shape", FIELD), FIELD)
    network = build_with(ShapeNetwork, weights, FIELD, torch.float32).eval()

    def guess(surroundings: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            return REACH * network(surroundings[None])[0].clamp(-1.0, 1.0).numpy()

    return guess


def is_standard(cameras: Cameras) -> bool:
    """Tell whether these are the front, right, back and left that the network was trained on."""
    if len(cameras) != VIEWS:
        return False
    found, wanted = (c.world_from_camera[:, :3, 2] for c in (cameras, four_views(cameras.width_px)))
    return bool((np.linalg.norm(found - wanted, axis=1) < _NEAR).all())


def surroundings(
    rgba: NDArray[np.uint8],
    distance_px: NDArray[np.float32],
    cameras: Cameras,
    guess: NDArray[np.float32],
    low: NDArray[np.float64],
    spacing: float,
) -> Tensor:
    """Return what is known at each voxel, (20, R, R, R) float32.

    Distances are in `REACH` voxels and cut off at -1 and 1. Per view the distance to the outline,
    then per view the colour, premultiplied; then `guess`; then the place, -1 to 1.

    Args:
        rgba: (4, H, W, 4) straight pictures: front, right, back, left.
        distance_px: (4, H, W) signed distance to the outline, positive inside.
        cameras: of the pictures.
        guess: (R, R, R) signed distance by rule, world units.
        low: (3,) world position of voxel [0, 0, 0]'s centre.
        spacing: of voxels, world units.
    """
    count = guess.shape[0]
    axis = torch.arange(count, dtype=torch.float32)
    index = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    points = (low + spacing * index.numpy()).astype(np.float32)
    pictures = torch.from_numpy(rgba.astype(np.float32) / np.float32(255.0))
    pictures[..., :3] *= pictures[..., 3:]
    layers = torch.cat([torch.from_numpy(distance_px)[..., None], pictures[..., :3]], -1)
    outlines, colours = [], []
    for view in range(len(cameras)):
        pixels, unit = seen(cameras, view, points)
        size = torch.tensor([cameras.width_px, cameras.height_px], dtype=torch.float32)
        place = 2.0 * torch.from_numpy(pixels) / size - 1.0
        found = F.grid_sample(
            layers[view].permute(2, 0, 1)[None],
            place[None, None],
            padding_mode="border",
            align_corners=False,
        )[0, :, 0]
        reach = torch.from_numpy(unit) / float(spacing * REACH)
        outlines.append((found[0] * reach).clamp(-1.0, 1.0))
        colours.append(found[1:])
    by_rule = torch.from_numpy(guess.astype(np.float32) / np.float32(spacing * REACH))
    middle = 2.0 * (index.T + 0.5) / count - 1.0
    known = [torch.stack(outlines), torch.cat(colours), by_rule.reshape(1, -1).clamp(-1, 1), middle]
    return torch.cat(known).reshape(-1, count, count, count)


def refined(
    distance: NDArray[np.float32], coarse: NDArray[np.float32], voxel: float
) -> NDArray[np.float32]:
    """Return the hull less what the network takes away.

    Args:
        distance: (R, R, R) of the bare hull, world units, positive inside.
        coarse: (48, 48, 48) the network's, of the same cube, in its voxels.
        voxel: side of one of its voxels, world units.
    """
    values = torch.from_numpy(coarse * np.float32(voxel))[None, None]
    size = distance.shape
    finer = F.interpolate(values, size=size, mode="trilinear", align_corners=False)[0, 0].numpy()
    # Beyond the network's reach it says no more than how far that is.
    finer = np.where(finer >= np.float32(0.99 * REACH * voxel), np.float32(np.inf), finer)
    return np.minimum(distance, finer)

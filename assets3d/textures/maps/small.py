"""The embedded maps network at work: one pass over the whole torus, on a CPU.

Large pictures are evaluated in windows that overlap by the network's reach, so the result does not
depend on the windows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.maps.relief import Relief
from assets3d.textures.maps.windows import in_tiles
from assets3d.textures.torus import resized

if TYPE_CHECKING:
    import torch

    from assets3d.textures.maps.small_network import MapsNetwork

EMBEDDED = Path(__file__).parents[2] / "weights" / "maps"
#: The field that error messages begin with.
FIELD = "maps.model"
#: Where light comes from unless somebody says otherwise.
FROM_ABOVE_DEG = 90.0
#: A surface is metal or it is not: what the network half believes would be neither in a renderer.
METAL_SHARPNESS = 8.0
#: Pictures with larger sides are evaluated in windows of this core and overlap.
WHOLE_PX, CORE_PX, MARGIN_PX = 2048, 1024, 320


def load_small(folder: Path = EMBEDDED, device: str = "cpu") -> MapsNetwork:
    """Load the maps network from a folder that holds `maps.safetensors`.

    Raises:
        InputError: no such file, damaged, or of another network.
        PassingError: the disk failed.
    """
    import torch

    from assets3d.checkpoints import build_with, find_weights, read_weights
    from assets3d.textures.maps.small_network import MapsNetwork

    weights = read_weights(find_weights(folder, "maps", FIELD), FIELD)
    return build_with(MapsNetwork, weights, FIELD, torch.float32).to(device)


def predict(
    network: MapsNetwork, picture: NDArray[np.uint8], light_deg: float = FROM_ABOVE_DEG
) -> Relief:
    """Return the relief of a picture (S, S, 3): slopes, roughness, metal, colour without light.

    Sizes that are no multiple of the network's stride are resampled on the torus and back.

    Args:
        network: from `load_small`.
        picture: sRGB.
        light_deg: where the light in it comes from: 0 right, 90 above, 180 left.

    Raises:
        InputError: the picture is not square.
    """
    from assets3d.textures.maps.small_network import STRIDE_PX

    # The network is at its best with light from about above: what is lit from elsewhere is turned.
    turns = round((FROM_ABOVE_DEG - light_deg) / 90.0)
    picture = np.ascontiguousarray(np.rot90(picture, turns))
    angle = np.deg2rad(light_deg + 90.0 * turns)
    towards = (float(np.cos(angle)), float(np.sin(angle)))
    size = _side(picture)
    fitting = max(STRIDE_PX, STRIDE_PX * round(size / STRIDE_PX))
    if fitting == size:
        maps = _evaluated(network, picture, towards)
    else:
        maps = tuple(
            resized(m, size) for m in _evaluated(network, resized(picture, fitting), towards)
        )
    slopes, roughness, metallic, colour = _turned_back(maps, turns)
    return Relief(slopes[..., 0], slopes[..., 1], True, roughness, metallic, colour)


def _turned_back(maps: tuple[NDArray, ...], turns: int) -> tuple[NDArray, ...]:
    """Return maps of a picture that had been turned anticlockwise by so many right angles."""
    slopes, *others = (np.rot90(part, -turns) for part in maps)
    for _ in range(turns % 4):  # clockwise, y down: right becomes down
        slopes = np.stack([-slopes[..., 1], slopes[..., 0]], -1)
    return slopes, *others


def _side(picture: NDArray[np.uint8]) -> int:
    height, width = picture.shape[:2]
    if height != width:
        raise InputError(f"maps.picture: is {width}x{height} px, wanted a square tile")
    return height


def _evaluated(
    network: MapsNetwork, picture: NDArray[np.uint8], towards: tuple[float, float]
) -> tuple[NDArray, ...]:
    """Return slopes (S, S, 2), roughness, metallic (S, S) and colour (S, S, 3)."""
    import torch

    size = len(picture)
    with torch.inference_mode():
        if size <= WHOLE_PX:
            return _maps_of(network, picture, towards)
        # Half the memory; a relative error of 0.0005 is 0.03 degrees at most.
        maps = tuple(
            np.zeros((size, size, *channels), np.float16) for channels in ((2,), (), (), (3,))
        )
        in_tiles(
            lambda window: _maps_of(network, window, towards),
            picture,
            core_px=CORE_PX,
            margin_px=MARGIN_PX,
            into=maps,
        )
    return maps


def _maps_of(
    network: MapsNetwork, picture: NDArray[np.uint8], towards: tuple[float, float]
) -> tuple[NDArray[np.float32], ...]:
    import torch

    shown = _tensor(network, picture)
    maps = network(shown, shown.new_tensor([towards]))
    found = (
        maps.slopes[0].permute(1, 2, 0),
        maps.roughness[0, 0],
        torch.sigmoid(METAL_SHARPNESS * maps.metallic_logits[0, 0]),
        maps.base_colour[0].permute(1, 2, 0).clamp(0.0, 1.0),
    )
    return tuple(part.float().cpu().numpy() for part in found)


def _tensor(network: MapsNetwork, picture: NDArray[np.uint8]) -> torch.Tensor:
    """Return (1, 3, S, S) in 0..1 where the network is, channels last: faster on a CPU."""
    import torch

    device = next(network.parameters()).device
    planes = torch.from_numpy(np.ascontiguousarray(picture)).to(device)
    return (
        planes.permute(2, 0, 1)[None]
        .float()
        .div(255.0)
        .contiguous(memory_format=torch.channels_last)
    )

"""ControlNet and T2I-Adapter: maps that fix the lines, the depth or the pose of a picture.

The maps are given as pictures: `lineart` white lines on black, `depth` near white and far black,
`openpose` the coloured skeleton on black. Networks come as a diffusers folder; a ControlNet may be
a single file too, in the layout of diffusers or of its authors. Importing this imports no torch.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.hub import one_line
from assets3d.images.ldm_blocks import ldm_control_names, ldm_name
from assets3d.images.picture import on_background, resize_premultiplied
from assets3d.weight_files import (
    check_shapes,
    load_into,
    read_shapes,
    read_tensors,
    safetensors_in,
)

#: The manifest's field that error messages begin with.
FIELD = "control"

Kind = Literal["lineart", "depth", "openpose"]
#: What a network is: diffusers' class of it -> our word.
NETWORKS = {"ControlNetModel": "controlnet", "T2IAdapter": "t2i_adapter"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Control:
    """A map and the network that reads it.

    Attributes:
        kind: what the map shows.
        picture: the map, uint8 (H, W, 3|4).
        network: a diffusers folder, or a ControlNet's single file.
        weight: 0 leaves the map out, 1 as the network was trained.
    """

    kind: Kind
    picture: NDArray[np.uint8]
    network: Path
    weight: float = 1.0


def network_kind(path: Path) -> str:
    """Return "controlnet" or "t2i_adapter".

    Raises:
        InputError: neither.
    """
    if path.is_file():
        return "controlnet"
    try:
        name = json.loads((path / "config.json").read_text(encoding="utf-8")).get("_class_name")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{FIELD}: {path.name}/config.json cannot be read ({one_line(error)})"
        ) from None
    if name not in NETWORKS:
        raise InputError(f"{FIELD}: {path.name} is a {name}, wanted {' or '.join(NETWORKS)}")
    return NETWORKS[name]


def load_networks(pipeline: Any, controls: Sequence[Control]) -> tuple[str, list[Any]]:
    """Load the networks of all controls for a pipeline's U-Net; return their kind and themselves.

    Raises:
        InputError: ControlNets and T2I-Adapters together, a file that is not whole, or made for
            another model.
    """
    kinds = {network_kind(control.network) for control in controls}
    if len(kinds) > 1:
        raise InputError(f"{FIELD}: found ControlNet and T2I-Adapter, wanted all of one kind")
    kind = kinds.pop()
    load = _controlnet if kind == "controlnet" else _t2i_adapter
    networks = []
    for control in controls:
        network = load(control.network, pipeline.unet)
        networks.append(network.to(pipeline.unet.device, pipeline.unet.dtype).eval())
    return kind, networks


def map_for(control: Control, network: Any, size_px: tuple[int, int]) -> Any:
    """Return the map as a PIL picture of (width, height) pixels, grey where the network reads that.

    A lineart map that is mostly white is used as it is, with a warning: it is most likely inverted.
    """
    from PIL import Image

    rgb = resize_premultiplied(on_background(control.picture, (0.0, 0.0, 0.0)), size_px)
    if control.kind == "lineart" and rgb.mean() > 127:
        _log.warning("%s: the lineart map is mostly white, wanted white lines on black", FIELD)
    picture = Image.fromarray(rgb)
    return picture.convert("L") if network.config.get("in_channels") == 1 else picture


def _controlnet(path: Path, unet: Any) -> Any:
    import torch
    from diffusers import ControlNetModel

    if path.is_dir():
        file = _weights_in(path)
        config = ControlNetModel.load_config(path)
    else:
        file = path
        config = _config_like(unet)
    with torch.device("meta"):
        network = ControlNetModel.from_config(config)
    width, wanted = network.config.cross_attention_dim, unet.config.cross_attention_dim
    if width != wanted:
        raise InputError(
            f"{FIELD}: {path.name} was made for another model (text of width {width}, "
            f"wanted {wanted})"
        )
    network = network.to(unet.dtype).to_empty(device="cpu")
    shapes = read_shapes(file, FIELD)
    if any(key.removeprefix("control_model.").startswith("input_blocks.") for key in shapes):
        _load_authors_layout(network, file)
    else:
        load_into(network, file, FIELD)
    return network


def _config_like(unet: Any) -> dict[str, Any]:
    """Return the configuration of a ControlNet for this U-Net: it is a copy of its first half."""
    import inspect

    from diffusers import ControlNetModel

    known = inspect.signature(ControlNetModel.__init__).parameters
    return {key: value for key, value in unet.config.items() if key in known}


def _load_authors_layout(network: Any, file: Path) -> None:
    """Load a file in which the layers are called as in LDM, after `control_model.` or nothing."""
    state = network.state_dict()
    names = ldm_control_names(network.config, len(network.controlnet_down_blocks))
    ours = {ldm_name(key, names): key for key in state}
    tensors = {
        key.removeprefix("control_model."): value
        for key, value in read_tensors(file, FIELD).items()
    }
    found = {ours.get(key, key): tuple(value.shape) for key, value in tensors.items()}
    wanted = {key: tuple(value.shape) for key, value in state.items()}
    check_shapes(found, wanted, f"{FIELD}: {file.name}")
    network.load_state_dict({ours[key]: value for key, value in tensors.items()}, strict=True)


def _t2i_adapter(path: Path, unet: Any) -> Any:
    import torch
    from diffusers import T2IAdapter

    config = T2IAdapter.load_config(path)
    with torch.device("meta"):
        network = T2IAdapter.from_config(config)
    widths, wanted = list(network.config.channels), list(unet.config.block_out_channels)
    if widths[: len(wanted)] != wanted:
        raise InputError(
            f"{FIELD}: {path.name} was made for another model (levels {widths}, wanted {wanted})"
        )
    network = network.to(unet.dtype).to_empty(device="cpu")
    load_into(network, _weights_in(path), FIELD)
    return network


def _weights_in(folder: Path) -> Path:
    files = safetensors_in(folder, FIELD)
    halves = [file for file in files if ".fp16." in file.name]
    chosen = [file for file in files if file not in halves] or halves
    if len(chosen) != 1:
        raise InputError(f"{FIELD}: {folder.name}/ has {len(chosen)} weight files, wanted one")
    return chosen[0]

"""Reading network weights: safetensors only, and every name and shape must be the expected one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from assets3d.errors import InputError, PassingError
from assets3d.weight_files import PICKLE_SUFFIXES, check_shapes, refuse_pickle

Network = TypeVar("Network", bound=nn.Module)


def find_weights(folder: Path, stem: str, what: str) -> Path:
    """Return `folder/stem.safetensors`.

    Raises:
        InputError: it is not there; the message says so if only a pickle is.
    """
    path = Path(folder) / f"{stem}.safetensors"
    if path.is_file():
        return path
    for suffix in sorted(PICKLE_SUFFIXES):
        if path.with_suffix(suffix).is_file():
            refuse_pickle(path.with_suffix(suffix), what)
    raise InputError(f"{what}: {path.name} is not in {Path(folder).name}/, wanted the weights")


def read_weights(path: Path, what: str) -> dict[str, torch.Tensor]:
    """Read all tensors of a safetensors file onto the CPU.

    Raises:
        InputError: missing, cut off, or a pickle, whatever its name.
        PassingError: the disk or the memory failed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    refuse_pickle(path, what)
    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"{what}: {path.name} is not there, wanted a weight file") from None
    except SafetensorError as error:
        with path.open("rb") as file:
            start = file.read(2)
        # A zip (torch's format) or a bare pickle of protocol 2.
        kind = "a pickle by another name" if start in (b"PK", b"\x80\x02") else "damaged or cut off"
        raise InputError(
            f"{what}: {path.name} is {kind} ({error}), wanted whole safetensors"
        ) from None
    except (OSError, MemoryError) as error:
        raise PassingError(f"{what}: {path.name} could not be read ({error})") from None


def build_with(
    make: Callable[[], Network],
    weights: Mapping[str, torch.Tensor],
    what: str,
    dtype: torch.dtype,
    float32: tuple[str, ...] = (),
) -> Network:
    """Build a network without initialising it, and give it `weights` converted to `dtype`.

    Args:
        make: builds the network; it is called on the meta device.
        weights: tensors by name; exactly the network's names and shapes.
        what: the network's name, for messages.
        dtype: of the parameters.
        float32: beginnings of the names of parameters that stay float32.

    Raises:
        InputError: naming the first key that is missing, unknown or of another shape.
    """
    with torch.device("meta"):
        network = make()
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    check_shapes({name: tuple(tensor.shape) for name, tensor in weights.items()}, wanted, what)
    tensors = {
        name: weights[name].to(torch.float32 if name.startswith(float32) else dtype)
        for name in wanted
    }
    network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(False)

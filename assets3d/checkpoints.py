"""Reading network weights: safetensors only, and every name and shape must be the expected one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from assets3d.errors import InputError, PassingError

Network = TypeVar("Network", bound=nn.Module)

_PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_WAY_OUT = "wanted safetensors; convert it in a sandbox (a pickle can run code when it is read)"


def find_weights(folder: Path, stem: str, what: str) -> Path:
    """Return `folder/stem.safetensors`.

    Raises:
        InputError: it is not there; the message says so if only a pickle is.
    """
    path = Path(folder) / f"{stem}.safetensors"
    if path.is_file():
        return path
    for suffix in _PICKLES:
        pickle = path.with_suffix(suffix)
        if pickle.is_file():
            raise InputError(f"{what}: found only the pickle {pickle.name}, {_WAY_OUT}")
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
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if path.suffix in _PICKLES or start[:2] in (b"PK", b"\x80\x02"):
            raise InputError(f"{what}: {path.name} is a pickle, {_WAY_OUT}")
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"{what}: {path.name} is not there, wanted a weight file") from None
    except SafetensorError as error:
        raise InputError(
            f"{what}: {path.name} is damaged or cut off ({error}), wanted whole safetensors"
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


def check_shapes(
    found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]], what: str
) -> None:
    """Compare names and shapes of weights.

    Raises:
        InputError: naming the first key that differs and how many more do.
    """
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(f"{what}: no tensor {missing[0]}{_more(missing)}, wanted all weights")
    unknown = [name for name in found if name not in wanted]
    if unknown:
        raise InputError(f"{what}: unknown tensor {unknown[0]}{_more(unknown)}, wanted none beside")
    for name, shape in wanted.items():
        if found[name] != shape:
            raise InputError(f"{what}: {name} has shape {list(found[name])}, wanted {list(shape)}")


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""

"""Weight files: safetensors only, checked by name and shape before anything is loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assets3d.errors import InputError

if TYPE_CHECKING:
    import torch

#: Suffixes of files that are pickles, or may be: reading one can run code.
PICKLE_SUFFIXES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle"})

Shapes = dict[str, tuple[int, ...]]


def refuse_pickle(path: Path, field: str) -> None:
    """Raise InputError if `path` has the name of a pickled weight file."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise InputError(
            f"{field}: {path.name} is a pickle, which can run code when it is read, wanted "
            "safetensors (convert it where you trust it: safetensors.torch.save_file)"
        )


def safetensors_in(folder: Path, field: str) -> list[Path]:
    """Return the safetensors files directly in `folder`, sorted; a lone pickle is refused."""
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        for path in sorted(folder.iterdir()):
            refuse_pickle(path, f"{field}: {folder.name}")
    return found


def read_shapes(path: Path, field: str) -> Shapes:
    """Return name -> shape from the header of a safetensors file, without reading its numbers.

    Raises:
        InputError: a pickle, no such file, or a file that is cut off.
    """
    refuse_pickle(path, field)
    if not path.is_file():
        raise InputError(f"{field}: no weight file {path.name}, wanted it in {path.parent.name}/")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{field}: {path.name} cannot be read ({error}), wanted a whole safetensors file"
        ) from None


def read_tensors(path: Path, field: str) -> dict[str, torch.Tensor]:
    """Return name -> tensor of a safetensors file; errors as for `read_shapes`."""
    read_shapes(path, field)
    from safetensors.torch import load_file

    return load_file(path)


def check_shapes(
    found: Shapes, wanted: Mapping[str, Iterable[int]], where: str, *, extra_allowed: bool = False
) -> None:
    """Compare names and shapes; the first difference becomes an InputError that names it.

    Args:
        found: of the file.
        wanted: of the network.
        where: field and file name, the beginning of the message.
        extra_allowed: whether the file may hold tensors that the network has no place for.
    """
    for key, shape in wanted.items():
        if key not in found:
            raise InputError(f"{where}: {key} is missing, wanted shape {tuple(shape)}")
        if found[key] != tuple(shape):
            raise InputError(f"{where}: {key} has shape {found[key]}, wanted {tuple(shape)}")
    for key in found:
        if key not in wanted and not extra_allowed:
            raise InputError(f"{where}: {key} is not part of this network, wanted exactly its own")


def load_into(
    module: torch.nn.Module, path: Path, field: str, *, ignored: Collection[str] = ()
) -> None:
    """Load a safetensors file strictly into `module`, converting to the module's own dtypes.

    Args:
        module: the network.
        path: the file.
        field: the beginning of error messages.
        ignored: names that the file may hold although the network has no place for them.

    Raises:
        InputError: naming the file and the first key that is missing, unknown or of another shape.
    """
    wanted = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    found = {key: shape for key, shape in read_shapes(path, field).items() if key not in ignored}
    check_shapes(found, wanted, f"{field}: {path.name}")
    from safetensors.torch import load_file

    tensors = load_file(path)
    module.load_state_dict({key: tensors[key] for key in wanted}, strict=True)

"""Twice and four times as many pixels by a network, on the torus: ESRGAN's kin or Swin2SR.

A network that enlarges knows no torus either. It is shown windows of the picture that overlap,
continued around the wrap, and its answers fade into each other across the overlaps: each has no
weight at its own edge, so the result is continuous on the torus, whatever the network does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError, PassingError
from assets3d.textures.maps.declared import Fields
from assets3d.textures.maps.external import read_picture_input
from assets3d.textures.maps.onnx_network import PictureInput, load_network
from assets3d.textures.torus import resized
from assets3d.textures.upscale import FACTORS

#: The field that error messages begin with.
FIELD = "texture.upscaler"
#: Side of what is taken of a window, and how far neighbouring windows reach into each other; both
#: are multiples of the patches of networks that have patches.
CORE_PX, MARGIN_PX = 256, 32
#: What a declaration in place of a name may hold.
DECLARED = (
    *("file", "licence", "commercial", "size_px", "multiple_of", "colours", "layout"),
    *("range", "mean", "std", "output", "output_range"),
)


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges.

    Attributes:
        enlarge: uint8 (h, w, 3) -> float32 (factor * h, factor * w, 3) in 0..1.
        window_px: the only side of windows that it takes; None where it takes any.
        name: for messages.
    """

    enlarge: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    window_px: int | None
    name: str


def load_upscaler(
    path: Path,
    *,
    declared: Mapping[str, Any] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    threads: int = 1,
) -> Upscaler:
    """Load an upscaler: an ONNX file, or a transformers folder of Swin2SR.

    Args:
        path: the file, or the folder.
        declared: how the ONNX file wants its pictures and answers, see `DECLARED`; by default RGB
            from 0 to 1, both ways.
        device: of a folder's network; ONNX files run on the CPU.
        dtype: of a folder's network.
        threads: of the CPU, for ONNX files.

    Raises:
        InputError: no such network, a pickle, or other than declared.
        PassingError: the memory failed.
    """
    if path.is_dir():
        return _swin2sr(path, device, dtype)
    fields = Fields(declared or {}, FIELD, DECLARED)
    picture = read_picture_input(fields) if declared else PictureInput()
    low, high = fields.numbers("output_range", (0.0, 1.0))
    if low == high:
        raise InputError(f"{FIELD}.output_range: found {low:g} twice, wanted two values")
    network = load_network(path, picture, FIELD, channels=3, threads=threads)
    window_px, cell = network.size_px, picture.multiple_of
    if window_px is None and cell > 1:
        window_px = -(-(CORE_PX + 2 * MARGIN_PX) // cell) * cell

    def enlarge(window: NDArray[np.uint8]) -> NDArray[np.float32]:
        answer = network.answer(window)[..., :3]
        if picture.colours == "bgr":
            answer = answer[..., ::-1]
        return ((answer - low) / (high - low)).astype(np.float32)

    return Upscaler(enlarge, window_px, path.name)


def upscaled_by(upscaler: Upscaler, picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Enlarge a picture (S, S, 3) that tiles; the result (factor * S, factor * S, 3) tiles too.

    A network of another factor is asked twice, or its answer is made smaller by area.

    Raises:
        InputError: another factor, not square, or the network enlarges by neither 2 nor 4.
    """
    if factor not in FACTORS:
        raise InputError(f"upscale: is {factor}, wanted 2 or 4")
    if picture.shape[0] != picture.shape[1]:
        height, width = picture.shape[:2]
        raise InputError(f"upscale: the tile is {width}x{height} px, wanted a square")
    size_px = factor * len(picture)
    while len(picture) < size_px:
        larger = _enlarged(upscaler, picture)
        picture = np.rint(255.0 * larger.clip(0.0, 1.0)).astype(np.uint8)
    return picture if len(picture) == size_px else resized(picture, size_px)


def _enlarged(upscaler: Upscaler, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Enlarge by what the network enlarges by."""
    size = len(picture)
    core = min(CORE_PX, size) if upscaler.window_px is None else upscaler.window_px - 2 * MARGIN_PX
    if core < 1:
        raise InputError(
            f"{FIELD}: {upscaler.name} takes {upscaler.window_px} px, wanted more than "
            f"{2 * MARGIN_PX}, which its windows overlap by"
        )
    # Windows all have the same size; the last one goes around the wrap, over what the first did,
    # and its weight ends where the picture does.
    starts = range(0, size, core)
    total: NDArray[np.float32] | None = None
    factor = 0
    for top in starts:
        rows = np.arange(top - MARGIN_PX, top + core + MARGIN_PX)
        for left in starts:
            columns = np.arange(left - MARGIN_PX, left + core + MARGIN_PX)
            answer = upscaler.enlarge(picture[np.ix_(rows % size, columns % size)])
            factor = factor or _factor(upscaler, len(rows), answer.shape)
            if total is None:
                total = np.zeros((factor * size, factor * size, 3), np.float32)
            weights = [
                _weights(start, min(start + core, size), core, factor) for start in (top, left)
            ]
            answer = answer * (weights[0][:, None] * weights[1])[..., None]
            _add_wrapped(total, answer, factor * (top - MARGIN_PX), factor * (left - MARGIN_PX))
    assert total is not None
    return total


def _weights(start: int, end: int, core: int, factor: int) -> NDArray[np.float32]:
    """Return the weights of a window along one axis, of enlarged pixels.

    They rise over the margin around `start` and fall over that around `end`, so that those of one
    window and the next sum to 1.
    """
    margin = factor * MARGIN_PX
    place = np.arange(factor * (core + 2 * MARGIN_PX)) + 0.5 - margin
    rising = np.clip(0.5 + place / (2 * margin), 0.0, 1.0)
    falling = np.clip(0.5 + (place - factor * (end - start)) / (2 * margin), 0.0, 1.0)
    return (rising - falling).astype(np.float32)


def _add_wrapped(
    total: NDArray[np.float32], part: NDArray[np.float32], top: int, left: int
) -> None:
    """Add a part to a field on the torus, which it may go around more than once."""
    size = len(total)
    for row in range(0, len(part), size):
        for column in range(0, part.shape[1], size):
            piece = part[row : row + size, column : column + size]
            rows = (np.arange(len(piece)) + top + row) % size
            columns = (np.arange(piece.shape[1]) + left + column) % size
            total[np.ix_(rows, columns)] += piece


def _factor(upscaler: Upscaler, side: int, shape: tuple[int, ...]) -> int:
    factor = shape[0] // side
    if factor not in FACTORS or shape != (factor * side, factor * side, 3):
        raise InputError(
            f"{FIELD}: {upscaler.name} makes {shape[1]}x{shape[0]} px with {shape[2]} channels of "
            f"{side}x{side} px, wanted 2 or 4 times as many pixels with 3 channels"
        )
    return factor


def _swin2sr(folder: Path, device: str, dtype: str) -> Upscaler:
    """Load Swin2SR (Conde et al. 2022) from a transformers folder."""
    import torch
    import transformers

    from assets3d.hub import one_line
    from assets3d.weight_files import read_shapes, safetensors_in

    if not (folder / "config.json").is_file():
        raise InputError(f"{FIELD}: no config.json in {folder.name}/, wanted a transformers folder")
    files = safetensors_in(folder, FIELD)
    if not files:
        raise InputError(f"{FIELD}: {folder.name}/ holds no safetensors file, wanted its weights")
    for file in files:
        read_shapes(file, FIELD)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type != "swin2sr":
            raise InputError(f"{FIELD}: {folder.name}/ is a {config.model_type}, wanted swin2sr")
        kind: Any = transformers.Swin2SRForImageSuperResolution
        network, report = kind.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except MemoryError:
        raise PassingError(f"{FIELD}: not enough memory to load {folder.name}/") from None
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise InputError(f"{FIELD}: {folder.name}/ cannot be loaded ({one_line(error)})") from None
    for key in sorted(report["missing_keys"]):
        raise InputError(f"{FIELD}: {folder.name}/: {key} is missing, wanted whole weights")
    network = network.eval().requires_grad_(False).to(device)

    def enlarge(window: NDArray[np.uint8]) -> NDArray[np.float32]:
        planes = torch.from_numpy(np.ascontiguousarray(window)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            given = planes.to(network.device, network.dtype).div(255.0)
            found = network(pixel_values=given).reconstruction[0]
        return found.permute(1, 2, 0).float().cpu().numpy()

    return Upscaler(enlarge, None, folder.name)

"""A picture network in an ONNX file, asked on the CPU: how its input is made, what it answers.

Whoever exported a network knows how it wants its pictures; a file does not say it. `PictureInput`
is that knowledge, declared once and checked against the file when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.torus import resized
from assets3d.weight_files import refuse_pickle

Layout = Literal["nchw", "nhwc"]

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True)
class PictureInput:
    """How a network wants its pictures, and how it answers.

    Attributes:
        size_px: side of the picture; None: the file's, or any where that is free.
        multiple_of: sides must be multiples of this, where the size is free.
        colours: "rgb" or "bgr".
        layout: of input and answer: "nchw" or "nhwc".
        range: what black and white become, before mean and std.
        mean: of the three colours, in the order that the network has them in.
        std: what they are divided by after that.
        output: name of the output that is read; None: the first.
    """

    size_px: int | None = None
    multiple_of: int = 1
    colours: Literal["rgb", "bgr"] = "rgb"
    layout: Layout = "nchw"
    range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: str | None = None


@dataclass(frozen=True)
class OnnxNetwork:
    """A loaded network.

    Attributes:
        session: of onnxruntime.
        picture: how its input is made.
        size_px: the only side that it takes; None where it takes any.
        dtype: of its input.
        name: of the file, for messages.
        field: that messages begin with.
    """

    session: Any
    picture: PictureInput
    size_px: int | None
    dtype: Any
    name: str
    field: str

    def working_px(self, side_px: int) -> int:
        """Return the side that a picture of `side_px` is shown at."""
        if self.size_px is not None:
            return self.size_px
        cell = self.picture.multiple_of
        return max(cell, round(side_px / cell) * cell)

    def answer(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (h, w, C) of a picture (H, W, 3) that has a size it takes.

        Raises:
            InputError: the network fails on it, or answers with NaN or in another form.
        """
        given = self._given(picture)
        name = self.session.get_inputs()[0].name
        output = self.picture.output or self.session.get_outputs()[0].name
        try:
            found = np.asarray(self.session.run([output], {name: given})[0], np.float32)
        except Exception as error:  # onnxruntime's errors share no base class
            height, width = picture.shape[:2]
            raise InputError(
                f"{self.field}: {self.name} fails on {width}x{height} px ({_cause(error)}), "
                "wanted size_px or multiple_of as it was exported"
            ) from None
        found = self._maps(found)
        if not np.isfinite(found).all():
            raise InputError(f"{self.field}: {self.name} answers with NaN, wanted whole weights")
        return found

    def answer_in_place(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return `answer` at the picture's own size, one value for each pixel."""
        found = self.answer(picture)
        if found.shape[0] != found.shape[1] and found.shape[:2] != picture.shape[:2]:
            raise InputError(
                f"{self.field}: {self.name} answers with {found.shape[1]}x{found.shape[0]} px, "
                "wanted a square"
            )
        return found if found.shape[:2] == picture.shape[:2] else resized(found, len(picture))

    def _given(self, picture: NDArray[np.uint8]) -> NDArray[Any]:
        black, white = self.picture.range
        values = picture[..., ::-1] if self.picture.colours == "bgr" else picture
        scaled = values.astype(np.float32) * np.float32((white - black) / 255.0) + np.float32(black)
        mean, std = (np.array(three, np.float32) for three in (self.picture.mean, self.picture.std))
        scaled = (scaled - mean) / std
        if self.picture.layout == "nchw":
            scaled = np.moveaxis(scaled, 2, 0)
        return np.ascontiguousarray(scaled[None], self.dtype)

    def _maps(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (h, w, C) of (1, C, h, w), (1, h, w, C), or (1, h, w) that has no channels."""
        if found.ndim == 3:
            found = found[..., None]
        elif found.ndim == 4 and self.picture.layout == "nchw":
            found = np.moveaxis(found, 1, 3)
        if found.ndim != 4 or len(found) != 1:
            raise InputError(
                f"{self.field}: {self.name} answers with the shape {found.shape}, wanted one "
                "picture, (1, C, H, W) or (1, H, W)"
            )
        return found[0]


def load_network(
    path: Path, picture: PictureInput, field: str, *, channels: int, threads: int = 1
) -> OnnxNetwork:
    """Load a network and compare what its file says with what was declared.

    Args:
        path: the ONNX file, its weights inside.
        picture: how its input is made.
        field: that messages begin with.
        channels: how many the answer must have at least, where the file says it.
        threads: of the CPU.

    Raises:
        InputError: no such file, no ONNX network, other sizes or channels than declared.
    """
    import onnxruntime

    refuse_pickle(path, field)
    if not path.is_file():
        raise InputError(f"{field}: no file {path}, wanted an ONNX network there")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors share no base class
        raise InputError(
            f"{field}: {path.name} cannot be loaded ({_cause(error)}), wanted a whole ONNX network"
        ) from None
    size_px, dtype = _checked_input(session, picture, f"{field}: {path.name}")
    _check_output(session, picture, f"{field}: {path.name}", channels)
    return OnnxNetwork(session, picture, size_px, dtype, path.name, field)


def _checked_input(session: Any, picture: PictureInput, where: str) -> tuple[int | None, Any]:
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        shapes = [node.shape for node in inputs]
        raise InputError(f"{where} takes {shapes}, wanted one picture (1, 3, H, W)")
    shape, kind = inputs[0].shape, inputs[0].type
    if kind not in _DTYPES:
        raise InputError(f"{where} takes {kind}, wanted 32- or 16-bit floats")
    batch, channels, height, width = (
        shape if picture.layout == "nchw" else [shape[0], shape[3], shape[1], shape[2]]
    )
    if isinstance(channels, int) and channels != 3:
        hint = "layout: nhwc" if picture.layout == "nchw" and width == 3 else "3"
        raise InputError(f"{where} takes {channels} channels ({shape}), wanted {hint}")
    if isinstance(batch, int) and batch != 1:
        raise InputError(f"{where} takes {batch} pictures at once, wanted 1")
    sides = {side for side in (height, width) if isinstance(side, int)}
    if len(sides) > 1:
        raise InputError(f"{where} takes {width}x{height} px, wanted a square")
    fixed = sides.pop() if sides else None
    if None not in (fixed, picture.size_px) and fixed != picture.size_px:
        raise InputError(f"{where} takes {fixed} px only, but size_px is {picture.size_px}")
    return fixed or picture.size_px, _DTYPES[kind]


def _check_output(session: Any, picture: PictureInput, where: str, channels: int) -> None:
    outputs: Mapping[str, Any] = {node.name: node for node in session.get_outputs()}
    if picture.output is not None and picture.output not in outputs:
        raise InputError(
            f"{where} has no output {picture.output!r}, wanted one of {', '.join(outputs)}"
        )
    node = outputs[picture.output or next(iter(outputs))]
    if len(node.shape) == 4:
        found = node.shape[1 if picture.layout == "nchw" else 3]
    else:
        found = 1 if len(node.shape) == 3 else channels
    if isinstance(found, int) and found < channels:
        raise InputError(
            f"{where}: output {node.name!r} has {found} channels ({node.shape}), wanted {channels}"
        )


def _cause(error: Exception) -> str:
    return " ".join(str(error).split())[:160]

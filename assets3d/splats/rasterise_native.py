"""The C++ kernel as a torch.autograd.Function on raw pointers."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.errors import PassingError
from assets3d.native.library import CameraStruct, instruction_set, kernel
from assets3d.splats.gaussians import WIDTH

if TYPE_CHECKING:
    from assets3d.splats.rasterise import View

_RGB = 11

#: Drawn features and alpha to the gradients of them.
Upstream = Callable[
    [NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]
]


class _Drawing:
    """The kernel's memory of one picture; goes back to its pool with the autograd graph."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._finalizer = weakref.finalize(self, kernel().a3d_release, handle)

    def release(self) -> None:
        self._finalizer()


def draw(
    values: torch.Tensor,
    features: torch.Tensor | None,
    view: View,
    background: tuple[float, ...] | None,
    near: float,
    max_alpha: float,
    threads: int | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return features (H, W, C), alpha and depth (H, W) as float32; see `rasterise`."""
    camera = _camera_struct(view, near, max_alpha)
    values = values.to(torch.float32)
    features = None if features is None else features.to(torch.float32)
    return _Rasterise.apply(values, features, camera, background, threads)


def draw_and_pull_back(
    values: NDArray[np.float32],
    view: View,
    near: float,
    max_alpha: float,
    threads: int,
    upstream: Upstream,
) -> NDArray[np.float32]:
    """Draw (N, 14) once and return the gradient (N, 14) to them, without torch's graph.

    `upstream` gets features (H, W, 3) and alpha (H, W) and returns the gradients to them.
    """
    held = torch.from_numpy(values)
    camera = _camera_struct(view, near, max_alpha)
    features, alpha, _, drawing = _forward(held, None, camera, None, threads)
    gradients = [torch.from_numpy(g) for g in upstream(features.numpy(), alpha.numpy())]
    found = torch.empty_like(held)
    pointer, stride, _ = _feature_pointer(found, None)
    _backward(drawing, [*gradients, None], found, pointer, stride)
    drawing.release()
    return found.numpy()


def count_pairs(values: torch.Tensor, view: View, near: float, max_alpha: float) -> int:
    """Return how many (pixel, Gaussian) pairs add to the picture."""
    values = values.detach().to(torch.float32).contiguous()
    *_, drawing = _forward(values, None, _camera_struct(view, near, max_alpha), None, None)
    return kernel().a3d_count_pairs(drawing.handle)


def _camera_struct(view: View, near: float, max_alpha: float) -> CameraStruct:
    from assets3d.splats.rasterise import SEMANTICS

    return CameraStruct(
        (ctypes.c_float * 12)(*(v for row in view.rows for v in row)),
        *(view.fx, view.fy, view.cx, view.cy, view.width, view.height, near, max_alpha),
        *(SEMANTICS.alpha_cut, SEMANTICS.transmittance_stop),
        *(SEMANTICS.blur_px2, SEMANTICS.field_margin),
    )


def _feature_pointer(values: torch.Tensor, features: torch.Tensor | None) -> tuple[int, int, int]:
    """Pointer, row stride in floats, channels; without features, the rgb columns in place."""
    if features is None:
        return values.data_ptr() + 4 * _RGB, WIDTH, WIDTH - _RGB
    return features.data_ptr(), features.shape[1], features.shape[1]


def _forward(
    values: torch.Tensor,
    features: torch.Tensor | None,
    camera: CameraStruct,
    background: tuple[float, ...] | None,
    threads: int | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, _Drawing]:
    pointer, stride, channels = _feature_pointer(values, features)
    size = (camera.height, camera.width)
    out = torch.empty((*size, channels)), torch.empty(size), torch.empty(size)
    behind = None if background is None else (ctypes.c_float * channels)(*background)
    handle = kernel().a3d_forward(
        *(ctypes.byref(camera), values.data_ptr(), len(values), pointer, stride, channels),
        *(behind, *(tensor.data_ptr() for tensor in out)),
        *(threads or torch.get_num_threads(), instruction_set()),
    )
    if not handle:
        raise PassingError(f"rasterise: found too little memory for {len(values)} Gaussians")
    return (*out, _Drawing(handle))


def _backward(
    drawing: _Drawing,
    upstream: Sequence[torch.Tensor | None],
    to_values: torch.Tensor,
    pointer: int,
    stride: int,
) -> None:
    done = kernel().a3d_backward(
        *(drawing.handle, *(None if g is None else g.data_ptr() for g in upstream)),
        *(len(to_values), to_values.data_ptr(), pointer, stride),
    )
    if not done:
        raise PassingError(f"rasterise: found too little memory for {len(to_values)} Gaussians")


class _Rasterise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: torch.Tensor,
        features: torch.Tensor | None,
        camera: CameraStruct,
        background: tuple[float, ...] | None,
        threads: int | None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        values = values.contiguous()
        features = None if features is None else features.contiguous()
        feature_map, alpha, depth, drawing = _forward(values, features, camera, background, threads)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(values, features, feature_map, alpha, depth)
            ctx.drawing = drawing
            ctx.set_materialize_grads(False)
        else:
            drawing.release()
        return feature_map, alpha, depth

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *upstream: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        values, features, *_ = ctx.saved_tensors  # checks that nobody wrote to them
        held = [None if g is None else g.to(torch.float32).contiguous() for g in upstream]
        to_values = torch.empty_like(values)
        to_features = None if features is None else torch.empty_like(features)
        pointer, stride, _ = _feature_pointer(to_values, to_features)
        _backward(ctx.drawing, held, to_values, pointer, stride)
        return to_values, to_features, None, None, None

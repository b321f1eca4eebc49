"""The kernel's part of a fit that is not drawing: activations, the loss's gradient, Adam's step.

Arrays are float32, contiguous; (N, 14) in the Gaussians layout, `raw` with the opacity's logit and
the scales' logarithms.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.native.library import kernel, pointer

Floats = NDArray[np.float32]


class DescentStruct(ctypes.Structure):
    """A3dDescent of descent.cpp."""

    _fields_ = (
        ("rates", ctypes.c_float * 14),
        *(
            (name, ctypes.c_float)
            for name in ("mean_rate", "square_rate", "epsilon", "anchor", "clear", "low", "high")
        ),
    )


def activate(raw: Floats, threads: int) -> Floats:
    """Return the values (N, 14) of raw ones: sigmoid, exponential, unit quaternions."""
    values = np.empty_like(raw)
    kernel().a3d_activate(_pointer(raw), ctypes.c_int64(len(raw)), _pointer(values), threads)
    return values


def picture_gradient(
    features: Floats,
    alpha: Floats,
    target: Floats,
    background: Floats,
    alpha_weight: float,
    threads: int,
) -> tuple[Floats, Floats]:
    """Return what the loss of one drawing wants changed: gradients to `features` and to `alpha`.

    The loss is the mean absolute difference from the target on a background, plus `alpha_weight`
    times that of alpha.

    Args:
        features: (H, W, 3) drawn, premultiplied.
        alpha: (H, W) drawn.
        target: (H, W, 4) straight, 0..1.
        background: (3,) 0..1.
        alpha_weight: of alpha beside the colours.
        threads: no influence on the result.
    """
    to_features, to_alpha = np.empty_like(features), np.empty_like(alpha)
    kernel().a3d_picture_gradient(
        *(_pointer(array) for array in (features, alpha, target)),
        ctypes.c_int64(alpha.size),
        _pointer(background),
        ctypes.c_float(alpha_weight),
        *(_pointer(array) for array in (to_features, to_alpha)),
        threads,
    )
    return to_features, to_alpha


def descend(
    raw: Floats,
    values: Floats,
    gradient: Floats,
    anchor: Floats,
    fixed_colour: NDArray[np.bool_] | None,
    moments: tuple[Floats, Floats],
    step: DescentStruct,
    threads: int,
) -> None:
    """Take one Adam step in place: on `raw`, its `values` and the moments; `gradient` is used up.

    Args:
        raw: (N, 14).
        values: (N, 14) of `raw`.
        gradient: (N, 14) to `values`.
        anchor: (N, 3) where splats are pulled to.
        fixed_colour: (N,) splats that keep their colour, or None.
        moments: Adam's mean and mean square, (N, 14) each.
        step: sizes and priors.
        threads: no influence on the result.
    """
    kernel().a3d_descend(
        *(_pointer(array) for array in (raw, values, gradient, anchor)),
        None if fixed_colour is None else _pointer(fixed_colour),
        *(_pointer(array) for array in moments),
        ctypes.c_int64(len(raw)),
        ctypes.byref(step),
        threads,
    )


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return pointer(array, np.float32, np.bool_)

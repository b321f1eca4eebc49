"""Draw Gaussians as a picture, with gradients: one function, five back ends, the same meaning.

EWA splatting as in Kerbl et al. 2023, "3D Gaussian Splatting for Real-Time Radiance Field
Rendering".
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.splats.gaussians import WIDTH

Backend = Literal["auto", "native", "torch", "gsplat", "inria"]


@dataclass(frozen=True)
class Semantics:
    """What every back end agrees on.

    Besides these: pixel (0, 0)'s centre lies at (0.5, 0.5); quaternions are normalised inside;
    order is by depth along the camera's axis, ties by index; a Gaussian ends where its alpha falls
    below the cut (Inria's also ends at 3 standard deviations).
    """

    #: added to both diagonal entries of the screen covariance, pixels squared
    blur_px2: float = 0.3
    #: smaller alphas are skipped
    alpha_cut: float = 1.0 / 255.0
    #: a pixel ends before the Gaussian that would bring its transmittance to this or below
    transmittance_stop: float = 1e-4
    #: x/z and y/z in the Jacobian are clamped to the picture plus this many half fields on each
    #: side: 1.3 tan(fov/2) for centred cameras, and gsplat's choice for off-centre ones
    field_margin: float = 0.3


SEMANTICS = Semantics()
#: What is drawn unless something else is said; see `rasterise`.
NEAR, MAX_ALPHA = 0.2, 0.99


class Raster(NamedTuple):
    """One picture: features (H, W, C), alpha (H, W), depth (H, W) = sum of z a T."""

    features: torch.Tensor
    alpha: torch.Tensor
    depth: torch.Tensor


class View(NamedTuple):
    """A camera as rasterisers want it: rows of the OpenCV view matrix, intrinsics in pixels."""

    rows: tuple[tuple[float, ...], ...]
    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int


def rasterise(
    values: torch.Tensor,
    features: torch.Tensor | None,
    camera: Cameras,
    *,
    background: torch.Tensor | tuple[float, ...] | None = None,
    near: float = NEAR,
    max_alpha: float = MAX_ALPHA,
    backend: Backend = "auto",
    threads: int | None = None,
) -> Raster:
    """Draw Gaussians by one camera; gradients flow to `values` and `features`.

    Args:
        values: (N, 14) in the Gaussians layout, world frame, scales in world units; rgb is read
            only when `features` is None.
        features: (N, C) anything to blend (colours, normals, ...), or None for the rgb columns.
        camera: a set of one camera.
        background: C numbers that show by 1 - alpha (no gradient to them), or None for zeros.
        near: Gaussians whose centre is not farther than this along the axis are skipped, world
            units.
        max_alpha: alphas are capped at this; no gradient flows to a capped Gaussian's shape. The
            gsplat and inria back ends have their own fixed cap (0.99, gsplat 1.5: 0.999).
        backend: "native" the C++ kernel (CPU, float32), "torch" the slow oracle (any device, dtype
            of the input), "gsplat" and "inria" on CUDA; "auto" takes gsplat, else inria, for CUDA
            tensors when importable, and native for tensors on the CPU.
        threads: of the native kernel; None takes torch.get_num_threads(). The result is the same.

    Raises:
        InputError: for shapes, a camera set or a back end that do not fit.
    """
    _check(values, features, camera)
    chosen = _choose(values, backend)
    channels = 3 if features is None else features.shape[1]
    view = view_of(camera)
    colour = _background(background, channels)
    if chosen == "native":
        from assets3d.splats import rasterise_native

        return Raster(
            *rasterise_native.draw(values, features, view, colour, near, max_alpha, threads)
        )
    features = values[:, 11:14] if features is None else features
    if chosen == "torch":
        from assets3d.splats import rasterise_oracle

        raster = rasterise_oracle.draw(values, features, view, near, max_alpha)
    else:
        from assets3d.splats import rasterise_cuda

        draw = rasterise_cuda.draw_gsplat if chosen == "gsplat" else rasterise_cuda.draw_inria
        raster = Raster(*draw(values, features, view, near))
    if colour is None:
        return raster
    behind = torch.tensor(colour, dtype=raster.features.dtype, device=values.device)
    shown = raster.features + (1.0 - raster.alpha)[..., None] * behind
    return raster._replace(features=shown)


def view_of(camera: Cameras) -> View:
    """Return the only camera of a set in rasterisers' terms."""
    rows = tuple(tuple(float(v) for v in row) for row in camera.opencv_from_world[0][:3])
    fx, fy, cx, cy = (float(v) for v in camera.intrinsics_px[0])
    return View(rows, fx, fy, cx, cy, camera.width_px, camera.height_px)


def _check(values: torch.Tensor, features: torch.Tensor | None, camera: Cameras) -> None:
    if values.ndim != 2 or values.shape[1] != WIDTH:
        raise InputError(f"rasterise: values: found shape {tuple(values.shape)}, wanted (N, 14)")
    if features is not None:
        if features.ndim != 2 or len(features) != len(values) or features.shape[1] < 1:
            found = tuple(features.shape)
            raise InputError(
                f"rasterise: features: found shape {found}, wanted ({len(values)}, C) with C > 0"
            )
        if features.device != values.device:
            raise InputError(
                f"rasterise: features: found on {features.device}, wanted on {values.device}"
            )
    if len(camera) != 1:
        raise InputError(f"rasterise: camera: found {len(camera)} cameras, wanted one")


def _background(
    background: torch.Tensor | tuple[float, ...] | None, channels: int
) -> tuple[float, ...] | None:
    if background is None:
        return None
    colour = tuple(float(v) for v in background)
    if len(colour) != channels:
        raise InputError(f"rasterise: background: found {len(colour)} numbers, wanted {channels}")
    return colour


def _choose(values: torch.Tensor, backend: Backend) -> str:
    if backend == "auto":
        if values.device.type == "cpu":
            return "native"
        for name, module in (("gsplat", "gsplat"), ("inria", "diff_gaussian_rasterization")):
            if importlib.util.find_spec(module):
                return name
        raise InputError(
            f"rasterise: values: found on {values.device} with neither gsplat nor "
            "diff_gaussian_rasterization installed, wanted one of them or tensors on the CPU"
        )
    if backend not in ("native", "torch", "gsplat", "inria"):
        raise InputError(
            f"rasterise: backend: found {backend!r}, wanted auto, native, torch, gsplat or inria"
        )
    if backend == "native" and values.device.type != "cpu":
        raise InputError(f"rasterise: values: found on {values.device}, wanted on the CPU (native)")
    if backend in ("gsplat", "inria") and values.device.type != "cuda":
        raise InputError(f"rasterise: values: found on {values.device}, wanted on CUDA ({backend})")
    return backend

"""Arrays on the torus: neighbours, blur, padding, rolls, resampling; nothing here has an edge.

A field is (H, W) or (H, W, C), periodic in both axes; y runs down with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from assets3d.errors import InputError

#: Filters that enlarge. "mitchell": cubic B = C = 1/3, smooth slopes, a step overshoots by 4 % of
#: its height (Mitchell and Netravali 1988). "lanczos": three lobes, sharper, 12 %.
Kernel = Literal["mitchell", "lanczos"]

Field = TypeVar("Field", bound=NDArray[Any])


def row_bands(shape: tuple[int, ...], values: int = 1 << 18) -> Iterator[slice]:
    """Yield slices of rows, so that work on a large field needs small temporary arrays only.

    Args:
        shape: of the field (H, W, ...).
        values: about how many pixels a band has; the default's temporary arrays stay in the
            processor's cache.
    """
    height, width = shape[:2]
    rows = max(1, values // max(1, width))
    for first in range(0, height, rows):
        yield slice(first, min(height, first + rows))


def central_differences(field: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (d_dx, d_dy) of a field (H, W) per pixel, (next - previous) / 2, y down.

    Floating dtypes are kept; all others become float32.
    """
    field = as_floating(field)
    d_dx, d_dy = np.zeros_like(field), np.zeros_like(field)
    _next_minus_previous(field, d_dx)
    _next_minus_previous(field.T, d_dy.T)
    for difference in (d_dx, d_dy):
        difference *= 0.5
    return d_dx, d_dy


def blur(field: NDArray[Any], sigma_px: float) -> NDArray[Any]:
    """Return the field (H, W) or (H, W, C) under a periodic Gaussian of `sigma_px`.

    By FFT with the transform of the sampled kernel, so that nothing rings, however narrow it is;
    the mean stays. Floating dtypes are kept; all others become float32.
    """
    field = as_floating(field)
    if sigma_px <= 0.0:
        return field.copy()
    if field.ndim == 3:
        blurred = np.zeros_like(field)
        for channel in range(field.shape[2]):
            blurred[..., channel] = blur(field[..., channel], sigma_px)
        return blurred
    spectrum = spectrum_of(field)
    down, across = (_gaussian_response(length, sigma_px) for length in field.shape)
    spectrum *= down.astype(field.dtype)[:, None]
    spectrum *= across[: spectrum.shape[1]].astype(field.dtype)
    return field_of(spectrum, field.shape)


def spectrum_of(field: NDArray[Any]) -> NDArray[Any]:
    """Return the half spectrum (H, W // 2 + 1) of a field (H, W); float32 gives complex64."""
    return scipy.fft.rfft2(field, workers=-1)


def field_of(spectrum: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the field of a half spectrum, which may be overwritten."""
    return scipy.fft.irfft2(spectrum, s=shape, overwrite_x=True, workers=-1)


def wrap_pad(field: Field, margin_px: int) -> Field:
    """Continue a field (H, W) or (H, W, C) periodically by `margin_px` on all four sides."""
    margins = [(margin_px, margin_px)] * 2 + [(0, 0)] * (field.ndim - 2)
    return np.pad(field, margins, mode="wrap")  # type: ignore[return-value]


def rolled(field: Field, rows: int, columns: int) -> Field:
    """Move a field (H, W) or (H, W, C) down by `rows` and right by `columns` pixels."""
    return np.roll(field, (rows, columns), axis=(0, 1))  # type: ignore[return-value]


def resized(field: Field, size_px: int, *, kernel: Kernel = "mitchell") -> Field:
    """Resample a field (H, W) or (H, W, C) to `size_px` square, across the wrap as anywhere.

    An axis that shrinks takes the mean over the area of each new pixel, one that grows the kernel
    (whose overshoot is not clipped, except to the range of uint8). Constants stay constants.

    Args:
        field: any floating dtype or uint8; the dtype is kept, values are rounded where needed.
        size_px: the new side.
        kernel: what enlarges.

    Raises:
        InputError: a size below 1.
    """
    if size_px < 1:
        raise InputError(f"size_px: is {size_px}, wanted at least 1")
    if field.shape[:2] == (size_px, size_px):
        return field.copy()  # type: ignore[return-value]
    planes = [field] if field.ndim == 2 else list(np.moveaxis(field, 2, 0))
    result = np.zeros((size_px, size_px, *field.shape[2:]), field.dtype)
    for plane, target in zip(planes, np.moveaxis(np.atleast_3d(result), 2, 0), strict=True):
        values = as_floating(plane)
        for length in plane.shape:
            # Each pass resamples the rows' axis and turns the plane; two passes turn it back.
            weights = _weights(length, size_px, kernel).astype(values.dtype)
            values = np.ascontiguousarray((weights @ values).T)
        if field.dtype == np.uint8:
            values = np.clip(np.rint(values), 0, 255)
        target[...] = values
    return result  # type: ignore[return-value]


def as_floating(field: NDArray[Any]) -> NDArray[Any]:
    """Return the field itself when it is floating, else as float32."""
    return field if np.issubdtype(field.dtype, np.floating) else field.astype(np.float32)


def _next_minus_previous(field: NDArray[Any], out: NDArray[Any]) -> None:
    """Fill `out` along the last axis; slices rather than `np.roll`, which copies twice."""
    if field.shape[1] < 3:  # both neighbours are the same pixel
        return
    np.subtract(field[:, 2:], field[:, :-2], out=out[:, 1:-1])
    np.subtract(field[:, 1], field[:, -1], out=out[:, 0])
    np.subtract(field[:, 0], field[:, -2], out=out[:, -1])


def _gaussian_response(length: int, sigma_px: float) -> NDArray[np.float64]:
    """Return the transform (length,) of a Gaussian that is sampled, wrapped and sums to 1."""
    reach = max(length, int(np.ceil(8.0 * sigma_px)))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.zeros(length)
    np.add.at(kernel, offsets % length, np.exp(-0.5 * (offsets / sigma_px) ** 2))
    return np.fft.fft(kernel / kernel.sum()).real


def _weights(source: int, target: int, kernel: Kernel) -> scipy.sparse.csr_array:
    """Return the sparse (target, source) matrix that resamples one periodic axis; rows sum to 1."""
    scale = source / target
    if scale >= 1.0:
        first = np.arange(target)[:, None] * scale
        columns = np.floor(first).astype(int) + np.arange(int(np.ceil(scale)) + 1)
        inside = np.minimum(columns + 1, first + scale) - np.maximum(columns, first)
        weights = np.maximum(inside, 0.0)
    else:
        centre = (np.arange(target)[:, None] + 0.5) * scale - 0.5
        columns = np.floor(centre).astype(int) + np.arange(-2, 4)
        weights = {"mitchell": _mitchell, "lanczos": _lanczos}[kernel](np.abs(columns - centre))
    weights = weights / weights.sum(axis=1, keepdims=True)
    rows = np.broadcast_to(np.arange(target)[:, None], columns.shape)
    # Columns that meet after the wrap are added up by the conversion.
    entries = (weights.ravel(), (rows.ravel(), columns.ravel() % source))
    return scipy.sparse.coo_array(entries, shape=(target, source)).tocsr()


def _mitchell(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    near = (7.0 * distance - 12.0) * distance**2 + 16.0 / 3.0
    far = ((-7.0 / 3.0 * distance + 12.0) * distance - 20.0) * distance + 32.0 / 3.0
    return np.where(distance < 1.0, near, np.where(distance < 2.0, far, 0.0)) / 6.0


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(distance < 3.0, np.sinc(distance) * np.sinc(distance / 3.0), 0.0)

"""Height, slopes and normals on the torus that agree: one operator, and its exact inverse.

All three are tied together by the periodic central difference (Frankot and Chellappa 1988, with
the frequency response of the difference that is used in place of the continuous one), so that a
height made of slopes gives back its own normals to the last bit. Lengths are metres, slopes metres
per metre (y down), normals OpenGL's (y up). Fields are float32; 8192 px square stays below 4 GB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.torus import central_differences, field_of, row_bands, spectrum_of

# Normals are not taken to be steeper than a slope of about 100: what a network says is noisy.
_SMALLEST_Z = 0.01


@dataclass(frozen=True)
class Projection:
    """The nearest relief that tiles, and how far the slopes were from one.

    Attributes:
        height_m: (H, W) float32 metres, mean 0.
        normals: (H, W, 3) float32 unit vectors (y up) of `height_m`.
        tilt: length of the mean slope of what was given; no periodic height has one.
        curl_share: 0..1, the share of the energy of what was given, mean apart, that no height
            can have.
    """

    height_m: NDArray[np.float32]
    normals: NDArray[np.float32]
    tilt: float
    curl_share: float


def slopes_of_height(height_m: NDArray[Any], pixel_m: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (dh/dx, dh/dy), each (H, W), y down, of a height (H, W) in metres."""
    slope_x, slope_y = central_differences(height_m)
    for slope in (slope_x, slope_y):
        slope /= pixel_m
    return slope_x, slope_y


def normals_of_slopes(slope_x: NDArray[Any], slope_y: NDArray[Any]) -> NDArray[np.float32]:
    """Return unit normals (H, W, 3) float32, (-dh/dx, +dh/dy, 1) normalised: y points up."""
    normals = np.zeros((*slope_x.shape, 3), np.float32)
    for rows in row_bands(slope_x.shape):
        x, y = slope_x[rows], slope_y[rows]
        scale = 1.0 / np.sqrt(1.0 + x * x + y * y)
        normals[rows, :, 0] = -x * scale
        normals[rows, :, 1] = y * scale
        normals[rows, :, 2] = scale
    return normals


def normals_of_height(height_m: NDArray[Any], pixel_m: float) -> NDArray[np.float32]:
    """Return the unit normals (H, W, 3) float32 of a height (H, W) on the torus, metres."""
    normals = np.zeros((*height_m.shape, 3), np.float32)
    for rows, band in bands_of_normals(height_m, pixel_m):
        normals[rows] = band
    return normals


def bands_of_normals(
    height_m: NDArray[Any], pixel_m: float
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield bands of rows and their normals, each from the rows beside it on the torus as well."""
    for rows in row_bands(height_m.shape):
        around = height_m[np.arange(rows.start - 1, rows.stop + 1) % len(height_m)]
        slope_x, slope_y = slopes_of_height(around, pixel_m)
        yield rows, normals_of_slopes(slope_x[1:-1], slope_y[1:-1])


def slopes_of_normals(normals: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (dh/dx, dh/dy), each (H, W) float32, of normals (H, W, 3), y up, of any length.

    Normals that lie flat or look away are taken as slopes of about 100.
    """
    slope_x, slope_y = (np.zeros(normals.shape[:2], np.float32) for _ in range(2))
    for rows in row_bands(slope_x.shape):
        scale = 1.0 / np.maximum(normals[rows, :, 2], _SMALLEST_Z)
        slope_x[rows] = -normals[rows, :, 0] * scale
        slope_y[rows] = normals[rows, :, 1] * scale
    return slope_x, slope_y


def height_of_slopes(
    slope_x: NDArray[Any], slope_y: NDArray[Any], pixel_m: float, *, smoothing: float = 0.0
) -> NDArray[np.float32]:
    """Return the periodic height (H, W) float32, metres, mean 0, whose slopes are nearest.

    Least squares by FFT: exact for slopes that `slopes_of_height` made, apart from what central
    differences cannot see (the mean, and stripes or checks of 2 px), which is 0 in the height.

    Args:
        slope_x: (H, W) dh/dx, metres per metre.
        slope_y: (H, W) dh/dy, y down.
        pixel_m: side of a pixel in metres.
        smoothing: above 0, finest stripes and checks are damped: the slopes hardly show them, so
            that noise in slopes that were guessed makes them large. 0.02 leaves 97 % of what
            repeats in 2.5 px and all that is coarser.
    """
    height_m, _ = _integrated(slope_x, slope_y, pixel_m, smoothing)
    return height_m


def project(
    slope_x: NDArray[Any], slope_y: NDArray[Any], pixel_m: float, *, smoothing: float = 0.0
) -> Projection:
    """Return the nearest height that tiles and its very own normals, see `height_of_slopes`.

    What is given stays as it is; any slopes will do, those of a network that knows no torus too.
    """
    lean = tilt(slope_x, slope_y)
    height_m, share = _integrated(slope_x, slope_y, pixel_m, smoothing)
    normals = normals_of_height(height_m, pixel_m)
    return Projection(height_m, normals, lean, share)


def tilt(slope_x: NDArray[Any], slope_y: NDArray[Any]) -> float:
    """Return the length of the mean slope, metres per metre; 0 for whatever tiles."""
    return float(np.hypot(slope_x.mean(dtype=np.float64), slope_y.mean(dtype=np.float64)))


def curl_share(slope_x: NDArray[Any], slope_y: NDArray[Any]) -> float:
    """Return 0..1: the rotational share of the energy of slopes, mean apart; 0 for a height's."""
    across = spectrum_of(_single(slope_x))
    down = spectrum_of(_single(slope_y))
    return _solve(across, down, slope_x.shape, 1.0, 0.0)


def angle_deg(normals_a: NDArray[Any], normals_b: NDArray[Any]) -> NDArray[np.float32]:
    """Return the angle (...) in degrees between unit vectors (..., 3), exact for tiny ones too.

    By half-angles from the lengths of difference and sum (Kahan): the arc cosine of float32 would
    take everything below 0.02 degrees for 0.
    """
    apart = np.sqrt(_squared_length(normals_a - normals_b))
    together = np.sqrt(_squared_length(normals_a + normals_b))
    return np.degrees(2.0 * np.arctan2(apart, together)).astype(np.float32)


def agreement_deg(normals: NDArray[Any], height_m: NDArray[Any], pixel_m: float) -> float:
    """Return the mean angle in degrees between normals (H, W, 3) and those of the height."""
    total = 0.0
    for rows, own in bands_of_normals(height_m, pixel_m):
        total += float(angle_deg(own, normals[rows]).sum(dtype=np.float64))
    return total / height_m.size


def _integrated(
    slope_x: NDArray[Any], slope_y: NDArray[Any], pixel_m: float, smoothing: float
) -> tuple[NDArray[np.float32], float]:
    """Return the height in metres and the curl share of the slopes."""
    across = spectrum_of(_single(slope_x))
    down = spectrum_of(_single(slope_y))
    share = _solve(across, down, slope_x.shape, pixel_m, smoothing)
    del down  # 270 MB at 8192 px, before the inverse needs as much
    return field_of(across, slope_x.shape), share


def _solve(
    across: NDArray[Any],
    down: NDArray[Any],
    shape: tuple[int, ...],
    pixel_m: float,
    smoothing: float,
) -> float:
    """Replace the spectrum of dh/dx by the height's; return the curl share.

    The response of the difference is i·sin(w), so that (sin wx, sin wy) is the direction in which
    a height's slopes lie at each frequency; what is across it is curl.
    """
    height, width = shape
    sine_x, check_x = _responses(width, across.shape[1])
    sine_y, check_y = _responses(height, height)
    # A real field's spectrum is stored by half: all columns but the first and Nyquist count twice.
    twice = np.full(across.shape[1], 2.0)
    twice[0] = 1.0
    if width % 2 == 0:
        twice[-1] = 1.0
    curl = energy = 0.0
    for rows in row_bands(across.shape):
        x, y = across[rows], down[rows]
        sine = sine_y[rows, None]
        strength = sine_x * sine_x + sine * sine
        unseen = strength == 0.0
        strength[unseen] = 1.0
        whole = _power(x) + _power(y)
        across_it = _power(sine_x * y - sine * x) / strength
        across_it[unseen] = whole[unseen]
        if rows.start == 0:
            whole[0, 0] = across_it[0, 0] = 0.0  # the mean is tilt, not curl
        energy += float((whole * twice).sum())
        curl += float((across_it * twice).sum())
        strength += smoothing * (check_x + check_y[rows, None])
        solved = (sine_x * x + sine * y) * (np.complex64(-1j * pixel_m) / strength)
        solved[unseen] = 0.0
        across[rows] = solved
    return curl / energy if energy > 0.0 else 0.0


def _responses(length: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return sin(w) and the penalty on 2-px stripes, sin(w / 2)^16, of the first frequencies."""
    cycles = np.arange(count)
    sine = np.sin(2.0 * np.pi * cycles / length)
    sine[(2 * cycles) % length == 0] = 0.0  # the mean and Nyquist, exactly
    check = np.sin(np.pi * cycles / length) ** 16
    return sine.astype(np.float32), check.astype(np.float32)


def _single(field: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(field, np.float32)


def _power(spectrum: NDArray[Any]) -> NDArray[Any]:
    return spectrum.real**2 + spectrum.imag**2


def _squared_length(vectors: NDArray[Any]) -> NDArray[Any]:
    return np.einsum("...c,...c->...", vectors, vectors)

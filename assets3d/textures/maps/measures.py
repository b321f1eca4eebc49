"""How far maps are from the truth: normals, height, roughness, metal.

Numbers follow the literature on surface normals (mean, median, shares below fixed angles: Fouhey et
al. 2013) and on relief of arbitrary zero and unit (aligned by least squares first). Maps of found
and true have the same size; nothing here knows a torus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.fields import angle_deg

#: Angles in degrees that the shares of good pixels are counted below.
ANGLES_DEG = (5.0, 11.25, 22.5, 30.0)
#: The ways to be wrong about the axes: name -> signs of x and y.
SIGNS = {
    "as is": (1.0, 1.0),
    "x flipped": (-1.0, 1.0),
    "y flipped": (1.0, -1.0),
    "x and y flipped": (-1.0, -1.0),
}


@dataclass(frozen=True)
class NormalErrors:
    """Angles between found and true normals.

    Attributes:
        mean_deg: mean angle in degrees.
        median_deg: median angle.
        shares_below: the share of pixels below each of `ANGLES_DEG`, in that order.
        away_share: the share of found normals that do not face the viewer, z <= 0.
        length_error: mean of | length - 1 | of what was found, before it was normalised.
    """

    mean_deg: float
    median_deg: float
    shares_below: tuple[float, ...]
    away_share: float
    length_error: float


@dataclass(frozen=True)
class SignTest:
    """Mean angles with the signs of x and y changed: a wrong convention gives itself away.

    Attributes:
        mean_deg: name in `SIGNS` -> mean angle in degrees.
        winner: the name with the smallest; "as is" for whoever has the convention right.
        margin_deg: how much smaller it is than the next.
    """

    mean_deg: dict[str, float]
    winner: str
    margin_deg: float


@dataclass(frozen=True)
class HeightErrors:
    """A height against the true one, after the scale and offset that fit it best.

    Attributes:
        rmse_over_std: root mean square error over the true height's standard deviation; 1 is what
            a flat height has.
        pearson_r: correlation, -1..1; negative: hills and valleys are swapped.
        scale: what the found height was multiplied by, 0 or below where `pearson_r` is.
    """

    rmse_over_std: float
    pearson_r: float
    scale: float


@dataclass(frozen=True)
class ScalarErrors:
    """Root mean square and mean absolute error of a map in 0..1."""

    rmse: float
    mae: float


def normal_errors(found: NDArray[Any], truth: NDArray[Any]) -> NormalErrors:
    """Compare normals (H, W, 3); those found may have any length, the true ones have 1.

    Raises:
        InputError: other shapes.
    """
    _same_shape(found, truth, "normals")
    units, lengths = _units(found)
    angles = angle_deg(units, np.asarray(truth, np.float32))
    return NormalErrors(
        mean_deg=float(angles.mean(dtype=np.float64)),
        median_deg=float(np.median(angles)),
        shares_below=tuple(float((angles < limit).mean()) for limit in ANGLES_DEG),
        away_share=float((units[..., 2] <= 0.0).mean()),
        length_error=float(np.abs(lengths - 1.0).mean(dtype=np.float64)),
    )


def sign_test(found: NDArray[Any], truth: NDArray[Any]) -> SignTest:
    """Compare normals (H, W, 3) in all four sign combinations of x and y.

    Says nothing of a surface that is flat, or alike in both directions of an axis at every pixel.

    Raises:
        InputError: other shapes.
    """
    _same_shape(found, truth, "normals")
    units, _ = _units(found)
    true = np.asarray(truth, np.float32)
    means = {}
    for name, (sign_x, sign_y) in SIGNS.items():
        flipped = units * np.array([sign_x, sign_y, 1.0], np.float32)
        means[name] = float(angle_deg(flipped, true).mean(dtype=np.float64))
    winner, second = sorted(means, key=means.__getitem__)[:2]
    return SignTest(means, winner, means[second] - means[winner])


def height_errors(found: NDArray[Any], truth: NDArray[Any]) -> HeightErrors:
    """Compare heights (H, W) of any zero and unit.

    A constant height that was found has the correlation 0; against a constant truth nothing can be
    measured.

    Raises:
        InputError: other shapes, or a flat truth.
    """
    _same_shape(found, truth, "height")
    a, b = (np.asarray(h, np.float64) - np.mean(h, dtype=np.float64) for h in (found, truth))
    spread = float(b.std())
    if spread == 0.0:
        raise InputError("height: the true height is flat, wanted one with relief")
    variance, covariance = float((a * a).mean()), float((a * b).mean())
    # Rounding of a constant is no relief.
    flat = variance <= (1e-7 * float(np.abs(found).max())) ** 2
    scale = 0.0 if flat else covariance / variance
    error = float(np.sqrt(((scale * a - b) ** 2).mean()))
    correlation = 0.0 if flat else covariance / (np.sqrt(variance) * spread)
    return HeightErrors(error / spread, float(correlation), scale)


def scalar_errors(found: NDArray[Any], truth: NDArray[Any]) -> ScalarErrors:
    """Compare maps (H, W) in 0..1: roughness, occlusion.

    Raises:
        InputError: other shapes.
    """
    _same_shape(found, truth, "map")
    apart = np.asarray(found, np.float64) - np.asarray(truth, np.float64)
    return ScalarErrors(float(np.sqrt((apart**2).mean())), float(np.abs(apart).mean()))


def metallic_f1(found: NDArray[Any], truth: NDArray[Any], *, threshold: float = 0.5) -> float:
    """Return F1 of metal as a yes or no per pixel, 0..1; 1 where neither has any.

    Raises:
        InputError: other shapes.
    """
    _same_shape(found, truth, "metallic")
    said, true = np.asarray(found) > threshold, np.asarray(truth) > threshold
    wanted = int(said.sum()) + int(true.sum())
    return 1.0 if wanted == 0 else 2.0 * int((said & true).sum()) / wanted


def _units(vectors: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors of length 1 and the lengths they had; nothing at all is taken as upright."""
    vectors = np.asarray(vectors, np.float32)
    lengths = np.linalg.norm(vectors, axis=-1)
    upright = np.array([0.0, 0.0, 1.0], np.float32)
    whole = np.where(lengths[..., None] > 1e-6, vectors, upright)
    return whole / np.maximum(np.linalg.norm(whole, axis=-1, keepdims=True), 1e-6), lengths


def _same_shape(found: NDArray[Any], truth: NDArray[Any], name: str) -> None:
    if found.shape != truth.shape:
        raise InputError(f"{name}: found has the shape {found.shape}, wanted {truth.shape}")
    if name == "normals" and found.shape[-1] != 3:
        raise InputError(f"normals: have {found.shape[-1]} channels, wanted 3")

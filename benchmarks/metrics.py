"""Measures of quality, each one short function of arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from assets3d.images.picture import on_grey

#: Alpha from which a pixel counts as the object.
INSIDE = 0.5
#: PSNR looks at the union of both masks grown by this.
GROW_PX = 8
#: PSNR of equal pictures would be infinite: half a step of 8 bits is the least error reported.
_SMALLEST_ERROR = (0.5 / 255.0) ** 2


def union_mask(first: NDArray, second: NDArray, grow_px: int = GROW_PX) -> NDArray[np.bool_]:
    """Return the union of two (H, W) alphas in 0..1, grown by `grow_px` (a disc)."""
    union = (np.asarray(first) >= INSIDE) | (np.asarray(second) >= INSIDE)
    if not union.any():
        return union
    return ndimage.distance_transform_edt(~union) <= grow_px


def psnr(found: NDArray, wanted: NDArray, mask: NDArray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of (H, W, 3) pictures in 0..1, inside `mask`."""
    error = (np.asarray(found, dtype=np.float64) - np.asarray(wanted, dtype=np.float64)) ** 2
    error = error if mask is None else error[mask]
    mean = float(error.mean()) if error.size else 0.0
    return float(-10.0 * np.log10(max(mean, _SMALLEST_ERROR)))


def mask_iou(first: NDArray, second: NDArray) -> float:
    """Intersection over union of two alphas in 0..1; two empty masks agree."""
    a, b = np.asarray(first) >= INSIDE, np.asarray(second) >= INSIDE
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 1.0


def masked_psnr(found_rgba: NDArray, wanted_rgba: NDArray) -> float:
    """PSNR of two (H, W, 4) uint8 pictures on grey, inside their union mask grown by 8 px."""
    alphas = found_rgba[..., 3] / 255.0, wanted_rgba[..., 3] / 255.0
    return psnr(on_grey(found_rgba), on_grey(wanted_rgba), union_mask(*alphas))


def surface_samples(
    vertices: NDArray, faces: NDArray, count: int, seed: int = 0
) -> NDArray[np.float64]:
    """Return (count, 3) points spread evenly by area over a triangle mesh."""
    corners = np.asarray(vertices, dtype=np.float64)[np.asarray(faces)]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    total = np.cumsum(area)
    rng = np.random.default_rng(seed)
    places = (np.arange(count) + rng.uniform(size=count)) / count * total[-1]
    chosen = corners[np.minimum(np.searchsorted(total, places), len(corners) - 1)]
    a, b = np.sqrt(rng.uniform(size=(count, 1))), rng.uniform(size=(count, 1))
    return (1 - a) * chosen[:, 0] + a * (1 - b) * chosen[:, 1] + a * b * chosen[:, 2]


def chamfer_distance(found: NDArray, wanted: NDArray, size: float) -> float:
    """Mean of both directions' mean nearest distance, as a part of the object's `size`."""
    there, back = _nearest(found, wanted)
    return float((there.mean() + back.mean()) / 2.0 / size)


def f_score(found: NDArray, wanted: NDArray, threshold: float) -> float:
    """Harmonic mean of precision and recall of two point sets at a distance in their own unit."""
    there, back = _nearest(found, wanted)
    precision, recall = float((there <= threshold).mean()), float((back <= threshold).mean())
    return 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0


def summary(values: list[float]) -> dict[str, float]:
    """Return mean, 10th percentile (the bad end of a score) and count, rounded for a JSON file."""
    array = np.asarray(values, dtype=np.float64)
    return {
        "mean": round(float(array.mean()), 4),
        "p10": round(float(np.quantile(array, 0.1)), 4),
        "count": len(array),
    }


def _nearest(first: NDArray, second: NDArray) -> tuple[NDArray, NDArray]:
    there, _ = cKDTree(second).query(first)
    back, _ = cKDTree(first).query(second)
    return there, back

"""How visible the wrap of one map is, without any reference: numbers with calibrated limits.

The plain quotient of wrap and interior misleads on structured textures: a perfect tile of bricks
whose wrap lies in a joint has a large one. A joint has large neighbours too, a seam has not;
so `seam_nb` and `seam_local` compare the wrap with the lines beside it, and only these have
limits: the 98th percentile of exactly periodic tiles of 256 px that were rolled at random.

A larger tile has more windows of 16 px, and so a larger maximum: at 1024 px one perfect height in
seven is above its limit. Windows of a sixteenth of the edge keep the limits true: of 126 perfect
tiles of 21 families 95 to 98 % stay below each at 256 px, 95 to 100 % at 512 px and 98 to 100 % at
1024 px. Of seams along an eighth of one edge they find 98 % in heights of 1024 px and 55 % in
colours; of tiles that were cut, 100 % and 93 %. `benchmarks/results/materials.json` has all shares.

A filter that enlarges to k times the side makes the steps between some pairs of lines larger than
between others, with a period of k, and the wrap is one of the pairs: such maps are measured at the
side that was drawn.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.fields import angle_deg
from assets3d.textures.torus import as_floating, resized, row_bands

#: What a map holds: neighbours of a colour differ by the mean over channels, normals by their
#: angle, heights and scalars (roughness, occlusion, metallic) by the raw linear value.
Kind = Literal["colour", "normal", "height", "scalar"]


@dataclass(frozen=True)
class Limits:
    """What a map that tiles stays below, with a probability of 98 %."""

    seam_nb: float
    seam_local: float


#: A scalar map has pieces that are all alike, with sharp edges: its local number has a long tail.
THRESHOLDS: dict[Kind, Limits] = {
    "colour": Limits(2.4, 4.1),
    "normal": Limits(1.5, 3.2),
    "height": Limits(2.2, 4.0),
    "scalar": Limits(2.2, 8.0),
}

#: The shortest window along the wrap, and how many there are along an edge that is long enough.
WINDOW_PX, WINDOWS = 16, 16

_STRIP_PX = 32
_SMALLEST_PX = 4
# Share of the interior's mean difference that is added to the neighbours', so that a wrap in a
# smooth place is not compared with nothing.
_INTERIOR_SHARE = 0.1
# Differences below this share of the largest value are rounding, not texture.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class SeamReport:
    """The seam of one map, the worse of both axes for each number; 0 for a constant map.

    Attributes:
        seam_nb: mean difference across the wrap over that of the two adjacent pairs of lines,
            plus a tenth of the interior's mean; the best single number.
        seam_local: the largest such quotient of windows along the wrap (`window_px`); finds seams
            that are there for a part of the edge only.
        seam_ratio: mean difference across the wrap over the interior's; easy to explain, misleads
            on structured textures.
        rank: share of the interior's lines with a smaller mean difference; 1: the wrap is the
            strongest line of the map.
        kink: mean second difference at the wrap over the interior's; finds a bent gradient where
            the values match.
        low_frequency_step: difference of the means of the strips of 32 px on both sides of the
            wrap over that of interior lines; finds different light.
    """

    seam_nb: float
    seam_local: float
    seam_ratio: float
    rank: float
    kink: float
    low_frequency_step: float


def seam_report(
    values: NDArray[Any],
    kind: Kind,
    *,
    window_px: int | None = None,
    detail_px: int | None = None,
) -> SeamReport:
    """Measure the wrap of one map in both axes.

    Args:
        values: (H, W) or (H, W, C), uint8, uint16 or floating, any range; normals are unit vectors
            (H, W, 3), not their colours.
        kind: what the map holds.
        window_px: length of the windows of `seam_local`, which lie side by side; by default a
            sixteenth of the edge, at least 16 px, for which the limits hold.
        detail_px: side that the map, a square, was drawn at before a filter enlarged it; it is
            measured at that side, in whose pixels `window_px` then is. Only a side below the map's
            own matters.

    Raises:
        InputError: a map or `detail_px` below 4 px, or normals without three channels.
    """
    planes = values[..., None] if values.ndim == 2 else values
    if min(planes.shape[:2]) < _SMALLEST_PX:
        raise InputError(
            f"map: is {planes.shape[1]}x{planes.shape[0]} px, wanted {_SMALLEST_PX} px or more"
        )
    if kind == "normal" and planes.shape[2] != 3:
        raise InputError(f"map: normals have {planes.shape[2]} channels, wanted 3")
    if detail_px is not None and detail_px < _SMALLEST_PX:
        raise InputError(f"map: detail_px is {detail_px}, wanted {_SMALLEST_PX} or more")
    if detail_px is not None and detail_px < len(planes):
        planes = _averaged(planes, kind, detail_px)
    across = _columns_report(planes, kind, window_px)
    down = _columns_report(planes.swapaxes(0, 1), kind, window_px)
    return SeamReport(
        *(max(getattr(across, field.name), getattr(down, field.name)) for field in fields(across))
    )


def passes(report: SeamReport, kind: Kind, *, slack: float = 1.0) -> bool:
    """Say whether a map tiles: both gated numbers are below `slack` times their limits.

    One of about 25 perfect maps fails at a slack of 1, hardly any at 2.
    """
    return not exceeded(report, kind, slack=slack)


def exceeded(report: SeamReport, kind: Kind, *, slack: float = 1.0) -> list[str]:
    """Return the names of the gated numbers that are above `slack` times their limits."""
    found = asdict(report)
    limits = asdict(THRESHOLDS[kind])
    return [name for name, limit in limits.items() if found[name] > slack * limit]


def _averaged(planes: NDArray[Any], kind: Kind, size_px: int) -> NDArray[Any]:
    """Return the means (size_px, size_px, C) over areas; of normals unit vectors again."""
    # One channel at a time: at 8192 px the floats of a whole picture take 0.8 GB.
    channels = [resized(as_floating(plane), size_px) for plane in np.moveaxis(planes, 2, 0)]
    means = np.stack(channels, axis=-1)
    if kind == "normal":
        means /= np.linalg.norm(means, axis=-1, keepdims=True)
    return means


def _columns_report(planes: NDArray[Any], kind: Kind, window_px: int | None) -> SeamReport:
    """Measure the wrap from the last column to the first of a map (H, W, C)."""
    height, width = planes.shape[:2]
    window_px = window_px or max(WINDOW_PX, round(height / WINDOWS))
    lines, bends = np.zeros(width - 1), 0.0
    sums = np.zeros((width, planes.shape[2]))
    wrap, beside, wrap_bends = np.zeros(height), np.zeros(height), np.zeros(height)
    largest = 0.0
    for rows in row_bands(planes.shape):
        band = np.ascontiguousarray(planes[rows], np.float32)
        steps = _apart(band[:, 1:], band[:, :-1], kind)
        lines += steps.sum(axis=0, dtype=np.float64)
        beside[rows] = 0.5 * (steps[:, 0] + steps[:, -1])
        wrap[rows] = _apart(band[:, 0], band[:, -1], kind)
        bends += float(_bends(band, kind).sum(dtype=np.float64))
        wrap_bends[rows] = _bends(band[:, [-2, -1, 0, 1]], kind).mean(axis=1)
        sums += band.sum(axis=0, dtype=np.float64)
        largest = max(largest, float(np.abs(band).max()))
    lines /= height
    bends /= height * (width - 2)
    # An angle's rounding does not depend on what the normals are.
    rounding = _ROUNDING * (180.0 if kind == "normal" else largest)
    usual = _INTERIOR_SHARE * lines.mean()
    wrap_windows, beside_windows = (_windows(line, window_px) for line in (wrap, beside))
    return SeamReport(
        seam_nb=_quotient(wrap.mean(), beside.mean() + usual, rounding),
        seam_local=float(np.max(_quotients(wrap_windows, beside_windows + usual, rounding))),
        seam_ratio=_quotient(wrap.mean(), lines.mean(), rounding),
        rank=float((lines < wrap.mean()).mean()),
        kink=_quotient(wrap_bends.mean(), bends, rounding),
        low_frequency_step=_low_frequency_step(sums / height, rounding),
    )


def _apart(a: NDArray[np.float32], b: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    """Return how far values (..., C) are apart: degrees, or mean absolute difference."""
    return angle_deg(a, b) if kind == "normal" else np.abs(a - b).mean(axis=-1)


def _bends(band: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    """Return the size (H, W - 2) of the second differences along the rows."""
    second = band[:, 2:] - 2.0 * band[:, 1:-1] + band[:, :-2]
    return np.linalg.norm(second, axis=-1) if kind == "normal" else np.abs(second).mean(axis=-1)


def _windows(line: NDArray[np.float64], window_px: int) -> NDArray[np.float64]:
    """Return the means of windows side by side; the last one ends with the line."""
    length = min(window_px, len(line))
    first = np.arange(0, len(line) - length + 1, length)
    if first[-1] + length < len(line):
        first = np.append(first, len(line) - length)
    ends = np.concatenate([[0.0], np.cumsum(line)])
    return (ends[first + length] - ends[first]) / length


def _low_frequency_step(columns: NDArray[np.float64], rounding: float) -> float:
    """Return the step between strips of columns (W, C) at the wrap, over the interior's mean."""
    width = len(columns)
    strip = min(_STRIP_PX, width // 4)
    ends = np.cumsum(np.concatenate([np.zeros_like(columns[:1]), columns]), axis=0)
    strips = (ends[strip:] - ends[:-strip]) / strip
    interior = np.abs(strips[strip:] - strips[:-strip]).mean(axis=1)
    return _quotient(np.abs(strips[0] - strips[-1]).mean(), interior.mean(), rounding)


def _quotient(part: float, whole: float, rounding: float) -> float:
    return float(_quotients(np.asarray(part), np.asarray(whole), rounding))


def _quotients(
    part: NDArray[np.float64], whole: NDArray[np.float64], rounding: float
) -> NDArray[np.float64]:
    """Return part / whole; 0 where both are within rounding: a constant map has no seam."""
    return part / np.maximum(whole + rounding, np.finfo(np.float64).tiny)

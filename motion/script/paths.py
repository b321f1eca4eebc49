"""Ways to follow, in metres: way points, CSV of x and z, or the first line of an SVG drawing.

An SVG's x and y are taken as x and z. That is the view from above with +X to the right and +Z down
the page, so a bend to the left on the page is a turn to the left on the ground.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assets3d.errors import InputError
from motion.features import Array
from motion.script.svg_path import svg_points

#: Nearer points than this are one point.
_NEAREST_M = 1e-4


@dataclass(frozen=True)
class Way:
    """A polyline on the ground.

    Attributes:
        points_m: (N, 2) x and z, no two neighbours alike.
        distances_m: (N,) way from the first point.
    """

    points_m: Array
    distances_m: Array

    @property
    def length_m(self) -> float:
        """Way from the first point to the last."""
        return float(self.distances_m[-1])

    def at(self, distance_m: float) -> Array:
        """Return the (2,) point after so many metres; the ends beyond the ends."""
        x, z = (np.interp(distance_m, self.distances_m, self.points_m[:, i]) for i in (0, 1))
        return np.array([x, z])

    def nearest(self, point_m: Array, first_m: float, last_m: float) -> float:
        """Return the distance along the way of its nearest place to a (2,) point.

        Only places from first_m to last_m count: a way that crosses itself is followed in order.
        """
        starts, steps = self.points_m[:-1], np.diff(self.points_m, axis=0)
        lengths = np.diff(self.distances_m)
        along = np.einsum("ij,ij->i", point_m - starts, steps) / lengths**2
        low = (first_m - self.distances_m[:-1]) / lengths
        high = (last_m - self.distances_m[:-1]) / lengths
        along = np.clip(np.clip(along, low, high), 0.0, 1.0)
        places = self.distances_m[:-1] + along * lengths
        gaps = np.linalg.norm(starts + along[:, None] * steps - point_m, axis=1)
        outside = (places < first_m - 1e-9) | (places > last_m + 1e-9)
        return float(places[np.argmin(np.where(outside, np.inf, gaps))])


def way_of_points(points: object, where: str) -> Way:
    """Return the way through [[x, z], ...] in metres.

    Args:
        points: as the manifest has them.
        where: what error messages begin with.

    Raises:
        InputError: not pairs of finite numbers, or no two different points.
    """
    rows: list[tuple[float, float]] = []
    if not isinstance(points, Sequence) or isinstance(points, str):
        raise InputError(f"{where}: {points!r}, wanted way points [[x, z], ...] in metres")
    for number, point in enumerate(points, 1):
        good = isinstance(point, Sequence) and not isinstance(point, str) and len(point) == 2
        numbers = [value for value in point if _is_number(value)] if good else []
        if len(numbers) != 2:
            raise InputError(f"{where}: way point {number} is {point!r}, wanted [x, z] in metres")
        rows.append((float(numbers[0]), float(numbers[1])))
    return _way(np.array(rows, np.float64).reshape(-1, 2), where)


def read_way(path: Path, where: str, *, metres_per_unit: float = 1.0) -> Way:
    """Return the way drawn in an SVG or listed in a CSV.

    Args:
        path: *.svg (its first path, polyline, polygon or line) or *.csv (two columns x, z; a first
            row of words is skipped).
        where: what error messages begin with.
        metres_per_unit: metres that one unit of the file stands for.

    Raises:
        InputError: another kind of file, one that cannot be read, or one without a way in it.
    """
    readers = {".svg": svg_points, ".csv": _csv_points}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{where}: {path.name} is neither .svg nor .csv")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{where}: no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: {path.name} cannot be read as text ({error})") from None
    return _way(reader(text, f"{where}: {path.name}") * metres_per_unit, f"{where}: {path.name}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _csv_points(text: str, where: str) -> Array:
    rows = list[list[float]]()
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        try:
            values = [float(cell) for cell in cells]
        except ValueError:
            if not rows and number == 1:
                continue  # names of the columns
            raise InputError(f"{where} line {number}: {row}, wanted two numbers x, z") from None
        if len(values) != 2:
            raise InputError(f"{where} line {number}: {len(values)} numbers, wanted two, x and z")
        rows.append(values)
    return np.array(rows, np.float64).reshape(-1, 2)


def _way(points: Array, where: str) -> Way:
    if not np.isfinite(points).all():
        raise InputError(f"{where}: a number that is not finite")
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    kept = points[np.concatenate([[True], gaps > _NEAREST_M])] if len(points) else points
    if len(kept) < 2:
        raise InputError(f"{where}: {len(points)} points, wanted at least two different ones")
    distances = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(kept, axis=0), axis=1))])
    return Way(kept, distances)

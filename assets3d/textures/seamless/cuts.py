"""The cheapest cut through an overlap: where two copies of a material differ least.

A cut is a path of pixels. In a strip a shortest path is the exact minimum cut (Kwatra et al. 2003
take the general case); unlike the row-by-row programme of Efros and Freeman (2001) it may also turn
back, so that it can walk around a stone or along a joint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cost = NDArray[np.float64]


def difference(
    first: NDArray[np.float32], second: NDArray[np.float32], rows: int | None = None
) -> Cost:
    """Return (H, W), what it costs to pass from one copy to the other at each pixel.

    Colours and slopes both count: where only colours agree a line would be bent, where only slopes
    agree a step would have to be spread.

    Args:
        first: (H, W, 3).
        second: (H, W, 3), the other copy at the same places.
        rows: of both that are compared; by default all.
    """
    import cv2

    apart = cv2.subtract(second[:rows], first[:rows])
    cost = np.abs(apart).sum(axis=2)
    cost[:, :-1] += np.abs(apart[:, 1:] - apart[:, :-1]).sum(axis=2)
    cost[:-1] += np.abs(apart[1:] - apart[:-1]).sum(axis=2)
    # A path may not slip between two pixels that agree by chance.
    cost = cv2.GaussianBlur(cost, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    return cost.astype(np.float64) ** 2


def cut_down(cost: Cost, closed: bool = False) -> tuple[NDArray[np.bool_], float]:
    """Return the cheapest cut from the first row to the last, and its mean cost per row.

    Args:
        cost: (H, W).
        closed: whether row 0 follows the last row, so that the cut must close on itself.

    Returns:
        (H, W), true on the right of the cut and on it, false on the left; never all of a row true
        or false.
    """
    from skimage.graph import route_through_array

    # A short way costs a little even where both copies agree.
    cost = cost + 0.02 * cost.mean() + 1e-12
    if closed:
        return _closed(cost)
    height = len(cost)
    # One free row before and one after: the cut may begin and end in any column.
    free = np.full((1, cost.shape[1]), 1e-12)
    padded = _walled(np.concatenate([free, cost, free]))
    path, total = route_through_array(padded, (0, 1), (height + 1, 1), geometric=True)
    rows, columns = np.asarray(path).T
    inside = (rows > 0) & (rows <= height)
    return _right_of(rows[inside] - 1, columns[inside], cost.shape), float(total) / height


def _closed(cost: Cost) -> tuple[NDArray[np.bool_], float]:
    """Cut a ring: first find where it passes the middle row, then a cut from there to there."""
    from skimage.graph import route_through_array

    height = len(cost)
    twice = np.concatenate([cost, cost])
    free_cut, _ = cut_down(twice)
    middle = height
    start = int(np.argmax(free_cut[middle]))
    opened = _walled(np.concatenate([cost, cost[:1]]))
    path, total = route_through_array(opened, (0, start), (height, start), geometric=True)
    rows, columns = np.asarray(path).T
    # The last row is the first one again; the path may touch either along its way.
    return _right_of(rows % height, columns, cost.shape), float(total) / height


def _walled(cost: Cost) -> Cost:
    """Return the costs with first and last column impassable: both copies must be used."""
    cost = cost.copy()
    cost[:, 0] = cost[:, -1] = -1.0
    return cost


def _right_of(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return what cannot be reached from the first column without crossing the path."""
    from scipy.ndimage import label

    free = np.ones(shape, dtype=bool)
    free[rows, columns] = False
    # Four neighbours each: a diagonal path has no gaps.
    regions, _ = label(free)
    return regions != regions[0, 0]

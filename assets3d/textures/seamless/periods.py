"""Which part of a picture becomes the tile: the period in either axis that cuts best.

Of a regular pattern only whole periods survive tiling, and a photograph is never quite level. So a
window is a parallelogram, found by trying many: its two sides are the shifts under which the
picture agrees best with itself along a cut, and it is brought to a square, which turns the
pattern's own lattice upright.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.seamless.cuts import difference

Vector = NDArray[np.float64]
Found = tuple[Vector, float]  # a shift and what it costs

# Periods are looked for between these shares of the picture's side; the rest overlaps.
_SHORTEST, _LONGEST = 0.5, 0.86
# How much a period may lean; photographs are held about level.
_LEAN = 0.07
# Sides in px at which periods are looked for, compared, and then improved.
_LEVELS_PX = (128, 256, 512)
# How many of either axis are compared.
_TRIED = 10
# What the logarithm of the cut's cost is weighed against: short periods repeat visibly, unequal and
# skewed ones distort, and few pictures are much turned.
_SHORT, _LEANING, _UNEQUAL, _SKEWED = 0.8, 2.0, 1.2, 4.0
# How much the whole overlap counts beside the cut through it.
_AGREEING = 1.0
_MOST_OVERLAP = 0.4


@dataclass(frozen=True)
class Window:
    """A parallelogram in a picture that is one period of the material, and what lies beyond it.

    Positions are (x, y) in px of the picture, its outer corner at (0, 0).

    Attributes:
        origin: first corner.
        across: side that becomes the tile's upper edge.
        down: side that becomes its left edge.
        overlap: by which shares of either side the picture goes on beyond the parallelogram.
    """

    origin: Vector
    across: Vector
    down: Vector
    overlap: tuple[float, float]

    @property
    def period_px(self) -> int:
        """The longer side."""
        return round(float(max(np.hypot(*self.across), np.hypot(*self.down))))

    def margins_px(self, size_px: int) -> tuple[int, int]:
        """Return by how many pixels the ends of a tile of `size_px` overlap in x and in y."""
        return int(self.overlap[0] * size_px), int(self.overlap[1] * size_px)

    def cut_out(self, values: NDArray[np.float32], size_px: int) -> NDArray[np.float32]:
        """Return the window as (size + margin y, size + margin x, 3), `size_px` px a period."""
        import cv2

        height, width = values.shape[:2]
        margins = self.margins_px(size_px)
        scale = min(1.0, size_px / self.period_px)
        if scale < 1.0:  # the warp itself takes no mean over areas
            small = (round(width * scale), round(height * scale))
            values = np.asarray(cv2.resize(values, small, interpolation=cv2.INTER_AREA), np.float32)
        scales = np.array([values.shape[1] / width, values.shape[0] / height])
        steps = np.stack([self.across * scales, self.down * scales], axis=1) / size_px
        # From centres of the tile's pixels to centres of the picture's.
        first = self.origin * scales + steps @ [0.5, 0.5] - 0.5
        spread = cv2.warpAffine(
            values,
            np.concatenate([steps, first[:, None]], axis=1),
            (size_px + margins[0], size_px + margins[1]),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(spread, np.float32)


def find_window(values: NDArray[np.float32]) -> Window:
    """Return the part of a picture (H, W, 3) that tiles best; of long ones, of the middle."""
    height, width = values.shape[:2]
    side = min(height, width)
    corner = np.array([(width - side) // 2, (height - side) // 2])
    square = values[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
    levels = sorted({min(side, level) for level in _LEVELS_PX})
    pyramid = [_scaled(square, level) for level in levels]
    axes = [pyramid, [each.swapaxes(0, 1) for each in pyramid]]
    promising = [_promising(each[0]) for each in axes]
    if len(levels) > 1:
        promising = [
            [_improved(small[1], shift * levels[1] / levels[0]) for shift, _ in found]
            for small, found in zip(axes, promising, strict=True)
        ]
    pair = _best_pair(*promising)
    for level in range(2, len(levels)):
        grown = levels[level] / levels[level - 1]
        pair = [
            _improved(small[level], shift * grown)[0]
            for small, shift in zip(axes, pair, strict=True)
        ]
    across, down = (shift * side / levels[-1] for shift in pair)
    return _window(corner, side, across, down[::-1])


def _promising(small: NDArray[np.float32]) -> list[Found]:
    """Return the shifts that cost least, none next to another."""
    shifts, costs = _costs(small, _candidates(len(small)))
    found: list[Found] = []
    for index in np.argsort(costs, kind="stable"):
        if all(np.abs(shifts[index] - other).max() > 2.0 for other, _ in found):
            found.append((shifts[index], float(costs[index])))
        if len(found) == _TRIED:
            break
    return found


def _best_pair(across: list[Found], down: list[Found]) -> list[Vector]:
    """Return the two shifts (along, aside) that cost least together."""

    def cost(pair: tuple[Found, Found]) -> float:
        (first, cost_across), (second, cost_down) = pair
        unequal = abs(np.log(np.hypot(*first) / np.hypot(*second)))
        # Turned as a whole, one side leans down as much as the other leans to the left.
        skewed = abs(first[1] / first[0] + second[1] / second[0])
        return float(cost_across + cost_down + _UNEQUAL * unequal + _SKEWED * skewed)

    return [shift for shift, _ in min(itertools.product(across, down), key=cost)]


def _candidates(side: int) -> NDArray[np.int_]:
    """Return shifts (N, 2): along the axis and aside."""
    lengths = np.arange(round(_SHORTEST * side), round(_LONGEST * side) + 1)
    most = round(_LEAN * _LONGEST * side)
    pairs = [(n, aside) for n in lengths for aside in range(-most, most + 1)]
    return np.array([p for p in pairs if abs(p[1]) <= _LEAN * p[0]])


def _improved(small: NDArray[np.float32], near: Vector) -> Found:
    """Return the best shift within 2 px of one found at half the resolution."""
    offsets = np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)), axis=-1).reshape(-1, 2)
    shifts, costs = _costs(small, np.round(near).astype(int) + offsets)
    return shifts[np.argmin(costs)], float(costs.min())


def _costs(
    small: NDArray[np.float32], shifts: NDArray[np.int_]
) -> tuple[Vector, NDArray[np.float64]]:
    """Return shifts (N, 2) along x and aside, and the weighed cost (N,) of each one's best cut."""
    side = len(small)
    cuts = np.zeros(len(shifts))
    for along in np.unique(shifts[:, 0]):
        which = np.flatnonzero(shifts[:, 0] == along)
        rows = side - np.abs(shifts[which, 1]).max()
        differences = [
            difference(
                small[max(0, -aside) :, : side - along], small[max(0, aside) :, along:], rows
            )
            for aside in shifts[which, 1]
        ]
        cost = np.stack(differences)
        # A straight joint is cheap to cut along at any period; only at the pattern's own does the
        # rest of the overlap agree as well.
        whole = cost.mean(axis=(1, 2))
        cuts[which] = np.sqrt(_cheapest_down(cost)) * np.sqrt(whole) ** _AGREEING
    lengths = np.hypot(*shifts.T)
    short = _SHORT * np.log(_LONGEST * side / lengths)
    leaning = _LEANING * np.abs(shifts[:, 1]) / lengths
    return shifts.astype(np.float64), np.log(cuts + 1e-3) + short + leaning


def _cheapest_down(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean cost (N,) of the best cut through each of (N, H, W).

    A cut moves at most one column aside per row (Efros and Freeman 2001): good enough to compare.
    """
    total = np.full((len(cost), cost.shape[2] + 2), np.inf)
    total[:, 1:-1] = cost[:, 0]
    for row in np.moveaxis(cost[:, 1:], 1, 0):
        best = np.minimum(total[:, :-2], total[:, 2:])
        np.minimum(best, total[:, 1:-1], out=best)
        total[:, 1:-1] = best + row
    return total.min(axis=1) / cost.shape[1]


def _window(corner: NDArray[np.int_], side: int, across: Vector, down: Vector) -> Window:
    """Return the window in the middle of the square, with as much overlap as it has room for."""
    over_x = over_y = 0.0
    for _ in range(8):
        over_x = (side - (1.0 + over_y) * abs(down[0])) / across[0] - 1.0
        over_y = (side - (1.0 + over_x) * abs(across[1])) / down[1] - 1.0
        over_x, over_y = min(over_x, _MOST_OVERLAP), min(over_y, _MOST_OVERLAP)
    corners = np.array([(0, 0), (1 + over_x, 0), (0, 1 + over_y), (1 + over_x, 1 + over_y)])
    spread = corners @ np.stack([across, down])
    origin = corner + (side - (spread.min(axis=0) + spread.max(axis=0))) / 2.0
    return Window(origin, across, down, (over_x, over_y))


def _scaled(values: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    import cv2

    if len(values) <= side_px:
        return values
    size = (side_px, side_px)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)

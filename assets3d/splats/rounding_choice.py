"""Which guess to take for what four level pictures leave open: outlines say, and colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assets3d.splats.boxes import looks_like_a_box
from assets3d.splats.hull import Hull, carve_box
from assets3d.splats.photo_consistency import Consistency, photo_consistency
from assets3d.splats.rounding import Rounding, round_or_box, rounded_distance, score
from assets3d.splats.silhouettes import Silhouettes, direction_groups, sightings
from assets3d.splats.turned import find_turned
from assets3d.views.posed import Views

#: Colours say box where on a round surface they differ by at least this part of what they do by
#: chance, and on a box's by at most such a part of it where two views share such a part of the box.
#: Chosen on 160 props that no benchmark has.
_ROUND_CONTRADICTED = 0.7
_BOX_SHARE_AND_AGREES = ((0.006, 0.72), (0.002, 0.52))
#: They say round where on a round surface they differ by at most this part of chance.
_ROUND_AGREES = 0.3
#: A thing of one colour says nothing.
_COLOURLESS = 0.01
#: Voxels along the cube on which colours are compared.
_VOXELS = 48


def best_rounding(
    views: Views,
    silhouettes: Silhouettes,
    coarse: Hull,
    centre: NDArray[np.float64],
    half: float,
) -> Rounding:
    """Return the guess that fits outlines and colours best.

    What was turned about an axis needs no guess, but for what is beside it.

    Args:
        views: from four level directions.
        silhouettes: theirs.
        coarse: the bare hull on a coarse grid.
        centre: (3,) of a cube that just holds the object.
        half: half the cube's side.
    """
    box = looks_like_a_box(views.cameras, silhouettes)
    turned = None if box else find_turned(views.cameras, silhouettes)
    if turned is not None:
        return Rounding(turned=turned)
    told = _told_by_colours(
        lambda guess: photo_consistency(
            views, carve_box(views.cameras, silhouettes, centre, half, _VOXELS, guess, coarse)
        )
    )
    if told is not None and told != box:
        box = told
        turned = None if box else find_turned(views.cameras, silhouettes)
        if turned is not None:
            return Rounding(turned=turned)
    trial, candidates = _Trial(views, silhouettes, coarse), round_or_box(box)
    return candidates[int(np.argmax([trial.score(guess) for guess in candidates]))]


class _Trial:
    """The coarse hull's points, on which guesses are tried."""

    def __init__(self, views: Views, silhouettes: Silhouettes, coarse: Hull):
        side = coarse.distance.shape[0]
        self.cameras, self.silhouettes, self.coarse = views.cameras, silhouettes, coarse
        self.points = coarse.points.astype(np.float32).reshape(side**2, -1, 3)
        self.bare = coarse.distance.reshape(self.points.shape[:2])
        self.volume = float((self.bare > 0.0).sum())
        self.groups, self.centre = direction_groups(views.cameras), coarse.bounds.mean(axis=0)
        self.where = sightings(views.cameras, self.points)

    def distance(self, guess: Rounding) -> NDArray[np.float32]:
        """Return the signed distance (A, B) of the hull with the guess taken off."""
        place = self.where, self.points, self.centre
        rounded = rounded_distance(self.cameras, self.groups, self.silhouettes, *place, guess)
        return np.minimum(self.bare, rounded)

    def score(self, guess: Rounding) -> float:
        """Return how well the guess fills the outlines for its volume."""
        distance = self.distance(guess)
        return score(self.silhouettes, self.where, distance, self.coarse.spacing, self.volume)


def _told_by_colours(consistency: Callable[[Rounding], Consistency | None]) -> bool | None:
    """Tell a box (True) from a round thing (False) by the colours that two views share, or None."""
    flat = True, True
    as_round = consistency(round_or_box(False, flat)[0])
    if as_round is None or as_round.by_chance < _COLOURLESS:
        return None
    ratio = as_round.difference / as_round.by_chance
    if ratio < _ROUND_AGREES:
        return False
    if ratio < _ROUND_CONTRADICTED:
        return None
    as_box = consistency(round_or_box(True, flat)[0])
    if as_box is None:
        return None
    part = as_box.difference / as_round.difference
    agrees = any(as_box.share >= share and part <= most for share, most in _BOX_SHARE_AND_AGREES)
    return True if agrees else None

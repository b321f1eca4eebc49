"""Scores of several tries at one prop, and which of them is the best.

A candidate is judged by what can be measured without knowing the truth: whether its picture follows
the words, whether the cutout raised doubts, and whether its imagined views are of one object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.images.following import Judge, following
from assets3d.splats.agreement import agreement
from assets3d.splats.gaussians import Gaussians
from assets3d.views.consistency import PLAUSIBLE, contradiction
from assets3d.views.posed import Views

#: What one doubt about a cutout, or views of different sizes, leave of a score.
_DOUBTED = 0.8
_DIGITS = 4
#: Behind the pictures of the candidate that is kept.
_MARKED = (0.56, 0.80, 0.60)


@dataclass(frozen=True)
class Candidate:
    """One try.

    Attributes:
        cutout: the object, uint8 (H, W, 4), straight alpha.
        views: the four views, the front first.
        gaussians: the splats made from them.
        doubts: how many warnings the cutout has.
    """

    cutout: NDArray[np.uint8]
    views: Views
    gaussians: Gaussians
    doubts: int = 0


@dataclass(frozen=True)
class Scores:
    """How good a candidate is; shares are 0..1, 1 is perfect.

    Attributes:
        prompt: how well the picture follows the words; None where nobody can tell.
        front_iou: outline of the splats' front against the cutout's, intersection over union.
        consistency: how far the other views agree with the splats, outline times colour.
        doubts: warnings of the cutout, and one for views that differ in size.
    """

    prompt: float | None
    front_iou: float
    consistency: float
    doubts: int

    @property
    def total(self) -> float:
        """The geometric mean of what was measured, less for every doubt: one bad part tells."""
        parts = [self.front_iou, self.consistency]
        parts += [] if self.prompt is None else [self.prompt]
        mean = float(np.prod(parts) ** (1.0 / len(parts)))
        return round(mean * _DOUBTED**self.doubts, _DIGITS)


def scores_of(
    candidate: Candidate,
    prompt: str | None,
    *,
    judges: Sequence[Judge] | None = None,
    threads: int | None = None,
) -> Scores:
    """Measure a candidate.

    Args:
        candidate: the try.
        prompt: its words, or None where it was not drawn from words.
        judges: who says how well it follows them, see `assets3d.images.following`.
        threads: of the rasteriser.
    """
    found = agreement(candidate.gaussians, candidate.views, threads)
    differ = len(candidate.views.rgba) == 4 and contradiction(candidate.views.rgba) > PLAUSIBLE
    followed = None if prompt is None else following(candidate.cutout, prompt, judges)
    return Scores(
        None if followed is None else round(followed, _DIGITS),
        round(found.front_iou, _DIGITS),
        round(found.consistency, _DIGITS),
        candidate.doubts + int(differ),
    )


def best(totals: Mapping[int, float]) -> int:
    """Return the number with the highest total; the lowest of those that are equal."""
    if not totals:
        raise ValueError("best: no candidates")
    return max(sorted(totals), key=lambda number: totals[number])


def strip(
    candidates: Mapping[int, Candidate],
    totals: Mapping[int, float],
    chosen: int,
    *,
    size_px: int = 192,
    threads: int | None = None,
) -> NDArray[np.uint8]:
    """Return one picture of all candidates: a column each, what is kept on green.

    From above: the cutout, the splats from beside the front, the splats from behind.

    Args:
        candidates: by number.
        totals: their scores.
        chosen: the number of the one that is kept.
        size_px: side of each picture.
        threads: of the rasteriser.
    """
    from assets3d.images.picture import resize_premultiplied
    from assets3d.images.sheet import NEUTRAL, contact_sheet
    from assets3d.splats.preview import spin

    columns = []
    for number in sorted(candidates):
        one = candidates[number]
        turned = spin(one.gaussians, frames=8, size_px=size_px, threads=threads)
        cell = contact_sheet(
            [resize_premultiplied(one.cutout, size_px), turned[1], turned[4]],
            columns=1,
            gap_px=4,
            background=_MARKED if number == chosen else NEUTRAL,
        )
        columns.append(cell)
    labels = [f"{n}: {totals[n]:.3f}{', kept' if n == chosen else ''}" for n in sorted(candidates)]
    return contact_sheet(columns, len(columns), labels)

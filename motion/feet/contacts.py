"""When feet stand: low and slow, with hysteresis, calibrated foot by foot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ContactSettings:
    """Thresholds; the speeds are a constant plus a share of the body's own speed.

    A foot in swing moves at about twice the body's speed, one that should stand but skates at a
    tenth or two of it. A contact begins below the lower thresholds and ends above the higher ones.
    """

    begin_height_m: float = 0.022
    end_height_m: float = 0.035
    begin_speed_m_s: float = 0.3
    begin_share: float = 0.12
    end_speed_m_s: float = 0.6
    end_share: float = 0.2
    smoothing_s: float = 0.012
    shortest_s: float = 0.05


def found_contacts(
    feet_m: Array, body_m: Array, fps: float, settings: ContactSettings | None = None
) -> NDArray[np.bool_]:
    """Return (T, F) whether each foot stands.

    Args:
        feet_m: (T, F, 3) places of the feet in the world.
        body_m: (T, 3) place of the body, whose speed the feet's are held against.
        fps: frames a second.
        settings: thresholds.
    """
    settings = settings or ContactSettings()
    smooth = settings.smoothing_s * fps
    places = gaussian_filter1d(feet_m, smooth, axis=0, mode="nearest")
    speeds = _speeds(places, fps)
    body = gaussian_filter1d(_speeds(body_m[:, None], fps)[:, 0], 0.1 * fps, mode="nearest")
    heights = places[..., 1] - calibrated_heights(feet_m, body_m, fps)
    slow = settings.begin_speed_m_s + settings.begin_share * body[:, None]
    fast = settings.end_speed_m_s + settings.end_share * body[:, None]
    begins = (heights < settings.begin_height_m) & (speeds < slow)
    ends = (heights > settings.end_height_m) | (speeds > fast)
    standing = _hysteresis(begins, ends)
    shortest = max(round(settings.shortest_s * fps), 1)
    return _without_short(_without_short(standing, shortest, False), shortest, True)


def calibrated_heights(feet_m: Array, body_m: Array, fps: float) -> Array:
    """Return (F,) the height of each foot's joint while it stands, as this motion has it.

    The median height of the slow frames among the lowest third: captured paws carry their markers
    at different heights, and a network's feet float or sink by a centimetre.
    """
    speeds = _speeds(feet_m, fps)
    limit = 0.1 + 0.2 * np.median(_speeds(body_m[:, None], fps))
    found = np.zeros(feet_m.shape[1])
    for foot in range(feet_m.shape[1]):
        heights = feet_m[:, foot, 1]
        low = heights <= np.quantile(heights, 1 / 3)
        slow = low & (speeds[:, foot] < limit)
        found[foot] = np.median(heights[slow if slow.any() else low])
    return found


def intervals(standing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and one past the last frame of each run of True in a (T,) array."""
    edges = np.diff(np.concatenate([[0], standing.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))


def _speeds(places_m: Array, fps: float) -> Array:
    """Return (T, F) horizontal speeds, the faster of the steps to and from each frame.

    A foot stands in a frame only if it rested before and after: the mean of the two would add a
    frame at each end of a contact, a tenth of a stance in canter.
    """
    if len(places_m) < 2:
        return np.zeros(places_m.shape[:2])
    steps = np.linalg.norm(np.diff(places_m[..., [0, 2]], axis=0), axis=-1) * fps
    return np.asarray(np.maximum(np.vstack([steps[:1], steps]), np.vstack([steps, steps[-1:]])))


def _hysteresis(begins: NDArray[np.bool_], ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the state that `begins` switches on and `ends` switches off, off at first."""
    change = np.where(ends, 0, np.where(begins, 1, -1))
    last = np.where(change >= 0, np.arange(len(change))[:, None], -1)
    last = np.maximum.accumulate(last, axis=0)
    state = np.take_along_axis(change, np.maximum(last, 0), axis=0)
    return np.asarray((last >= 0) & (state == 1))


def _without_short(standing: NDArray[np.bool_], shortest: int, what: bool) -> NDArray[np.bool_]:
    """Return the array with runs of `what` shorter than so many frames turned over.

    Runs that touch the clip's ends stay: nobody knows how long they are.
    """
    result = standing.copy()
    for foot in range(standing.shape[1]):
        for first, last in intervals(standing[:, foot] == what):
            if last - first < shortest and first > 0 and last < len(standing):
                result[first:last, foot] = not what
    return result

"""Procedural quadruped motion: long clips of walking, trotting, sitting and jumping from a seed.

The project's own training data and test fixture. Nothing here was captured from an animal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.clip import Clip, Section, local_rotations
from motion.features import MOVE, STYLES
from motion.gaits.cycles import gait_cycle
from motion.gaits.footfalls import footfalls
from motion.gaits.legs import solve_legs
from motion.gaits.postures import make_trunk
from motion.gaits.timeline import GAIT_SPEEDS, Part, curves, random_timeline
from motion.skeleton import QUADRUPED


@dataclass(frozen=True)
class GaitClip:
    """A clip and what is known about it because it was made.

    Attributes:
        clip: the motion, with `ground` and a section for each part of the timeline.
        styles: (T, 6) soft labels, each row sums to 1.
        contacts: (T, 4) bool, which paws stand.
        speed_mps: (T,) of the path.
        fell_short_m: (T, 4) how far a paw stayed from where it should have been; 0 in a good clip.
    """

    clip: Clip
    styles: NDArray[np.float64]
    contacts: NDArray[np.bool_]
    speed_mps: NDArray[np.float64]
    fell_short_m: NDArray[np.float64]


def make_gaits(
    parts: list[Part], *, seed: int = 0, fps: float = 60.0, name: str = "gaits"
) -> GaitClip:
    """Animate a timeline.

    The seed chooses where the slow clock of breathing and looking about starts.
    """
    generator = np.random.default_rng(seed)
    track = curves(parts, fps)
    cycle = gait_cycle(track)
    lively = generator.uniform(0, 2 * np.pi) + 2 * np.pi * 0.22 * np.arange(len(track.styles)) / fps
    trunk = make_trunk(track, cycle, lively.astype(np.float64))
    feet = footfalls(cycle, trunk.home_m, trunk.rise_m, fps)
    turns, places, short = solve_legs(trunk, feet)
    clip = Clip(
        QUADRUPED,
        places[:, 0],
        local_rotations(QUADRUPED, turns),
        fps,
        name,
        _sections(parts, fps),
        track.ground,
    )
    return GaitClip(
        clip, track.styles, _standing(feet.contacts, trunk.tucked, short), track.speed_mps, short
    )


def random_gaits(seed: int, seconds: float, *, fps: float = 60.0) -> GaitClip:
    """Animate a random timeline; the same seed gives the same clip."""
    parts = random_timeline(np.random.default_rng(seed), seconds)
    return make_gaits(parts, seed=seed, fps=fps, name=f"gaits_{seed}")


def _standing(
    contacts: NDArray[np.bool_], tucked: NDArray[np.float64], short: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which planned contacts took place: not those of lifted fore paws or short legs."""
    took_place = contacts & (short < 1e-3)
    took_place[:, :2] &= (tucked <= 0.0)[:, None]
    return took_place


def _sections(parts: list[Part], fps: float) -> tuple[Section, ...]:
    sections, first = [], 0
    for part in parts:
        count = max(1, round(part.seconds * fps))
        sections.append(Section(_name(part), first, first + count))
        first += count
    return tuple(sections)


def _name(part: Part) -> str:
    if part.style != MOVE:
        return "rear" if STYLES[part.style] == "stand" else STYLES[part.style]
    return min(
        GAIT_SPEEDS, key=lambda gait: abs(np.log(GAIT_SPEEDS[gait] / max(part.speed_mps, 0.05)))
    )

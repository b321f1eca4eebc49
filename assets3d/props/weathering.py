"""Which wear a prop gets: only what its materials take, and only where it shows clearly."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.props.dice import Dice
from assets3d.props.materials import materials_taking
from assets3d.props.prop import Prop, field_normal
from assets3d.props.wear import WEARS, shown

_POINTS = 1500


def choose_wear(prop: Prop, points: NDArray[np.float64], outdoors: bool, dice: Dice) -> str:
    """Draw a kind of wear for a prop; "" where none would show.

    Args:
        prop: the prop, without wear.
        points: (M, 3) points of its surface, normalised units.
        outdoors: whether it stands in the open.
        dice: one draw, whatever the prop.
    """
    shares = wear_shares(prop, points)
    fitting = [
        name
        for name, (taken, seen) in shares.items()
        if (outdoors or not WEARS[name].outdoors)
        and taken >= WEARS[name].share
        and seen >= WEARS[name].least
        and not _unseen_or_said(prop, name)
    ]
    place = dice.between(0.0, 1.0)
    return fitting[int(place * len(fitting))] if fitting else ""


def wear_shares(prop: Prop, points: NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """Return for each kind of wear the part of a surface that takes it, and where it would show.

    The second is a part of what faces the front, because a caption is read beside that picture.
    """
    chosen = points[:: max(1, len(points) // _POINTS)]
    with torch.inference_mode():
        x, y, z = (torch.from_numpy(np.ascontiguousarray(c)).float() for c in chosen.T)
        index = prop.nearest_part((x, y, z))
        normal = field_normal(prop.distance, (x, y, z), 1.5e-3)
        front = (normal[2] > 0.15).float()
        front /= front.sum().clamp_min(1.0)
        found = {}
        for name, kind in WEARS.items():
            takes = materials_taking(prop, (x, y, z), index, kind.materials)
            there = shown(name, (x, y, z), normal, prop.seed) * takes
            found[name] = float(takes.float().mean()), float(((there > 0.5) * front).sum())
    return found


def _unseen_or_said(prop: Prop, wear: str) -> bool:
    words, main = prop.words, prop.parts[0]
    # "A rusty wooden spear" would say that of the wood; a dagger is called rusty for its blade.
    named = bool(words.colour or words.material)
    if (named or wear != "rusty") and main.material not in WEARS[wear].materials:
        return True
    if wear == "cracked":  # dark lines on a dark thing cannot be seen
        return max(main.colour) < 0.35
    return wear == "mossy" and any("moss" in detail for detail in words.details)

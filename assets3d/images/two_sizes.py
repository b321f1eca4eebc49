"""Draw small first, then enlarge and draw on: what other programs call a high-resolution fix.

A model lays out best at the size it was trained at. Larger pictures that begin from noise repeat
or lose parts; those that begin from an enlarged small one keep its layout and gain detail.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.images.memory import Memory
from assets3d.images.steering import Steering, check_strength, generate_steered

_FIELD = "image.first"


@dataclass(frozen=True)
class First:
    """The small picture that comes first.

    Attributes:
        size_px: its side.
        strength: 0..1, how much of the enlarged picture is drawn anew.
    """

    size_px: int
    strength: float = 0.4


def read_first(section: Mapping[str, Any]) -> First | None:
    """Read `first: {size_px, strength}` of a profile's section; None where there is none.

    Raises:
        InputError: other fields, or numbers out of range.
    """
    given = section.get("first")
    if given is None:
        return None
    wanted = "wanted {size_px: a smaller side, strength: 0 to 1}"
    if not isinstance(given, Mapping) or not {"size_px"} <= given.keys() <= {"size_px", "strength"}:
        raise InputError(f"{_FIELD}: found {given!r}, {wanted}")
    first = First(given["size_px"], given.get("strength", First.strength))
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for value in (first.size_px, first.strength)
    )
    if not numbers or not 0 < first.size_px < section["size_px"] or not 0 < first.strength <= 1:
        raise InputError(f"{_FIELD}: found {given!r}, {wanted}")
    return first


def generate_at_two_sizes(
    pipeline: Any,
    prompt: str,
    steering: Steering,
    first: First,
    *,
    seed: int,
    steps: int,
    guidance: float,
    size_px: int,
    negative_prompt: str = "",
    memory: Memory | None = None,
) -> NDArray[np.uint8]:
    """Make one picture as `generate_steered` does, by way of a smaller one.

    Args:
        pipeline: from `load_pipeline`; afterwards it is as before.
        prompt: what to show.
        steering: what steers both; its `init_picture` is what the small one starts from.
        first: the small one.
        seed: see `generate_steered`.
        steps: of the small one; the large one takes the share `first.strength` of as many.
        guidance: see `generate_steered`.
        size_px: side of the large one; its proportions are the small one's.
        negative_prompt: see `generate_steered`.
        memory: see `generate_steered`.

    Raises:
        InputError: see `generate_steered`; a strength that is less than one step.
    """
    check_strength(pipeline, first.strength, steps)
    settings: dict[str, Any] = {
        "seed": seed,
        "steps": steps,
        "guidance": guidance,
        "negative_prompt": negative_prompt,
        "memory": memory,
    }
    small = generate_steered(pipeline, prompt, steering, size_px=first.size_px, **settings)
    factor = size_px / first.size_px
    height, width = (round(factor * side) for side in small.shape[:2])
    enlarged = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    on = dataclasses.replace(
        steering, init_picture=np.asarray(enlarged, np.uint8), strength=first.strength
    )
    return generate_steered(pipeline, prompt, on, size_px=size_px, **settings)

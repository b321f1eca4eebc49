"""Scripts that the motion benchmark runs: each gait and style by itself, and random ones."""

from __future__ import annotations

from typing import Any

import numpy as np

Entries = list[dict[str, Any]]

GAITS = ("walk", "pace", "trot", "canter")
STYLES = ("idle", "sit", "lie", "rear", "jump")


def scripts_of_each(seconds: float) -> dict[str, Entries]:
    """Return a script for every gait (straight, left, right, straight) and every style.

    A style is left for walking and taken up again three times, since that is where it breaks.
    """
    fourth, sixth = f"{seconds / 4} s", f"{seconds / 6} s"
    found: dict[str, Entries] = {}
    for gait in GAITS:
        turn = 25 if gait == "canter" else 40
        found[gait] = [
            {gait: fourth},
            {gait: fourth, "turn": f"{turn} deg/s"},
            {gait: fourth, "turn": f"{-turn} deg/s"},
            {gait: fourth},
        ]
    for style in STYLES[:-1]:
        found[style] = [{"walk": sixth}, {style: sixth}] * 3
    runs = max(1, round(seconds / 15))
    found["jump"] = [{"trot": f"{seconds / runs - 5} s"}, {"jump": 3}] * runs
    return found


def random_script(seed: int, seconds: float) -> Entries:
    """Return commands of 2 to 8 s each that last about `seconds` together, with every kind."""
    random = np.random.default_rng(seed)
    entries, total = Entries(), 0.0
    while total < seconds:
        length = min(float(random.uniform(2.0, 8.0)), max(seconds - total, 1.0))
        entry, length = _random_entry(random, round(length, 2))
        entries.append(entry)
        total += length
    return entries


def _random_entry(random: np.random.Generator, length: float) -> tuple[dict[str, Any], float]:
    time, kind = f"{length} s", random.uniform()
    turn = f"{random.uniform(-60.0, 60.0):.1f} deg/s"
    if kind < 0.5:
        gait = str(random.choice(GAITS))
        return ({gait: time, "turn": turn} if random.uniform() < 0.6 else {gait: time}), length
    if kind < 0.7:
        speed, heading = random.uniform(0.4, 4.0), random.uniform(-180.0, 180.0)
        return {"move": time, "speed": f"{speed:.2f} m/s", "heading": f"{heading:.0f} deg"}, length
    if kind < 0.8:
        return {"jump": int(random.integers(1, 3))}, 3.0
    return {str(random.choice(STYLES[:-1])): time}, length


def steady_cases(seconds: float) -> dict[str, Entries]:
    """Return one command each whose steady state is compared with what was asked for."""
    cases: dict[str, Entries] = {}
    for speed in (0.5, 0.7, 1.0, 1.2, 1.6, 2.0, 3.0, 4.0):
        move = {"move": f"{seconds} s", "speed": f"{speed} m/s"}
        cases[f"{speed} m/s"] = [move]
        cases[f"{speed} m/s, heading 90"] = [move | {"heading": "90 deg"}]
        if speed <= 3.0:
            cases[f"{speed} m/s, turn 30"] = [move | {"turn": "30 deg/s"}]
            cases[f"{speed} m/s, turn -30"] = [move | {"turn": "-30 deg/s"}]
    return cases

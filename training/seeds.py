"""Which props may be trained on, which validate, and which are never drawn here.

Benchmarks draw seeds from 1,000,000 up and the held-out families; neither may reach a training set.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Training seeds, then validation seeds; benchmark seeds start where these end.
TRAINING_SEEDS = range(0, 990_000)
VALIDATION_SEEDS = range(990_000, 1_000_000)
FIRST_BENCHMARK_SEED = 1_000_000


def training_families() -> tuple[str, ...]:
    """Return the sorted names of the families a network may see."""
    from assets3d.props import FAMILIES, HELD_OUT_FAMILIES

    return tuple(sorted(set(FAMILIES) - set(HELD_OUT_FAMILIES)))


def choose_props(
    split: str, start: int, count: int, families: tuple[str, ...]
) -> list[tuple[str, int]]:
    """Return `count` (family, seed) pairs of a split, the families in turn, from place `start`.

    Raises:
        ValueError: the split has no such place.
    """
    seeds = {"training": TRAINING_SEEDS, "validation": VALIDATION_SEEDS}[split]
    if start + count > len(seeds):
        raise ValueError(f"{split}: found {start + count} props asked, wanted <= {len(seeds)}")
    chosen = [(families[i % len(families)], seeds[i]) for i in range(start, start + count)]
    assert_trainable(chosen)
    return chosen


def assert_trainable(props: Iterable[tuple[str, int]]) -> None:
    """Refuse benchmark seeds and held-out families.

    Raises:
        ValueError: naming the first prop that must stay unseen.
    """
    from assets3d.props import HELD_OUT_FAMILIES

    for family, seed in props:
        if family in HELD_OUT_FAMILIES or not 0 <= seed < FIRST_BENCHMARK_SEED:
            raise ValueError(f"props: found {family} {seed}, which is kept for benchmarks")

"""What became of an asset's candidates, told from the folders of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets3d.errors import InputError
from stages._candidates import (
    CANDIDATE_STEPS,
    CHOICE,
    candidate,
    chosen,
    item_name,
    numbers,
    several,
)
from stages._failures import Failure
from stages._records import read_record
from stages.specs import Spec


@dataclass(frozen=True)
class CandidateReport:
    """One of several tries at an asset.

    Attributes:
        folders: step -> folder of its item, for the steps that it got through.
        score: what it was chosen by; None where it failed or nothing was chosen.
        seed: what an entry of its own would need to say.
        failure: what stopped it.
    """

    folders: Mapping[str, Path]
    score: float | None
    seed: int
    failure: Failure | None


def candidates_of(
    name: str,
    spec: Spec | None,
    folders: Sequence[Path],
    failures: Mapping[str, Sequence[Failure]],
    there: Mapping[str, Path],
) -> dict[int, CandidateReport]:
    """Return what became of an asset's candidates; nothing where it has none."""
    if spec is None or not several(spec):
        return {}
    record = (read_record(there[CHOICE]) if CHOICE in there else None) or {"numbers": {}}
    told = record["numbers"]
    scores = dict(zip(told.get("tried", ()), told.get("score", ()), strict=True))
    found = {}
    for number in numbers(spec):
        item = item_name(name, number)
        places = {f.name: f / item for f in folders if f.name in CANDIDATE_STEPS}
        found[number] = CandidateReport(
            {step: place for step, place in places.items() if place.is_dir()},
            scores.get(number),
            candidate(spec, number).seed,
            next(iter(failures.get(item, ())), None),
        )
    return found


def kept_folders(
    there: Mapping[str, Path], candidates: Mapping[int, CandidateReport]
) -> Mapping[str, Path]:
    """Return the folders of the candidate that was chosen; without a choice the first one's."""
    if not candidates:
        return {}
    try:
        number = chosen(read_record(there[CHOICE])) if CHOICE in there else 1
    except InputError:
        number = 1
    return candidates[number].folders if number in candidates else {}

"""Several candidates of one prop, of which one is kept.

An entry `mug` with `candidates: 4` is for the steps that draw and shape four items, `mug~1` to
`mug~4`, of the same entry with a seed each. `choose` looks at all of them; for the steps that
follow, `mug` is the chosen candidate's entry, and reads the chosen candidate's items. An entry
without candidates goes through all of this unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from assets3d.errors import InputError
from assets3d.randomness import step_seed
from stages._failures import Cause, Failure
from stages.specs import Spec

#: The steps that make an item per candidate, in order.
CANDIDATE_STEPS = ("image", "cutout", "views", "splats")
#: The step that looks at all candidates.
CHOICE = "choose"
#: Between an id and a candidate's number: no id can hold it.
_MARK = "~"
#: Seeds of candidates stay short enough for a person to copy.
_SEEDS = 2**31


def several(spec: Spec) -> bool:
    """Tell whether an entry wants more than one candidate."""
    return int(getattr(spec, "candidates", 1)) > 1


def item_name(asset: str, number: int | str) -> str:
    """Return the name of a candidate's items; with `*` the pattern of all."""
    return f"{asset}{_MARK}{number}"


def asset_of(name: str) -> str:
    """Return the asset that an item belongs to."""
    return name.partition(_MARK)[0]


def number_of(name: str) -> int | None:
    """Return which candidate an item is of; None where its asset has none."""
    _, mark, number = name.partition(_MARK)
    return int(number) if mark else None


def numbers(spec: Spec) -> range:
    """Return the candidates' numbers, from 1 as the gallery shows them."""
    return range(1, int(getattr(spec, "candidates", 1)) + 1)


def candidate(spec: Spec, number: int) -> Spec:
    """Return the entry that makes one candidate.

    The first has the entry's own seed: whoever asks for more candidates keeps what is there.
    """
    seed = spec.seed if number == 1 else step_seed(spec.seed, f"candidate {number}") % _SEEDS
    return spec.model_copy(update={"seed": seed, "candidates": 1, "pin": None})


def items_of(step: str, assets: Mapping[str, Spec]) -> dict[str, Spec]:
    """Return the names and entries of a step's items, in the order of the assets."""
    found: dict[str, Spec] = {}
    for name, spec in assets.items():
        if step in CANDIDATE_STEPS and several(spec):
            found |= {item_name(name, n): candidate(spec, n) for n in numbers(spec)}
        else:
            found[name] = spec
    return found


def made(name: str, spec: Spec, lost: Iterable[str]) -> list[int]:
    """Return the numbers of the candidates that no step lost."""
    gone = set(lost)
    return [number for number in numbers(spec) if item_name(name, number) not in gone]


def cannot_choose(name: str, spec: Spec, lost: Mapping[str, Failure | None]) -> Failure | None:
    """Return why there is nothing to choose from, or None.

    Args:
        name: the asset.
        spec: its entry.
        lost: items that a step could not build, and why where that is known.
    """
    there, pin = made(name, spec, lost), getattr(spec, "pin", None)
    if there and (pin is None or pin in there):
        return None
    wanted = numbers(spec) if pin is None else [pin]
    why = [f for f in (lost.get(item_name(name, n)) for n in wanted) if f is not None]
    first = f"{why[0].step}: {why[0].message}" if why else "an earlier step failed"
    cause: Cause = "passing" if any(failure.cause == "passing" for failure in why) else "input"
    if pin is None:
        return Failure(name, CHOICE, cause, f"all {len(wanted)} candidates failed: {first}")
    others = ", ".join(map(str, there)) or "none"
    text = f"pin: candidate {pin} failed ({first}), wanted one that was made: {others}"
    return Failure(name, CHOICE, cause, text)


def chosen(record: Mapping[str, Any] | None) -> int:
    """Return the number that the record of `choose` says.

    Raises:
        InputError: there is no record, or it says none.
    """
    number = ((record or {}).get("numbers") or {}).get("chosen")
    if not isinstance(number, int):
        raise InputError(f"{CHOICE}/record.json: missing or broken, wanted it from that step")
    return number

"""`assets3d explain`: what `dvc repro` would build, and why, one line per asset.

It follows the store, not the folders in runs/: what the store has is only linked again, and costs
nothing. Nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError
from stages import _failures
from stages._candidates import asset_of, number_of
from stages._executor import Work
from stages._failures import Failure, from_exception
from stages._plan import Plan, make_plan
from stages._project import Project
from stages._records import read_record
from stages._step import ITEM_STEPS, Step, find_step
from stages._verbs import find_spec
from stages.specs import Spec

#: How many changed fields, or files of code, a line names.
_SHOWN = 3


@dataclass(frozen=True)
class Explanation:
    """What would happen.

    Attributes:
        lines: one per asset that would be built or cannot be, in the order of the manifest.
        failed: how many cannot be built as things are.
    """

    lines: list[str]
    failed: int


@dataclass(frozen=True)
class _StepState:
    """What is known of one step: its last failures and the code it last ran with."""

    project: Project
    step: str

    @cached_property
    def failures(self) -> dict[str, Failure]:
        failed = _failures.read_failures(self.project.runs / self.step).failed
        return {failure.asset: failure for failure in failed}

    @cached_property
    def code(self) -> dict[str, str]:
        try:
            path = self.project.runs / ".state" / f"{self.step}.json"
            return json.loads(path.read_text(encoding="utf-8"))["code"]
        except (OSError, ValueError, KeyError):
            return {}


def explain(project: Project, only: str | None = None) -> Explanation:
    """Say for every asset which step is the first to be built, and which field changed.

    Raises:
        InputError: the manifest cannot be read, or has no asset `only`.
    """
    manifest = project.manifest()
    problems = {name: f"manifest: {text}" for name, text in manifest.problems.items()}
    if only is not None and only not in problems:
        find_spec(project, only)
    wanted = {n: s for n, s in manifest.assets.items() if only in (None, n)}
    reasons, failed = _reasons(project, wanted)
    found = {**reasons, **{n: t for n, t in problems.items() if only in (None, n)}}
    order = [n for n in (*manifest.assets, *problems) if n in found]
    lines = [f"{name}: {found[name]}" for name in order]
    return Explanation(lines, failed + sum(1 for name in found if name in problems))


def _reasons(project: Project, wanted: Mapping[str, Spec]) -> tuple[dict[str, str], int]:
    """Return a text per asset that is not finished, and how many of them cannot be built."""
    reasons: dict[str, str] = {}
    stopped: set[str] = set()
    items: dict[str, dict[str, Path]] = {}
    lost: dict[str, Failure | None] = {}
    for step_name in ITEM_STEPS:
        step = find_step(step_name)
        known = {n: s for n, s in wanted.items() if step.takes(s) and n not in reasons}
        plan = _plan(project, step, known, items, lost)
        state = _StepState(project, step_name)
        for failure in plan.failures:
            name = asset_of(failure.asset)
            reasons[name] = f"{step_name}: cannot be built: {failure.message}"
            stopped.add(name)
        missing: dict[str, list[Work]] = {}
        for work in plan.work:
            item = project.store.find(step_name, work.key)
            if item is not None:
                items.setdefault(work.asset, {})[step_name] = item.folder
                continue
            earlier = state.failures.get(work.asset)
            if earlier is not None and earlier.cause != "passing":
                if number_of(work.asset) is not None:
                    lost[work.asset] = earlier  # the others do without it
                    continue
                stopped.add(work.asset)
            missing.setdefault(asset_of(work.asset), []).append(work)
        for name, works in missing.items():
            reason = _reason(project, works[0], state, plan.code)
            which = _which(works)
            reasons[name] = f"{step_name}: {which}{reason}{_later(wanted[name], step_name)}"
    return reasons, len(stopped)


def _which(works: Sequence[Work]) -> str:
    """Say of which candidates the talk is, where there are any."""
    numbers = [number for work in works if (number := number_of(work.asset)) is not None]
    if not numbers:
        return ""
    return f"candidate{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}: "


def _plan(
    project: Project,
    step: Step,
    known: Mapping[str, Spec],
    items: Mapping[str, Mapping[str, Path]],
    lost: Mapping[str, Failure | None],
) -> Plan:
    """Make the step's keys; what is wrong with the profile is every asset's failure."""
    try:
        params = {**project.params(step.name), "download": False}
    except AssetError as error:
        failures = tuple(from_exception(name, step.name, error) for name in known)
        return Plan((), failures, (), {})
    return make_plan(step, params, known, lambda before, name: items[name][before], lost)


def _later(spec: Spec, step_name: str) -> str:
    later = ITEM_STEPS[ITEM_STEPS.index(step_name) + 1 :]
    names = [name for name in later if find_step(name).takes(spec)]
    return f"; then {', '.join(names)}" if names else ""


def _reason(project: Project, work: Work, state: _StepState, code: Mapping[str, str]) -> str:
    """Say why an item that the store does not have must be built."""
    failure = state.failures.get(work.asset)
    if failure is not None:
        again = "will be tried again" if failure.cause == "passing" else "failed last time"
        return f"{again}: {failure.message}"
    record = read_record(project.runs / state.step / work.asset)
    if record is None:
        return "new"
    if record["key"] == work.key:
        return "its item in the store is damaged or gone"
    old = project.store.read(state.step, record["key"])
    if old is None:
        return "new"
    changed = list(_differences(old.parts, work.parts))
    if "code" in {field for field, _ in changed}:
        files = sorted(f for f in {*state.code, *code} if state.code.get(f) != code.get(f))
        changed = [
            (f, f"{_few(files, ', ')} changed" if f == "code" and files else t) for f, t in changed
        ]
    return _few([f"{field}: {text}" for field, text in changed], "; ")


def _few(texts: list[str], between: str) -> str:
    """Join the first texts: a line is for reading."""
    more = len(texts) - _SHOWN
    return between.join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _differences(old: Any, new: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            below = f"{field}.{name}" if field else name
            yield from _differences(old.get(name), new.get(name), below)
    else:
        yield field, f"{_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    is_hash = isinstance(value, str) and len(value) == 64
    return text[1:9] if is_hash else text

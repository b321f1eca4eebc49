"""A part of the manifest, built into the store alone: for machines that share a folder, no daemon.

Each of N machines builds its part, all steps of it, and touches no step's folder; DVC, on one
machine, then finds everything in the store and only links it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assets3d.errors import InputError
from stages._candidates import number_of
from stages._executor import make_executor
from stages._failures import Failure
from stages._harness import warnings_of
from stages._plan import make_plan
from stages._progress import failure_lines, say, with_progress
from stages._project import Project
from stages._step import ITEM_STEPS, find_step
from stages._store import StoredItem
from stages.specs import Spec


@dataclass(frozen=True)
class Shard:
    """The `number`-th of `of` parts of the manifest, from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Shard:
        """Read `3/16`.

        Raises:
            InputError: it is no such text.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise InputError(f"shard: found {text!r}, wanted I/N, such as 3/16")
        return cls(int(found[1]), int(found[2]))

    def of_assets(self, assets: Mapping[str, Spec]) -> dict[str, Spec]:
        """Return this part: every `of`-th asset, so that neighbours, often alike, spread."""
        return dict(list(assets.items())[self.number - 1 :: self.of])


def build_shard(project: Project, shard: Shard) -> list[Failure]:
    """Build every step of a part of the manifest into the store; return what failed.

    A candidate that fails is said, and no failure of its asset while another is there.
    """
    assets = shard.of_assets(project.manifest().assets)
    executor, store = make_executor(project.settings), project.store
    store.sweep()
    items: dict[tuple[str, str], StoredItem] = {}
    lost: dict[str, Failure | None] = {}
    for step in map(find_step, ITEM_STEPS):
        if not any(step.takes(spec) for spec in assets.values()):
            continue
        params = project.params(step.name)
        plan = make_plan(
            *(step, params, assets, lambda before, name: items[before, name].folder, lost)
        )
        found = list(plan.failures)
        missing = {w.key: w for w in plan.work if store.find(step.name, w.key) is None}
        built = 0
        outcomes = executor.run(step.name, params, list(missing.values()), store)
        for outcome in with_progress(step.name, outcomes, list(missing.values())):
            if outcome.failure is None:
                built += 1
                continue
            same = [work.asset for work in plan.work if work.key == outcome.work.key]
            found += [replace(outcome.failure, asset=asset) for asset in same]
        failed = {failure.asset for failure in found}
        for work in plan.work:
            if work.asset in failed:
                continue
            item = store.read(step.name, work.key)
            assert item is not None, f"{step.name}: {work.key} is not in the store"
            items[step.name, work.asset] = item
            if work.key in missing:
                for warning in warnings_of(item.folder):
                    say(f"{work.asset}: {step.name}: warning: {warning}")
        for line in failure_lines(found):
            say(line)
        reused = len(plan.work) - len(missing)
        say(f"{step.name}: built {built}, reused {reused}, failed {len(found)}")
        lost |= {failure.asset: failure for failure in found}
    return [failure for failure in lost.values() if failure and number_of(failure.asset) is None]

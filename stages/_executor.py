"""Who builds the items: this process, or several; the bytes are the same.

An executor maps work to outcomes and puts each finished item into the store itself, so a run that
is killed loses nothing that was finished. `_executor_ray` has a pool on other machines: workers
need the store and the code, never DVC or Git.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from assets3d.errors import InputError
from assets3d.models import ModelFiles
from stages import _records
from stages._failures import Failure, from_exception
from stages._logged import logged_warnings
from stages._step import Item, Params, find_step
from stages._store import Store, discard


@dataclass(frozen=True)
class Work:
    """One item to build; plain data, so that it can travel to another process.

    Attributes:
        asset: the id that failures are reported under.
        key: its place in the store.
        parts: what the key was made of.
        spec: the manifest fields that the step reads, and `enters`.
        sources: what `Item.sources` will be.
        folders: what `Item.folders` will be.
        seed: what `Item.seed` will be.
        models: what `Item.models` will be.
    """

    asset: str
    key: str
    parts: Mapping[str, Any]
    spec: Mapping[str, Any]
    sources: Mapping[str, Path]
    folders: Mapping[str, Path]
    seed: int
    models: Mapping[str, ModelFiles] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one piece of work."""

    work: Work
    failure: Failure | None = None


class Executor(Protocol):
    """Builds items of one step into a store, in any order."""

    def run(
        self, step: str, params: Params, work: Sequence[Work], store: Store
    ) -> Iterator[Outcome]:
        """Yield one outcome per piece of work."""
        ...


class Builder:
    """Builds items of one step in this process; models are loaded at the first item."""

    def __init__(self, step: str, params: Params, store: Store) -> None:
        self.step = find_step(step)
        if params.get("model") == "standin":
            from stages._standins import stand_in

            self.step = stand_in(self.step)
        self.params, self.store = params, store
        self._loaded: list[Any] = []
        self._load_error: Exception | None = None

    def build(self, work: Work) -> Outcome:
        """Build one item into the store; every error but an interrupt becomes a failure."""
        folder: Path | None = None
        started = time.perf_counter()
        try:
            models = self._models()
            folder = self.store.temporary()
            item = Item(
                work.spec, self.params, work.sources, work.folders, folder, work.seed, work.models
            )
            with logged_warnings() as logged:
                result = self.step.build(models, item)
            result = {**result, "warnings": [*result.get("warnings", []), *logged]}
            _records.write_record(folder, self.step, work.key, work.parts, item, result)
            seconds = time.perf_counter() - started
            self.store.put(self.step.name, work.key, dict(work.parts), folder, seconds)
            return Outcome(work)
        except Exception as error:
            if folder is not None:
                _discard_quietly(folder)
            return Outcome(work, from_exception(work.asset, self.step.name, error))

    def _models(self) -> Any:
        if self._load_error is not None:
            raise self._load_error
        if not self._loaded:
            _limit_threads(self.params)
            try:
                self._loaded.append(self.step.load(self.params))
            except Exception as error:
                # The next item would fail the same way, after the same seconds.
                self._load_error = error
                raise
        return self._loaded[0]


class LocalExecutor:
    """One item after the other in this process."""

    def run(
        self, step: str, params: Params, work: Sequence[Work], store: Store
    ) -> Iterator[Outcome]:
        """Yield outcomes in the order of the work."""
        builder = Builder(step, params, store)
        for one in work:
            yield builder.build(one)


class ProcessExecutor:
    """Several processes on this machine, each with its own models."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(
        self, step: str, params: Params, work: Sequence[Work], store: Store
    ) -> Iterator[Outcome]:
        """Yield outcomes as they finish; work whose process was killed fails in a passing way."""
        pool = ProcessPoolExecutor(
            min(self.workers, len(work)),
            mp_context=get_context("spawn"),
            initializer=_start_worker,
            initargs=(step, dict(params), store),
        )
        with pool:
            futures = {pool.submit(_build_in_worker, one): one for one in work}
            for future in as_completed(futures):
                try:
                    yield future.result()
                except Exception as error:
                    one = futures[future]
                    failure = from_exception(one.asset, step, error)
                    if failure.cause == "passing":
                        words = "a worker process was killed (memory?), will be tried again"
                        failure = replace(failure, message=words)
                    yield Outcome(one, failure)


_builders: list[Builder] = []


def _start_worker(step: str, params: Params, store: Store) -> None:
    _builders[:] = [Builder(step, params, store)]


def _build_in_worker(work: Work) -> Outcome:
    return _builders[0].build(work)


def make_executor(settings: Mapping[str, Any]) -> Executor:
    """Return the executor that configs/pipeline.yaml names.

    Raises:
        InputError: an unknown name, or settings of Ray that are wrong.
    """
    name, workers = settings.get("executor", "local"), int(settings.get("workers", 1))
    if name == "ray":
        # Imported here: it needs the bucket, the models' registry and much else.
        from stages._executor_cluster import read_ray_settings
        from stages._executor_ray import RayExecutor

        return RayExecutor(read_ray_settings(settings.get("ray")))
    if name != "local":
        raise InputError(f"executor: found {name!r}, wanted local or ray")
    return ProcessExecutor(min(workers, os.cpu_count() or 1)) if workers > 1 else LocalExecutor()


def _limit_threads(params: Params) -> None:
    """Let OpenMP and torch use the item's threads: their number changes the last bits of sums."""
    threads = params.get("threads")
    if threads is None:
        return
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # Threads that wait by spinning take the cores from each other on a machine that also does other
    # work: a views item then took 150 s instead of 2. It changes no result.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _discard_quietly(folder: Path) -> None:
    try:
        discard(folder)
    except OSError:
        pass  # the next run sweeps it

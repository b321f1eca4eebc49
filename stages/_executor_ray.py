"""Items on a Ray cluster: a pool of actors, each with its models loaded once.

Only keys and manifest fields travel through Ray. Files travel through a folder that every node has
mounted at the same place, or through a bucket. DVC and Git stay with the driver.
"""

from __future__ import annotations

import os
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError, InputError, PassingError
from stages import _keys
from stages._executor import Outcome, Work
from stages._executor_bucket import Bucket
from stages._executor_cluster import RaySettings, cpus_of, first_line, joined_cluster
from stages._executor_node import Job, Worker, list_again
from stages._executor_pool import Pool, WorkerLost
from stages._failures import Failure
from stages._progress import say
from stages._step import Params
from stages._store import Store, discard

#: How long a folder that is mounted over the network may take to show what another node wrote.
_VISIBLE_S = 60.0


class RayExecutor:
    """A pool of actors on a Ray cluster; it connects when the first outcome is asked for."""

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings

    def run(
        self, step: str, params: Params, work: Sequence[Work], store: Store
    ) -> Iterator[Outcome]:
        """Yield outcomes as they end; an item whose worker or node died is built by another.

        Raises:
            InputError: no cluster, no room in it, a node that cannot do the work, no bucket.
        """
        if not work:
            return
        if str(params.get("device", "")).startswith("cuda") and not self.settings.gpus_per_worker:
            raise InputError(f"ray.gpus_per_worker: found 0, wanted more: {step} needs a card")
        bucket = None
        if self.settings.store is not None:
            bucket = Bucket(self.settings.store, self.settings.store_options)
        with joined_cluster(self.settings, params) as ray, _probe(bucket, store) as probe:
            parts = work[0].parts
            job = Job(
                *(step, dict(params), Path.cwd(), store.root.resolve(), probe),
                *(parts["code"], parts["versions"], parts["models"], bucket),
            )
            actors = _Actors(ray, self.settings, job, store)
            size = min(self.settings.workers or actors.room(), len(work))
            yield from Pool(step, actors, size, self.settings.retries).run(work)


class _Actors:
    """Workers that are Ray actors; a ticket is Ray's reference to an answer."""

    def __init__(self, ray: Any, settings: RaySettings, job: Job, store: Store) -> None:
        self.ray, self.settings, self.job, self.store = ray, settings, job, store
        self.cpus = cpus_of(settings, job.params)
        self.actor = ray.remote(Worker).options(
            num_cpus=self.cpus,
            num_gpus=settings.gpus_per_worker,
            max_restarts=0,  # the pool starts another, wherever there is room
            runtime_env={"env_vars": _environment(job.params)},
        )
        self._fetched: set[Hashable] = set()
        #: Ticket of being ready -> what a worker answers as soon as it has found room.
        self._there: dict[Hashable, Any] = {}

    def room(self) -> int:
        """Return how many workers the cluster can hold as it is now."""
        there = self.ray.cluster_resources()
        room = there.get("CPU", 0.0) // self.cpus
        if self.settings.gpus_per_worker:
            room = min(room, there.get("GPU", 0.0) // self.settings.gpus_per_worker)
        return max(1, int(room))

    def start(self) -> tuple[Any, Hashable]:
        worker = self.actor.remote(self.job)
        there, ticket = worker.there.remote(), worker.ready.remote()
        self._there[ticket] = there
        return worker, ticket

    def give(self, worker: Any, work: Work) -> Hashable:
        bucket = self.job.bucket
        if bucket is None:
            return worker.build.remote(work)
        if bucket.get_item(self.job.step, work.key, self.store):
            ticket = self.ray.put(None)  # an earlier driver was killed before it fetched this one
            self._fetched.add(ticket)
            return ticket
        return worker.build.remote(bucket.pack(work))

    def wait(self, tickets: Sequence[Hashable], *, working: bool) -> Hashable:
        timeout = None if working else self.settings.start_seconds
        ended, _ = self.ray.wait(list(tickets), num_returns=1, timeout=timeout)
        while not ended and self._any_there(tickets):
            # It has room, and looks at its models; their files can be large.
            ended, _ = self.ray.wait(list(tickets), num_returns=1, timeout=timeout)
        if not ended:
            there = self.ray.cluster_resources()
            raise InputError(
                f"ray: found no room for a worker in {timeout:g} s, wanted {self.cpus:g} CPU and "
                f"{self.settings.gpus_per_worker:g} GPU on one node; the cluster has "
                f"{there.get('CPU', 0):g} CPU and {there.get('GPU', 0):g} GPU"
            )
        return ended[0]

    def ready(self, ticket: Hashable) -> None:
        del self._there[ticket]
        problem = self._get(ticket)
        if problem:
            raise InputError(problem)

    def answer(self, ticket: Hashable, work: Work) -> Failure | None:
        failure = self._get(ticket)
        if failure is not None or ticket in self._fetched:
            self._fetched.discard(ticket)
            return failure
        bucket = self.job.bucket
        if bucket is not None:
            if not bucket.get_item(self.job.step, work.key, self.store):
                raise PassingError(f"ray.store: {bucket} has lost the item, will be tried again")
        else:
            _wait_for(self.store, self.job.step, work.key)
        return None

    def stop(self, worker: Any) -> None:
        self.ray.kill(worker)

    def _any_there(self, tickets: Sequence[Hashable]) -> bool:
        there = [self._there[ticket] for ticket in tickets if ticket in self._there]
        return bool(there) and bool(self.ray.wait(there, num_returns=1, timeout=0)[0])

    def _get(self, ticket: Hashable) -> Any:
        from ray.exceptions import RayError

        try:
            return self.ray.get(ticket)
        except RayError as error:
            say(f"{self.job.step}: a worker was lost ({type(error).__name__}), another takes over")
            raise WorkerLost(first_line(error)) from error


@contextmanager
def _probe(bucket: Bucket | None, store: Store) -> Iterator[str]:
    """Leave something for the workers to find, in the bucket or the store; give its name."""
    if bucket is None:
        folder = store.temporary()
        try:
            yield folder.name
        finally:
            discard(folder)
        return
    name = bucket.check()
    try:
        yield name
    finally:
        with suppress(AssetError):  # what ended the work matters more
            bucket.forget(name)


def _environment(params: Params) -> dict[str, str]:
    """Return what a worker's environment must hold before its first import."""
    found = {name: value for name, value in os.environ.items() if name.startswith("ASSETS3D_")}
    found["PYTHONPATH"] = str(_keys.CODE_ROOT)
    if params.get("threads") is not None:
        # Ray would set it to the worker's CPUs, and numpy reads it when it is imported.
        found["OMP_NUM_THREADS"] = str(params["threads"])
    return found


def _wait_for(store: Store, step: str, key: str) -> None:
    """Wait until the item that another node renamed into place is seen here."""
    until = time.monotonic() + _VISIBLE_S
    while store.read(step, key) is None:
        if time.monotonic() > until:
            raise PassingError(f"ray: {step}/{key[:12]} was built and is not seen in {store.root}")
        time.sleep(0.2)
        list_again(store.root / step)

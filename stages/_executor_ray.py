"""Items on a Ray cluster: a pool of actors, each with its models loaded once.

Only keys and manifest fields travel through Ray. Files travel through a folder that every node has
mounted at the same place, or through a bucket. DVC and Git stay with the driver.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import socket
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assets3d.errors import InputError, PassingError
from stages import _keys
from stages._executor import Outcome, Work
from stages._executor_bucket import Bucket
from stages._executor_node import Job, Worker, list_again
from stages._executor_pool import Pool, WorkerLost
from stages._failures import Failure
from stages._progress import say
from stages._step import Params
from stages._store import Store, discard

#: How long a folder that is mounted over the network may take to show what another node wrote.
_VISIBLE_S = 60.0
_KNOCK_S = 10.0
_MIB = 2**20


class RaySettings(BaseModel):
    """The section `ray` of configs/pipeline.yaml.

    Attributes:
        address: `auto` finds the cluster that this node is part of, `local` starts one here for the
            length of a stage; or host:port.
        workers: how many actors; by default as many as the cluster has room for.
        cpus_per_worker: by default the threads that the profile gives an item.
        gpus_per_worker: a fraction lets several actors share a card.
        retries: how often an item is tried again whose worker died or whose failure may pass.
        start_seconds: how long to wait for room for the first worker.
        store: a bucket, as fsspec names it; without one, the runs folder is mounted on every node.
        store_options: what fsspec's driver is told besides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = "auto"
    workers: int | None = Field(None, ge=1, le=10_000)
    cpus_per_worker: float | None = Field(None, gt=0)
    gpus_per_worker: float = Field(0.0, ge=0)
    retries: int = Field(2, ge=0, le=100)
    start_seconds: float = Field(120.0, gt=0)
    store: str | None = None
    store_options: dict[str, Any] = Field(default_factory=dict)


def read_ray_settings(section: object) -> RaySettings:
    """Check the section.

    Raises:
        InputError: a wrong field, in one line, or Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise InputError("executor: ray is not installed, wanted it from `make ray`")
    try:
        return RaySettings.model_validate({} if section is None else section)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, ("ray", *first["loc"])))
        wanted = first["msg"].removeprefix("Input should be ")
        if first["type"] == "extra_forbidden":
            wanted = f"one of {', '.join(RaySettings.model_fields)}"
        raise InputError(f"{name}: found {first['input']!r}, wanted {wanted}") from None


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
        probe = bucket.check() if bucket else store.temporary().name
        parts = work[0].parts
        job = Job(
            *(step, dict(params), Path.cwd(), store.root.resolve(), probe),
            *(parts["code"], parts["versions"], parts["models"], bucket),
        )
        with _cluster(self.settings, params) as ray:
            try:
                actors = _Actors(ray, self.settings, job, store)
                size = min(self.settings.workers or actors.room(), len(work))
                yield from Pool(step, actors, size, self.settings.retries).run(work)
            finally:
                if bucket:
                    bucket.forget(probe)
                else:
                    discard(store.root / ".building" / probe)


class _Actors:
    """Workers that are Ray actors; a ticket is Ray's reference to an answer."""

    def __init__(self, ray: Any, settings: RaySettings, job: Job, store: Store) -> None:
        self.ray, self.settings, self.job, self.store = ray, settings, job, store
        self.cpus = _cpus(settings, job.params)
        self.actor = ray.remote(Worker).options(
            num_cpus=self.cpus,
            num_gpus=settings.gpus_per_worker,
            max_restarts=0,  # the pool starts another, wherever there is room
            runtime_env={"env_vars": _environment(job.params)},
        )
        self._fetched: set[Hashable] = set()

    def room(self) -> int:
        """Return how many workers the cluster can hold as it is now."""
        there = self.ray.cluster_resources()
        room = there.get("CPU", 0.0) // self.cpus
        if self.settings.gpus_per_worker:
            room = min(room, there.get("GPU", 0.0) // self.settings.gpus_per_worker)
        return max(1, int(room))

    def start(self) -> tuple[Any, Hashable]:
        worker = self.actor.remote(self.job)
        return worker, worker.ready.remote()

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
        if not ended:
            there = self.ray.cluster_resources()
            raise InputError(
                f"ray: found no room for a worker in {timeout:g} s, wanted {self.cpus:g} CPU and "
                f"{self.settings.gpus_per_worker:g} GPU on one node; the cluster has "
                f"{there.get('CPU', 0):g} CPU and {there.get('GPU', 0):g} GPU"
            )
        return ended[0]

    def ready(self, ticket: Hashable) -> None:
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

    def _get(self, ticket: Hashable) -> Any:
        from ray.exceptions import RayError

        try:
            return self.ray.get(ticket)
        except RayError as error:
            say(f"{self.job.step}: a worker was lost ({type(error).__name__}), another takes over")
            raise WorkerLost(_first_line(error)) from error


@contextmanager
def _cluster(settings: RaySettings, params: Params) -> Iterator[Any]:
    """Connect to the cluster, and leave it at the end."""
    # Ray reports usage to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    words: dict[str, Any] = {"address": settings.address}
    if settings.address == "local":
        cpus = (settings.workers or 1) * _cpus(settings, params)
        # Ray's CPUs are a count to share out, which may be more than the machine has.
        words |= {
            "num_cpus": max(os.cpu_count() or 1, math.ceil(cpus)),
            "include_dashboard": False,
            "object_store_memory": 100 * _MIB,
        }
    else:
        _check_reachable(settings.address)
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **words)
    except Exception as error:
        # ConnectionError, RuntimeError, ValueError: whatever keeps us from the cluster.
        raise _no_cluster(settings.address, error) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Knock at host:port: Ray itself would go on knocking for minutes."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", address)
    host, _, port = address.rpartition(":")
    if not host or "://" in address or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S).close()
    except OSError as error:
        raise _no_cluster(address, error) from None


def _no_cluster(address: str, error: Exception) -> InputError:
    return InputError(
        f"ray.address: found no cluster at {address} ({_first_line(error)}), wanted one from "
        "`ray start --head`, or address: local"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _cpus(settings: RaySettings, params: Params) -> float:
    return settings.cpus_per_worker or float(params.get("threads") or 1)


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

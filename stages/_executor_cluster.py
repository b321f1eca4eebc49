"""How a Ray cluster is named in configs/pipeline.yaml, and how the driver joins it."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assets3d.errors import InputError
from stages._step import Params

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


@contextmanager
def joined_cluster(settings: RaySettings, params: Params) -> Iterator[Any]:
    """Connect to the cluster, and leave it at the end."""
    # Ray reports usage to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    words: dict[str, Any] = {"address": settings.address}
    if settings.address == "local":
        cpus = (settings.workers or 1) * cpus_of(settings, params)
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
        f"ray.address: found no cluster at {address} ({first_line(error)}), wanted one from "
        "`ray start --head`, or address: local"
    )


def first_line(error: Exception) -> str:
    """Return the first line of what an error says; Ray's errors have many."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def cpus_of(settings: RaySettings, params: Params) -> float:
    """Return how many CPUs a worker takes."""
    return settings.cpus_per_worker or float(params.get("threads") or 1)

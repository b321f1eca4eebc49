"""What runs on a node of a cluster: it looks whether it may build, and builds.

A node builds nothing before it has shown that its code, packages and models are the driver's, since
what it makes goes into the store under the driver's keys.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from stages import _keys
from stages._executor import Builder, Work
from stages._executor_bucket import Bucket, Parcel
from stages._failures import Failure, from_exception
from stages._models import find_models
from stages._step import Params, find_step
from stages._store import Store, discard

#: How long the probe of the driver may take to be seen over the network.
_PROBE_S = 15.0


@dataclass(frozen=True)
class Job:
    """What a worker is told once.

    Attributes:
        step: the step's name.
        params: its section of the profile.
        root: the project's folder, where the driver is.
        store: the store's folder there.
        probe: what the driver left in the store or the bucket, to be seen from everywhere.
        code, versions, models: what the keys were made of.
        bucket: where files travel, if not through the folder.
    """

    step: str
    params: Params
    root: Path
    store: Path
    probe: str
    code: str
    versions: Mapping[str, str]
    models: Mapping[str, Any] = field(default_factory=dict)
    bucket: Bucket | None = None


class Worker:
    """What runs on a node; every error comes back as a line, so that only death ends it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.node = socket.gethostname()
        self.builder: Builder | None = None

    def there(self) -> None:
        """Answer at once."""

    def ready(self) -> str:
        """Look whether this node can do the work; return what is wrong, or nothing."""
        try:
            self._go_to_project()
            if self.job.bucket is None:
                self._check_folder()
                store = Store(self.job.store)
            else:
                if not self.job.bucket.sees(self.job.probe):
                    raise InputError(f"ray.store: {self.job.bucket} is another bucket here")
                store = _own_store()
            self._check_same()
            store.sweep()
            self.builder = Builder(self.job.step, self.job.params, store)
        except Exception as error:
            line = from_exception("", self.job.step, error).message
            return f"ray: node {self.node}: {line}"
        return ""

    def build(self, given: Work | Parcel) -> Failure | None:
        """Build one item into the store, or through the bucket."""
        assert self.builder is not None, "a worker that is not ready was given an item"
        if isinstance(given, Work):
            return self._with_models(given)
        work, bucket, store = given.work, self.job.bucket, self.builder.store
        assert bucket is not None, "a parcel came without a bucket"
        folder = store.temporary()
        try:
            failure = self._with_models(bucket.unpack(given, folder))
            if failure is None:
                bucket.put_item(self.job.step, work.key, store)
            return failure
        except Exception as error:
            return from_exception(work.asset, self.job.step, error)
        finally:
            # The bucket has it now; nodes come and go, and nobody sweeps their disks.
            discard(folder)
            discard(store.folder(self.job.step, work.key))

    def _with_models(self, work: Work) -> Failure | None:
        assert self.builder is not None
        for role, model in work.models.items():
            if not model.path.exists():
                words = f"{role}: node {self.node} has no {model.path}, wanted it on every node"
                return Failure(work.asset, self.job.step, "input", words)
        return self.builder.build(work).failure

    def _go_to_project(self) -> None:
        here = self.job.root if self.job.root.is_dir() else _keys.CODE_ROOT
        if not (here / "configs").is_dir():
            raise InputError(f"found no project at {here}, wanted it on every node")
        os.chdir(here)  # paths of the manifest and the registry start there

    def _check_folder(self) -> None:
        probe = self.job.store / ".building" / self.job.probe
        until = time.monotonic() + _PROBE_S
        while not probe.is_dir():
            if time.monotonic() > until:
                raise InputError(
                    f"does not see {self.job.store}, wanted the same folder mounted at the same "
                    "place on every node, or a bucket as ray.store"
                )
            time.sleep(0.5)
            list_again(probe.parent)
        discard(Store(self.job.store).temporary())  # it can be written, too

    def _check_same(self) -> None:
        step = find_step(self.job.step)
        code = _keys.item_key(_keys.code_hashes([*step.modules, f"stages.{step.name}"]))
        if code != self.job.code:
            raise InputError(f"has other code at {_keys.CODE_ROOT}, wanted the driver's commit")
        for name, version in _keys.versions().items():
            if self.job.versions.get(name) != version:
                wanted = self.job.versions.get(name)
                raise InputError(f"has {name} {version}, wanted {wanted} as on the driver")
        for role, model in find_models(dict(step.models), self.job.params).items():
            if self.job.models.get(role) != model.record():
                raise InputError(f"{role}: has other files of {model.name} than the driver")


def list_again(folder: Path) -> None:
    """List a folder: a network file system then asks its server instead of its memory."""
    try:
        list(folder.iterdir())
    except OSError:
        pass


def _own_store() -> Store:
    """Return a store on this node's own disk, for what comes from a bucket and goes there."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"assets3d-ray-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != user:
        raise InputError(f"found {folder} of another user, wanted to make it")
    return Store(folder / "store")

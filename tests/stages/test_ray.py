"""Items on other machines: the pool, the bucket, what a node looks at, and a real cluster."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem

from assets3d.errors import InputError, PassingError
from stages import _executor_node, _keys
from stages._executor import Work, make_executor
from stages._executor_bucket import Bucket
from stages._executor_node import Job, Worker
from stages._executor_pool import Pool, WorkerLost
from stages._failures import Failure
from stages._step import find_step
from stages._store import Store
from tests.stages.conftest import ROOT

STEP = "image"
with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: make ray"
)


def work_for(name: str, **given) -> Work:
    code = _keys.item_key(_keys.code_hashes([*find_step(STEP).modules, f"stages.{STEP}"]))
    spec = {"enters": "prompt", "id": name, "prompt": name}
    parts = {"step": STEP, "spec": spec, "code": code, "versions": _keys.versions()}
    parts |= {"params": {}, "inputs": {}, "models": {}}
    return Work(name, _keys.item_key(parts), parts, spec, {}, {}, 1, **given)


# The pool, with workers that are plain numbers.


class FakeWorkers:
    """`fate(worker, asset)` is None where the item is built, a Failure, or "dies"."""

    def __init__(self, fate=lambda worker, asset: None, start=lambda worker: None) -> None:
        self.fate, self.start_fate = fate, start
        self.started = 0
        self.alive: set[int] = set()
        self.most_at_once = 0
        self.built: list[tuple[int, str]] = []

    def start(self):
        self.started += 1
        self.alive.add(self.started)
        return self.started, ("ready", self.started)

    def give(self, worker, work):
        return ("item", worker, work.asset)

    def wait(self, tickets, *, working):
        self.most_at_once = max(self.most_at_once, len(tickets))
        assert working == any(kind == "item" for kind, *_ in tickets)
        # Whoever is asked last answers first; the order must not matter.
        return tickets[-1]

    def ready(self, ticket):
        problem = self.start_fate(ticket[1])
        if problem == "dies":
            raise WorkerLost("no memory")
        if problem:
            raise InputError(problem)

    def answer(self, ticket, work):
        _, worker, asset = ticket
        assert asset == work.asset
        self.built.append((worker, asset))
        fate = self.fate(worker, asset)
        if fate == "dies":
            raise WorkerLost("gone")
        return fate

    def stop(self, worker):
        self.alive.discard(worker)


def run_pool(workers: FakeWorkers, names, size=2, retries=2):
    outcomes = list(Pool(STEP, workers, size, retries).run([work_for(name) for name in names]))
    assert workers.alive == set()
    return {outcome.work.asset: outcome.failure for outcome in outcomes}


def test_every_item_once_and_no_more_than_one_a_worker():
    workers = FakeWorkers()
    names = [f"a{i}" for i in range(20)]
    assert run_pool(workers, names, size=3) == dict.fromkeys(names)
    assert sorted(name for _, name in workers.built) == sorted(names)
    assert (workers.started, workers.most_at_once) == (3, 3)
    few = FakeWorkers()
    run_pool(few, names[:2], size=8)
    assert few.started == 2


def test_the_item_of_a_dead_worker_goes_to_another():
    workers = FakeWorkers(lambda worker, asset: "dies" if worker == 2 else None)
    assert run_pool(workers, ["a", "b", "c"]) == {"a": None, "b": None, "c": None}
    assert sum(worker == 2 for worker, _ in workers.built) == 1
    assert len(workers.built) == 4
    alone = FakeWorkers(lambda worker, asset: "dies" if worker == 1 else None)
    assert run_pool(alone, ["a", "b"], size=1) == {"a": None, "b": None}
    assert [worker for worker, _ in alone.built] == [1, 2, 2]


def test_an_item_that_kills_every_worker_fails_alone():
    workers = FakeWorkers(lambda worker, asset: "dies" if asset == "b" else None)
    found = run_pool(workers, ["a", "b", "c", "d"], retries=2)
    assert [name for name, failure in found.items() if failure] == ["b"]
    assert found["b"].cause == "passing"
    assert "its worker died" in found["b"].message
    assert "3 tried" in found["b"].message
    assert sum(name == "b" for _, name in workers.built) == 3


def test_a_passing_failure_is_tried_elsewhere_and_a_mistake_is_not():
    passing = Failure("b", STEP, "passing", "no memory")
    mistake = Failure("c", STEP, "input", "no picture")
    fates = {"b": iter([passing, None]), "c": iter([mistake])}
    workers = FakeWorkers(lambda worker, asset: next(fates[asset]) if asset in fates else None)
    assert run_pool(workers, ["a", "b", "c"]) == {"a": None, "b": None, "c": mistake}


def test_workers_that_never_start_end_it_in_one_line():
    with pytest.raises(InputError, match="workers die before they can begin: no memory"):
        run_pool(FakeWorkers(start=lambda worker: "dies"), ["a", "b", "c"])
    workers = FakeWorkers(start=lambda worker: "node x has other code" if worker == 2 else None)
    with pytest.raises(InputError, match="node x has other code"):
        run_pool(workers, ["a", "b", "c"])
    assert workers.alive == set()
    # One that dies at its start is no harm where others live.
    some = FakeWorkers(start=lambda worker: "dies" if worker in (1, 3) else None)
    assert run_pool(some, ["a", "b", "c"]) == {"a": None, "b": None, "c": None}


def test_an_item_that_cannot_be_given_fails_alone():
    class Refusing(FakeWorkers):
        def give(self, worker, work):
            if work.asset == "b":
                raise PassingError("ray.store: memory://x refuses")
            return super().give(worker, work)

    found = run_pool(Refusing(), ["a", "b", "c"])
    assert found["a"] is found["c"] is None
    assert "refuses" in found["b"].message


# The bucket.


class RefusingFileSystem(MemoryFileSystem):
    """A bucket that may be looked at, not written to."""

    protocol = "refusing"

    def pipe_file(self, path, value, **_):
        raise PermissionError("AccessDenied: PutObject")


@pytest.fixture(params=["memory", "file"])
def bucket(request, tmp_path) -> Bucket:
    place = f"/{tmp_path.name}" if request.param == "memory" else tmp_path / "bucket"
    return Bucket(f"{request.param}://{place}")


def finished(store: Store, content: bytes = b"picture") -> Work:
    work = work_for("a")
    folder = store.temporary()
    (folder / "unreal").mkdir()
    (folder / "image.png").write_bytes(content)
    (folder / "unreal/N.png").write_bytes(content)
    store.put(STEP, work.key, work.parts, folder, 1.25)
    return work


def test_an_item_through_a_bucket_is_the_same_item(bucket, tmp_path):
    ours, theirs = Store(tmp_path / "ours"), Store(tmp_path / "theirs")
    work = finished(theirs)
    assert not bucket.get_item(STEP, work.key, ours)
    bucket.put_item(STEP, work.key, theirs)
    assert bucket.get_item(STEP, work.key, ours)
    there, here = theirs.find(STEP, work.key), ours.find(STEP, work.key)
    assert replace(there, folder=here.folder) == here
    assert (here.folder / "unreal/N.png").read_bytes() == b"picture"
    assert not list((tmp_path / "ours/.building").iterdir())


def test_what_an_item_reads_through_a_bucket(bucket, tmp_path):
    cup, statue = tmp_path / "cup.png", tmp_path / "statue"
    cup.write_bytes(b"cup")
    (statue / "in").mkdir(parents=True)
    (statue / "0.png").write_bytes(b"cup")
    (statue / "in/1.png").write_bytes(b"one")
    work = replace(
        work_for("a"), sources={"image": cup, "views": statue}, folders={"cutout": statue}
    )
    parcel = bucket.pack(work)
    away = bucket.unpack(parcel, tmp_path / "node")
    assert away.key == work.key
    assert away.sources["image"].name == "cup.png"
    assert away.sources["image"].read_bytes() == b"cup"
    assert (away.sources["views"] / "in/1.png").read_bytes() == b"one"
    assert (away.folders["cutout"] / "0.png").read_bytes() == b"cup"
    system, root = fsspec.core.url_to_fs(bucket.url)
    assert len(system.find(f"{root}/files")) == 2  # equal bytes lie there once


def test_a_parcel_cannot_write_outside_its_folder(bucket, tmp_path):
    parcel = bucket.pack(replace(work_for("a"), folders={"cutout": tmp_path}))
    evil = replace(parcel, trees={("folders", "cutout"): {"../../x": "0" * 64}})
    with pytest.raises(InputError, match=r"found a file '\.\./\.\./x'"):
        bucket.unpack(evil, tmp_path / "node")


def test_damaged_bytes_in_a_bucket_are_one_line(bucket, tmp_path):
    work = finished(Store(tmp_path / "theirs"))
    bucket.put_item(STEP, work.key, Store(tmp_path / "theirs"))
    system, root = fsspec.core.url_to_fs(bucket.url)
    for path in system.find(f"{root}/files"):
        system.pipe_file(path, b"nonsense")
    ours = Store(tmp_path / "ours")
    with pytest.raises(PassingError, match="damaged bytes of"):
        bucket.get_item(STEP, work.key, ours)
    assert ours.find(STEP, work.key) is None
    assert not list((tmp_path / "ours/.building").iterdir())


def test_a_bucket_that_refuses_is_one_line(tmp_path):
    fsspec.register_implementation("refusing", RefusingFileSystem, clobber=True)
    bucket = Bucket("refusing://me:secret@x/y")
    with pytest.raises(InputError) as refused:
        bucket.check()
    line = str(refused.value)
    assert "refuses to write a probe (PermissionError: AccessDenied: PutObject)" in line
    assert "\n" not in line
    assert "secret" not in line
    (tmp_path / "cup.png").write_bytes(b"cup")
    with pytest.raises(PassingError, match="refuses to take cup"):
        bucket.put_file(tmp_path / "cup.png")
    with pytest.raises(InputError, match="nosuch://x"):
        Bucket("nosuch://x").check()


def test_a_probe_tells_one_bucket_from_another(bucket, tmp_path):
    probe = bucket.check()
    assert bucket.sees(probe)
    assert not Bucket(f"file://{tmp_path / 'other'}").sees(probe)
    bucket.forget(probe)
    assert not bucket.sees(probe)


# A node, without Ray.


@pytest.fixture
def job(tmp_path, monkeypatch) -> Job:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(_executor_node, "_PROBE_S", 0.0)
    store = Store(tmp_path / ".store")
    parts = work_for("a").parts
    return Job(
        *(STEP, {"model": "standin"}, ROOT, store.root, store.temporary().name),
        *(parts["code"], parts["versions"]),
    )


def test_a_node_that_sees_everything_builds(job):
    worker = Worker(job)
    assert worker.ready() == ""
    assert worker.build(work_for("a")) is None
    assert Store(job.store).find(STEP, work_for("a").key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"store": Path("/nowhere/.store")},
            "does not see /nowhere/.store, wanted",
        ),
        ({"code": "0"}, "has other code at"),
        ({"versions": {"torch": "0.1"}}, "wanted 0.1 as on the driver"),
    ],
)
def test_a_node_that_is_another_builds_nothing(job, change, words):
    line = Worker(replace(job, **change)).ready()
    assert line.startswith("ray: node ")
    assert words in line
    assert "\n" not in line


def test_a_node_behind_a_bucket_keeps_nothing(job, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(_executor_node.tempfile, "gettempdir", lambda: str(tmp_path))
    worker = Worker(replace(job, store=Path("/nowhere"), bucket=bucket, probe=bucket.check()))
    assert worker.ready() == ""
    assert worker.build(bucket.pack(work_for("a"))) is None
    ours = Store(tmp_path / "ours")
    assert bucket.get_item(STEP, work_for("a").key, ours)
    assert not [p for p in tmp_path.glob("assets3d-ray-*/**/*") if p.is_file()]


# The settings.


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"worker": 4}, "ray.worker: found 4, wanted one of address, workers"),
        ({"workers": 0}, "ray.workers: found 0, wanted greater than or equal to 1"),
        ({"gpus_per_worker": "half"}, "ray.gpus_per_worker: found 'half', wanted a valid number"),
        ([4], "ray: found [4], wanted"),
    ],
)
@with_ray
def test_settings_that_are_wrong_are_one_line(section, words):
    with pytest.raises(InputError) as wrong:
        make_executor({"executor": "ray", "ray": section})
    assert words in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_an_executor_that_nobody_knows():
    with pytest.raises(InputError, match="executor: found 'slurm', wanted local or ray"):
        make_executor({"executor": "slurm"})


@with_ray
def test_a_card_is_asked_for(tmp_path):
    executor = make_executor({"executor": "ray", "ray": {}})
    outcomes = executor.run(STEP, {"device": "cuda"}, [work_for("a")], Store(tmp_path))
    with pytest.raises(InputError, match="gpus_per_worker: found 0, wanted more"):
        next(outcomes)
    assert list(executor.run(STEP, {}, [], Store(tmp_path))) == []  # connects to nothing


# A real cluster of several nodes on this machine.

ASSETS = {f"prop_{i}": {"prompt": f"prop {i}", "seed": i} for i in range(12)}


@pytest.fixture
def cluster(monkeypatch):
    """Return a cluster of two nodes with two CPUs each, the head and `others[0]`."""
    mark = uuid.uuid4().hex
    for name, value in (
        ("RAY_USAGE_STATS_ENABLED", "0"),
        ("OMP_NUM_THREADS", "1"),
        ("ASSETS3D_TEST_CLUSTER", mark),
    ):
        monkeypatch.setenv(name, value)
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        # Ray notes the newest cluster's address here, and does not make the folder for it.
        (Path(folder) / "ray").mkdir()
        monkeypatch.setenv("RAY_TMPDIR", folder)
        try:
            yield _start_cluster(mark, f"{folder}/ray")
        finally:
            _end_processes(mark)


def _start_cluster(mark: str, folder: str, tries: int = 3):
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=2, object_store_memory=80 * 2**20, temp_dir=folder)
    except Exception:
        # Its helpers have half a minute to start, which a busy machine does not always give them.
        _end_processes(mark)
        if tries == 1:
            raise
        return _start_cluster(mark, folder, tries - 1)
    cluster.others = cluster.list_all_nodes()[1:]
    return cluster


def _end_processes(mark: str) -> None:
    """End what was started under this mark, also what lost its parent."""
    import psutil

    for process in psutil.process_iter():
        try:
            ours = process.environ().get("ASSETS3D_TEST_CLUSTER") == mark
            if ours and process.pid != os.getpid():
                process.kill()
        except psutil.Error:
            pass


def with_cluster(project, address: str, **more) -> None:
    ray = {"address": address, "start_seconds": 90, **more}
    settings = {"profile": "standin", "executor": "ray", "ray": ray}
    (project.root / "configs/pipeline.yaml").write_text(yaml.safe_dump(settings))


def start_over(project) -> None:
    for folder in project.root.glob("runs/*"):
        shutil.rmtree(folder)
    for folder in project.root.glob("runs/.*"):
        shutil.rmtree(folder)


@with_ray
@pytest.mark.slow
def test_a_cluster_makes_the_same_files_though_a_node_is_killed(project, cluster, tmp_path):
    project.write_manifest(ASSETS)
    project.stages()
    steps = ("image", "cutout")
    expected = {step: project.files(step) for step in steps}
    start_over(project)

    with_cluster(project, cluster.address, workers=4)
    faults = ",".join(f"image/{i}=slow" for i in range(len(ASSETS)))
    environment = {**os.environ, "PYTHONPATH": str(project.root)}
    driver = subprocess.Popen(
        [
            *(sys.executable, "-m", "stages.image", "--manifest", "configs/assets.yaml"),
            *("--profile", "configs/profiles/standin.yaml", "--out", "runs/image"),
        ],
        cwd=project.root,
        env=environment | {"ASSETS3D_STANDIN_FAULTS": faults},
        stderr=subprocess.PIPE,
        text=True,
    )
    items = project.root / "runs/.store/image"
    while driver.poll() is None and len(list(items.glob("*"))) < 2:
        time.sleep(0.1)
    cluster.remove_node(cluster.others[0], allow_graceful=False)
    _, said = driver.communicate(timeout=300)
    assert driver.returncode == 0, said
    assert "a worker was lost" in said
    assert "image: built 12, reused 0, failed 0" in said
    assert project.files("image") == expected["image"]

    # The node that is left goes on with the next step; an item that kills every worker fails alone.
    with_cluster(project, cluster.address, retries=1)
    before = project.stage("cutout", faults="cutout/3=kill")
    assert "prop_3: cutout: its worker died" in before.stderr, before.stderr
    assert "cutout: built 11, reused 0, failed 1" in before.stderr
    # Through a bucket, and nothing that the dead left behind stays.
    bucket = tmp_path / "bucket"
    with_cluster(project, cluster.address, workers=1, store=f"file://{bucket}")
    last = project.stage("cutout")
    assert "cutout: built 1, reused 11, failed 0" in last.stderr, last.stderr
    assert len(list(bucket.glob("cutout/*.json"))) == 1
    assert not list(bucket.glob("probes/*"))
    assert project.files("cutout") == expected["cutout"]
    assert not list((project.root / "runs/.store/.building").iterdir())

    # No room for a worker, and a folder that the nodes do not see.
    shutil.rmtree(project.root / "runs/.store/image")
    with_cluster(project, cluster.address, cpus_per_worker=64, start_seconds=2)
    none = project.stage("image")
    assert none.returncode == 1
    assert "image: ray: found no room for a worker in 2 s, wanted 64 CPU" in none.stderr
    assert project.files("image") == expected["image"]


@with_ray
def test_no_cluster_is_one_line(project):
    project.write_manifest(ASSETS)
    with_cluster(project, "127.0.0.1:1")
    done = project.stage("image")
    assert done.returncode == 1
    assert "ray.address: found no cluster at 127.0.0.1:1" in done.stderr.splitlines()[-1]

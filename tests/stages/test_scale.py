"""Many assets: memory that does not grow, a kill half-way, a remote, and what the disk holds."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks import pipeline
from stages._step import ITEM_STEPS

FEW, MANY = 20, 120
PROP_STEPS = ("image", "cutout", "views", "splats", "mesh", "export")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a project of many assets with stand-in models, everything built."""
    root = tmp_path_factory.mktemp("scale") / "project"
    pipeline.standin_project(root, MANY)
    lines = pipeline.repro(root)["stages"]
    assert {line.partition(":")[0] for line in lines} == set(ITEM_STEPS)
    return root


def counts(lines: list[str]) -> dict[str, tuple[int, int, int]]:
    """Return step -> built, reused, failed."""
    found = {}
    for line in lines:
        step = line.partition(":")[0]
        found[step] = tuple(int(n) for n in re.findall(r"(?:built|reused|failed) (\d+)", line))
    return {step: found[step] for step in PROP_STEPS if step in found}


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_assets(built, tmp_path):
    few = tmp_path / "few"
    pipeline.standin_project(few, FEW)
    pipeline.repro(few)
    costs = [pipeline.stage_costs(root / "runs") for root in (few, built)]
    for step in PROP_STEPS:
        small, large = (cost[step]["peak_mib"] for cost in costs)
        # What a stage knows of an asset, its key and parts, is some 20 KiB.
        assert large < small + 10, (step, small, large)


@pytest.mark.slow
def test_one_copy_on_the_disk(built):
    """Store, results and DVC's cache share every file; the page has its own few."""
    use = pipeline.disk_use(built)
    assert use["files"] > 3 * MANY * len(PROP_STEPS)
    glb = built / "runs/mesh/prop_00000/prop_00000.glb"
    assert glb.stat().st_nlink == 3
    assert use["mib_on_disk"] < 0.6 * use["mib_by_name"]


@pytest.mark.slow
def test_killed_half_way_it_goes_on_from_there(tmp_path):
    done = pipeline.kill_and_resume(tmp_path / "project", MANY)
    found = counts(done["stages"])
    built, reused, failed = found["mesh"]
    assert (built + reused, failed) == (MANY, 0)
    assert reused >= MANY // 2
    assert "cutout" not in found  # DVC knows that it is finished


@pytest.mark.slow
def test_pushed_and_pulled_only_what_changed_is_built(built, tmp_path):
    results = pipeline.push_and_pull(built, tmp_path)
    assert counts(results["pulled_and_nothing_to_do"]["stages"]) == {}
    expected = dict.fromkeys(PROP_STEPS, (1, MANY - 1, 0))
    assert counts(results["pulled_and_one_changed"]["stages"]) == expected
    names = {path.parent.name for path in (tmp_path / "pulled/runs/mesh").glob("*/*.glb")}
    assert len(names) == MANY
    state = json.loads((tmp_path / "pulled/runs/.state/mesh.json").read_text())
    assert state["failed"] == []
